# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A command's own work in a process of its own, watched from outside.

What a reproducer names is a model's code, an importer, a reference: any of them may end its
process, crash it, never return or take all memory. So the command starts itself once more, passes
on what that process writes, and is there to say how it ended. The inner process says over a pipe
where it is, how long that may take, and last its exit code: a process that is gone without that
word did not come to its end, whatever code it left.
"""

import contextlib
import dataclasses
import faulthandler
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TextIO

import msgspec
import psutil

from bringup.harness.device_host.host import die_with_parent
from bringup.harness.device_host.op_run import OUT_OF_MEMORY, Ended, OpFailure, OpRun
from bringup.harness.records.schema import Stage
from bringup.harness.session import current

START_S = 120.0
"""Seconds until the inner process has said its first word: it imports PyTorch."""
_MEMORY_SHARE = 0.9
"""Of the memory that is free at the start, what the inner process may have for itself."""
_POLL_S = 0.1
_LAST_WORDS_S = 10.0
"""For an inner process that is through, or interrupted, to let go of its devices."""
_KEPT = 64 << 10
"""Bytes of its standard error that are kept to say how it ended."""
_STACK_SIGNAL = signal.SIGRTMIN + 6
_OOM_FIRST = "1000"
"""proc(5), oom_score_adj: of all processes the kernel kills this one first."""
_MAIN = """
import json, runpy, sys
sys.path[:], pipe, parent, module = json.loads(sys.argv.pop(1))
from bringup.harness.reduce import child_process as apart
apart.begin(pipe, parent)
runpy.run_module(module, run_name="__main__")
"""
"""The outer process's own search path: what lies in the working directory is not imported."""


class _Word(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the pipe."""

    stage: Stage | None = None
    seconds: float | None = None
    """Until the next word at most; None: as long as it takes."""
    code: int | None = None
    """The exit code of one that is through."""


@dataclasses.dataclass(frozen=True)
class End:
    """How the inner process ended."""

    code: int | None
    """What it reported itself; None when it reported nothing."""
    run: OpRun | None = None
    """Its end as a run that `judge.close_run` can judge, where it reported nothing."""


@dataclasses.dataclass(frozen=True)
class _Pipe:
    """What makes a process the inner one: its session holds where its words go."""

    descriptor: int


def begin(pipe: int, parent: int) -> None:
    """Be the inner process of `parent`, which reads the pipe."""
    current().hold(_Pipe(pipe))
    os.set_inheritable(pipe, False)
    die_with_parent(parent)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_FIRST)
    faulthandler.enable()
    faulthandler.register(_STACK_SIGNAL)


def is_inner() -> bool:
    """Is this process the inner one?"""
    return current().find(_Pipe) is not None


def say(stage: Stage | None, seconds: float | None) -> None:
    """Say where this process is, and in how many seconds it will say more; None: when it does.

    Nothing happens in a process that nobody watches.
    """
    _write(_Word(stage=stage, seconds=seconds))


def close_run(code: int) -> int:
    """Say that this process is through, with its exit code; returns that."""
    _write(_Word(code=code))
    return code


def _write(word: _Word) -> None:
    pipe = current().find(_Pipe)
    if pipe is not None:
        with contextlib.suppress(OSError):
            os.write(pipe.descriptor, msgspec.json.encode(word) + b"\n")


def run(module: str, arguments: Sequence[str]) -> End:
    """Run a module's main once more, with `arguments`, in a process that is watched.

    What it writes is passed on as it comes. Ctrl-C is passed on too, so that it can keep the best
    so far; a second one, or a while, ends it with everything that it started.

    Raises:
        KeyboardInterrupt: it had nothing to keep.
    """
    reading, writing = os.pipe()
    told = json.dumps([sys.path, writing, os.getpid(), module])
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _MAIN, told, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[writing],
        start_new_session=True,
    )
    os.close(writing)
    watch = _Watch(process, reading)
    try:
        return watch.until_it_ends()
    except KeyboardInterrupt:
        if (end := watch.interrupted()) is None:
            raise
        return end
    finally:
        watch.end_all()
        os.close(reading)


class _Watch:
    """One inner process."""

    def __init__(self, process: "subprocess.Popen[bytes]", pipe: int) -> None:
        assert process.stdout is not None and process.stderr is not None
        self._process = process
        self._pipe = pipe
        os.set_blocking(pipe, False)
        self._unread = b""
        self._said = bytearray()
        self._relays = [
            threading.Thread(target=_pass_on, args=given, daemon=True)
            for given in (
                (process.stdout, sys.stdout, None),
                (process.stderr, sys.stderr, self._said),
            )
        ]
        for relay in self._relays:
            relay.start()
        self._memory = int(_MEMORY_SHARE * psutil.virtual_memory().available)

    def until_it_ends(self) -> End:
        word = _Word(seconds=START_S)
        since = time.monotonic()
        while word.code is None:
            exited = self._process.poll() is not None  # asked before its last output is read
            if words := self._words():
                word, since = words[-1], time.monotonic()
            if word.code is not None:
                break
            if exited:
                return self._died(word)
            waited = time.monotonic() - since
            if word.seconds is not None and waited > word.seconds:
                return self._stopped(word, Ended.TIMEOUT, "TIMEOUT", _late(waited))
            if (taken := self._resident()) > self._memory:
                return self._stopped(word, Ended.CRASH, OUT_OF_MEMORY, _large(taken))
            time.sleep(_POLL_S)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_WORDS_S)
        return End(word.code)

    def interrupted(self) -> End | None:
        """Pass Ctrl-C on; None of one that does not come to its end then."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGINT)  # its session is its own: nobody else did
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_WORDS_S)
        codes = [word.code for word in self._words() if word.code is not None]
        return End(codes[-1]) if codes else None

    def end_all(self) -> None:
        """Nothing of it is left, and all that it wrote is passed on."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for relay in self._relays:
            relay.join(1.0)  # who was started by it may hold its output open

    def _words(self) -> list[_Word]:
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self._pipe, 1 << 16):
                self._unread += part
        *lines, self._unread = self._unread.split(b"\n")
        return [msgspec.json.decode(line, type=_Word) for line in lines]

    def _resident(self) -> int:
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def _died(self, word: _Word) -> End:
        code = self._process.returncode
        kind = _signal_name(-code) if code < 0 else f"exit code {code}"
        self.end_all()
        return self._end(word, Ended.CRASH, kind, f"its process died ({kind})")

    def _stopped(self, word: _Word, ended: Ended, kind: str, message: str) -> End:
        self._process.send_signal(_STACK_SIGNAL)
        time.sleep(0.3)  # the handler writes at once, GIL or not
        self.end_all()
        return self._end(word, ended, kind, message)

    def _end(self, word: _Word, ended: Ended, kind: str, message: str) -> End:
        diagnostic = bytes(self._said).decode(errors="replace").strip()
        return End(None, OpRun(ended, failure=OpFailure(kind, message, diagnostic, word.stage)))


def _pass_on(source: IO[bytes], target: TextIO, kept: bytearray | None) -> None:
    for line in source:
        if kept is not None:
            kept += line
            del kept[:-_KEPT]
        target.write(line.decode(errors="replace"))
        target.flush()


def _late(seconds: float) -> str:
    return f"it was not through in {seconds:.0f} s and was stopped"


def _large(taken: int) -> str:
    return f"it had taken {taken / 2**30:.1f} GiB, most of the machine's free memory, when stopped"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
