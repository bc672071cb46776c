# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A failure's fingerprint: the same for the same cause, wherever and with whatever sizes."""

import pytest

from bringup.harness.ops.identity import fingerprint


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
def test_a_failure_of_the_same_cause_has_the_same_fingerprint(one: str, other: str) -> None:
    assert fingerprint("compile", "aten.x", one) == fingerprint("compile", "aten.x", other)


def test_failures_of_different_causes_stages_and_ops_differ() -> None:
    prints = {
        fingerprint(stage, op, text)
        for stage in ("compile", "execute")
        for op in ("aten.a", "aten.b")
        for text in ("unsupported f16", "unsupported f32", "no kernel for conv2d", "")
    }
    assert len(prints) == 16
    kept = "f16 bf16 ui8 i64 int32 bfloat16 complex64 f8E4M3FN float8_e4m3 conv2d log1p aten.log2"
    words = kept.split()
    assert [fingerprint("", "", word)[2:] for word in words] == words
    assert fingerprint("compile", "aten.a", "no kernel\nmore") == "compile:aten.a:no kernel"
