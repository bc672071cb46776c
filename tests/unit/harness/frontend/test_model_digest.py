# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Equal models and calls have one digest, in whatever process; whatever differs has another."""

import collections
import enum
import functools
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from bringup.harness.frontend.exported_digest import UnwrittenError
from bringup.harness.frontend.model_digest import digest_of_model


class Kind(enum.Enum):
    ONE = 1
    OTHER = 2


class Net(torch.nn.Module):
    """Holds one of everything that models hold."""

    def __init__(self, **change: Any) -> None:
        super().__init__()
        torch.manual_seed(change.get("seed", 0))
        self.first = torch.nn.Linear(4, 4)
        self.second = torch.nn.Linear(4, 4, bias=change.get("bias", True))
        if change.get("tied"):
            self.second.weight = self.first.weight
        self.register_buffer("mask", torch.tensor(change.get("mask", [1.0, 2.0])))
        self.held = torch.tensor(change.get("held", [0.0, -0.0]))
        self.kind, self.scale = change.get("kind", Kind.ONE), change.get("scale", 1.0)
        self.options = {"a": 1, "b": [True, None, ...], **change.get("options", {})}
        self.names = change.get("names", {"x", "y", "z"})
        self.call = functools.partial(max, change.get("bound", 1))
        factor = change.get("factor", 2)
        self.function = lambda x: x * factor
        self.config = SimpleNamespace(layers=change.get("layers", 2), pattern=re.compile("a+"))
        self.array = np.array(change.get("array", [1, 2]))
        self.again = (
            self.config
            if change.get("shared", True)
            else SimpleNamespace(layers=2, pattern=re.compile("a+"))
        )
        self.register_forward_hook(lambda module, args, out: out * factor)
        if change.get("hooks"):
            self.register_forward_pre_hook(lambda module, args: args)


CHANGES: list[dict[str, Any]] = [
    {"bias": False},
    {"tied": True},
    {"mask": [1.0, 2.5]},
    {"mask": [1, 2]},
    {"held": [0.0, 0.0]},
    {"kind": Kind.OTHER},
    {"scale": 1},
    {"scale": 1.0000000000000002},
    {"options": {"a": 2}},
    {"options": {"c": 1}},
    {"names": {"x", "y"}},
    {"names": ["x", "y", "z"]},
    {"bound": 2},
    {"factor": 3},
    {"layers": 3},
    {"array": [1, 3]},
    {"array": [1.0, 2.0]},
    {"shared": False},
    {"hooks": True},
]


@pytest.mark.parametrize("change", CHANGES)  # no ids: sets have no order
def test_whatever_differs_has_another_digest(change: dict[str, Any]) -> None:
    one, other = Net(), Net(**change)
    assert digest_of_model(one) == digest_of_model(Net()) != digest_of_model(other)


def test_parameters_count_where_they_are_asked_for() -> None:
    one, other = Net(), Net(seed=1)
    assert digest_of_model(one) == digest_of_model(other)
    whole = [digest_of_model(net, parameters=True) for net in (one, Net(), other)]
    assert whole[0] == whole[1] != whole[2]


def test_modes_and_what_is_frozen_count() -> None:
    digests = {digest_of_model(net) for net in (Net(), Net().eval(), Net().requires_grad_(False))}
    assert len(digests) == 3


def test_a_call_counts_by_its_structure_and_its_values() -> None:
    x, y = torch.ones(2), torch.ones(2)
    calls: list[Any] = [((x,), {}), ((), {"x": x}), ((x, x), {}), ((x, y), {}), ([x],), (x[:1],)]
    calls += [((x * 2,), {}), ((x.double(),), {}), (torch.ones(2, 1).t(),), (torch.ones(1, 2),)]
    assert len({digest_of_model(call) for call in calls}) == len(calls)


def views() -> tuple[torch.Tensor, torch.Tensor]:
    whole = torch.zeros(4)
    return whole[:2], whole[2:]


def test_tensors_of_one_memory_are_told_from_two() -> None:
    apart = torch.zeros(2), torch.zeros(4)[2:]
    assert digest_of_model(views()) == digest_of_model(views()) != digest_of_model(apart)


def nested(depth: int) -> list[object]:
    found: list[object] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    "make",
    [
        lambda: threading.Lock(),
        lambda: Path(__file__).open("rb"),  # noqa: SIM115
        lambda: torch.ones(2).to_sparse(),
        lambda: torch.jit.script(torch.nn.ReLU()),
        lambda: {object()},
        lambda: iter([1]),
        lambda: np.array([object()]),
        lambda: nested(10_000),
    ],
)
def test_what_may_hold_more_than_is_seen_has_none(make: Callable[[], object]) -> None:
    with pytest.raises(UnwrittenError):
        digest_of_model({"held": make()})


def made(scale: int) -> object:
    return type("Made", (Net,), {"scaled": property(lambda self: scale)})()


def test_a_class_that_is_made_counts_by_what_is_in_it() -> None:
    """As torch.nn.utils.parametrize makes one."""

    def normed(dim: int) -> torch.nn.Module:
        torch.manual_seed(0)
        layer = torch.nn.Conv1d(2, 2, 3)
        found: torch.nn.Module = torch.nn.utils.parametrizations.weight_norm(layer, dim=dim)
        return found

    assert digest_of_model(made(1)) == digest_of_model(made(1)) != digest_of_model(made(2))
    assert digest_of_model(normed(1)) == digest_of_model(normed(1)) != digest_of_model(normed(2))


def test_what_holds_itself_has_one() -> None:
    def ring(length: int) -> list[object]:
        found: list[object] = [length]
        found.append(found)
        return found

    assert digest_of_model(ring(1)) == digest_of_model(ring(1)) != digest_of_model(ring(2))


def gpt2() -> torch.nn.Module:
    config = transformers.GPT2Config(
        n_layer=1, n_embd=8, n_head=2, vocab_size=16, bos_token_id=0, eos_token_id=1
    )
    model: torch.nn.Module = transformers.GPT2LMHeadModel(config).eval()
    return model


SAID = """
import sys; sys.path.insert(0, {root!r})
import torch
{before}
from tests.unit.harness.frontend.test_model_digest import Net, digest_of_model, gpt2
print(digest_of_model(Net(), gpt2()))
"""


def test_other_processes_find_the_same() -> None:
    """With other seeds of hashes, and other hooks and modules before."""
    root = str(Path(__file__).parents[4])
    before = "m = torch.nn.Linear(2, 2); [m.register_forward_hook(print) for _ in range(9)]"
    said = [
        subprocess.run(
            [sys.executable, "-c", SAID.format(root=root, before=line)],
            env={"PYTHONHASHSEED": seed, "PATH": "", "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, line in (("1", "pass"), ("2", before))
    ]
    assert len(said[0]) == 65 and said[0] == said[1] == f"{digest_of_model(Net(), gpt2())}\n"


def test_dictionaries_of_ones_own_count_with_their_attributes() -> None:
    class_ = transformers.modeling_outputs.BaseModelOutput
    one, other = (class_(last_hidden_state=torch.full((2,), v)) for v in (1.0, 2.0))
    assert digest_of_model(one) != digest_of_model(other)
    ordered = collections.OrderedDict(a=1, b=2)
    assert digest_of_model(ordered) != digest_of_model(collections.OrderedDict(b=2, a=1))
