# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which arguments of a program a shard spec divides, and what it may not say."""

from typing import Any

import pytest
import torch

from bringup.harness.devices.wire import Placed
from bringup.harness.errors import UsageError
from bringup.harness.frontend.program import Constant, Signature, UserInput
from bringup.harness.tester.several_devices import axes_of_mesh
from bringup.harness.tester.shards import shards_of

MESH = (("batch", 2), ("model", 4))


class Tied(torch.nn.Module):
    """Its head is its table under another name."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(8, 4)
        self.head = torch.nn.Linear(4, 8)
        self.head.weight = self.table.weight


def signature(model: torch.nn.Module, *names: str) -> Signature:
    held = dict(model.named_parameters(remove_duplicate=False))
    given = UserInput(0, "x", (4, 4), torch.float32)
    return Signature((given, *(Constant(name, held[name]) for name in names)), ())


def test_a_weight_goes_by_itself_or_by_any_of_its_names() -> None:
    model = Tied()
    taken = signature(model, "head.weight", "head.bias")
    for spec in (
        {model.table.weight: ("model", None)},
        {"table.weight": ("model", None)},
        {"head.weight": ["model", ""]},
    ):
        assert shards_of(taken, model, MESH, spec) == {1: ("model", "")}
    assert shards_of(taken, model, MESH, {}) == {}


def test_a_weight_that_was_folded_stays_whole() -> None:
    model = Tied()
    folded = Signature((Constant("head.weight", torch.ones(4, 8)),), ())
    assert shards_of(folded, model, MESH, {"head.weight": ("model", None)}) == {}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"head.wieght": ("model", None)}, "the model has no weight 'head.wieght'"),
        ({torch.ones(4): ("model",)}, "a tensor is divided that is no weight of the model"),
        ({"head.weight": ("model",)}, "table.weight has 2 dimensions, 1 are said"),
        ({"head.weight": ("modle", None)}, "divided over 'modle'; axes are batch, model, three"),
        ({"head.weight": ("model", "model")}, "divided over 'model' twice"),
        ({"head.bias": ("three",)}, "8 of head.bias cannot be divided among the 3 of 'three'"),
    ],
)
def test_what_cannot_be_divided_is_refused(spec: dict[Any, Any], says: str) -> None:
    model = Tied()
    mesh = (*MESH, ("three", 3))
    with pytest.raises(UsageError, match=says):
        shards_of(signature(model, "head.weight"), model, mesh, spec)


@pytest.mark.parametrize("spec", [5, None, {"table.weight": "model"}, {"table.weight": 1}])
def test_what_is_no_spec_is_a_sentence(spec: Any) -> None:
    model = Tied()
    with pytest.raises(UsageError, match="shards: "):
        shards_of(signature(model, "head.weight"), model, MESH, spec)


@pytest.mark.parametrize(
    "given",
    [
        *(3, None, ((), ()), ((1, 2), ("a",)), ((1, 2), ("a", "a")), ((1.5, 2), ("a", "b"))),
        *(((1, 2), ("a", 2)), ((1, 2), ("a", 'b"')), ((1, 2), (["a"], "b")), ((0, 2), ("a", "b"))),
        ((2, 8), ("a", "b")),
    ],
)
def test_what_is_no_mesh_is_a_sentence(given: Any) -> None:
    with pytest.raises(UsageError, match="get_mesh_config gives "):
        axes_of_mesh(given, 8, "cpu")


def test_every_dimension_of_an_argument_has_its_axis() -> None:
    placed = Placed(tuple(range(8)), (0,), MESH, ((2, ("", "model")),))
    assert placed.axes == MESH
    assert [placed.axes_of(place, 2) for place in range(3)] == [
        ("batch", ""),
        ("", ""),
        ("", "model"),
    ]
    plain = Placed((0, 1), (0,))
    assert plain.axes == (("batch", 2),) and plain.axes_of(0, 3) == ("batch", "", "")
    assert plain.axes_of(0, 0) == ()
