# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The table of the fleet, read from the tests' sources: nothing of them is imported."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FLEET = Path(__file__).parents[2] / "tests" / "models"
_CONFIGURATION = "Configuration: "


@dataclass(frozen=True)
class Family:
    """One folder of the fleet, by one of its files."""

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
                node.name.removeprefix("test_").removesuffix("_onnx"),
                title,
                configuration,
                tuple(name for argument in call.args[1:] for name in _names(argument)),
                _words(call, "modes") or ("eval",),
                _words(call, "dtypes") or ("own",),
                "onnx" if node.name.endswith("_onnx") else "torch",
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
