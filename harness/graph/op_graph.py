# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a search asks of a model: a graph of ops, any set of which is a program of its own.

What a part takes from outside becomes an input, to be fed with the golden value. So every set of
ops is a program, whatever is left out between them. Values go by their names in the graph.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import torch

from bringup.harness.records.schema import Op

if TYPE_CHECKING:
    from torch_mlir import ir

    from bringup.harness.mlir import TorchMlir
    from bringup.harness.reference.references import Source


@dataclass(frozen=True)
class Unit:
    """An op and the accesses to its results: what is kept or left out together."""

    place: int
    """In the graph's order."""
    op: str
    """`aten.relu.default`, `onnx.Relu`."""
    values: tuple[str, ...] = field(compare=False)
    """The tensors that it gives, in order."""


class Part(Protocol):
    """A part of a graph, as a program of its own."""

    @property
    def units(self) -> Sequence[Unit]:
        """The graph's ops that it computes, in order."""

    @property
    def inputs(self) -> Sequence[str]:
        """The graph's values that feed it, in the order of its arguments."""

    @property
    def outputs(self) -> Sequence[str]:
        """The graph's values that it gives."""

    def op(self) -> Op:
        """What it is, whatever its values are called."""

    def imported(self, mlir: "TorchMlir") -> "ir.Module":
        """It in torch-mlir's torch dialect, as `main`.

        Raises:
            LoweringError: the importer gave up.
        """

    def sources(self) -> Mapping[str, bytes]:
        """What a reproducer keeps of it above the torch dialect: files by name."""


class OpGraph(Protocol):
    """A model as ops in order of execution, with the arguments of one call."""

    @property
    def units(self) -> Sequence[Unit]:
        """Its ops."""

    @property
    def results(self) -> Sequence[str]:
        """The values that it gives."""

    @property
    def reference(self) -> str:
        """Who computes its golden values, for people."""

    @property
    def source(self) -> "Source":
        """The same, for records."""

    @property
    def preparation(self) -> str:
        """What made it of the model, for people."""

    def cut(
        self,
        chosen: Collection[Unit],
        outputs: Sequence[str] | None = None,
        fed: Collection[str] = (),
    ) -> Part:
        """Cut `chosen` ops out, less those that `outputs` does not need.

        Without `outputs` the part gives whatever of it is a tensor and is used outside it, or by
        nobody. Values in `fed` come from outside, whoever computes them. An op that is needed and
        whose value is no tensor comes along, chosen or not.
        """

    def golden(self, names: Sequence[str]) -> list[torch.Tensor]:
        """What the reference computes for values.

        Raises:
            GoldenError: it cannot.
        """

    def size(self, name: str) -> int:
        """Bytes of a value; 0 where nobody knows before it is computed."""

    def is_float(self, name: str) -> bool:
        """Is a value of floats, and no index or mask?"""


_NAMED_OPS = 3
"""A part of more ops goes by their number."""


def joint_name(units: Sequence[Unit]) -> str:
    """What a part is called: its ops, or how many there are and the last of them."""
    if len(units) > _NAMED_OPS:
        return f"{len(units)} ops to {units[-1].op}"
    return "+".join(unit.op for unit in units)
