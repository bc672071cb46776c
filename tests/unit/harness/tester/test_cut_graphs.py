# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Graphs of dynamo's, cut by the modules that a map puts on devices."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from bringup.harness.errors import UsageError
from bringup.harness.tester.cut_graphs import cut, device_numbers


class Block(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x) + x


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = torch.nn.ModuleList([Block(), Block(), Block()])

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        first = self.blocks[0](x) * 2
        last = self.blocks[2](self.blocks[1](first))
        return last, first


def parts_of(device_map: Mapping[str, int]) -> tuple[list[int], bool]:
    """The devices of a model's parts; does what is cut compute what the model does?"""
    found: list[Any] = []

    def backend(module: torch.fx.GraphModule, examples: Any) -> Any:
        try:
            whole, devices = cut(module, device_map)
        except UsageError as error:
            found.append(error)
            return module.forward
        found.append(devices)
        assert len([*whole.children()]) == len(devices)
        return whole.forward

    torch.manual_seed(0)
    model, x = Model(), torch.randn(2, 4)
    torch._dynamo.reset()
    with torch.no_grad():
        outputs = torch.compile(model, backend=backend)(x)
        same = all(map(torch.equal, outputs, model(x)))
    torch._dynamo.reset()
    if isinstance(found[0], UsageError):
        raise found[0]
    return found[0], same


@pytest.mark.parametrize(
    ("device_map", "devices"),
    [
        ({"blocks.0": 0, "blocks.1": 1, "blocks.2": 1}, [0, 1]),
        ({"blocks.0": 1, "blocks.1": 0, "blocks.2": 1}, [1, 0, 1]),
        ({"blocks": 2}, [2]),
        ({"blocks": 0, "blocks.1.inner.1": 1}, [0, 1, 0]),
        ({"blocks.2": 3}, [3]),
    ],
)
def test_a_part_ends_where_the_next_operation_is_on_another_device(
    device_map: Mapping[str, int], devices: list[int]
) -> None:
    assert parts_of(device_map) == (devices, True)


def test_a_map_of_another_model_is_refused() -> None:
    with pytest.raises(UsageError, match=r"names no module of what is compiled: layers\.0"):
        parts_of({"layers.0": 0})


@pytest.mark.parametrize(
    ("number", "sentence"),
    [("disk", "on 'disk': the number"), (True, "on True: the number"), (2, "there are 2 of cpu")],
)
def test_a_device_is_a_number_of_those_that_there_are(number: object, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        device_numbers({"a": 0, "b": number}, 2, "cpu")
    assert device_numbers({"a": 0, "b": 1}, 2, "cpu") == {"a": 0, "b": 1}
