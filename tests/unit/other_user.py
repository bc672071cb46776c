# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A second user of the machine: a real process with a real user id of its own.

Only root can become somebody else. Without root the child stays who it is, so that what is tested
of two processes is still tested; `OTHERS` says whether there are two users.
"""

import contextlib
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

OTHERS = os.geteuid() == 0
ALICE, BOB = (54001, 54002) if OTHERS else (os.geteuid(), os.geteuid())
needs_two_users = pytest.mark.skipif(not OTHERS, reason="only root can act as another user")


def folder_for_all() -> Iterator[Path]:
    """A temporary folder that every user may enter.

    Not below pytest's own: each pytest that starts meanwhile closes that one to other users.
    """
    with tempfile.TemporaryDirectory(prefix="bringup-test-", dir="/tmp") as place:
        Path(place).chmod(0o755)
        yield Path(place)


class Child:
    """A forked process that runs a function as a user; what that returns comes through a pipe."""

    def __init__(self, uid: int, action: Callable[[], str], *, hold: bool = False) -> None:
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reader)
            _act(uid, action, writer, hold)
        os.close(writer)
        self._reader = reader

    def said(self) -> str:
        """What it returned; waits for it."""
        text = b""
        while not text.endswith(b"\0") and (more := os.read(self._reader, 65536)):
            text += more
        return text.removesuffix(b"\0").decode()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self._reader)


def _act(uid: int, action: Callable[[], str], writer: int, hold: bool) -> None:
    try:
        if OTHERS:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
        os.umask(0o077)
        try:
            text = action()
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
        os.write(writer, text.encode() + b"\0")
        if hold:
            signal.pause()
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(0)


@contextlib.contextmanager
def child(uid: int, action: Callable[[], str], *, hold: bool = False) -> Iterator[Child]:
    """A child that is gone at the end of the block."""
    process = Child(uid, action, hold=hold)
    try:
        yield process
    finally:
        process.kill()


def as_user(uid: int, action: Callable[[], str]) -> str:
    """Run a function as a user; what it returned, or `ErrorClass: message`."""
    with child(uid, action) as process:
        return process.said()
