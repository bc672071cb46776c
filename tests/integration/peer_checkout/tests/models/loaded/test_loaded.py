# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from third_party.tt_forge_models.tiny.pytorch import ModelLoader
from tt_torch.tools.utils import CompileDepth, CompilerConfig, OpByOpBackend

from tests.utils import ModelTester, skip_full_eval_test


class ThisTester(ModelTester):
    def _load_model(self):
        return self.loader.load_model(dtype_override=torch.bfloat16)

    def _load_inputs(self):
        self.inputs = self.loader.load_inputs(dtype_override=torch.bfloat16)
        return self.inputs


available_variants = ModelLoader.query_available_variants()


@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize(
    "variant,variant_config",
    available_variants.items(),
    ids=[str(k) for k in available_variants],
)
@pytest.mark.parametrize("op_by_op", [OpByOpBackend.TORCH, None], ids=["op_by_op_torch", "full"])
@pytest.mark.parametrize(
    "data_parallel_mode", [False, True], ids=["single_device", "data_parallel"]
)
def test_loaded(record_property, variant, variant_config, mode, op_by_op, data_parallel_mode):
    cc = CompilerConfig()
    cc.enable_consteval = True
    cc.consteval_parameters = True
    cc.cache_preprocessed_constants = True
    if op_by_op:
        if data_parallel_mode:
            pytest.skip("Op-by-op not supported in data parallel mode")
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP

    loader = ModelLoader(variant=variant)
    model_info = loader.get_model_info(variant=variant)
    skip_full_eval_test(
        record_property,
        cc,
        model_info.name,
        bringup_status="FAILED_RUNTIME",
        reason="does not fit",
        model_group=model_info.group,
        model_name_filter=["tiny-wide"],
    )
    tester = ThisTester(
        model_info.name,
        mode,
        loader=loader,
        model_info=model_info,
        model_name_suffix="-one",
        required_pcc=0.97,
        assert_pcc=True,
        assert_atol=False,
        compiler_config=cc,
        record_property_handle=record_property,
        data_parallel_mode=data_parallel_mode,
        backend="tt-legacy",
        forge_models_test=True,
    )
    results = tester.test_model()

    def print_result(result):
        print("decoded", loader.decode_output(result))

    ModelTester.print_outputs(results, data_parallel_mode, print_result)
    tester.finalize()
    assert tester.record_tag_cache["backend"] == "tt-legacy"
