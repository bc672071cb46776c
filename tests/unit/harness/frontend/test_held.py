# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What forward leaves is the same in eager mode and in the program that is exported of it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.fx import Interpreter

from bringup.harness.frontend.call import call_of
from bringup.harness.frontend.entry import Entry
from bringup.harness.frontend.torch_program import decompose, export_entry, signature_of
from bringup.harness.reach import named
from bringup.harness.state.loaded import Loaded


class Box:
    def __init__(self, held: object) -> None:
        self.held = held


class Model(nn.Module):
    def __init__(self, forward: Callable[..., Any]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(4, 4)
        self.register_buffer("count", torch.zeros(4))
        self.register_buffer("empty", None)
        self.plain = torch.zeros(3, 4)
        self.kept: list[Any] = [torch.ones(3, 4)]
        self.table: dict[Any, Any] = {}
        self.last: Any = None
        self.box = Box(None)
        self.inner = forward

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner(self, *args, **kwargs)


def assigned(model: Model, x: torch.Tensor) -> torch.Tensor:
    model.last = model.linear(x)
    return x + 1


def written(model: Model, x: torch.Tensor) -> torch.Tensor:
    model.plain[0:1].add_(x[0:1])
    model.kept[0].mul_(x)
    return x + 1


def written_and_replaced(model: Model, x: torch.Tensor) -> torch.Tensor:
    model.plain.add_(x)
    model.plain = model.plain * 2
    return x + 1


def grown(model: Model, x: torch.Tensor) -> torch.Tensor:
    model.kept.append(x * 2)
    model.table["a", 1] = x * 3
    model.box.held = [x * 4]
    return x + 1


def view_of_a_buffer(model: Model, x: torch.Tensor) -> torch.Tensor:
    model.last = model.count[1:]
    model.count.add_(1)
    return x + 1


def filled_buffers(model: Model, x: torch.Tensor) -> torch.Tensor:
    model.empty = model.linear(x)
    model.register_buffer("new", x * 2)
    model.weight = model.linear.weight  # a name, and nothing new
    return x + 1


def into_the_call(
    model: Model, x: list[torch.Tensor], state: dict[str, torch.Tensor], box: Box
) -> torch.Tensor:
    x.append(x[0] * 2)
    x[0] = x[0] - 1
    state["new"] = state["old"].add_(1) * 2
    box.held = torch.cat([x[0], x[1]])
    return x[0] + 1


X = torch.linspace(-1, 1, 12).view(3, 4)
CASES: list[tuple[Callable[..., Any], Any, set[str]]] = [
    (assigned, X, {"left.attributes.last"}),
    (written, X, {"mutated.attributes.plain", "mutated.attributes.kept[0]"}),
    (written_and_replaced, X, {"mutated.attributes.plain", "left.attributes.plain"}),
    (
        grown,
        X,
        {
            "left.attributes.kept[1]",
            "left.attributes.table[('a', 1)]",
            "left.attributes.box.held[0]",
        },
    ),
    (filled_buffers, X, {"left.buffers.empty", "left.buffers.new"}),
    (view_of_a_buffer, X, {"mutated.buffers.count", "left.attributes.last"}),
    (
        into_the_call,
        {"x": [X], "state": {"old": X + 1}, "box": Box(X)},
        {
            *("left.inputs.x[0]", "left.inputs.x[1]", "left.inputs.state.new"),
            *("left.inputs.box.held", "mutated.inputs.state.old"),
        },
    ),
]


@pytest.mark.parametrize(
    ("forward", "inputs", "paths"), CASES, ids=[forward.__name__ for forward, *_ in CASES]
)
def test_the_program_gives_what_eager_leaves(
    forward: Callable[..., Any], inputs: Any, paths: set[str]
) -> None:
    model = Model(forward)
    loaded = Loaded(model, inputs)
    with torch.no_grad(), loaded.run() as run:
        args, kwargs = call_of(run.inputs)
        model(*args, **kwargs)
    expected = run.mutated
    with torch.no_grad(), loaded.run(watched=False) as run:
        call = call_of(run.inputs)
        entry = Entry(model, call)
        exported = decompose(export_entry(entry))
        signature = signature_of(exported, entry.places, entry.beside)
        arguments = signature.bind(entry.flatten(call))
        values = Interpreter(exported.graph_module, graph=exported.graph).run(*arguments)
    found = signature.mutated(values)
    assert found.keys() == expected.keys() == paths
    assert all(torch.equal(found[path], expected[path]) for path in paths)
    assert not model.table and len(model.kept) == 1 and model.last is None
    assert not entry.uncompared


def numbered(model: Model, x: torch.Tensor) -> torch.Tensor:
    model.last = x.sum().item()
    model.table["sparse"] = x.to_sparse()
    model.table["shape"] = x.shape[0]
    return x + 1


def test_what_no_program_gives_is_named() -> None:
    model = Model(numbered)
    with torch.no_grad(), Loaded(model, X).run(watched=False) as run:
        entry = Entry(model, call_of(run.inputs))
        export_entry(entry)
    assert entry.uncompared == ["attributes.table.sparse", "attributes.last"]


def test_paths_lead_through_everything_that_holds() -> None:
    def closing(tensor: torch.Tensor) -> Callable[[], torch.Tensor]:
        return lambda: tensor

    model = nn.Sequential(nn.Linear(2, 2))
    model[0].hidden = Box([X, {"a b": X, 3: (X,)}])
    model[0].register_forward_hook(lambda *_: closing(X)())
    model[0].function = closing(X)
    paths = {"hidden.held[0]", "hidden.held[1]['a b']", "hidden.held[1][3][0]", "function.tensor"}
    assert named(model, torch.Tensor).keys() >= {f"0.{path}" for path in paths}
