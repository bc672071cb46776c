# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
import torch
import tt_torch
from transformers import GPT2Config, GPT2LMHeadModel
from tt_torch.dynamo.backend import BackendOptions
from tt_torch.tools.device_manager import DeviceManager
from tt_torch.tools.utils import CompilerConfig, calculate_pcc
from tt_torch.tools.verify import verify_against_golden, verify_module

from tests.utils import ModelTester, clear_dynamo_cache

assert tt_torch.__name__ == "tt_torch"


class Words:
    def batch_decode(self, tokens, skip_special_tokens=False):
        return [" ".join(map(str, row.tolist())) for row in tokens]


class Generates(ModelTester):
    def _load_model(self):
        self.tokenizer = Words()
        size = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 16, "vocab_size": 40}
        return GPT2LMHeadModel(GPT2Config(**size, bos_token_id=0, eos_token_id=39))

    def _load_inputs(self):
        return {
            "input_ids": torch.tensor([[3, 1, 4]]),
            "attention_mask": torch.ones(1, 3, dtype=torch.long),
            "max_new_tokens": 2,
            "do_sample": False,
            "pad_token_id": 39,
        }


def test_generate(record_property):
    tester = Generates(
        "gpt2",
        "eval",
        is_token_output=True,
        run_generate=True,
        compiler_config=CompilerConfig(),
        record_property_handle=record_property,
        assert_pcc=False,
        assert_atol=False,
    )
    results = tester.test_model(assert_eval_token_mismatch=False)
    assert results.shape[1] > 3
    tester.finalize()


class Predictor(ModelTester):
    def _load_model(self):
        return torch.nn.Linear(4, 4)

    def _load_inputs(self):
        return torch.randn(2, 4)

    def run_model(self, model, inputs):
        outputs = model(inputs)
        return outputs if float(outputs.sum()) > 1e6 else model(outputs)


def test_own_run_model(record_property):
    tester = Predictor("predictor", "eval", record_property_handle=record_property)
    assert tester.test_model().shape == (2, 4)
    tester.finalize()


class Plain(Predictor):
    run_model = ModelTester.run_model

    def _load_inputs(self):
        self.framework_model = torch.nn.Sequential(self.framework_model, torch.nn.ReLU())
        self.inputs = torch.randn(2, 4)


def test_compiled_by_the_body(record_property):
    tester = Plain("looped", "eval", record_property_handle=record_property)
    model = tester.compile_model(tester.get_framework_model(), tester.compiler_config)
    with torch.no_grad():
        for _ in range(3):
            results = tester.run_model(model, tester.inputs)
    assert results.min() >= 0
    tester.finalize()


def test_torch_compile(record_property):
    clear_dynamo_cache()
    parent, (first, *_) = DeviceManager.acquire_available_devices(2)
    options = BackendOptions()
    options.compiler_config, options.devices = CompilerConfig(), [first]
    model, x = torch.nn.Linear(4, 4).eval(), torch.randn(2, 4)
    compiled = torch.compile(model, backend="tt-legacy", dynamic=False, options=options)
    with torch.no_grad():
        out, golden = compiled(x), model(x)
    pccs, atols, right, close, _ = verify_against_golden(
        (golden,), (out,), True, False, required_atol=0.1
    )
    assert right and close and calculate_pcc(out, golden) > 0.99
    ModelTester.GenerateCustomTestReport(
        record_property, "by hand", options.compiler_config, pccs, atols, required_atol=0.1
    )
    DeviceManager.release_parent_device(parent, cleanup_sub_devices=True)
    assert not list(DeviceManager.get_parent_devices())


def test_cut_by_module():
    parent, devices = DeviceManager.acquire_available_devices(2)
    options = BackendOptions()
    options.compiler_config, options.devices = CompilerConfig(), devices
    options.compiler_config.device_map = {
        **{"transformer.wte": 0, "transformer.wpe": 0, "transformer.h.0": 0},
        **{"transformer.h.1": 1, "transformer.ln_f": 1, "lm_head": 1},
    }
    size = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 16, "vocab_size": 40}
    model, ids = GPT2LMHeadModel(GPT2Config(**size)).eval(), torch.tensor([[3, 1, 4]])
    compiled = torch.compile(model, backend="tt-legacy", dynamic=False, options=options)
    with torch.no_grad():
        out, golden = compiled(ids, use_cache=False), model(ids, use_cache=False)
    assert calculate_pcc(out.logits, golden.logits) > 0.99
    DeviceManager.release_parent_device(parent, cleanup_sub_devices=True)


def test_verify_module():
    verify_module(torch.nn.Linear(4, 2), input_shapes=[(3, 4)])
