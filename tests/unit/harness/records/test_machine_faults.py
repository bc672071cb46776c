# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The machine's failures are the machine's, whoever says so, in whatever stage; others are not."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bringup.harness.devices.failures import DeviceRefusal, HostCrash, HostTimeout
from bringup.harness.errors import (
    DeviceError,
    HarnessError,
    IncorrectResultError,
    RecordError,
    UsageError,
)
from bringup.harness.mlir import LoweringError
from bringup.harness.recording.failures import outcome_of
from bringup.harness.records.machine_faults import is_machines
from bringup.harness.records.schema import NOT_EVIDENCE, UNSETTLED, Outcome

ROOT = Path(__file__).parents[4]


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def refused(message: str) -> DeviceRefusal:
    return DeviceRefusal(message, kind="XlaRuntimeError", diagnostic=message)


def crashed(kind: str, diagnostic: str = "") -> HostCrash:
    return HostCrash(f"the process died ({kind})", kind=kind, diagnostic=diagnostic)


def caused_by(error: BaseException) -> HarnessError:
    outer = HarnessError("the model could not be loaded")
    outer.__cause__ = error
    return outer


MACHINES = [
    *(
        os_error(number)
        for number in (
            *(errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EAGAIN),
            *(errno.EIO, errno.ENODEV),
        )
    ),
    MemoryError(),
    DeviceError("gone"),
    RecordError("the disk is full"),
    RuntimeError("can't start new thread"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("CUDA out of memory. Tried to allocate 80.00 GiB"),
    RuntimeError("unable to open shared memory object: Too many open files in system (23)"),
    refused("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 85899345920 bytes"),
    refused("INTERNAL: CUDA_ERROR_DEVICE_UNAVAILABLE: device hung"),
    refused("TIMEOUT: device timeout, potential hang detected, the device is unrecoverable"),
    refused("UNAVAILABLE: the device is lost"),
    refused("fork: Resource temporarily unavailable"),
    DeviceRefusal("[Errno 28] No space left on device", kind="OSError", diagnostic=""),
    LoweringError("MemoryError: std::bad_alloc", ""),
    crashed("SIGKILL"),
    crashed("SIGABRT", "terminate called after throwing an instance of 'std::bad_alloc'"),
    crashed("SIGABRT", "LLVM ERROR: out of memory\nAllocation failed"),
    caused_by(os_error(errno.ENOSPC)),
    caused_by(MemoryError()),
    OSError("unable to mmap 8 bytes from file </tmp/x>: Cannot allocate memory (12)"),
    ExceptionGroup("several", [ValueError("x"), os_error(errno.ENOSPC)]),
    caused_by(ExceptionGroup("several", [ExceptionGroup("inner", [MemoryError()])])),
    subprocess.CalledProcessError(1, "compiler", stderr=b"write: No space left on device"),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 80 bytes."),
    RuntimeError("Failed to allocate memory for requested buffer of size 17179869184"),
    RuntimeError("This might be caused by insufficient shared memory (shm)."),
    RuntimeError("write failed: Input/output error"),
    RuntimeError("database or disk is full"),
    refused("Device 0 init: failed to initialize FW! Try resetting the board."),
    DeviceRefusal("Unable to allocate 8.00 GiB", kind="_ArrayMemoryError", diagnostic=""),
]


@pytest.mark.parametrize("error", MACHINES, ids=lambda e: f"{type(e).__name__}: {e}"[:60])
def test_it_is_infra_not_settled_and_no_evidence(error: BaseException) -> None:
    word = outcome_of(error)
    assert word is Outcome.INFRA
    assert word in UNSETTLED and word in NOT_EVIDENCE


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (os_error(errno.ENOENT), Outcome.FAILED),
        (os_error(errno.EACCES), Outcome.FAILED),
        (OSError("Can't load tokenizer for 'x'"), Outcome.FAILED),
        (ExceptionGroup("No space left on device", [ValueError("x")]), Outcome.FAILED),
        (subprocess.CalledProcessError(1, "cc", output="no such file"), Outcome.FAILED),
        (AssertionError("expected 'No space left on device'"), Outcome.FAILED),
        (IncorrectResultError("RESOURCE_EXHAUSTED is not what was expected"), Outcome.INCORRECT),
        (UsageError("`Too many open files` is no model"), Outcome.FAILED),
        (ValueError("nothing of memory"), Outcome.FAILED),
        (refused("Out of Memory: Not enough space to allocate 3 B L1 buffer"), Outcome.FAILED),
        (refused("failed to legalize operation 'stablehlo.fft'"), Outcome.FAILED),
        (crashed("SIGSEGV"), Outcome.CRASHED),
        (crashed("SIGABRT", "Assertion `x' failed"), Outcome.CRASHED),
        (crashed("SIGSEGV", "Too many open files" + "\nlater" * 100), Outcome.CRASHED),
        (
            HostTimeout("no answer", kind="TIMEOUT", diagnostic="in std::bad_alloc::what()"),
            Outcome.TIMEOUT,
        ),
        (KeyboardInterrupt(), Outcome.KILLED),
    ],
    ids=lambda v: f"{type(v).__name__}: {v}"[:60],
)
def test_what_a_model_or_a_compiler_did_is_not_the_machines(
    error: BaseException, word: Outcome
) -> None:
    assert outcome_of(error) is word


def test_what_was_raised_while_another_was_handled_is_not_its_cause() -> None:
    try:
        try:
            raise os_error(errno.ENOSPC)
        except OSError:
            raise ValueError("a fault of its own") from None
    except ValueError as error:
        assert outcome_of(error) is Outcome.FAILED


def test_a_cause_that_goes_round_ends() -> None:
    error = ValueError("x")
    error.__cause__ = caused_by(error)
    assert outcome_of(error) is Outcome.FAILED


REALLY = {
    "files": "import socket\nheld = [socket.socketpair() for _ in range(10_000)]",
    "disk": "with open('/dev/full', 'wb', buffering=0) as file: file.write(b'x')",
    "memory": "import numpy\nheld = [numpy.ones(1 << 27) for _ in range(100)]",
    "allocator": "import torch\ntorch.empty(1 << 45)",
}
PROGRAM = """
import resource
from bringup.harness.recording.failures import outcome_of
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
{limit}
try:
{body}
except BaseException as error:
    print(type(error).__name__, outcome_of(error))
"""


@pytest.mark.parametrize("fault", REALLY)
def test_a_machine_that_really_has_no_more_is_known_by_what_is_raised(fault: str) -> None:
    body = "\n".join(f"    {line}" for line in REALLY[fault].splitlines())
    limit = (
        "resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))" if fault == "memory" else ""
    )
    program = PROGRAM.format(body=body, limit=limit)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[1:] == ["INFRA"], done.stdout + done.stderr


def test_a_thread_that_cannot_be_started_is_the_machines() -> None:
    # root is free of RLIMIT_NPROC, so that the words are all there is to try here
    assert is_machines("RuntimeError", "can't start new thread")
    assert is_machines(
        "system_error", "thread constructor failed: Resource temporarily unavailable"
    )
