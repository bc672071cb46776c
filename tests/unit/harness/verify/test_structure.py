# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Containers taken apart and put together: the same types, new containers, every tensor once."""

import collections
import dataclasses
import types
from typing import Any, NamedTuple

import pytest
import torch
from transformers import BatchEncoding, DynamicCache, EncoderDecoderCache, GPT2Config, StaticCache
from transformers.modeling_outputs import CausalLMOutputWithPast

from bringup.harness.verify import UnsupportedOutputError, flatten
from bringup.harness.verify.structure import map_tensors


class Point(NamedTuple):
    x: object
    y: object


@dataclasses.dataclass(frozen=True)
class Frozen:
    boxes: object
    label: str = "cat"
    made: bool = dataclasses.field(init=False, default=True)


class Named(dict[str, object]):
    """A dict with attributes."""

    note = "kept"


class Plain:
    def __init__(self, held: object) -> None:
        self.held, self.count, self.seen = held, 3, []


def dynamic_cache() -> DynamicCache:
    cache = DynamicCache()
    cache.update(torch.zeros(1, 2, 3, 4), torch.ones(1, 2, 3, 4), 0)
    return cache


def static_cache() -> StaticCache:
    config = GPT2Config(n_layer=1, n_embd=8, n_head=2)
    cache = StaticCache(config=config, max_cache_len=4)
    cache.update(torch.zeros(1, 2, 3, 4), torch.ones(1, 2, 3, 4), 0)
    return cache


def one() -> torch.Tensor:
    return torch.ones(2)


VALUES = [
    one(),
    [one(), (one(), [])],
    {"a": one(), "b": {0: one()}},
    collections.OrderedDict(b=one(), a=one()),
    collections.defaultdict(list, a=one()),
    collections.UserDict(a=one()),
    types.MappingProxyType({"a": one()}),
    BatchEncoding({"input_ids": one()}),
    Named(a=one()),
    collections.deque([one(), one()], maxlen=2),
    Point(one(), 2),
    torch.ones(2, 2).max(1),
    Frozen([one()]),
    dynamic_cache(),
    static_cache(),
    EncoderDecoderCache(dynamic_cache(), dynamic_cache()),
    CausalLMOutputWithPast(logits=one(), past_key_values=dynamic_cache()),
    (1, "a", None, 2.5, one()),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_a_value_comes_back_with_other_tensors(value: object) -> None:
    paths: list[str] = []

    def doubled(path: str, tensor: torch.Tensor) -> torch.Tensor:
        paths.append(path)
        return tensor * 2

    again = map_tensors(value, doubled)
    assert type(again) is type(value) or isinstance(value, types.MappingProxyType)
    before, after = flatten(value), flatten(again)
    assert [leaf.path for leaf in before] == [leaf.path for leaf in after]
    tensors = [leaf for leaf in before if leaf.path in paths]
    assert [leaf.path for leaf in tensors] == paths, "in the order of flatten"
    for old, new in zip(before, after, strict=True):
        if old.path in paths:
            assert isinstance(old.value, torch.Tensor) and isinstance(new.value, torch.Tensor)
            assert torch.equal(old.value * 2, new.value)


def test_containers_are_new_down_to_the_state_of_a_layer() -> None:
    cache = dynamic_cache()
    inner: list[Any] = [torch.ones(1)]
    value = {"cache": cache, "list": inner, "plain": Plain(torch.ones(1))}
    again = map_tensors(value, lambda path, tensor: tensor, whole=True)
    again["cache"].update(torch.zeros(1, 2, 1, 4), torch.ones(1, 2, 1, 4), 0)
    again["list"].pop()
    again["plain"].seen.append(1)
    assert cache.layers[0].keys.shape[-2] == 3 and len(inner) == 1
    assert value["plain"].seen == []


def test_what_is_no_container_is_refused_or_gone_through() -> None:
    value = [Plain(torch.ones(1))]
    with pytest.raises(UnsupportedOutputError, match=r"\[0\]` is a .*Plain, which cannot be"):
        map_tensors(value, lambda path, tensor: tensor)
    (again,) = map_tensors(value, lambda path, tensor: tensor + 1, whole=True)
    assert type(again) is Plain and again.held == 2 and again.count == 3
    marker = object()
    assert map_tensors((marker,), lambda path, tensor: tensor, whole=True)[0] is marker


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(UnsupportedOutputError, match="holds itself"):
        map_tensors(value, lambda path, tensor: tensor, whole=True)
