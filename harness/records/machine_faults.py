# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What speaks of the machine and not of the model: no memory, no disk, no process, no device.

One table for every stage and for whoever judges: whole tests, ops alone, what the verdict cache may
keep. A failure that it knows is INFRA: it is run again when a run is taken up again, and is never
evidence for a move.

A compiler that finds a program too large for the device's own memory says "out of memory" too
("Not enough space to allocate ... L1 buffer"): that is a finding. So no phrase here is as short.
"""

import errno
import re
import subprocess
from collections.abc import Iterator

from bringup.harness.errors import DeviceError, FileError, HarnessError, RecordError
from bringup.harness.storage.writable import said_by

KILLED_FROM_OUTSIDE = "SIGKILL"
"""A process's end that no program brings about by itself: the kernel or a person sent it."""

_ERRNOS = frozenset(
    {
        *(errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EAGAIN),
        *(errno.EIO, errno.EROFS, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOBUFS),
        *(errno.ENOLCK, errno.ENOTCONN, errno.EREMOTEIO),
    }
)
_KINDS = frozenset(
    {
        *("DeviceError", "FileError", "RecordError"),
        *("MemoryError", "_ArrayMemoryError", "OutOfMemoryError", "bad_alloc"),
    }
)
"""Exceptions by class name, as a device host or a record names them."""
_PHRASES = (
    # what the C library says of an errno (strerror(3)), as C++ and Python print it
    *("too many open files", "no space left on device", "disk quota exceeded"),
    *("cannot allocate memory", "resource temporarily unavailable", "[errno 5]"),
    *("read-only file system", "no such device or address", "stale file handle"),
    *("input/output error", ": no such device", "database or disk is full", "disk i/o error"),
    "pytorchstreamwriter failed writing file",
    # threads and processes
    *("can't start new thread", "cannot start new thread", "unable to create thread"),
    *("thread constructor failed", "pthread_create failed", "failed to create thread"),
    # memory
    *("std::bad_alloc", "memoryerror", "bad array new length", "resource_exhausted"),
    *("resource exhausted", "can't allocate memory", "llvm error: out of memory"),
    *("cuda out of memory", "cuda_error_out_of_memory", "hip out of memory"),
    *("cuda error: out of memory", "cudaerrormemoryallocation", "status_alloc_failed"),
    *("not enough memory: you tried to allocate", "unable to allocate memory"),
    *("failed to allocate memory for requested buffer", "insufficient shared memory"),
    "workers are out of shared memory",
    # a device that hangs or is gone
    *("device hung", "device is hung", "device hang", "device lost", "device is lost"),
    *("device was lost", "device gone", "device is gone", "driver gone", "driver is gone"),
    *("the device is unrecoverable", "fell off the bus", "gpu is lost", "reset the board"),
    "resetting the board",
    *("driver/library version mismatch", "cuda_error_no_device", "no cuda-capable device"),
    *("cuda_error_device_unavailable", "cuda_error_system_not_ready", "cuda_error_ecc"),
    *("cuda_error_unknown", "cuda_error_system_driver_mismatch", "cuda_error_not_initialized"),
)
_WORDS = re.compile("|".join(map(re.escape, _PHRASES)))
_CODES = re.compile(
    r"\b(?:EMFILE|ENFILE|ENOSPC|EDQUOT|ENOMEM|EAGAIN|DEVICE_LOST|DEVICE_HUNG|PJRT_DEVICE_LOST)\b"
)
_LAST_LINES = 40
"""Of a diagnostic: what a library wrote long before it ended need not be what ended it."""


def is_machines(kind: str, message: str, diagnostic: str = "") -> bool:
    """Does a failure speak of the machine: by its class or signal, or by what was said?"""
    if kind == KILLED_FROM_OUTSIDE or kind in _KINDS:
        return True
    last = "\n".join(diagnostic.splitlines()[-_LAST_LINES:])
    return speaks_of_machine(f"{message}\n{last}")


def speaks_of_machine(text: str) -> bool:
    """Does a text have one of the phrases by which libraries report the machine's faults?"""
    return _WORDS.search(text.lower()) is not None or _CODES.search(text) is not None


def is_machines_error(error: BaseException) -> bool:
    """Does an exception, or one that it was raised from, speak of the machine?"""
    return any(_one_is(each) for each in _chain(error))


def _one_is(error: BaseException) -> bool:
    if isinstance(error, MemoryError | DeviceError | FileError | RecordError):
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _ERRNOS
    if isinstance(error, AssertionError | BaseExceptionGroup):  # a test's own words, or no words
        return False
    ours = isinstance(error, HarnessError)  # a foreign `kind` or `diagnostic` may be anything
    kind = (getattr(error, "kind", None) if ours else None) or type(error).__name__
    diagnostic = getattr(error, "diagnostic", "") if ours else ""
    if isinstance(error, subprocess.CalledProcessError):  # what it says itself is its exit code
        said = error.stderr if error.stderr is not None else error.output
        diagnostic = said.decode(errors="replace") if isinstance(said, bytes) else said or ""
    return is_machines(str(kind), said_by(error), str(diagnostic))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, its causes, and those of a group; what merely happened while another was
    handled is none."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting.append(found.__cause__)
        if isinstance(found, BaseExceptionGroup):
            waiting += found.exceptions
