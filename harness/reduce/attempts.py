# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One attempt: a part of a model alone in a device host, and how that ended.

A host that dies or hangs costs the attempt it died on: it is forked anew for the next.
"""

import contextlib
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

import torch

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.fork_server import ForkServer
from bringup.harness.device_host.op_run import Ended as RunEnded
from bringup.harness.device_host.op_run import OpFailure, OpJob, OpRun
from bringup.harness.device_host.probe import is_bystander
from bringup.harness.devices.board import Board
from bringup.harness.devices.catalog import kind_of
from bringup.harness.errors import DeviceError
from bringup.harness.graph.golden_values import GoldenError
from bringup.harness.graph.op_graph import OpGraph, Part
from bringup.harness.mlir import LoweringError, TorchMlir, serialized
from bringup.harness.op_by_op.judge import judge
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.schema import OpVerdict, Outcome, Stage
from bringup.harness.reference.references import Golden, Source
from bringup.harness.reproduce.reproducer import fingerprint_of
from bringup.harness.storage.scratch import Scratch
from bringup.harness.verify import Tolerances

Sign = tuple[Outcome, str]
"""What two outcomes must share to be the same failure: outcome, and stage with diagnostic."""


def sign_of(verdict: OpVerdict) -> Sign:
    """The fingerprint of a verdict, whatever the part is called."""
    return verdict.outcome, fingerprint_of("", verdict.outcome, verdict.failure)


@contextlib.contextmanager
def worker(device_name: str, board: Board | None = None) -> Iterator[Device]:
    """A device of its own, on a board that is leased, whose host is forked anew in no time when it
    dies."""
    server = ForkServer(kind_of(device_name).preload)
    device = Device(device_name, fork_server=server, board=board)
    try:
        yield device
    finally:
        device.close()
        server.close()


class Attempts:
    """Runs parts of one graph on one device. Use it as a context manager."""

    def __init__(
        self,
        device: Device,
        graph: OpGraph,
        options: Mapping[str, str],
        deadline_s: float,
    ) -> None:
        """`options` are the device compiler's; `deadline_s` is for one attempt."""
        self.graph = graph
        self.options = dict(options)
        self.deadline_s = deadline_s
        self.count = 0
        self.device = device
        self._scratch = Scratch("reduce")
        self._artifacts = ArtifactStore(self._scratch.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._scratch.cleanup()

    def run(self, part: Part) -> OpRun:
        """Take a part as far as it goes.

        Raises:
            DeviceError: the device cannot be had, or stopped answering.
        """
        self.count += 1
        try:
            job = self.job(part)
        except LoweringError as error:
            failure = OpFailure("LoweringError", str(error), error.diagnostic, Stage.TORCH_IR)
            return OpRun(RunEnded.REFUSED, failure=failure)
        run = self.device.run_op(job, self.deadline_s)
        if is_bystander(run):  # killed from outside; that says nothing of the part
            run = self.device.run_op(job, self.deadline_s)
        if is_bystander(run):
            raise DeviceError(f"{self.device.name}: {run.failure.message if run.failure else ''}")
        return run

    def verdict(self, part: Part, tolerances: Tolerances) -> OpVerdict:
        """Run a part and compare what it gives with the golden values.

        Raises:
            DeviceError: as `run` does.
        """
        return self.judged(part, self.run(part), tolerances)

    def judged(self, part: Part, run: OpRun, tolerances: Tolerances) -> OpVerdict:
        """What a run of a part comes to."""
        expected = self.expected(part) if run.outputs is not None else None
        return judge(part.op(), self.device.name, run, expected, tolerances, self._artifacts, "")

    def job(self, part: Part) -> OpJob:
        """The request for a part.

        Raises:
            LoweringError: the part cannot be imported.
        """
        torch_ir = serialized(part.imported(TorchMlir()))
        inputs = self._inputs(part) if self.device.open().executes else None
        return OpJob(
            torch_ir=torch_ir,
            options=self.options,
            inputs=inputs or (),
            execute=inputs is not None,
        )

    def expected(self, part: Part) -> Golden:
        """What a part must compute, where the reference knows."""
        try:
            return Golden(self.graph.golden(part.outputs), self.graph.source)
        except GoldenError as error:
            return Golden(None, Source.NOBODY, str(error))

    def _inputs(self, part: Part) -> tuple[torch.Tensor, ...] | None:
        """Golden inputs; None where the reference refuses what they are computed by."""
        try:
            return tuple(self.graph.golden(part.inputs))
        except GoldenError:
            return None
