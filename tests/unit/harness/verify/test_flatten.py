# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
import collections
import dataclasses
import enum
import subprocess
import sys
import types
from typing import NamedTuple

import ml_dtypes
import numpy as np
import pytest
import torch
from transformers import DynamicCache, EncoderDecoderCache, GPT2Config, MistralConfig, StaticCache
from transformers.modeling_outputs import CausalLMOutputWithPast
from transformers.models.minimax.modeling_minimax import MiniMaxCache

from bringup.harness.errors import HarnessError
from bringup.harness.verify import Leaf, UnsupportedOutputError, flatten


class Point(NamedTuple):
    x: object
    y: object


@dataclasses.dataclass
class Detection:
    boxes: object
    label: str


class Colour(enum.IntEnum):
    RED = 3


class Legacy:
    def to_tuple(self) -> tuple[torch.Tensor, str]:
        return torch.ones(2), "a"


def paths(value: object, path: str = "") -> list[str]:
    return [leaf.path for leaf in flatten(value, path)]


def only(value: object) -> torch.Tensor:
    (leaf,) = flatten(value)
    assert isinstance(leaf.value, torch.Tensor)
    return leaf.value


def dynamic_cache(layers: int = 2) -> DynamicCache:
    cache = DynamicCache()
    for layer in range(layers):
        cache.update(torch.full((1, 2, 3, 4), layer), torch.full((1, 2, 3, 4), 10 + layer), layer)
    return cache


ONE = torch.ones(1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ONE, [""]),
        (1.5, [""]),
        ("text", [""]),
        (None, [""]),
        ([ONE, (ONE, [ONE])], ["[0]", "[1][0]", "[1][1][0]"]),
        (["a", "b"], ["[0]", "[1]"]),
        (collections.deque([ONE]), ["[0]"]),
        ({"logits": ONE, "loss": 0.5}, ["logits", "loss"]),
        ({0: ONE, (1, "a"): ONE, None: ONE}, ["[0]", "[(1, 'a')]", "[None]"]),
        ({"two words": ONE, "0": ONE}, ["['two words']", "['0']"]),
        ({"fc.weight": ONE}, ["fc.weight"]),
        ({Colour.RED: ONE}, ["[3]"]),
        (Point(ONE, [ONE]), ["x", "y[0]"]),
        (Detection(ONE, "cat"), ["boxes", "label"]),
        (types.MappingProxyType({"a": ONE}), ["a"]),
        (collections.OrderedDict(b=ONE, a=ONE), ["b", "a"]),
        (torch.max(torch.ones(2, 2), 0), ["[0]", "[1]"]),
        (torch.Size([2, 3]), ["[0]", "[1]"]),
        (Legacy(), ["[0]", "[1]"]),
        (np.array(["a", "b"]), ["[0]", "[1]"]),
        (np.array("a"), [""]),
        (np.array([[np.ones(2), None]], dtype=object), ["[0][0]", "[0][1]"]),
        (CausalLMOutputWithPast(logits=ONE, hidden_states=(ONE, ONE)),
         ["logits", "hidden_states[0]", "hidden_states[1]"]),
        ([], []),
        ({"a": ()}, []),
    ],
)  # fmt: skip
def test_every_leaf_has_a_path(value, expected):
    assert paths(value) == expected


def test_paths_start_below_the_one_given():
    assert paths({"fc.weight": ONE}, "grad") == ["grad.fc.weight"]
    assert paths([ONE], "device[1]") == ["device[1][0]"]
    assert paths(ONE, "output") == ["output"]


def test_dotted_keys_never_share_a_path_with_nested_ones():
    found = flatten({"a.b": 1, "a": {"b": 2}})
    assert [(leaf.path, int(leaf.value)) for leaf in found] == [("['a.b']", 1), ("a.b", 2)]


def test_two_leaves_of_one_path_are_refused():
    with pytest.raises(UnsupportedOutputError, match="2 outputs are all named `\\[nan\\]`"):
        flatten({float("nan"): ONE, -float("nan"): ONE})


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (True, torch.bool),
        (2**63 - 1, torch.int64),
        (-(2**63), torch.int64),
        (Colour.RED, torch.int64),
        (1e300, torch.float64),
        (1 + 2j, torch.complex128),
        (np.float32(0.1), torch.float32),
        (np.float64(0.1), torch.float64),
        (np.bool_(True), torch.bool),
        (np.uint64(2**64 - 1), torch.uint64),
        (np.int8(-3), torch.int8),
        (np.complex64(1j), torch.complex64),
        (np.float16(0.5), torch.float16),
    ],
)
def test_numbers_become_tensors_without_losing_a_bit(value, dtype):
    tensor = only(value)
    assert tensor.shape == ()
    assert tensor.dtype is dtype
    assert tensor.item() == value


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3)[::-1, ::-1],
        np.arange(6.0).reshape(2, 3).T,
        np.arange(6).astype(">i4"),
        np.float32([1.5, -0.0]).astype(ml_dtypes.bfloat16),
        np.float32([1.5, -2]).astype(ml_dtypes.float8_e4m3fn),
        np.array([], dtype=np.float32),
    ],
    ids=lambda a: str(a.dtype),
)
def test_numpy_arrays_of_any_layout_keep_their_values(array):
    tensor = only(array)
    assert tensor.shape == array.shape
    assert tensor.double().tolist() == array.astype(np.float64).tolist()


def test_a_read_only_array_is_taken_and_left_alone():
    array = np.ones(3)
    array.flags.writeable = False
    assert only(array).tolist() == [1, 1, 1]
    assert array.tolist() == [1, 1, 1]


def test_tensors_come_out_detached_dense_and_plain():
    parameter = torch.nn.Parameter(torch.ones(2))
    assert not only(parameter).requires_grad
    sparse = torch.tensor([[0.0, 2.0], [0.0, 0.0]]).to_sparse()
    assert only(sparse).tolist() == [[0, 2], [0, 0]]
    quantised = torch.quantize_per_tensor(torch.tensor([1.0, 2.0]), 0.5, 0, torch.qint8)
    assert only(quantised).tolist() == [1, 2]


@pytest.mark.parametrize("layout", [torch.strided, torch.jagged])
def test_nested_tensors_are_taken_apart(layout):
    nested = torch.nested.nested_tensor([torch.ones(2), torch.zeros(3)], layout=layout)
    assert [tuple(leaf.value.shape) for leaf in flatten({"out": nested})] == [(2,), (3,)]
    assert paths({"out": nested}) == ["out[0]", "out[1]"]


def test_dynamic_cache_gives_keys_and_values_per_layer():
    found = {leaf.path: leaf.value for leaf in flatten([{"past_key_values": dynamic_cache()}])}
    prefix = "[0].past_key_values"
    assert set(found) == {f"{prefix}.{kv}[{i}]" for kv in ("keys", "values") for i in (0, 1)}
    assert int(found[f"{prefix}.keys[1]"].max()) == 1
    assert int(found[f"{prefix}.values[1]"].max()) == 11


def test_cache_without_a_path_and_without_layers():
    assert paths(dynamic_cache(1)) == ["keys[0]", "values[0]"]
    assert paths(DynamicCache()) == []


def test_encoder_decoder_cache_gives_both_halves():
    assert paths(EncoderDecoderCache(dynamic_cache(1), dynamic_cache(1))) == [
        "self_attention_cache.keys[0]",
        "self_attention_cache.values[0]",
        "cross_attention_cache.keys[0]",
        "cross_attention_cache.values[0]",
    ]


def test_static_cache_gives_its_length_too():
    cache = StaticCache(config=GPT2Config(n_layer=1, n_head=2, n_embd=8), max_cache_len=5)
    cache.update(torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 4), 0)
    found = {leaf.path: leaf.value for leaf in flatten(cache)}
    assert tuple(found["keys[0]"].shape) == (1, 2, 5, 4)
    assert int(found["cumulative_length[0]"]) == 3
    assert "values[0]" in found


def test_state_kept_beside_the_layers_is_not_lost():
    cache = MiniMaxCache()
    cache.set_linear_cache(0, torch.ones(2))
    assert paths(cache) == ["linear_cache[0]"]


def test_a_constant_of_a_sliding_window_is_no_output():
    config = MistralConfig(num_hidden_layers=1, sliding_window=4)
    sliding = DynamicCache(config=config)
    sliding.update(torch.ones(1, 2, 3, 4), torch.ones(1, 2, 3, 4), 0)
    assert type(sliding.layers[0]).__name__ == "DynamicSlidingWindowLayer"
    assert paths(sliding) == ["keys[0]", "values[0]"]


def loop() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"ids": {1, 2}}, "`ids` is a set,"),
        ((x for x in [ONE]), "top level is a generator,"),
        ([object()], "`[0]` is a object,"),
        ([b"raw"], "`[0]` is a bytes,"),
        ([Detection], "test_flatten.Detection"),
        ([2**64], "`[0]` does not fit into 64 bits"),
        ({"x": torch.ones(1, device="meta")}, "`x` is a tensor on the meta device"),
        ({"x": {object(): ONE}}, "`x` has a key of type object"),
        (np.array(["2026-01-01"], dtype="datetime64[D]"), "of dtype datetime64[D]"),
        (np.ma.masked_array([1.0], [True]), "numpy.ma.MaskedArray"),
        (np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), "numpy.ndarray of dtype"),
        (loop(), "holds itself"),
    ],
)
def test_what_cannot_be_verified_is_refused_in_one_sentence(value, words):
    with pytest.raises(UnsupportedOutputError) as refused:
        flatten(value)
    assert isinstance(refused.value, HarnessError)
    message = str(refused.value)
    assert words in message
    assert message.endswith(".") and "\n" not in message


def test_leaf_is_a_value_with_a_path():
    (leaf,) = flatten("text", "caption")
    assert isinstance(leaf, Leaf)
    assert (leaf.path, leaf.value) == ("caption", "text")


def test_importing_the_module_does_not_import_transformers():
    code = "import bringup.harness.verify, sys; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
