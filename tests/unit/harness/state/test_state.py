# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What runs may change in a model and its inputs, and that it is all put back."""

import functools
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from bringup.harness.state.copies import copied, identical
from bringup.harness.state.loaded import Loaded


class Everything(torch.nn.Module):
    """Keeps state wherever Python lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(4))
        self.register_buffer("buffer", torch.zeros(4))
        self.count = 0
        self.plain = torch.zeros(3)
        self.array = np.zeros(3)
        self.containers: dict[str, Any] = {
            "list": [1],
            "dict": {"a": OrderedDict(b=1)},
            "set": {1},
            "deque": deque([1], maxlen=3),
            "bytes": bytearray(b"x"),
        }
        self.lock = threading.Lock()
        self.slotted = Slotted(1)
        features: list[torch.Tensor] = []
        total = 0

        def hook(module: Any, given: Any, result: torch.Tensor) -> None:
            nonlocal total
            total += 1
            features.append(result)

        self.register_forward_hook(hook)
        self.features = lambda: (total, len(features))
        self.bound = functools.partial(list.append, self.containers["list"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.weight.data[0] = 7
        self.weight.data = self.weight.data * 2
        self.buffer.view(2, 2)[1].add_(1)
        self.count += 1
        self.plain.add_(1)
        self.array += 1
        self.bound(2)
        self.containers["dict"]["a"]["b"] = 2
        self.containers["dict"]["c"] = 3
        self.containers["set"].clear()
        self.containers["deque"].append(2)
        self.containers["bytes"] += b"y"
        self.containers["new"] = x
        self.slotted.value = 5
        self.extra = x
        self.train()
        x.relu_()
        return self.buffer


@dataclass(slots=True)
class Slotted:
    value: int


def seen(model: Everything) -> list[Any]:
    tensors = (model.weight, model.buffer, model.plain, torch.from_numpy(model.array))
    flat = [tensor.detach().clone().tolist() for tensor in tensors]
    containers = repr(sorted(model.containers.items()))
    state = (model.count, model.slotted.value, model.features(), model.training)
    return [*flat, containers, *state, sorted(vars(model))]


def test_a_run_sees_the_same_each_time_and_leaves_nothing() -> None:
    model, x = Everything().eval(), torch.tensor([-1.0, 1, -2, 2])
    before, weight = seen(model), model.weight.detach()
    loaded = Loaded(model, x)
    for _ in range(3):
        with torch.no_grad(), loaded.run() as run:
            kept = run.outliving(model(run.inputs))
        assert seen(model) == before
        assert model.weight.data_ptr() == weight.data_ptr()
        assert x.tolist() == [-1, 1, -2, 2] and kept.tolist() == [0, 0, 1, 1]
        written = {path: value.tolist() for path, value in run.mutated.items()}
        assert written == {
            "mutated.parameters.weight": [14, 2, 2, 2],
            "mutated.buffers.buffer": [0, 0, 1, 1],
            "mutated.inputs.x": [0, 1, 0, 2],
            "mutated.attributes.plain": [1, 1, 1],
            "left.attributes.extra": [0, 1, 0, 2],
            "left.attributes.containers.new": [0, 1, 0, 2],
        }


def test_a_run_that_raises_leaves_nothing_either() -> None:
    model = Everything().eval()
    before = seen(model)
    loaded = Loaded(model, torch.ones(4))
    with pytest.raises(ZeroDivisionError), torch.no_grad(), loaded.run() as run:
        model(run.inputs)
        raise ZeroDivisionError
    assert seen(model) == before


def test_weights_are_not_copied_until_they_are_written() -> None:
    model = torch.nn.Sequential(*[torch.nn.Linear(64, 64) for _ in range(4)])
    loaded = Loaded(model, torch.ones(1, 64))
    with torch.no_grad(), loaded.run() as run:
        model(run.inputs)
    assert not loaded._states._saved and not run.mutated
    with torch.no_grad(), loaded.run():
        model[2].weight.t()[3].zero_()
    assert len(loaded._states._saved) == 1, "the one that was written"
    assert loaded.restored()


def test_a_write_that_nobody_saw_is_known() -> None:
    model = torch.nn.Linear(4, 4)
    loaded = Loaded(model, torch.ones(1, 4))
    assert loaded.restored()
    with torch.no_grad():
        model.weight.add_(1)  # between runs: by a test's body
    assert not loaded.restored()


def test_gradients_and_flags_are_as_before() -> None:
    model = torch.nn.Linear(4, 4)
    model.bias.requires_grad_(False)
    given = model.weight.grad = torch.ones(4, 4)
    with Loaded(model, torch.ones(1, 4)).run() as run:
        model.weight.grad = None
        model(run.inputs).sum().backward()
        model.bias.requires_grad_(True)
    assert model.weight.grad is given and not model.bias.requires_grad


def test_copies_share_among_them_what_the_originals_share() -> None:
    base = torch.arange(6.0)
    given = {"x": base, "again": base, "view": base.view(2, 3)[1], "bit": torch.ones(2).conj()}
    copy = copied(given)
    copy["x"].add_(10)
    assert copy["again"] is copy["x"] and copy["view"].tolist() == [13, 14, 15]
    assert base.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("view", [torch.Tensor.conj, lambda z: z.imag, lambda z: z.conj().imag])
def test_a_copy_keeps_the_bits_that_its_bytes_do_not_say(view: Any) -> None:
    tensor = view(torch.tensor([1 + 2j, 3 - 4j]))
    copy = copied([tensor])[0]
    assert identical(copy, tensor) and (copy.is_conj(), copy.is_neg()) == (
        tensor.is_conj(),
        tensor.is_neg(),
    )
    assert copy.data_ptr() != tensor.data_ptr()


def test_what_autograd_made_and_what_refuses_to_be_copied_are_copied_all_the_same() -> None:
    made = (torch.ones(2, requires_grad=True) * 2, threading.Lock(), [1])
    copy = copied(made)
    assert copy[0].tolist() == [2, 2] and copy[1] is made[1] and copy[2] is not made[2]


class Raising(dict[str, Any]):
    def __getattr__(self, name: str) -> Any:
        return self[name]


class OwnAttributes(dict[str, Any]):
    def __init__(self, **items: Any) -> None:
        super().__init__(**items)
        self.__dict__ = self


@pytest.mark.parametrize("kind", [Raising, OwnAttributes])
def test_a_dictionary_with_items_for_attributes_is_copied_with_them(kind: type) -> None:
    given = kind(x=torch.ones(2))
    given["inner"] = [kind(x=given["x"])]
    copy = copied([given])[0]
    assert type(copy) is kind and copy.inner[0].x is copy.x
    copy.x.add_(1)
    assert copy["x"].tolist() == [2, 2] and given["x"].tolist() == [1, 1]
