# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The parent's side of a device host: start it, ask it, outlive it.

A `Device` is opened lazily and may be started early, so that the host loads its plugin while this
process exports. Every way a request can end has its own exception: the compiler said no
(`DeviceRefusal`), the host died (`HostCrash`), it ran past its deadline and was killed
(`HostTimeout`), the device itself cannot be had (`DeviceError`).
"""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import psutil

from harness.devices.catalog import kind_of
from harness.devices.host import STACK_SIGNAL
from harness.devices.tenstorrent import COMMON_FOLDER_VARIABLE
from harness.devices.wire import (
    Compile,
    Compiled,
    Level,
    Open,
    Opened,
    Ran,
    Refused,
    Release,
    Reply,
    Request,
    Run,
    Usage,
    receive,
    send,
)
from harness.errors import DeviceError, HarnessError

if TYPE_CHECKING:
    import torch

OPEN_TIMEOUT = 120.0
"""Seconds to open a device: a plugin may unpack half a gigabyte on its first use."""
_STDERR_TAIL = 64 * 1024


class DeviceFailure(HarnessError):
    """A request to a device failed. `diagnostic` is the whole text, `levels` what was reached."""

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        diagnostic: str,
        levels: Sequence[Level] = (),
        usage: Usage | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.diagnostic = diagnostic
        self.levels = tuple(levels)
        self.usage = usage


class DeviceRefusal(DeviceFailure):
    """The compiler or the runtime refused, and its host lives."""


class HostCrash(DeviceFailure):
    """The host died on the request; `kind` is the signal's name or the exit code."""


class HostTimeout(DeviceFailure):
    """The request ran past its deadline; the diagnostic holds the host's stacks."""


class Binary:
    """A compiled program, alive in its host until released."""

    def __init__(self, device: "Device", reply: Compiled) -> None:
        self.device = device
        self.number = reply.binary
        self.levels = reply.levels
        self.usage = reply.usage
        self.serialized = reply.serialized
        self.generation = device.generation

    def release(self) -> None:
        """Free it in the host; harmless when the host is gone."""
        if self.device.generation == self.generation:
            with contextlib.suppress(HarnessError):
                self.device.request(Release(self.number))


class Device:
    """One device, served by a host process that is started again after a crash."""

    def __init__(self, name: str) -> None:
        self.name = kind_of(name).name
        self.generation = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._opened: Opened | None = None
        atexit.register(self.close)

    def start(self) -> None:
        """Start the host without waiting for it."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        ours, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile(prefix="bringup-host-")  # noqa: SIM115 - lives on
        self._scratch = tempfile.TemporaryDirectory(prefix="bringup-host-")
        environment = {
            "PYTHONPATH": os.pathsep.join(filter(None, _import_path())),
            "TMPDIR": self._scratch.name,
            COMMON_FOLDER_VARIABLE: tempfile.gettempdir(),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.devices.host", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        theirs.close()
        self._sock = ours
        self.generation += 1
        send(self._sock, Open(self.name))

    def open(self) -> Opened:
        """Wait until the device is open.

        Raises:
            DeviceError: it cannot be had here; one sentence says why.
        """
        self.start()
        if self._opened is None:
            try:
                reply = self._await(Opened, OPEN_TIMEOUT)
            except DeviceFailure as error:
                self.close()
                if isinstance(error, DeviceRefusal):
                    raise DeviceError(str(error)) from error
                last = error.diagnostic.strip().splitlines()[-1:] or ["it said nothing"]
                raise DeviceError(f"opening {self.name}: {error}: {last[0]}") from error
            self._opened = reply
        return self._opened

    def compile(
        self,
        stablehlo: bytes,
        options: dict[str, str],
        *,
        timeout: float | None = None,
        keep_binary: bool = False,
    ) -> Binary:
        """Compile a portable StableHLO artifact.

        Raises:
            DeviceRefusal, HostCrash, HostTimeout: as the module says.
        """
        self.open()
        reply, _ = self._ask(Compile(stablehlo, options, keep_binary), Compiled, timeout)
        return Binary(self, reply)

    def run(
        self, binary: Binary, inputs: "Sequence[torch.Tensor]", *, timeout: float | None = None
    ) -> "tuple[list[torch.Tensor], Usage]":
        """Run a program on CPU tensors and fetch its outputs, in the program's order.

        Raises:
            DeviceRefusal, HostCrash, HostTimeout: as the module says.
        """
        from harness.devices.tensors import read_tensors, write_tensors

        if not self.open().executes:
            raise DeviceError(f"{self.name} only compiles on this machine; nothing can run on it")
        if binary.generation != self.generation:
            raise DeviceError(f"the program was compiled in a host of {self.name} that is gone")
        specs, descriptor = write_tensors(inputs)
        try:
            reply, returned = self._ask(
                Run(binary.number, tuple(specs)), Ran, timeout, descriptor=descriptor
            )
        finally:
            os.close(descriptor)
        assert returned is not None
        return read_tensors(reply.outputs, returned), reply.usage

    def request(self, message: Request) -> None:
        """Send a request whose reply carries nothing."""
        self._ask(message, object, 10.0)

    def memory(self) -> int:
        """Bytes resident in the host; 0 without one."""
        if self._process is None:
            return 0
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def close(self) -> None:
        """End the host."""
        self._opened = None
        process, self._process = self._process, None
        if process is None:
            return
        self._sock.close()
        process.kill()
        process.wait()
        self._log.close()
        self._scratch.cleanup()

    def _ask(
        self, message: Request, kind: type, timeout: float | None, descriptor: int | None = None
    ) -> tuple[Any, int | None]:
        self._mark = os.fstat(self._log.fileno()).st_size
        try:
            send(self._sock, message, descriptor)
        except OSError:
            self._raise_crash()
        return self._await_with_descriptor(kind, timeout)

    def _await(self, kind: type, timeout: float | None) -> Any:
        self._mark = 0
        return self._await_with_descriptor(kind, timeout)[0]

    def _await_with_descriptor(self, kind: type, timeout: float | None) -> tuple[Any, int | None]:
        self._sock.settimeout(timeout)
        started = time.monotonic()
        try:
            reply, descriptor = receive(self._sock, Reply)
        except TimeoutError:
            self._raise_timeout(time.monotonic() - started)
        except (EOFError, OSError):
            self._raise_crash()
        if isinstance(reply, Refused):
            self._raise_refusal(reply)
        assert isinstance(reply, kind), f"{type(reply).__name__} in answer, not {kind.__name__}"
        return reply, descriptor

    def _raise_refusal(self, reply: Refused) -> NoReturn:
        if reply.device_fault:
            raise DeviceRefusal(
                reply.message, kind=reply.kind, diagnostic=reply.message, usage=reply.usage
            )
        log = self._tail()
        diagnostic = f"{reply.message}\n\n{log}".strip()
        raise DeviceRefusal(
            reply.message,
            kind=reply.kind,
            diagnostic=diagnostic,
            levels=reply.levels,
            usage=reply.usage,
        )

    def _raise_crash(self) -> NoReturn:
        assert self._process is not None
        code = self._process.wait()
        log = self._tail()
        self.close()
        kind = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        raise HostCrash(
            f"the process that serves {self.name} died ({kind})", kind=kind, diagnostic=log
        )

    def _raise_timeout(self, seconds: float) -> NoReturn:
        assert self._process is not None
        self._process.send_signal(STACK_SIGNAL)
        time.sleep(0.3)  # the handler writes at once, GIL or not
        log = self._tail()
        self.close()
        raise HostTimeout(
            f"{self.name} gave no answer in {seconds:.0f} s and was stopped",
            kind="TIMEOUT",
            diagnostic=log,
        )

    def _tail(self) -> str:
        """What the host wrote to standard output and error since the request."""
        size = os.fstat(self._log.fileno()).st_size
        start = max(self._mark, size - _STDERR_TAIL)
        return os.pread(self._log.fileno(), size - start, start).decode("utf-8", "replace").strip()


def _import_path() -> tuple[str, str]:
    """Where the host finds this very package, installed or not."""
    root = Path(__file__).resolve().parents[2]
    return str(root), os.environ.get("PYTHONPATH", "")


OPEN_HOSTS = 2
"""Hosts a process keeps: one to execute on, one to compile with."""
LARGE_HOST = 1 << 30
"""Bytes above which an idle host is ended: allocators keep what a large model needed."""
_devices: dict[str, Device] = {}


def device(name: str) -> Device:
    """This process's one `Device` of a name; its host serves test after test.

    The least recently used of too many hosts is ended, as is one that has grown large.
    """
    one = _devices.pop(name, None) or Device(name)
    _devices[name] = one
    for other in list(_devices.values())[:-OPEN_HOSTS]:
        other.close()
    return one


def close_large() -> None:
    """End hosts that hold much memory; the next test starts them again while it exports."""
    for one in _devices.values():
        if one.memory() > LARGE_HOST:
            one.close()


def close_all() -> None:
    """End every host of this process."""
    for one in _devices.values():
        one.close()
