# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The table of the fleet, read from the tests' sources: nothing of them is imported.

So is how many of its tests run a model whole, and which of these are on a list of full flows.
"""

import ast
import itertools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[2] / "tests"
FLEET = TESTS / "models"
FULL_LISTS = ("nightly_full_model_execute.toml", "weekly_full_model_execute.toml")
_CONFIGURATION = "Configuration: "


@dataclass(frozen=True)
class Family:
    """One folder of the fleet, by one of its files."""

    folder: str
    name: str
    title: str
    """The first sentence of its docstring; empty for one that has none."""
    configuration: str
    """Where its figures come from."""
    variants: tuple[str, ...]
    """Names and variants, as `model_test` has them."""
    modes: tuple[str, ...]
    dtypes: tuple[str, ...]
    framework: str
    full: tuple[str, ...]
    """Its tests of the whole model, `t5[full-t5-base-eval]`, as records and reports call them."""


def families(folder: Path = FLEET) -> list[Family]:
    """Every file of tests below `folder`, in order of folders."""
    return [family for path in sorted(folder.glob("*/test_*.py")) for family in _families_in(path)]


def _families_in(path: Path) -> Iterator[Family]:
    tree = ast.parse(path.read_text("utf-8"))
    said = ast.get_docstring(tree) or ""
    title, _, rest = said.partition("\n\n")
    configuration = " ".join(rest.split()).removeprefix(_CONFIGURATION)
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        for call in (d for d in node.decorator_list if _is_model_test(d)):
            assert isinstance(call, ast.Call)
            yield Family(
                path.parent.name,
                node.name.removeprefix("test_").removesuffix("_onnx"),
                title,
                configuration,
                tuple(name for argument in call.args[1:] for name in _names(argument)),
                _words(call, "modes") or ("eval",),
                _words(call, "dtypes") or ("own",),
                "onnx" if node.name.endswith("_onnx") else "torch",
                tuple(f"{node.name.removeprefix('test_')}[full-{case}]" for case in _cases(call)),
            )


def _cases(call: ast.Call) -> Iterator[str]:
    """What the ids of its tests say but the flow, in the order of `model_test`'s own."""
    words = [word for argument in call.args[1:] for word in _ids(argument)]
    modes, dtypes = _words(call, "modes") or ("eval",), _words(call, "dtypes") or ("own",)
    swept = [
        [text.format(value) for value in values]
        for name, text in (("phases", "{}"), ("batches", "batch_{}"), ("lengths", "seq_{}"))
        if (values := _words(call, name))
    ]
    phased = bool(_words(call, "phases"))
    for word, *sweep, dtype, mode in itertools.product(words, *swept, dtypes, modes):
        own, trains, generates = dtype == "own", mode == "train", word == "generate"
        if (generates and (trains or not own)) or (trains and (phased or not own)):
            continue
        shown = (word if len(words) > 1 else "", *sweep, "" if own else dtype, mode)
        yield "-".join(part for part in shown if part)


def _ids(argument: ast.expr) -> list[str]:
    """The words of variants in ids; of one alone it is left out."""
    return ["", "generate"] if isinstance(argument, ast.Starred) else _names(argument)[:1]


def full_tests() -> list[str]:
    """Every test of a whole model."""
    return [test for family in families() for test in family.full]


def unlisted() -> list[str]:
    """Those of them that are on no list of full flows."""
    listed = set()
    for name in FULL_LISTS:
        for device in tomllib.loads((TESTS / "lists" / name).read_text("utf-8")).values():
            listed |= {one.partition("::test_")[2] for one in device["tests"]}
    return [test for test in full_tests() if test not in listed]


def counts() -> str:
    """How many tests of whole models there are, and how many have not ended PASSED."""
    every, left = len(full_tests()), len(unlisted())
    return (
        f"These are {every} tests. {every - left} of them have ended PASSED, today or in a night "
        f"before, and are on a list of full flows; {left} are not, and the table says why."
    )


def _is_model_test(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "model_test"
    )


def _names(argument: ast.expr) -> list[str]:
    """The names in an argument: `"t5"`, `Variant("", "t5")`, `*generating("t5")`."""
    inner = argument.value if isinstance(argument, ast.Starred) else argument
    texts = [n.value for n in ast.walk(inner) if isinstance(n, ast.Constant) and n.value]
    names = [text for text in texts if isinstance(text, str)][:1]
    generates = isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == "generating"
    return [*names, "generate"] if generates else names


def _words(call: ast.Call, name: str) -> tuple[str, ...]:
    given = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    return tuple(ast.literal_eval(given)) if given is not None else ()


def table() -> str:
    """All families, a row each."""
    rows = ["| family | tests of it | modes | dtypes | configuration |", "|---|---|---|---|---|"]
    for f in families():
        name = f"{f.name} (ONNX)" if f.framework == "onnx" else f.name
        cells = (name, ", ".join(f.variants), ", ".join(f.modes), ", ".join(f.dtypes))
        what = " ".join(part for part in (f.title, f.configuration) if part)
        rows.append(f"| {' | '.join(cells)} | {what or 'transformers, published size'} |")
    return "\n".join(rows)
