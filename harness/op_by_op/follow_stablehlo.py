# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The second verdict on the ops of a StableHLO module, as `follow` gives it for PyTorch's graphs.

Golden values are PyTorch's in float64 (`stablehlo_evaluate`), since a walk asks for very many of
them, and those of the other references for what PyTorch cannot compute. Where nobody can, the
device's own value goes on in both places, and nothing is said of that op.

An op's first verdict is on inputs that were drawn. One that leaves tolerance here is asked once
more, on the golden values of this very module, whether it is wrong by itself.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import torch
from torch_mlir import ir

from bringup.harness.device_host.op_run import OpJob, OpRun
from bringup.harness.mlir import TorchMlir, main_of, read
from bringup.harness.op_by_op.follow import SECONDS, Trail, out_of_time
from bringup.harness.ops.identity import captured, captures, inlined, stablehlo_op
from bringup.harness.ops.stablehlo_ops import StablehloOp, node_name, operations_of
from bringup.harness.records.followed import Followed
from bringup.harness.records.schema import OpResult
from bringup.harness.reference.references import References
from bringup.harness.reference.stablehlo_evaluate import compute, constant
from bringup.harness.reference.stablehlo_torch import ReferenceRefusal
from bringup.harness.reference.stepwise import order_of, stepwise
from bringup.harness.verify import Tolerances, compare, mismatches

_CALL, _CONSTANT, _RETURN = "func.call", "stablehlo.constant", "func.return"


class _EndedError(Exception):
    """The walk cannot go on; the sentence says why."""


@dataclass(frozen=True)
class _Values:
    """A value: golden, and the device's own."""

    golden: torch.Tensor
    own: torch.Tensor


class FollowStablehlo:
    """One walk through one module."""

    def __init__(
        self,
        run: Callable[[OpJob], "Future[OpRun]"],
        options: Mapping[str, str],
        tolerances: Tolerances,
        alone_results: Sequence[OpResult],
        seconds: float,
        references: References,
    ) -> None:
        """`run` executes an op; `alone_results` are the first verdicts on the module's ops."""
        self._run, self._options, self._references = run, dict(options), references
        self._trail, self._tolerances = Trail(alone_results, tolerances), tolerances
        self._end = time.monotonic() + min(seconds, SECONDS)
        self._mlir = TorchMlir()
        self._ops: dict[str, StablehloOp] = {}
        self._place = 0

    def through(
        self, artifact: bytes, ops: Sequence[StablehloOp], arguments: Sequence[torch.Tensor]
    ) -> Followed:
        """Follow the device's values through `main`, of which `ops` are the unique ops."""
        module = read(self._mlir, artifact)
        main = main_of(module)
        self._ops = {op.op.key: op for op in ops}
        given = [_Values(value.detach(), value.detach()) for value in arguments]
        ended = ""
        try:
            self._walk(main, given)
        except _EndedError as error:
            ended = str(error)
        return self._trail.followed(sum(1 for _ in operations_of(main)), ended)

    def _walk(self, function: ir.Operation, given: Sequence[_Values]) -> list[_Values]:
        """What a function gives for its arguments."""
        (block,) = function.regions[0]
        values: dict[ir.Value, _Values] = dict(zip(block.arguments, given, strict=True))
        left = Counter(value for each in block.operations for value in _taken(each.operation))
        for each in block.operations:
            operation = each.operation
            taken = list(_taken(operation))
            if operation.name == _RETURN:
                return [values[value] for value in operation.operands]
            values.update(zip(operation.results, self._step(operation, values), strict=True))
            for value in taken:
                left[value] -= 1
                if not left[value]:
                    values.pop(value, None)  # a model's values together are more than its weights
        return []

    def _step(self, operation: ir.Operation, values: Mapping[ir.Value, _Values]) -> list[_Values]:
        if operation.name == _CONSTANT:
            return [self._constant(operation)]
        if operation.name == _CALL:
            table = ir.SymbolTable(operation.parent.operation.parent.operation)
            callee = table[operation.attributes["callee"].value].operation
            return self._walk(callee, [values[value] for value in operation.operands])
        node = node_name(operation, self._place)
        self._place += 1
        if time.monotonic() > self._end:
            raise _EndedError(out_of_time(node))
        key = stablehlo_op(operation).key
        self._trail.passes(key, node, operation.name)
        given = [values[value] for value in _arguments(operation)]
        op, exact = self._ops[key], [value.golden for value in given]
        golden = self._golden(op, exact)
        own = self._on_device(op, [value.own for value in given])
        if golden is None and own is None:
            raise _EndedError(f"neither a reference nor the device computes {node}")
        if golden is not None and own is not None:
            self._trail.judge(key, node, golden, own, lambda: self._is_wrong(op, exact, golden))
        pairs = zip(golden or own or (), own or golden or (), strict=True)
        return [_Values(wanted, ours) for wanted, ours in pairs]

    def _constant(self, operation: ir.Operation) -> _Values:
        try:
            value = constant(operation)
        except ReferenceRefusal as error:
            if inlined(operation.results[0]) is None:
                raise _EndedError(str(error)) from error
            value = torch.empty(0)  # every op that takes it has it in itself
        return _Values(value, value)

    def _golden(
        self, op: StablehloOp, inputs: Sequence[torch.Tensor]
    ) -> Sequence[torch.Tensor] | None:
        try:
            return compute(main_of(read(self._mlir, op.artifact)), inputs)
        except ReferenceRefusal:
            return self._references.ask(op, inputs)().outputs

    def _is_wrong(
        self, op: StablehloOp, inputs: Sequence[torch.Tensor], golden: Sequence[torch.Tensor]
    ) -> bool:
        """Is an op wrong on golden values too? Its verdict is on values that were drawn."""
        outputs = self._on_device(op, inputs)
        if outputs is None:
            return False
        if not mismatches(compare(list(golden), list(outputs), self._tolerances)):
            return False
        orders = stepwise(main_of(read(self._mlir, op.artifact)), inputs)
        return order_of(outputs, orders) is None

    def _on_device(
        self, op: StablehloOp, inputs: Sequence[torch.Tensor]
    ) -> Sequence[torch.Tensor] | None:
        job = OpJob(
            stablehlo=op.artifact,
            options=self._options,
            inputs=tuple(inputs),
            execute=True,
            key=op.op.key,
        )
        return self._run(job).result().outputs


def _arguments(operation: ir.Operation) -> list[ir.Value]:
    """What an op takes when it is alone, in the order of its `main`."""
    return [v for v in operation.operands if inlined(v) is None] + captured(operation)


def _taken(operation: ir.Operation) -> Iterator[ir.Value]:
    """Every value that an op takes, its regions included."""
    yield from operation.operands
    yield from captures(operation)
