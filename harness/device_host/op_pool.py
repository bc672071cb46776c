# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A pool of persistent devices of one kind, each taking the next op as it is free.

One thread per device waits on a queue or on its host; nothing polls. An op that kills its host or
hangs ends there and costs nobody else: the host is forked anew and the device is probed with a tiny
program before the next op. Where a device takes long to open and any number of processes may have
it, a spare host stands open from the first crash on. An op whose host was killed by somebody else
(the kernel under memory pressure, a person) is a bystander and is run again, once. An op that ran
past its deadline is run again too, once and alone (`pause`): on a loaded machine its neighbours may
have been what was slow. When a probe fails the device is sick, and all that is left ends as INFRA
with the reason: a dead board must not be published as a thousand failing ops.
"""

import contextlib
import dataclasses
import enum
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.fork_server import ForkServer
from bringup.harness.device_host.op_run import (
    DEADLINE,
    OUT_OF_MEMORY,
    Ended,
    OpFailure,
    OpJob,
    OpRun,
)
from bringup.harness.device_host.pause import Pause
from bringup.harness.device_host.probe import PROBE_DEADLINE, diagnosis, is_bystander, probe_job
from bringup.harness.device_host.running_op import BegunOp
from bringup.harness.device_host.spare import Spare
from bringup.harness.device_host.threads import give_way
from bringup.harness.devices import device_history
from bringup.harness.devices.board import Board
from bringup.harness.devices.catalog import kind_of
from bringup.harness.devices.failures import HostCrash
from bringup.harness.errors import DeviceError
from bringup.harness.records.machine_faults import KILLED_FROM_OUTSIDE

MEMORY_LIMIT = 8 << 30
"""Bytes of private memory one worker may have."""
_CLOSED = "the pool was closed"
_PROBES = 10
"""Times to probe a device whose host is being killed from outside: that says nothing of it."""

_Clear = Callable[[], None] | None
_Done = Callable[["Future[OpRun]"], None] | None
_Begun = BegunOp | OpRun | Exception
"""An op in a host; or what came of it at once."""


class _Remedy(enum.Enum):
    AFRESH = enum.auto()
    """A new host: what earlier ops left behind is not the next one's fault."""
    ANOTHER = enum.auto()
    """A new host, or the spare, and proof that the device is well."""


@dataclass(frozen=True)
class _Task:
    job: OpJob
    clear: _Clear
    future: "Future[OpRun]"


@dataclass
class _Turn:
    """A worker's op."""

    task: _Task
    begun: _Begun | None = None


class OpPool:
    """Runs ops on `workers` hosts of one device. Close it, or use it as a context manager."""

    def __init__(
        self,
        device_name: str,
        workers: int,
        *,
        deadline_s: float = DEADLINE,
        memory_limit: int = MEMORY_LIMIT,
        board: Board | None = None,
    ) -> None:
        """Start the workers; their devices open meanwhile.

        `deadline_s` is for one op, all its stages; `memory_limit` is in bytes for one worker.
        `board` is one that the caller has leased.
        """
        self._board = board
        # One queue for all workers, so that none idles while another has ops waiting; None is the
        # end, once for each worker.
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        # Both are set by one thread and read by others without a lock: they are set once, and who
        # reads one too early gives an op to a host that is dead, which is an end like any other.
        self._closing = False
        self._sick = ""
        self._name = device_name
        self._memory_limit = memory_limit
        self._server = ForkServer(kind_of(device_name).preload)
        self._pause = Pause()
        self._spare = Spare(self._new_device)
        self._workers = [_Worker(self, self._new_device(), deadline_s) for _ in range(workers)]
        for worker in self._workers:
            worker.start()

    @property
    def sick(self) -> str:
        """Why the device takes no more ops; empty while it is well."""
        return self._sick

    def submit(self, job: OpJob, clear: _Clear = None, done: _Done = None) -> "Future[OpRun]":
        """Queue an op. Its future raises only for a job that no device can be asked.

        Both callbacks are called on the worker's thread and may wait: `clear` while the op is
        compiled, which is neither run nor known to be done before; `done` when it is done and the
        next one is begun, before that one's `clear`.

        Raises:
            DeviceError: the pool is closed.
        """
        if self._closing:
            raise DeviceError("the pool of op workers is closed")
        future: Future[OpRun] = Future()
        if done is not None:
            future.add_done_callback(done)
        self._tasks.put(_Task(job, clear, future))
        return future

    def map(self, jobs: Iterable[OpJob]) -> Iterator[OpRun]:
        """The ops' results, in the jobs' order."""
        futures = [self.submit(job) for job in jobs]
        return (future.result() for future in futures)

    def close(self) -> None:
        """Cancel what waits, stop what hosts have (it ends as INFRA), leave no process behind."""
        if self._closing:
            return
        self._closing = True  # first: nothing is handed in, retried or probed from here on
        self._cancel_waiting()  # before the ends are queued, which would stand behind all of it
        for _ in self._workers:
            self._tasks.put(None)
        # A worker that waits for its host waits for as long as an op may take. The hosts die with
        # the server, and a worker whose host is dead while the pool closes gives its op up.
        self._server.close()
        for worker in self._workers:
            worker.join()
        self._spare.close()
        self._cancel_waiting()  # of a thread that was handing in an op while we closed

    def _cancel_waiting(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                task = self._tasks.get_nowait()
                if task is not None:  # an end that is taken here is one of a worker that has ended
                    task.future.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self) -> _Task | None:
        return self._tasks.get()

    def _take_waiting(self) -> _Task | None:
        """The next op that is wanted still, if one waits."""
        with contextlib.suppress(queue.Empty):
            while not self._closing:
                task = self._tasks.get_nowait()
                if task is None:
                    self._tasks.put(None)  # the end is `_take`'s to find, when the last op is done
                    break
                if task.future.set_running_or_notify_cancel():
                    return task
        return None

    def _new_device(self) -> Device:
        return Device(
            self._name,
            fork_server=self._server,
            memory_limit=self._memory_limit,
            board=self._board,
        )

    def _fall_sick(self, reason: str) -> None:
        self._sick = self._sick or reason
        board = self._workers[0]._device.board
        device_history.suspect(board, reason)  # whole tests are not to believe it either


class _Worker(threading.Thread):
    """One device and the thread that drives it."""

    def __init__(self, pool: OpPool, device: Device, deadline: float) -> None:
        super().__init__(name=f"op-worker-{device.name}", daemon=True)
        self._pool = pool
        self._device = device
        self._deadline = deadline
        self._following: _Turn | None = None
        self._at_work = False

    def run(self) -> None:
        """Take op after op. The next op is sent to the host before the present one is done.

        Where it cannot be sent ahead, it is begun before the one before it is handed over: to
        complete a future runs its callbacks on this thread, and the host works meanwhile. A host
        that is to be replaced gets nothing more, so there the op is handed over first.
        """
        give_way()
        self._ready(probe=False)
        turn = self._next()
        while turn is not None:
            self._go_to_work()
            outcome = self._attempted(turn)
            if self._was_late(outcome):
                outcome = self._alone(turn)
            remedy = self._remedy(outcome)
            if remedy is None:
                self._begin_following()
            _complete(turn.task.future, outcome)
            if remedy is not None:
                self._recover(remedy)  # an op that was begun behind this one is begun once more
            self._rest_unless_begun()
            turn = self._next()
        self._device.close()

    def _next(self) -> _Turn | None:
        """The op that was taken already, or else the next one there is; None at the end."""
        turn, self._following = self._following, None
        while turn is None and (task := self._pool._take()) is not None:
            if task.future.set_running_or_notify_cancel():
                turn = _Turn(task)
        return turn

    def _go_to_work(self) -> None:
        if not self._at_work:
            self._pool._pause.begin()
            self._at_work = True

    def _rest_unless_begun(self) -> None:
        """Let somebody be alone, unless the host has the next op already."""
        if self._at_work and (self._following is None or self._following.begun is None):
            self._pool._pause.end()
            self._at_work = False

    def _was_late(self, outcome: OpRun | Exception) -> bool:
        late = isinstance(outcome, OpRun) and outcome.ended is Ended.TIMEOUT
        return late and not (self._pool._closing or self._pool._sick)

    def _alone(self, turn: _Turn) -> OpRun | Exception:
        """A late op once more, on a host of its own making, while the other workers pause."""
        if self._following is not None:
            self._following.begun = None  # it went with the host
        self._rest_unless_begun()  # whoever is at work itself would wait for itself
        with self._pool._pause.alone():
            self._recover(_Remedy.ANOTHER)
            turn.begun = None
            again = self._attempted(turn)
        return dataclasses.replace(again, attempts=2) if isinstance(again, OpRun) else again

    def _begin_following(self, before: BegunOp | None = None) -> None:
        """Take an op that waits, and begin it: behind another, if it fits there, or at once.

        Not while somebody waits to be alone: it would wait for that op too.
        """
        if self._pool._pause.wanted:
            return
        turn = self._following
        if turn is None and (task := self._pool._take_waiting()) is not None:
            turn = self._following = _Turn(task)
        if turn is not None and turn.begun is None:
            turn.begun = self._begin(turn.task.job, before)

    def _attempted(self, turn: _Turn) -> OpRun | Exception:
        try:
            return self._once_more_if_bystander(turn)
        except Exception as error:  # a job that cannot even be written down
            return error

    def _once_more_if_bystander(self, turn: _Turn) -> OpRun:
        task, begun = turn.task, turn.begun
        if begun is None or (isinstance(begun, BegunOp) and begun.lost):
            begun = self._begin(task.job)
        first = self._attempt(begun, task.clear)
        if self._pool._sick or self._pool._closing or not is_bystander(first):
            return first
        self._ready(probe=True)
        return self._attempt(self._begin(task.job), task.clear)

    def _begin(self, job: OpJob, before: BegunOp | None = None) -> "_Begun | None":
        """Begin an op; None if it does not fit behind the one before."""
        if self._pool._sick or self._pool._closing:
            return _infra(self._pool._sick or _CLOSED)
        try:
            return self._device.begin_op(job) if before is None else before.begin_behind(job)
        except Exception as error:
            return error

    def _attempt(self, begun: "_Begun | None", clear: _Clear) -> OpRun:
        if isinstance(begun, OpRun):
            return begun
        if isinstance(begun, DeviceError):
            return self._not_open(begun)
        if isinstance(begun, Exception):
            raise begun
        assert begun is not None, "only behind another an op may not fit"
        result = begun.finish(self._deadline, clear, partial(self._begin_following, begun))
        if self._pool._closing and result.ended is Ended.CRASH:
            return dataclasses.replace(_infra(_CLOSED), levels=result.levels)
        return result

    def _not_open(self, error: DeviceError) -> OpRun:
        if not self._pool._closing and not _was_killed(error):
            self._pool._fall_sick(str(error))
        return _infra(str(error))

    def _remedy(self, outcome: OpRun | Exception) -> "_Remedy | None":
        """What the device needs after an op, before it is given another."""
        if isinstance(outcome, Exception) or self._pool._closing or self._pool._sick:
            return None
        failure = outcome.failure
        out_of_memory = failure is not None and failure.kind == OUT_OF_MEMORY
        if outcome.ended in (Ended.CRASH, Ended.TIMEOUT, Ended.INFRA) or out_of_memory:
            return _Remedy.ANOTHER
        if _resident(outcome) * 2 > self._device.memory_limit > 0:
            return _Remedy.AFRESH
        return None

    def _recover(self, remedy: _Remedy) -> None:
        """Have the device ready again before the next op is begun."""
        self._device.close()
        if remedy is _Remedy.ANOTHER:
            self._device = self._pool._spare.exchange(self._device)
        self._ready(probe=remedy is _Remedy.ANOTHER)

    def _ready(self, *, probe: bool) -> None:
        for _ in range(_PROBES):
            reason, killed = self._try(probe=probe)
            if not reason:
                if probe:
                    self._stand_by()
                return
            if not killed:
                break
        if not self._pool._closing:
            self._pool._fall_sick(reason)

    def _stand_by(self) -> None:
        if not self._pool._closing:
            with contextlib.suppress(DeviceError):  # it was killed meanwhile, or the pool closed
                self._pool._spare.stand_by(self._device)

    def _try(self, *, probe: bool) -> tuple[str, bool]:
        """Open and perhaps probe the device: why not, empty when well, and was it killed?"""
        try:
            executes = self._device.open().executes
            if not probe:
                return "", False
            run = self._device.run_op(probe_job(executes=executes), PROBE_DEADLINE)
            return diagnosis(run), is_bystander(run)
        except DeviceError as error:
            return str(error), _was_killed(error)


def _complete(future: "Future[OpRun]", outcome: OpRun | Exception) -> None:
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _resident(run: OpRun) -> int:
    """Bytes the host held in the op's last stage."""
    return max((usage.peak_rss for usage in list(run.usages.values())[-1:]), default=0)


def _infra(reason: str) -> OpRun:
    return OpRun(Ended.INFRA, failure=OpFailure("INFRA", reason, reason, None))


def _was_killed(error: DeviceError) -> bool:
    return isinstance(error.__cause__, HostCrash) and error.__cause__.kind == KILLED_FROM_OUTSIDE
