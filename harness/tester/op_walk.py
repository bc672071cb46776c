# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every op of a lowered program alone, by the executor that its depth and backend lead to."""

from bringup.harness.config import CompilerConfig
from bringup.harness.device_host.client import Device
from bringup.harness.frontend.call import Call
from bringup.harness.frontend.lowering import Program
from bringup.harness.recording.recorder import TesterRecorder
from bringup.harness.records.schema import Outcome
from bringup.harness.verify import Tolerances


def walk_ops(
    executor: str,
    program: Program,
    call: Call,
    given: tuple[CompilerConfig, Device, TesterRecorder, Tolerances],
) -> tuple[Outcome, bool]:
    """Walk a program's ops; what they came to, and whether there was one."""
    from bringup.harness.op_by_op.executors import StablehloExecutor, TorchExecutor

    if executor == "TorchExecutor":
        assert program.signature is not None
        arguments = program.signature.bind(program.flatten(call))
        by_torch = TorchExecutor(*given)
        return by_torch.walk_program(program, arguments), bool(by_torch.results)
    by_stablehlo = StablehloExecutor(*given)
    signature = program.signature
    bound = (lambda: signature.bind(program.flatten(call))) if signature is not None else None
    by_stablehlo.add_program(program, bound)
    return by_stablehlo.shlo_op_by_op(), bool(by_stablehlo.results)
