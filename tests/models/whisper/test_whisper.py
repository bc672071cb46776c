# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import pytest
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend

from ..seeded import build, normal


class ThisTester(ModelTester):
    def _load_model(self):
        config = WhisperConfig(
            d_model=512, encoder_layers=6, encoder_attention_heads=8, encoder_ffn_dim=2048
        )
        return build(WhisperEncoder, config)

    def _load_inputs(self):
        return normal(1, 80, 3000)  # 30 s of log-mel frames


@pytest.mark.parametrize(
    "mode",
    ["eval"],
)
@pytest.mark.parametrize(
    "op_by_op",
    [OpByOpBackend.STABLEHLO, OpByOpBackend.TORCH, None],
    ids=["op_by_op_stablehlo", "op_by_op_torch", "full"],
)
def test_whisper(record_property, mode, op_by_op):
    cc = CompilerConfig()
    cc.enable_consteval = True
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        if op_by_op == OpByOpBackend.STABLEHLO:
            cc.op_by_op_backend = OpByOpBackend.STABLEHLO

    tester = ThisTester(
        "whisper-base",
        mode,
        compiler_config=cc,
        record_property_handle=record_property,
    )
    results = tester.test_model()

    if mode == "eval":
        assert results.last_hidden_state.shape == (1, 1500, 512)
    tester.finalize()
