# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One attempt: a part of a model alone in a device host, and how that ended.

A host that dies or hangs costs the attempt it died on: it is forked anew for the next.
"""

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import torch

from harness.devices.client import Device
from harness.devices.fork_server import PRELOADED_FOR, ForkServer
from harness.devices.op_run import Ended as RunEnded
from harness.devices.op_run import OpFailure, OpJob, OpRun
from harness.devices.tensors import WIRE_NAMES
from harness.errors import DeviceError
from harness.frontend.fx_import import import_graph
from harness.frontend.mlir import LoweringError, TorchMlir, text_of
from harness.op_by_op.identity import IdentityError, torch_op, torch_operands, torch_values
from harness.op_by_op.judge import judge
from harness.op_by_op.reference import Golden, Source
from harness.op_by_op.reproducer import fingerprint_of
from harness.records.blobs import BlobStore
from harness.records.schema import Op, OpVerdict, Outcome, Stage, TensorType
from harness.reduce.golden import GoldenValues
from harness.reduce.part import Part
from harness.verify import Tolerances

_NAMED_OPS = 3
"""A part of more ops goes by their number."""
Sign = tuple[Outcome, str]
"""What two endings must share to be the same failure: outcome, and stage with diagnostic."""


def sign_of(verdict: OpVerdict) -> Sign:
    """The fingerprint of an ending whatever the part is called."""
    return verdict.outcome, fingerprint_of("", verdict.outcome, verdict.failure)


@contextlib.contextmanager
def worker(device_name: str) -> Iterator[Device]:
    """A device of its own whose host is forked anew in no time when it dies."""
    server = ForkServer(PRELOADED_FOR.get(device_name, ()))
    device = Device(device_name, fork_server=server)
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
        golden: GoldenValues,
        options: Mapping[str, str],
        deadline_s: float,
    ) -> None:
        """`options` are the device compiler's; `deadline_s` is for one attempt."""
        self.golden = golden
        self.options = dict(options)
        self.deadline_s = deadline_s
        self.count = 0
        self.device = device
        self._scratch = tempfile.TemporaryDirectory(prefix="bringup-reduce-")
        self._blobs = BlobStore(Path(self._scratch.name))

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
        if _was_killed(run):  # from outside; that says nothing of the part
            run = self.device.run_op(job, self.deadline_s)
        if run.ended is RunEnded.INFRA or _was_killed(run):
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
        expected = None
        if run.outputs is not None:
            expected = Golden(self.golden.of(part.outputs), Source.TORCH)
        return judge(op_of(part), self.device.name, run, expected, tolerances, self._blobs, "")

    def job(self, part: Part) -> OpJob:
        """The request for a part.

        Raises:
            LoweringError: the part cannot be imported.
        """
        text = text_of(import_graph(TorchMlir(), part.graph)).encode()
        executes = self.device.open().executes
        return OpJob(
            torch_ir=text,
            options=self.options,
            inputs=tuple(self.golden.of(part.inputs)) if executes else (),
            execute=executes,
        )


def _was_killed(run: OpRun) -> bool:
    return run.failure is not None and run.failure.kind == "SIGKILL"


def op_of(part: Part) -> Op:
    """What a part is: of one op that op itself, else its ops and how they hang together."""
    if len(part.ops) == 1:
        with contextlib.suppress(IdentityError):
            if len(torch_operands(part.ops[0])) == len(part.inputs):  # each taken once
                return torch_op(part.ops[0])
    text = _canonical(part)
    name = "+".join(str(node.target) for node in part.ops)
    if len(part.ops) > _NAMED_OPS:
        name = f"{len(part.ops)} ops to {part.ops[-1].target}"
    op = Op(
        key="",
        name=name,
        source="torch",
        inputs=tuple(map(_type, _values(part.inputs))),
        outputs=tuple(map(_type, _values(part.outputs))),
        attributes={"graph": text},
    )
    key = hashlib.sha256(msgspec.json.encode(op, order="deterministic")).hexdigest()
    return msgspec.structs.replace(op, key=key)


def _canonical(part: Part) -> str:
    """The part's program with its values numbered in order."""
    names = {node.name: f"%{i}" for i, node in enumerate(part.graph.nodes)}
    lines = []
    for node in part.graph.nodes:
        text = f"{node.target}({node.args}, {node.kwargs})"
        if node.op == "placeholder":
            text = "placeholder"
        lines.append(f"{names[node.name]} = {_renamed(text, names)}")
    return "\n".join(lines)


def _renamed(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\b[A-Za-z_]\w*\b", lambda match: names.get(match[0], match[0]), text)


def _values(nodes: Sequence[torch.fx.Node]) -> list[torch.Tensor]:
    return [value for node in nodes for value in torch_values(node)]


def _type(value: torch.Tensor) -> TensorType:
    return TensorType(tuple(value.shape), WIRE_NAMES.get(value.dtype, str(value.dtype)))
