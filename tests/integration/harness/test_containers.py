# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Models that take and give containers, and eager's peculiarities: exported, run, compared."""

import collections
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    BatchEncoding,
    DynamicCache,
    EncoderDecoderCache,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)
from transformers.modeling_outputs import BaseModelOutput

from bringup import CompilerConfig, Executor
from bringup.harness.device_host.client import Device
from bringup.harness.frontend.call import call_of
from bringup.harness.frontend.lowering import lower_torch
from bringup.harness.frontend.program import SignatureError
from bringup.harness.frontend.refusals import ExportRefusal
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.schema import Outcome, Stage
from bringup.harness.verify import compare, verdict
from tests.integration.harness.test_model_tester import MINIATURE, Done, run_pytest


@pytest.fixture(scope="module")
def cpu() -> Iterator[Device]:
    device = Device("cpu")
    yield device
    device.close()


def same(outputs: object) -> object:
    return outputs


def ran(
    model: nn.Module,
    inputs: Any,
    device: Device,
    recorder: TestRecorder,
    extract: Callable[[Any], Any] = same,
) -> Any:
    """What the device computes, in the model's own structure."""
    call = call_of(inputs)
    with torch.no_grad():
        program = lower_torch(model.eval(), call, CompilerConfig(), recorder, extract)
    executor = Executor(program, CompilerConfig(), device, recorder)
    executor.compile()
    try:
        return executor(*call[0], **call[1])
    finally:
        executor.release()


@dataclasses.dataclass(frozen=True)
class Pair:
    x: torch.Tensor
    scale: int = 2


class Doubled(nn.Module):
    """Gives what it was given, in whatever it came."""

    def forward(self, value: Any, times: int = 2) -> Any:
        if isinstance(value, Pair):
            return dataclasses.replace(value, x=value.x * times)
        if isinstance(value, torch.Tensor):
            return value * times
        return type(value)({name: item * times for name, item in value.items()})


ONES = torch.ones(2, 3)


@pytest.mark.parametrize(
    "value",
    [
        Pair(ONES),
        collections.OrderedDict(b=ONES, a=ONES + 1),
        collections.UserDict(a=ONES),
        BatchEncoding({"input_ids": ONES}),
        BaseModelOutput(last_hidden_state=ONES),
    ],
    ids=lambda value: type(value).__name__,
)
def test_containers_go_in_and_come_out(value: Any, cpu: Device, recorder: TestRecorder) -> None:
    result = ran(Doubled(), [value], cpu, recorder)
    golden = Doubled()(value)
    assert type(result) is type(golden)
    assert verdict(compare(golden, result))


def test_another_call_is_run_with_its_own_tensors(cpu: Device, recorder: TestRecorder) -> None:
    with torch.no_grad():
        program = lower_torch(Doubled(), call_of([Pair(ONES)]), CompilerConfig(), recorder)
    executor = Executor(program, CompilerConfig(), cpu, recorder)
    executor.compile()
    assert executor(value=Pair(ONES * 5)).x.tolist() == [[10.0] * 3] * 2
    with pytest.raises(SignatureError, match=r"input value\.x is missing"):
        executor(Pair(None))  # type: ignore[arg-type]
    with pytest.raises(SignatureError, match="input times is no tensor of the call that was"):
        executor(Pair(ONES), torch.tensor(3))
    executor.release()


def llama() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=32,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
    )
    return LlamaForCausalLM(config).eval()


def test_a_kv_cache_goes_in_and_comes_out(cpu: Device, recorder: TestRecorder) -> None:
    model, ids = llama(), torch.arange(6)[None]
    prefill = ran(model, {"input_ids": ids}, cpu, recorder)
    with torch.no_grad():
        golden = model(ids)
    assert isinstance(prefill.past_key_values, DynamicCache)
    assert prefill.past_key_values.get_seq_length() == 6
    assert verdict(compare(golden, prefill))

    step = {"input_ids": ids[:, :1], "past_key_values": prefill.past_key_values}
    decoded = ran(model, step, cpu, recorder)
    assert prefill.past_key_values.get_seq_length() == 6, "a trace leaves the caller's cache alone"
    with torch.no_grad():
        golden = model(input_ids=ids[:, :1], past_key_values=golden.past_key_values)
    assert decoded.past_key_values.get_seq_length() == 7
    assert verdict(compare(golden, decoded))


def test_an_encoder_decoder_has_both_its_caches(cpu: Device, recorder: TestRecorder) -> None:
    torch.manual_seed(0)
    config = T5Config(vocab_size=32, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    model, ids = T5ForConditionalGeneration(config).eval(), torch.arange(5)[None]
    inputs = {"input_ids": ids, "decoder_input_ids": ids[:, :3]}
    result = ran(model, inputs, cpu, recorder)
    assert isinstance(result.past_key_values, EncoderDecoderCache)
    with torch.no_grad():
        assert verdict(compare(model(**inputs), result))


# --- by testers, as users write them ------------------------------------------------------------


@pytest.fixture(scope="module")
def testers(tmp_path_factory: pytest.TempPathFactory) -> Done:
    file = f"{MINIATURE}/test_containers.py"
    return run_pytest(tmp_path_factory.mktemp("run"), file, "-k", "full", "--device", "cpu")


def test_a_type_nobody_knows_is_extracted_from_while_it_is_exported(testers: Done) -> None:
    record = testers.records["opaque[full-extracted-eval]@cpu"]
    assert record.outcome is Outcome.PASSED, testers.output
    record = testers.records["opaque[full-whole-eval]@cpu"]
    assert record.failure is not None and record.failure.stage is Stage.EXPORT
    assert "Opaque, which cannot be verified" in record.failure.message


@pytest.mark.parametrize(
    ("name", "tied", "other"),
    [
        ("by_hand", "head.weight", "table.weight"),
        ("gpt2", "transformer.wte.weight", "lm_head.weight"),
    ],
)
def test_a_tied_weight_gets_its_gradient_once(
    testers: Done, name: str, tied: str, other: str
) -> None:
    record = testers.records[f"tied[full-{name}-train]@cpu"]
    assert record.outcome is Outcome.PASSED, testers.output
    paths = {output.path for output in record.outputs}
    assert f"grad.{tied}" in paths and f"grad.{other}" not in paths


def test_the_golden_of_a_padded_encoder_has_no_fast_path(testers: Done) -> None:
    assert testers.records["padded[full-eval]@cpu"].outcome is Outcome.PASSED, testers.output


# --- what only eager does -------------------------------------------------------------------


class Leaky(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.RReLU(0.2, 0.4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.rand_like(x)  # drawn, and used by nobody
        return self.relu(x) + torch.nn.functional.rrelu(x)


def test_rrelu_is_random_in_training_only(cpu: Device, recorder: TestRecorder) -> None:
    x = torch.linspace(-2, 2, 12).view(3, 4)
    result = ran(Leaky(), [x], cpu, recorder)
    torch.testing.assert_close(result, Leaky().eval()(x))
    with torch.no_grad():
        lower_torch(Leaky().train(), call_of([x]), CompilerConfig(), recorder)
    drawn = [result.attributes.get("random") for result, _ in recorder.results]
    assert "aten.rrelu_with_noise_functional.default" in drawn


def test_linalg_norm_is_lowered(cpu: Device, recorder: TestRecorder) -> None:
    class Norms(nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            return torch.linalg.norm(x), torch.linalg.norm(x, "fro"), x.max(1)

    x = torch.randn(3, 4)
    result = ran(Norms(), [x], cpu, recorder)
    assert type(result[2]) is torch.return_types.max
    assert verdict(compare(Norms()(x), result))


def test_torchscript_is_refused(recorder: TestRecorder) -> None:
    model = torch.jit.trace(nn.Linear(3, 3), ONES)
    with pytest.raises(ExportRefusal, match="TorchScript is not exported"):
        lower_torch(model, call_of([ONES]), CompilerConfig(), recorder)
