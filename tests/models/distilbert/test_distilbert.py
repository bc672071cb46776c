# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import pytest
import torch
from transformers import DistilBertConfig, DistilBertForMaskedLM

from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend

from ..seeded import build, tokens


class ThisTester(ModelTester):
    def _load_model(self):
        config = DistilBertConfig()
        return build(DistilBertForMaskedLM, config)

    def _load_inputs(self):
        attention_mask = torch.ones(1, 128, dtype=torch.int64)
        attention_mask[:, 100:] = 0  # a sentence padded on the right
        return {"input_ids": tokens(30522, 1, 128), "attention_mask": attention_mask}


@pytest.mark.parametrize(
    "mode",
    ["eval"],
)
@pytest.mark.parametrize(
    "op_by_op",
    [OpByOpBackend.STABLEHLO, OpByOpBackend.TORCH, None],
    ids=["op_by_op_stablehlo", "op_by_op_torch", "full"],
)
def test_distilbert(record_property, mode, op_by_op):
    cc = CompilerConfig()
    cc.enable_consteval = True
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        if op_by_op == OpByOpBackend.STABLEHLO:
            cc.op_by_op_backend = OpByOpBackend.STABLEHLO

    tester = ThisTester(
        "distilbert-base-uncased",
        mode,
        compiler_config=cc,
        record_property_handle=record_property,
    )
    results = tester.test_model()

    if mode == "eval":
        assert results.logits.shape == (1, 128, 30522)
    tester.finalize()
