# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Models that tests split into ops, and the reference interpreter asked what an op computes."""

import torch

from bringup import CompilerConfig
from bringup.harness.device_host.op_pool import OpPool
from bringup.harness.device_host.op_run import OpJob, OpRun
from bringup.harness.frontend.call import call_of
from bringup.harness.frontend.lowering import Program, lower_torch
from bringup.harness.recording.recorder import TestRecorder


class Encoder(torch.nn.Module):
    """Two layers of a BERT, with its mask and its positions."""

    def __init__(self) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(20, 16)
        self.positions = torch.nn.Embedding(8, 16)
        layer = torch.nn.TransformerEncoderLayer(16, 2, 32, 0.0, "gelu", batch_first=True)
        self.layers = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.pooler = torch.nn.Linear(16, 16)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        hidden = self.words(ids) + self.positions(torch.arange(ids.shape[1]))
        hidden = self.layers(hidden, src_key_padding_mask=mask == 0)
        return hidden, torch.tanh(self.pooler(hidden[:, 0]))


class Pixels(torch.nn.Module):
    """Convolutions, norms, pools, and ops of several results."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False)
        self.norm = torch.nn.BatchNorm2d(4)
        self.depth = torch.nn.Conv2d(4, 4, 3, groups=4)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        x = torch.relu(self.norm(self.first(x)))
        x = torch.nn.functional.max_pool2d(self.depth(x), 2)
        left, right = x.split(2, dim=1)
        values, order = torch.cat([right, left], dim=1).flatten(1).sort(dim=-1)
        return torch.nn.functional.adaptive_avg_pool2d(x, 1), values, order


MODELS = {
    "encoder": (Encoder, {"ids": torch.arange(16).reshape(2, 8), "mask": torch.ones(2, 8)}),
    "pixels": (Pixels, {"x": torch.randn(1, 3, 16, 16)}),
}


def lowered(name: str, recorder: TestRecorder) -> tuple[Program, list[torch.Tensor]]:
    torch.manual_seed(0)
    build, inputs = MODELS[name]
    with torch.no_grad():
        program = lower_torch(build().eval(), call_of(inputs), CompilerConfig(), recorder)
    assert program.signature is not None
    return program, program.signature.bind(program.flatten(call_of(inputs)))


def asked(interpreter: OpPool, artifact: bytes, inputs: list[torch.Tensor]) -> OpRun:
    job = OpJob(stablehlo=artifact, inputs=tuple(inputs), execute=True)
    return interpreter.submit(job).result()


def interpreted(
    interpreter: OpPool, artifact: bytes, inputs: list[torch.Tensor]
) -> list[torch.Tensor]:
    run = asked(interpreter, artifact, inputs)
    assert run.outputs is not None, run.failure
    return list(run.outputs)
