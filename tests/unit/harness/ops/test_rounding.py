# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How far the golden of an op alone is off, and what that allows a device."""

import pytest
import torch

from bringup.harness.op_by_op.judge import compared
from bringup.harness.op_by_op.op_tolerances import op_tolerances
from bringup.harness.ops.torch_ops import rounding_of, unique_ops
from bringup.harness.reference.references import Golden, Source
from bringup.harness.verify import Tolerances, mismatches


class Norms(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.ops.aten.var_mean.correction(x, [2], correction=0, keepdim=True)


@pytest.fixture(scope="module")
def centred() -> torch.Tensor:
    """As a normalisation has them: the means are small, and by chance some next to nothing."""
    x = torch.randn(2, 197, 384, generator=torch.Generator().manual_seed(0))
    x -= x.mean(-1, keepdim=True) * 0.98
    x[0, 60] -= x[0, 60].double().mean().float()
    return x


def test_means_that_golden_adds_up_in_float64_bind_no_device_of_float32(
    centred: torch.Tensor,
) -> None:
    graph = torch.export.export(Norms(), (centred,)).graph_module.graph
    (op,) = unique_ops(graph, [centred], lambda *_: True)
    one_by_one = torch.zeros(2, 197)
    for column in centred.unbind(-1):
        one_by_one += column
    device = [op.golden[0], (one_by_one / 384).unsqueeze(-1)]
    answer = Golden(
        op.golden, Source.TORCH, natural=lambda: rounding_of(op.graph, op.inputs, op.golden)
    )
    asked = op_tolerances(Tolerances(), op.op)
    assert not mismatches(compared(answer, device, asked))
    for place, wrong in (((0, 60), 1e-4), ((1, 7), float(1.01 * device[1][1, 7]))):
        at_fault = device[1].clone()
        at_fault[place] = wrong
        assert mismatches(compared(answer, [device[0], at_fault], asked))
