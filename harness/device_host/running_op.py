# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""An op that a host was asked for, and how its request ends. Every end is a value."""

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from bringup.harness.device_host.connection import Connection
from bringup.harness.device_host.op_run import (
    OUT_OF_MEMORY,
    Ended,
    OpFailure,
    OpJob,
    OpRun,
    is_out_of_memory,
    stage_after,
)
from bringup.harness.device_host.stage_log import SLOTS
from bringup.harness.devices.catalog import kind_of
from bringup.harness.devices.failures import (
    DOES_NOT_FIT,
    DeviceFailure,
    DeviceRefusal,
    HostCrash,
    HostTimeout,
)
from bringup.harness.devices.wire import Inputs, OpDone, Reached, RunOp, TensorSpec
from bringup.harness.records.schema import Stage

_FITS = 64 << 10
"""Bytes of a request that the socket of a busy host holds; a larger one would wait for the host,
and nobody would watch what that is at meanwhile."""


class BegunOp:
    """One op in a host."""

    def __init__(
        self,
        host: Connection,
        job: OpJob,
        *,
        executes: bool,
        limited: bool,
        before: "BegunOp | None" = None,
    ) -> None:
        """Hand the op to its host, which is idle or at the op `before`.

        `executes`: its device can; `limited`: it has a memory limit.
        """
        self.started = time.monotonic()
        """When the host was free for the op; exact only after `finish`."""
        self._host = host
        self._job = job
        self._executes = executes and job.execute
        self._limited = limited
        self._slot: int = 0 if before is None else (before._slot + 1) % SLOTS
        host.stage_log.clear(self._slot)
        request = RunOp(
            job.torch_ir, job.stablehlo, dict(job.options), self._executes, job.key, self._slot
        )
        self._sent = host.begin(request) if before is None else host.send(request)

    @property
    def lost(self) -> bool:
        """Has its host been ended?"""
        return self._host.closed

    def begin_behind(self, job: OpJob) -> "BegunOp | None":
        """Have the host go on with another op after this one, which was `given`.

        None: the request is too large to lie in the socket of a busy host.
        """
        if len(job.torch_ir) + len(job.stablehlo) > _FITS:
            return None
        executes = self._host.opened is not None and self._host.opened.executes
        return BegunOp(self._host, job, executes=executes, limited=self._limited, before=self)

    def finish(
        self,
        deadline: float,
        clear: Callable[[], None] | None = None,
        given: Callable[[], None] | None = None,
    ) -> OpRun:
        """Follow the op to its end, at most `deadline` seconds after its beginning.

        With `clear`, the op is compiled but neither run nor known to be done before that has
        returned; it may wait, which does not count. Outputs are good until the `clear` of the op
        after it returns: they lie where its outputs will. `given` is called when the host has all
        it needs for the op; another may be begun behind it from then on.
        """
        self.started = max(self.started, self._host.answered)
        if not self._sent:
            return _bystander(self._host, self._seconds())
        excess: list[Reached] = []
        try:
            waited = self._give(clear)
            if given is not None:
                given()
            done = self._follow(excess, self.started + deadline + waited)
        except DeviceFailure as error:
            if not self._host.stage_log.taken(self._slot):
                return _infra(error, self._seconds())
            progress = self._progress(excess)
            limited = self._limited and not self._is_devices(error)
            return _failed(error, self._job, progress, self._seconds(), limited=limited)
        progress = self._progress(excess)
        if done.ran is not None:
            progress.append(Reached(Stage.EXECUTE, (), done.ran))
        outputs = None
        if done.ran is not None:
            from bringup.harness.devices.tensors import view_tensors

            views = view_tensors(done.outputs, self._host.outputs.memory)
            outputs = tuple(views if clear is not None else [view.clone() for view in views])
        written = self._host.written(done.log_end)
        return _run(Ended.DONE, progress, outputs=outputs, wall_s=self._seconds(), stderr=written)

    def _is_devices(self, error: DeviceFailure) -> bool:
        """Was it a real device's own memory that was not to be had, which we do not limit?"""
        real = kind_of(self._host.name).exclusive()
        return real and "RESOURCE_EXHAUSTED" in error.diagnostic

    def _seconds(self) -> float:
        return time.monotonic() - self.started

    def _give(self, clear: Callable[[], None] | None) -> float:
        """Write the inputs, while the host compiles the op, and hand them over when it is clear.

        Returns the seconds it took to be clear.
        """
        host = self._host
        specs: list[TensorSpec] = []
        try:
            if self._executes:
                from bringup.harness.devices.tensors import write_tensors

                specs, _ = write_tensors(self._job.inputs, host.inputs.reserve)
            written = time.monotonic()
            if clear is not None:
                clear()
            waited = time.monotonic() - written
        except BaseException:
            host.close()  # it would wait for them for ever
            raise
        if self._executes:
            descriptor = host.inputs.announce()
            host.send(Inputs(tuple(specs)), descriptor)  # if it died, `_follow` finds out how
            if descriptor is not None:
                os.close(descriptor)
        return waited

    def _progress(self, excess: Sequence[Reached]) -> list[Reached]:
        """The stages the op is through; `excess` did not fit in the stage log."""
        return [*self._host.stage_log.read(self._slot), *excess]

    def _follow(self, excess: list[Reached], end: float) -> OpDone:
        """Wait until the op is done; `end` is on the monotonic clock."""
        while True:
            remaining = max(end - time.monotonic(), 0.001)
            reply, returned = self._host.receive((Reached, OpDone), remaining)
            if isinstance(reply, OpDone):
                break
            excess.append(reply)
        self._host.outputs.take(returned)
        return reply


def _bystander(host: Connection, wall: float) -> OpRun:
    """What an op comes to whose host was dead before it was asked."""
    try:
        host.raise_crash()
    except HostCrash as error:
        return _infra(error, wall)


def _infra(error: DeviceFailure, wall: float) -> OpRun:
    """What an op comes to whose host failed before it took the op up."""
    message = f"{error} before it took the op"
    failure = OpFailure(error.kind, message, error.diagnostic, None)
    return OpRun(Ended.INFRA, failure=failure, wall_s=wall)


def _failed(
    error: DeviceFailure, job: OpJob, progress: Sequence[Reached], wall: float, *, limited: bool
) -> OpRun:
    """The failure as a value; `limited`: its host had a memory limit."""
    ended, message = Ended.CRASH, str(error)
    if isinstance(error, DeviceRefusal):
        ended = Ended.REFUSED
    elif isinstance(error, HostTimeout):
        ended, message = Ended.TIMEOUT, f"the op was not through in {wall:.0f} s and was stopped"
    stage = error.stage or stage_after(progress[-1].stage if progress else None, job)
    limited = limited and ended is not Ended.TIMEOUT  # the stacks may name anything
    limited = limited and error.kind != DOES_NOT_FIT  # the described device's memory, not ours
    kind = OUT_OF_MEMORY if limited and is_out_of_memory(error.diagnostic) else error.kind
    failure = OpFailure(kind, message, error.diagnostic, stage)
    run = _run(ended, progress, failure=failure, wall_s=wall, stderr=error.diagnostic)
    last = {} if error.usage is None else {stage: error.usage}
    return dataclasses.replace(run, levels=run.levels + error.levels, usages={**run.usages, **last})


def _run(ended: Ended, progress: Sequence[Reached], **rest: Any) -> OpRun:
    return OpRun(
        ended,
        progress[-1].stage if progress else None,
        tuple(level for reached in progress for level in reached.levels),
        {reached.stage: reached.usage for reached in progress},
        **rest,
    )
