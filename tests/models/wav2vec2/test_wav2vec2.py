# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import pytest
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend

from ..seeded import build, normal


class ThisTester(ModelTester):
    def _load_model(self):
        return build(Wav2Vec2ForCTC, Wav2Vec2Config())

    def _load_inputs(self):
        return normal(1, 16000)  # one second of sound


@pytest.mark.parametrize(
    "mode",
    ["eval"],
)
@pytest.mark.parametrize(
    "op_by_op",
    [OpByOpBackend.STABLEHLO, OpByOpBackend.TORCH, None],
    ids=["op_by_op_stablehlo", "op_by_op_torch", "full"],
)
def test_wav2vec2(record_property, mode, op_by_op):
    cc = CompilerConfig()
    cc.enable_consteval = True
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        if op_by_op == OpByOpBackend.STABLEHLO:
            cc.op_by_op_backend = OpByOpBackend.STABLEHLO

    tester = ThisTester(
        "wav2vec2-base",
        mode,
        compiler_config=cc,
        record_property_handle=record_property,
    )
    results = tester.test_model()

    if mode == "eval":
        assert results.logits.shape == (1, 49, 32)
    tester.finalize()
