# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Two exported programs have one digest where they are lowered to the same, and nowhere else."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bringup.harness.frontend.entry import Entry
from bringup.harness.frontend.exported_digest import (
    UnwrittenError,
    decompositions,
    digest_of,
    digest_of_graph,
    settings,
)
from bringup.harness.frontend.torch_program import export_entry


class Net(torch.nn.Module):
    """A net whose parts may be exchanged one by one."""

    def __init__(
        self,
        act: Callable[[torch.Tensor], torch.Tensor] = torch.relu,
        factor: Any = 2.0,
        shift: float = 1.0,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.weight = torch.nn.Parameter(torch.randn(3, 3, dtype=dtype))
        self.act, self.factor, self.shift = act, factor, shift

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(x @ self.weight) * self.factor + torch.tensor([self.shift, 2.0, 3.0])


X = torch.ones(2, 3)


def digest(model: torch.nn.Module, x: torch.Tensor = X) -> str:
    with torch.no_grad():
        return digest_of(export_entry(Entry(model.eval(), ((x,), {}))))


def test_equal_programs_have_one_digest() -> None:
    assert digest(Net()) == digest(Net())


def test_the_value_of_a_weight_is_no_part_of_it() -> None:
    assert digest(Net(seed=0)) == digest(Net(seed=1))


@pytest.mark.parametrize(
    ("other", "x"),
    [
        (Net(act=torch.tanh), X),
        (Net(factor=2.0000002), X),
        (Net(factor=2), X),
        (Net(factor=True), X),
        (Net(factor=float("nan")), X),
        (Net(shift=1.5), X),
        (Net(), torch.ones(4, 3)),
        (Net(), torch.ones(3, 2).t()),
        (Net(dtype=torch.float64), X.double()),
    ],
    ids=["op", "constant", "int", "bool", "nan", "tensor", "shape", "stride", "dtype"],
)
def test_what_is_otherwise_has_another(other: Net, x: torch.Tensor) -> None:
    assert digest(other, x) != digest(Net())


def test_the_sign_of_zero_counts() -> None:
    assert digest(Net(factor=-0.0)) != digest(Net(factor=0.0))


@pytest.mark.parametrize(
    "other",
    [
        lambda x: x[:, None],
        lambda x: x[..., :1],
        lambda x: x["...", None],
        lambda x: x[("ellipsis",), None],
    ],
)
def test_a_graph_that_takes_other_elements_has_another(
    other: Callable[[Any], torch.Tensor],
) -> None:
    """As dynamo leaves them, with Python's own `...` in it."""

    def digest_of_function(function: Callable[[Any], torch.Tensor]) -> str:
        return digest_of_graph(torch.fx.symbolic_trace(function), {}, {})

    of_this = digest_of_function(lambda x: x[..., None])
    assert of_this == digest_of_function(lambda x: x[..., None]) != digest_of_function(other)


def test_what_runs_code_of_somebodys_own_is_not_kept() -> None:
    @torch.library.custom_op("digested::twice", mutates_args=())
    def twice(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @twice.register_fake
    def _(x: torch.Tensor) -> torch.Tensor:
        return torch.empty_like(x)

    with pytest.raises(UnwrittenError, match=r"digested\.twice"):
        digest(Net(act=twice))


def test_a_size_that_is_not_fixed_is_not_kept() -> None:
    size = torch.export.Dim("size", min=2, max=8)
    exported = torch.export.export(Net(), (X,), dynamic_shapes=({0: size},), strict=False)
    with pytest.raises(UnwrittenError, match="a SymInt"):
        digest_of(exported)


def test_a_decomposition_of_somebodys_own_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from bringup.harness.frontend import exported_digest

    assert decompositions()
    table = {torch.ops.aten.relu.default: lambda x: x}
    monkeypatch.setattr(exported_digest, "decomposition_table", lambda: table)
    with pytest.raises(UnwrittenError, match=r"aten\.relu\.default, which tests"):
        decompositions()


def test_what_pytorch_is_told_for_the_whole_process_counts() -> None:
    before = settings()
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        assert settings() != before
    with torch.no_grad():
        assert settings() != before
    with torch.autocast("cpu"):
        assert settings() != before
    assert settings() == before
