# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of everything a run directory holds as JSON, made from the types that write it.

`python -m bringup.harness.records.json_schema [FILE]` writes it, by default to
`docs/schema/record.schema.json`, which a test holds to be up to date. The dialect is JSON Schema
2020-12. A document (a line of a journal or of `records.jsonl`, a plan, `run.json`) is one of the
schema's `anyOf`. What a field means is what stands below it in the source.
"""

import argparse
import ast
import enum
import inspect
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec

from bringup.harness.records.night import NIGHT_NAME, NIGHT_SCHEMA, NightVerdict
from bringup.harness.records.plans import SharedPlan
from bringup.harness.records.schema import (
    SCHEMA_VERSION,
    AnyEvent,
    Plan,
    RunHeader,
    TestRecord,
)
from bringup.harness.records.trends import TRENDS_NAME, TRENDS_SCHEMA, Trends
from bringup.harness.storage.atomic import write_atomically

PUBLISHED = Path("docs/schema/record.schema.json")
"""Below the top of the checkout."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS: dict[type, str] = {
    TestRecord: "a line of records.jsonl.zst",
    RunHeader: "run.json",
    Plan: "plan.json, or plan-I-of-N.json of a shard",
    SharedPlan: "the plan of all shards",
    NightVerdict: f"{NIGHT_NAME}; its schema is counted by itself, up to {NIGHT_SCHEMA}",
    Trends: f"{TRENDS_NAME}; its schema is counted by itself, up to {TRENDS_SCHEMA}",
    **dict.fromkeys(get_args(AnyEvent), "a line of a journal"),
}
"""What a run writes as one JSON value, and where."""


def json_schema() -> dict[str, Any]:
    """The whole schema, as a value for `json.dumps`."""
    references, components = msgspec.json.schema_components(
        DOCUMENTS, ref_template="#/$defs/{name}"
    )
    for described in _reached(DOCUMENTS):
        _describe(components[described.__name__], described)
    for kind, where in DOCUMENTS.items():
        components[kind.__name__]["$comment"] = f"Found as {where}."
    return {
        "$schema": DIALECT,
        "title": f"Records of Bring-up, schema {SCHEMA_VERSION}",
        "description": "Fields that a reader does not know are to be passed over; a `schema` above "
        f"{SCHEMA_VERSION} is to be refused.",
        "anyOf": list(references),
        "$defs": dict(sorted(components.items())),
    }


def field_docs(described: type) -> dict[str, str]:
    """By name, what stands as a string below each field of a class, or each member of an enum."""
    found: dict[str, str] = {}
    for cls in reversed(described.__mro__[:-1]):
        if cls.__module__.startswith("bringup."):
            found |= dict(_docs_in(cls))
    return found


def _docs_in(cls: type) -> Iterator[tuple[str, str]]:
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    for statement, after in zip(body.body, body.body[1:], strict=False):
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
        is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        for target in targets if is_text else []:
            assert isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if isinstance(target, ast.Name) and isinstance(after.value.value, str):
                yield target.id, " ".join(after.value.value.split())


def _reached(documents: Any) -> list[type]:
    """The classes that documents are made of, whatever they lie in."""
    found: dict[type, None] = {}
    left = list(documents)
    while left:
        one = left.pop()
        left += get_args(one)
        if isinstance(one, type) and one not in found:
            if issubclass(one, enum.Enum):
                found[one] = None
            elif issubclass(one, msgspec.Struct):
                found[one] = None
                left += [field.type for field in msgspec.structs.fields(one)]
    return list(found)


def _describe(component: dict[str, Any], described: type) -> None:
    """Add the meanings of fields, and of an enum's values."""
    docs = field_docs(described)
    if "description" in component:  # only Python 3.13 and later take the indentation off
        component["description"] = inspect.cleandoc(component["description"])
    if issubclass(described, enum.Enum):
        named = [(str(member.value), member.name, docs.get(member.name)) for member in described]
        lines = [f"{value}: {says or name}" for value, name, says in named if says or value != name]
        component["description"] = "\n".join(
            [*component.get("description", "").split("\n"), *lines]
        )
        return
    for name, says in docs.items():
        if name in component["properties"]:
            component["properties"][name]["description"] = says


def main(arguments: Sequence[str]) -> int:
    """Write the schema; returns the exit code."""
    parser = argparse.ArgumentParser("python -m bringup.harness.records.json_schema", None, __doc__)
    parser.add_argument("file", nargs="?", type=Path, default=PUBLISHED, help="%(default)s")
    target: Path = parser.parse_args(arguments).file
    write_atomically(target, msgspec.json.format(msgspec.json.encode(json_schema())) + b"\n")
    print(f"wrote {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
