# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The parent's side of a device: start its host, ask it, outlive it.

A `Device` is opened lazily and may be started early, so that the host loads its plugin while this
process exports. Every way a request can end has its own exception: the compiler said no
(`DeviceRefusal`), the host died (`HostCrash`), it ran past its deadline and was killed
(`HostTimeout`), the device itself cannot be had (`DeviceError`). For an op (`run_op`) each of them
is a value instead.
"""

import atexit
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bringup.harness.device_host.connection import Connection, HostProcess
from bringup.harness.device_host.fork_server import ForkServer
from bringup.harness.device_host.last_words import last_words
from bringup.harness.device_host.op_run import DEADLINE, OpJob, OpRun
from bringup.harness.device_host.probe import PROBE_DEADLINE, diagnosis, probe_job
from bringup.harness.device_host.running_op import BegunOp
from bringup.harness.devices import device_history
from bringup.harness.devices.board import Board, boards_of
from bringup.harness.devices.catalog import kind_of
from bringup.harness.devices.failures import DeviceFailure, DeviceRefusal, HostCrash, HostTimeout
from bringup.harness.devices.lease import Lease, Waiting, avoided, no_waiting, take
from bringup.harness.devices.wire import (
    Compile,
    Compiled,
    Load,
    Opened,
    Placed,
    Ran,
    Release,
    Released,
    Request,
    Run,
    Usage,
)
from bringup.harness.errors import DeviceError, HarnessError
from bringup.harness.records.door import command
from bringup.harness.storage.writable import said_by

if TYPE_CHECKING:
    import torch

OPEN_TIMEOUT = 120.0
"""Seconds to open a device: a plugin may unpack half a gigabyte on its first use."""
_RELEASE_TIMEOUT = 10.0
_LOOK_S = 0.25
"""How often a board that is kept is looked at, whether somebody wants it."""


class Binary:
    """A compiled program, alive in its host until released.

    Without a host it is what a compiler said of it in another run, and nothing that runs.
    """

    def __init__(self, host: Connection | None, reply: Compiled) -> None:
        self.host = host
        self.number = reply.binary
        self.levels = reply.levels
        self.usage = reply.usage
        self.serialized = reply.serialized
        self.analysis = reply.analysis

    def release(self) -> None:
        """Free it in the host; harmless when the host is gone."""
        if self.host is not None and not self.host.closed:
            with contextlib.suppress(HarnessError):
                _ask(self.host, Release(self.number), Released, _RELEASE_TIMEOUT)


class Device:
    """One device, served by a host process that is started again after a crash.

    Without a fork server the host lives at most as long as the thread that started it.
    """

    def __init__(
        self,
        name: str,
        *,
        fork_server: ForkServer | None = None,
        memory_limit: int = 0,
        board: Board | None = None,
    ) -> None:
        """`memory_limit` is in bytes of private memory of the host, 0 for none. `board` is one that
        the caller has leased; without it the first, until one is leased here."""
        self.name = kind_of(name).name
        self.memory_limit = memory_limit
        self.board = board or next(iter(boards_of(self.name)), Board(self.name))
        self.using = threading.RLock()
        """Held by who works on the device: nobody else ends its host meanwhile, or takes its board
        away."""
        self._lease: Lease | None = None
        self._waiting: Waiting = no_waiting
        self._fork_server = fork_server
        self._host: Connection | None = None
        self._marks: tuple[Path, ...] = ()
        self._suspicion = ""
        """Why this process does not believe the device before a probe."""
        atexit.register(self.close)

    @contextlib.contextmanager
    def leased(self, waiting: Waiting = no_waiting) -> Iterator[None]:
        """Have a board of the device; waits, within `waiting`, until there is one.

        It is kept when this is left, with its host, and given up when somebody else wants it.

        Raises:
            DeviceError: it cannot be leased.
        """
        with self.using:
            self._waiting = waiting
            if self._lease is not None and self.board.title in avoided():
                self.close()
            if self._lease is None and (lease := take(self.name, waiting=waiting)) is not None:
                self._move(lease)
                threading.Thread(target=self._give_up_when_wanted, daemon=True).start()
            yield

    def _move(self, lease: Lease) -> None:
        if lease.board != self.board:
            self.end_host()
        self._lease, self.board = lease, lease.board

    def _give_up_when_wanted(self) -> None:
        while (lease := self._lease) is not None:
            time.sleep(_LOOK_S)
            if lease.wanted() and self.using.acquire(blocking=False):
                try:
                    self.close()
                finally:
                    self.using.release()

    def start(self) -> None:
        """Start the host, unless there is one, without waiting for it.

        One on a board that somebody else may have is not started ahead.
        """
        if self._lease is not None or not kind_of(self.name).exclusive():
            self._start()

    def _start(self) -> None:
        if self._host is None or not (self._host.ours and self._host.alive):
            self.end_host()
            self._marks = device_history.note_open(self.board)
            variables = self.board.variables()
            self._host = Connection(self.name, self._fork_server, self.memory_limit, variables)

    def open(self) -> Opened:
        """Wait until the device is open.

        Raises:
            DeviceError: it cannot be had here; one sentence says why.
        """
        return self._opened()[1]

    def _opened(self) -> tuple[Connection, Opened]:
        while True:
            self._start()
            host = self._host
            assert host is not None
            if host.opened is None and (wrong := self._found_wrong(host)) is not None:
                if self._is_reset() or self._moves(str(wrong)):
                    continue
                raise wrong
            assert host.opened is not None
            return host, host.opened

    def _found_wrong(self, host: Connection) -> DeviceError | None:
        """Open the device; and what is wrong with it, of one that cannot be believed.

        Raises:
            DeviceError: it says itself why it cannot be had.
        """
        try:
            opened, _ = host.receive(Opened, OPEN_TIMEOUT)
        except DeviceFailure as error:
            self.end_host()
            if isinstance(error, DeviceRefusal):
                raise DeviceError(str(error)) from error
            self._suspect(str(error))
            said = last_words(error.diagnostic)
            wrong = DeviceError(f"opening {self.board.title}: {error}: {said}")
            wrong.__cause__ = error
            return wrong
        wrong_then = self._proved(host, opened)
        if wrong_then is None:
            host.opened = opened
        return wrong_then

    def _proved(self, host: Connection, opened: Opened) -> DeviceError | None:
        """Probe a device that hung, or whose host died, before anything else runs on it; what is
        wrong with one that fails, and stays suspect."""
        reason = self._suspicion or device_history.suspicion(self.board)
        if reason:
            job = probe_job(executes=opened.executes)
            begun = BegunOp(host, job, executes=opened.executes, limited=self.memory_limit > 0)
            if said := diagnosis(begun.finish(PROBE_DEADLINE)):
                self.end_host()
                self._suspect(reason)
                return DeviceError(f"{self.board.title} is not to be believed ({reason}): {said}")
            self._suspicion = ""
            device_history.absolve(self.board)
        if opened.executes:
            device_history.remember_executing(self.name)
        return None

    def _is_reset(self) -> bool:
        """Reset a device that is not well, if anybody knows how and this run has one left."""
        reset = kind_of(self.name).reset
        if reset is None or not device_history.may_reset(self.board):
            return False
        try:
            return reset(self.board.numbers)
        except Exception as error:  # whatever a kind's own means raise, it is not reset
            print(f"resetting {self.board.title}: {said_by(error)}", file=sys.stderr)
            return False

    def _moves(self, why: str) -> bool:
        """Have this run take no more of the board; True: there is another, which we are on now."""
        device_history.drain(self.board, why)
        well = [b for b in boards_of(self.name) if not device_history.drained(b)]
        if self._lease is None or not well:
            return False
        self._lease.release()
        self._suspicion = ""  # of the board that is left
        lease = take(self.name, waiting=self._waiting)
        assert lease is not None
        self._move(lease)
        return True

    def _suspect(self, reason: str) -> None:
        self._suspicion = reason
        device_history.suspect(self.board, reason)

    def executes(self) -> bool:
        """Can programs run here, and not compile only?

        Raises:
            DeviceError: it cannot be had; or it executed on this machine before and only compiles
                now, so that what would be reached says nothing of a model.
        """
        if self.open().executes:
            return True
        if since := device_history.executed_before(self.name):
            raise DeviceError(
                f"{self.name} executed on this machine (known since {since}) and now only compiles:"
                f" is its driver gone? If it is not to execute here any more:"
                f" {command('devices', '--forget', self.name)}"
            )
        return False

    def compile(
        self,
        stablehlo: bytes,
        options: dict[str, str],
        *,
        timeout: float | None = None,
        keep_binary: bool = False,
        placed: Placed | None = None,
    ) -> Binary:
        """Compile a portable StableHLO artifact, for the device's first chip or as `placed` says.

        Raises:
            DeviceRefusal, HostCrash, HostTimeout: as the module says.
        """
        host, _ = self._opened()
        request = Compile(stablehlo, options, placed, keep_binary)
        with self._watched():
            reply, _ = _ask(host, request, Compiled, timeout)
        return Binary(host, reply)

    def load(self, before: Compiled, *, timeout: float | None = None) -> Binary:
        """Load what `compile` gave before, in another process perhaps, with its `serialized`.

        Raises:
            DeviceRefusal, HostCrash, HostTimeout: as the module says.
        """
        host, _ = self._opened()
        with self._watched():
            reply, _ = _ask(host, Load(before.serialized), Compiled, timeout)
        return Binary(host, msgspec.structs.replace(before, binary=reply.binary, usage=reply.usage))

    def run(
        self, binary: Binary, inputs: "Sequence[torch.Tensor]", *, timeout: float | None = None
    ) -> "tuple[list[torch.Tensor], Usage]":
        """Run a program on CPU tensors and fetch its outputs, in the program's order.

        Raises:
            DeviceRefusal, HostCrash, HostTimeout: as the module says.
        """
        from bringup.harness.devices.tensors import read_tensors, write_tensors

        host, opened = self._opened()
        if not opened.executes:
            raise DeviceError(f"{self.name} only compiles on this machine; nothing can run on it")
        if binary.host is not host:
            raise DeviceError(f"the program was compiled in a host of {self.name} that is gone")
        specs, descriptor = write_tensors(inputs)
        try:
            request = Run(binary.number, tuple(specs))
            with self._watched():
                reply, returned = _ask(host, request, Ran, timeout, descriptor)
        finally:
            os.close(descriptor)
        assert returned is not None
        return read_tensors(reply.outputs, returned), reply.usage

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Remember a host's death or silence: the next one starts with a probe."""
        try:
            yield
        except (HostCrash, HostTimeout) as error:
            self._suspect(str(error))
            raise

    def memory(self) -> int:
        """Bytes resident in the host; 0 without one."""
        return self._host.memory() if self._host is not None else 0

    def close(self) -> None:
        """End the host, wait until it has ended, and give up its board."""
        self.end_host()
        self._give_up()

    def end_host(self) -> None:
        """End the host, wait until it has ended, and keep the board."""
        host = self._let_go()
        if host is not None:
            host.close()
            device_history.note_closed(self._marks)

    def _give_up(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.release()

    def kill(self) -> HostProcess | None:
        """End the host; a large one frees its memory while we go on.

        Returns its process if that is yet to be waited for.
        """
        host = self._let_go()
        if host is None:
            return None
        killed = host.kill()
        device_history.note_closed(self._marks)
        self._give_up()
        return killed

    def _let_go(self) -> Connection | None:
        """The host, which is this device's no longer; None where there is none to be ended."""
        host, self._host = self._host, None
        return host if host is not None and host.ours else None

    def run_op(
        self, job: OpJob, deadline: float = DEADLINE, clear: Callable[[], None] | None = None
    ) -> OpRun:
        """Take one op through lowering, the device's compiler and, where it executes, the device.

        As `BegunOp.finish`.

        Raises:
            DeviceError: the device cannot be opened.
        """
        return self.begin_op(job).finish(deadline, clear)

    def begin_op(self, job: OpJob) -> BegunOp:
        """Have the host begin with an op.

        Raises:
            DeviceError: the device cannot be opened.
        """
        host, opened = self._opened()
        return BegunOp(host, job, executes=opened.executes, limited=self.memory_limit > 0)


def _ask(
    host: Connection,
    request: Request,
    kind: type,
    timeout: float | None,
    descriptor: int | None = None,
) -> tuple[Any, int | None]:
    """Send a request; its reply, of a kind, and the descriptor that came with it."""
    if not host.begin(request, descriptor):
        host.raise_crash()
    return host.receive(kind, timeout)
