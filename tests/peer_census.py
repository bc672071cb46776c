# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What each of tt-torch's test files of models needs by name, and whether it is here.

    python -m tests.peer_census

`tests/data/peer_names.json` has the names by file: imports, options of testers and of `test_model`,
settings, what of a tester is used, and the hooks that are overridden. Each is had, refused with a
reason, or lacking; a file finds what it needs if all its names are had. Of a tester's attributes
only those of tt-torch's own class are looked for: others are set by the file that reads them.
"""

import dis
import enum
import inspect
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import NamedTuple

from bringup.harness.config import Always, CompilerConfig
from bringup.harness.peer.names import LOADERS, REFUSED, is_served
from bringup.harness.tester.model_tester import ModelTester
from bringup.harness.tester.onnx_tester import OnnxModelTester

NAMES = Path(__file__).parent / "data" / "peer_names.json"
_THEIR_TESTERS = frozenset(
    {
        *("compile_model", "compiler_config", "finalize", "framework_model", "get_framework_model"),
        *("inputs", "loader", "model_name", "run_generate", "run_model", "test_model"),
        *("_load_inputs", "_load_torch_inputs", "print_outputs", "record_tag_cache", "devices"),
    }
)
"""Attributes of tt-torch's own classes among those that files use."""


class Standing(enum.Enum):
    HAD = "had"
    REFUSED = "refused"
    LACKING = "lacking"


class Need(NamedTuple):
    kind: str
    name: str
    standing: Standing


def needs(names: dict[str, list[str]]) -> Iterator[Need]:
    """What one file needs."""
    options = inspect.signature(ModelTester).parameters
    calls = inspect.signature(ModelTester.test_model).parameters
    made = {name for cls in ModelTester.__mro__ for name in _set_by_init(cls)}
    for name in names.get("imports", ()):
        yield Need("import", name, _of_import(*name.split(":")))
    for name in names.get("tester_options", ()):
        yield Need("option", name, _had(name in options))
    for name in names.get("test_model_options", ()):
        yield Need("test_model", name, _had(name in calls))
    for name in names.get("config", ()):
        yield Need("setting", name, _of_setting(name))
    for name in names.get("tester", ()):
        is_known = hasattr(OnnxModelTester, name) or name in made
        yield Need("attribute", name, _had(is_known or name not in _THEIR_TESTERS))
    for name in names.get("overrides", ()):
        yield Need("hook", name, _had(hasattr(OnnxModelTester, name)))


def _set_by_init(cls: type) -> Iterator[str]:
    """Attributes that a class's own `__init__` stores."""
    init = vars(cls).get("__init__")
    if isinstance(init, FunctionType):
        code = dis.get_instructions(init)
        yield from (str(step.argval) for step in code if step.opname == "STORE_ATTR")


def _had(is_here: bool) -> Standing:
    return Standing.HAD if is_here else Standing.LACKING


def _of_import(module: str, name: str) -> Standing:
    is_theirs = module.startswith(("tests.models.", f"{LOADERS}.")) and not is_served(module, name)
    if is_theirs or is_served(module, name):
        return Standing.HAD
    return Standing.REFUSED if (module, name) in REFUSED else Standing.LACKING


def _of_setting(name: str) -> Standing:
    setting = vars(CompilerConfig).get(name)
    if isinstance(setting, Always):
        return Standing.HAD if len(setting.values) > 1 else Standing.REFUSED
    return _had(setting is not None)


def census() -> dict[str, list[Need]]:
    """By file, what it needs."""
    files: dict[str, dict[str, list[str]]] = json.loads(NAMES.read_text("utf-8"))
    return {file: list(needs(names)) for file, names in files.items()}


def main() -> None:
    """Print what is not had, file by file, and the counts."""
    found = census()
    whole = 0
    for file, every in found.items():
        missing = [n for n in every if n.standing is not Standing.HAD]
        whole += not missing
        for need in missing:
            print(f"{file}: {need.standing.value}: {need.kind} {need.name}")
    counts = Counter(need.standing.value for every in found.values() for need in every)
    print(f"{whole} of {len(found)} files find what they need; names: {dict(counts)}")


if __name__ == "__main__":
    main()
