# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tables that pages show: variables, outcomes, exit codes, lists, metrics, fields of a record."""

import enum
import inspect
from collections.abc import Iterable, Sequence
from typing import Any

from bringup.harness.config import CompilerConfig, Setting
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.environment_listing import ListedVariable, listed
from bringup.harness.records.json_schema import DOCUMENTS, field_docs, json_schema
from bringup.harness.records.metrics import METRICS
from bringup.harness.records.schema import ModelStatus, Outcome, Stage, Status
from bringup.harness.records.variables import VARIABLES
from bringup.pipeline.lists.specs import SHIPPED
from docs.site.commands import cell


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; cells may hold Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell(text) for text in line)} |" for line in lines)


def members(kind: type[enum.Enum], head: str) -> str:
    """An enum's members with what stands below each in the source."""
    docs = field_docs(kind)
    return table((head, "means"), ((f"`{m.value}`", docs.get(m.name, m.name)) for m in kind))


def outcomes() -> str:
    """The outcomes."""
    return members(Outcome, "outcome")


def statuses() -> str:
    """How far a model or an op got."""
    return table(("status", "name"), ((str(s.value), f"`{s.name}`") for s in Status))


def stages() -> str:
    """The stages, in order."""
    return ", ".join(f"`{stage.value}`" for stage in Stage)


def model_statuses() -> str:
    """The words that are derived from a status."""
    return ", ".join(f"`{status.value}`" for status in ModelStatus)


def exit_codes() -> str:
    """What a command says to its caller."""
    docs = field_docs(ExitCode)
    return table(("code", "means"), ((str(code.value), docs[code.name]) for code in ExitCode))


def lists() -> str:
    """The lists."""
    return table(
        ("file", "a test on it"),
        ((f"`tests/lists/{spec.file_name}`", spec.description) for spec in SHIPPED),
    )


def metrics() -> str:
    """The metrics."""
    return table(
        ("metric", "is", "unit"),
        ((f"`{kind.name}`", kind.says, kind.unit) for kind in METRICS.values()),
    )


def variables() -> str:
    """Every environment variable, by whose it is."""
    groups: dict[str, list[ListedVariable]] = {
        "Settings of a test. A plan and a reproducer keep them for their test.": [],
        "Settings of Bring-up.": [],
        "Variables of other programs that Bring-up reads.": [],
    }
    of_tests, ours, others = groups.values()
    for one in listed({}):
        known = VARIABLES.get(one.name)
        is_ours = one.name.startswith("BRINGUP_")
        (of_tests if known and known.of_tests else ours if is_ours else others).append(one)
    settings = {s.variable: n for n, s in vars(CompilerConfig).items() if isinstance(s, Setting)}
    parts = []
    for head, group in groups.items():
        rows = [
            (f"`{one.name}`", _says(one, settings), one.takes, one.default, f"`{one.read_by}`")
            for one in group
        ]
        heads = ("variable", "says", "takes", "default", "read by")
        parts += [head, "", table(heads, rows), ""]
    return "\n".join(parts)


def _says(one: ListedVariable, settings: dict[str, str]) -> str:
    name = settings.get(one.name)
    return f"{one.says} (`CompilerConfig.{name}`)" if name else one.says


def record_fields() -> str:
    """The fields of everything that is written as JSON, a table for each type."""
    definitions = json_schema()["$defs"]
    first = [kind.__name__ for kind in DOCUMENTS]
    rest = [name for name in definitions if name not in first]
    parts = []
    for name in [*first, *rest]:
        definition = definitions[name]
        if "properties" not in definition:
            continue
        parts += [f"### {name}", "", *_said(definition), ""]
        required = definition.get("required", ())
        rows = [
            (f"`{field}`", _type(shape), "yes" if field in required else "", _meaning(shape))
            for field, shape in definition["properties"].items()
        ]
        parts += [table(("field", "type", "always there", "means"), rows), ""]
    return "\n".join(parts)


def _said(definition: dict[str, Any]) -> list[str]:
    said = inspect.cleandoc(definition.get("description", ""))
    return [said, "", definition.get("$comment", "")]


def _meaning(shape: dict[str, Any]) -> str:
    return str(shape.get("description", ""))


def _type(shape: dict[str, Any]) -> str:
    """A short name of a type: `string`, `list of StageResult`, `number or null`."""
    if "$ref" in shape:
        return str(shape["$ref"]).rpartition("/")[2]
    if "anyOf" in shape:
        return " or ".join(_type(one) for one in shape["anyOf"])
    if "enum" in shape:
        return ", ".join(f"`{value}`" for value in shape["enum"])
    if shape.get("type") == "array":
        items = [*shape.get("prefixItems", ()), *([shape["items"]] if shape.get("items") else [])]
        return "list of " + ", ".join(dict.fromkeys(map(_type, items)))
    if shape.get("type") == "object":
        return f"object of {_type(shape['additionalProperties'])}"
    return str(shape.get("type", "any"))
