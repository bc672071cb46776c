# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""diagnostics.jsonl has real ones: what people wrote beside failing tests of tt-xla, and what
XLA, IREE, torch-mlir, PyTorch and a Tenstorrent runtime said of broken programs at two sizes. Each
line names the cause it belongs to."""

import itertools
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bringup.harness.records.fingerprint import LENGTH, VERSION, fingerprint, normal, parts, shown
from bringup.pipeline.history.causes.clusters import Failing, cluster


class Diagnostic(msgspec.Struct, frozen=True):
    cause: str
    stage: str
    says: str


FILE = Path(__file__).with_name("diagnostics.jsonl")
REAL = [msgspec.json.decode(line, type=Diagnostic) for line in FILE.read_bytes().splitlines()]
SNIPPETS = """tensor<2x3xf32> 0x7ff %arg12 [1, 2] (3,) 4x5xbf16 'stablehlo.add' op error: /a/b.cc:12
layer_3 conv2d f32 -1.5e-3 10 B nan pcc = < fails L1 DRAM loc(x) deadbeef01 ValueError: | 12:30:01
N SHAPE https://a.b/c - . : aten.add.Tensor 5 [ ] ( ) , x _1 % #4"""
WORDS = st.sampled_from(SNIPPETS.split())
TEXTS = st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.text(max_size=60))


def test_real_diagnostics_of_one_cause_are_one_cluster_and_of_two_are_two() -> None:
    assert len(REAL) >= 150
    found = cluster(Failing(f"t{i}", "d", r.stage, r.says) for i, r in enumerate(REAL))
    causes, homes = defaultdict(set), defaultdict(set)
    for real, home in zip(REAL, found.of, strict=True):
        causes[home].add(real.cause)
        homes[real.cause, real.stage].add(home)
    assert {home: names for home, names in causes.items() if len(names) > 1} == {}
    assert {cause: ids for cause, ids in homes.items() if len(ids) > 1} == {}


@given(TEXTS)
def test_a_normal_text_is_its_own(text: str) -> None:
    once = normal(text)
    assert normal(once) == once and len(once) <= LENGTH


@pytest.mark.parametrize("real", REAL, ids=lambda r: r.says[:30])
def test_a_fingerprint_of_a_real_text_is_its_own(real: Diagnostic) -> None:
    stage, op, text = parts(fingerprint(real.stage, "", real.says))
    assert parts(fingerprint(stage, op, text)) == (stage, op, text)


NUMBERED = (
    "failed at layer_{} of block{}: size {} against [{}, {}]",
    "error: 'ttir.conv2d' op %{} has type tensor<{}x{}x{}xbf16>, wants {} channels",
    "bad pointer 0x{}{}ab in /home/u{}/src/file.cc:{}:{}",
    "took {} s and {} MiB on device {} at core (x={},y={})",
    "norm 1.{}{}123{}e-{} of %buf_{}",
    "size s{} of v{}f16 in {}.{}{} s",
    "run 2026-11-{}T{}:{}:00 of 8a{}0bc{}d-0000-4000-8000-0123456789ab ended",
)


@given(
    st.sampled_from(NUMBERED),
    st.lists(st.integers(10, 59), min_size=5, max_size=5),
    st.lists(st.integers(10, 59), min_size=5, max_size=5),
)
def test_other_numbers_are_the_same_failure(
    pattern: str, ones: list[int], others: list[int]
) -> None:
    assert normal(pattern.format(*ones)) == normal(pattern.format(*others))


DIFFERENT = (
    "No module named 'timm'",
    "No module named 'scipy'",
    "failed to legalize operation 'stablehlo.fft'",
    "failed to legalize operation 'stablehlo.sort'",
    "cannot add f32 and f64",
    "cannot add f32 and bf16",
    "Not enough space to allocate 5 B DRAM buffer",
    "Not enough space to allocate 5 B L1 buffer",
    "conv2d is not supported",
    "conv3d is not supported",
    "pcc is nan",
    "pcc 0.5 is below 0.99",
)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(DIFFERENT, 2)))
def test_other_things_are_other_failures(one: str, other: str) -> None:
    found = cluster([Failing("a", "d", "compile", one), Failing("b", "d", "compile", other)])
    assert len(found.clusters) == 2


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", ""),
        ("\n \n", ""),
        ("boom", f"{VERSION}|compile||boom"),
        (
            "Traceback (most recent call last):\n  File 'a.py', line 3, in f\n    g()\n"
            "ValueError: no such axis 3\n\nDuring handling ...\n",
            f"{VERSION}|compile||no such axis N",
        ),
        (
            "TT_FATAL @ /src/conv.cpp:12: a == b\ninfo:\nCB 3 is too small\nbacktrace:\n --- x",
            f"{VERSION}|compile||CB N is too small",
        ),
        (
            "loc(\"m.py\":3:4): error: failed to legalize operation 'ttir.sort' that was explicitly"
            " marked illegal",
            f"{VERSION}|compile|ttir.sort|no legal lowering",
        ),
        ("\x1b[31merror:\x1b[0m it | broke", f"{VERSION}|compile||it | broke"),
    ],
)
def test_the_line_that_tells_is_taken(said: str, expected: str) -> None:
    assert fingerprint("compile", "", said) == expected


def test_the_op_that_is_named_counts_before_the_op_that_was_run() -> None:
    said = "error: 'stablehlo.add' op is bad"
    assert fingerprint("compile", "aten.add", said) == fingerprint("compile", "", said)
    assert parts(fingerprint("compile", "aten.add", "bad"))[1] == "aten.add"


@pytest.mark.parametrize(
    ("said", "op"),
    [
        (
            "failed to legalize operation 'torch.operator' that was explicitly marked illegal: "
            '%0 = "torch.operator"(%arg0) <{name = "torch.aten.special_airy_ai"}> : (!torch.vtensor'
            "<[3,4],f32>) -> !torch.vtensor<[3,4],f32>",
            "aten.special_airy_ai",
        ),
        (
            "error: failed to legalize operation 'torch.operator'\n"
            'note: see current operation: %4 = torch.operator "torch.aten.grid_sampler_3d"(%1)',
            "aten.grid_sampler_3d",
        ),
        (
            "error: 'stablehlo.custom_call' op is not supported\n"
            "  %3 = stablehlo.custom_call @lapack_sgetrf(%1) : (tensor<3x3xf32>) -> tensor<9xf32>",
            "lapack_sgetrf",
        ),
        (
            '"stablehlo.custom_call"(%1) <{call_target_name = "mhlo.topk"}> : failed',
            "mhlo.topk",
        ),
        ("error: failed to legalize operation 'torch.operator'", "torch.operator"),
    ],
)
def test_an_op_that_stands_for_another_is_the_other(said: str, op: str) -> None:
    assert fingerprint("torch_backend_ir", "", said).split("|")[2] == op


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "failed to legalize operation 'torch.aten.foo' that was marked illegal "
            'at loc("net.py":12:3)',
            "failed to legalize operation 'torch.aten.foo' that was marked illegal "
            'at loc(fused["a/b.py":1:2, callsite("x" at "y")])',
        ),
        (
            "'stablehlo.add' op got tensor<2x3xf32> for %12, expected [2, 4]",
            "'stablehlo.add' op got tensor<?x7x1xbf16> for %arg0, expected [2, 4, 5]",
        ),
        (
            "SIGSEGV at 0x7f00deadbeef in /usr/lib/libfoo.so:12 after 3.5e-1 s",
            "SIGSEGV at 0x1 in /home/a/lib/libbar.so after 17 s",
        ),
        (
            "a constant {value = dense_resource<torch_tensor_8_torch.bfloat16> : tensor<8xbf16>}",
            "a constant {value = dense_resource<torch_tensor_8_torch.bfloat16_2> : tensor<4xbf16>}",
        ),
        (
            "\n  the shape (2, 3) and %0#1 of !torch.vtensor<[2,3],f32>\nnote: see 7",
            "the shape (4,) and %x of !torch.vtensor<[],f32>\nnote: see 8",
        ),
        (
            "node add_12 has 2x3xf32 and [], not 4xf32",
            "node add has 7xf32 and [3, 4], not 1x2x3xf32",
        ),
        ("bad arg12 i64 vs int32 at buffer17", "bad arg2 i64 vs int32 at buffer1234"),
        ("no p_layers_0_weight_3 in getitem_3_1", "no p_layers_11_weight in getitem_7"),
    ],
)
def test_an_op_that_fails_for_the_same_cause_has_the_same_fingerprint(one: str, other: str) -> None:
    assert fingerprint("compile", "aten.x", one) == fingerprint("compile", "aten.x", other)


def test_failures_of_different_causes_stages_and_ops_differ() -> None:
    prints = {
        fingerprint(stage, op, text)
        for stage in ("compile", "execute")
        for op in ("aten.a", "aten.b")
        for text in ("unsupported f16", "unsupported f32", "no kernel for conv2d")
    }
    assert len(prints) == 12
    assert fingerprint("compile", "aten.a", "no kernel\nmore").endswith("|aten.a|no kernel")


NAMES = (
    *("f16", "bf16", "ui8", "i64", "int32", "bfloat16", "complex64", "f8E4M3FN", "float8_e4m3"),
    *("conv2d", "log1p", "aten.log2"),
)


@pytest.mark.parametrize("word", NAMES)
def test_a_number_that_is_part_of_a_name_stays(word: str) -> None:
    assert normal(word) == word


LEFT_OVER = (
    "error: failed to legalize operation 'torch.constant.int': %6 = \"torch.constant.int\"()"
)


def test_a_constant_that_is_left_names_no_op_where_the_op_is_known() -> None:
    assert parts(fingerprint("stablehlo", "aten.cumprod", LEFT_OVER))[1] == "aten.cumprod"
    assert parts(fingerprint("stablehlo", "", LEFT_OVER))[1] == "torch.constant.int"


@pytest.mark.parametrize(
    ("stage", "op", "says", "said"),
    [
        ("stablehlo", "aten.x", LEFT_OVER, "stablehlo, aten.x: no legal lowering"),
        ("load", "", "ValueError: no", "load: ValueError: no"),
        ("", "", "", ""),
    ],
)
def test_a_person_reads_it_without_its_version(stage: str, op: str, says: str, said: str) -> None:
    assert shown(fingerprint(stage, op, says)) == said
