# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The rooms, in their order, and the imports between them, read from the sources.

A room is a folder, or a file beside the folders. Each stands above all that it may import: whoever
wants to import against the order has the code in the wrong room. `tests/unit/test_house.py` holds
the sources to it, and `docs/site/picture.py` draws it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FROM_GROUND_UP = {
    "harness": """
        checkout_name errors inner_process did_you_mean session reach storage extensions dense mlir
        records records/verdicts deadline stacks preloaded options help_env config files verify
        devices devices/backends devices/kinds estimate device_host recording builds list_devices
        ops reference frontend state reproduce graph executor
        op_by_op reduce predict repro tester given sweep peer loaders pytest_plugin
    """,
    "pipeline": """
        errors messages lifeline early_python devices history lists history/causes history/judge
        history/store history/imports promotion option_values options history_options run_names
        planning running results plan_command taking_part lists_command merge_command
        promote_command commands
        history_commands issue_command trying verb_help cli __main__
    """,
    "reports": """
        errors folder text model reporter attempts beside addresses html xlsx ops_json markdown
        summary messages results_index formats catalog build terminal live cli __main__
    """,
}
SHARED = (
    *("harness/records", "harness/storage", "harness/errors", "harness/options"),
    *("harness/extensions", "harness/session", "harness/did_you_mean", "harness/preloaded"),
    *("harness/deadline", "harness/stacks", "harness/inner_process"),
)
"""What pipeline and reports know of the harness: records, how they are written and read, how a
command's options are, what a mistyped name may stand for, how somebody else's parts are found, who
owns what outlives a call, what counts towards a deadline, what a process is at,
and what only a process of ours is started with."""


def order(house: str) -> list[str]:
    return [f"{house}/{room}" for room in FROM_GROUND_UP[house].split()]


def room_of(path: Path) -> str:
    """The room that a file is, or lies in; relative to the checkout, without a suffix."""
    inside = path.relative_to(ROOT)
    beside = len(inside.parts) == 2
    return (inside.with_suffix("") if beside else inside.parent).as_posix()


def imported(path: Path) -> Iterator[Path]:
    """The modules of ours that a file names in its imports, also those inside functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.startswith("bringup."):
                yield from found(name.removeprefix("bringup.").replace(".", "/"))


def found(name: str) -> Iterator[Path]:
    for whole in (name, name.rpartition("/")[0]):
        for path in (ROOT / f"{whole}.py", ROOT / whole / "__init__.py"):
            if whole and path.is_file():
                yield path
                return


def modules(house: str) -> list[Path]:
    return [p for p in sorted((ROOT / house).rglob("*.py")) if p != ROOT / house / "__init__.py"]
