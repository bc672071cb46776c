# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""An op to be taken through a device, and what came of it. Values only."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bringup.harness.devices.wire import Level, Usage
from bringup.harness.records.schema import Stage

if TYPE_CHECKING:
    import torch

DEADLINE = 30.0
"""Seconds one op may take, all its stages together."""
OUT_OF_MEMORY = "OUT_OF_MEMORY"
"""The failure kind of an op that met the worker's memory limit, however its host took that."""

_MEMORY_WORDS = re.compile(
    r"bad_alloc|bad array new length|MemoryError|RESOURCE_EXHAUSTED|out of memory|"
    r"cannot allocate memory|failed to allocate|allocation failed",
    re.IGNORECASE,
)


class Ended(enum.StrEnum):
    """How an op's request ended."""

    DONE = "done"
    """Through every stage that was asked for and that the device has."""
    REFUSED = "refused"
    """A stage said no and the host lived."""
    CRASH = "crash"
    TIMEOUT = "timeout"
    INFRA = "infra"
    """The machine's fault; says nothing about the op."""


@dataclass(frozen=True)
class OpJob:
    """One op: torch dialect or StableHLO (text or bytecode, entry `main`), and how to run it."""

    torch_ir: bytes = b""
    stablehlo: bytes = b""
    options: Mapping[str, str] = field(default_factory=dict)
    inputs: "tuple[torch.Tensor, ...]" = ()
    """CPU tensors in the order of `main`'s arguments; only read when `execute`."""
    execute: bool = False
    key: str = ""
    """The op's, where it has one; for `faults`."""


@dataclass(frozen=True)
class OpFailure:
    """Why an op ended before its last stage."""

    kind: str
    """Exception class, signal name, `TIMEOUT` or `OUT_OF_MEMORY`."""
    message: str
    diagnostic: str
    """Everything that was said: compiler diagnostics, standard error, stacks."""
    stage: Stage | None
    """The stage that failed; None when no stage is to blame."""


@dataclass(frozen=True)
class OpRun:
    """What one request for an op came to."""

    ended: Ended
    stage: Stage | None = None
    """The last stage it passed."""
    levels: tuple[Level, ...] = ()
    """Every IR level that was captured, also of the stage that failed."""
    usages: Mapping[Stage, Usage] = field(default_factory=dict)
    """Cost of each stage passed, and of one that refused."""
    outputs: "tuple[torch.Tensor, ...] | None" = None
    """None unless it ran."""
    failure: OpFailure | None = None
    wall_s: float = 0.0
    """Seconds from handing the op over to having its result, as the parent saw them."""
    stderr: str = ""
    """What the host wrote meanwhile, its last 64 KiB."""
    attempts: int = 1
    """2: it ran past its deadline the first time, and this is how it ended alone."""


FIRST_STAGES = (Stage.TORCH_IR, Stage.TORCH_BACKEND_IR, Stage.STABLEHLO)
_STAGES = (*FIRST_STAGES, Stage.COMPILE, Stage.EXECUTE)


def stage_after(stage: Stage | None, job: OpJob) -> Stage:
    """The stage an op was in when all that is known is the last one it passed."""
    if stage is None:
        return Stage.TORCH_IR if job.torch_ir else Stage.STABLEHLO
    return _STAGES[min(_STAGES.index(stage) + 1, len(_STAGES) - 1)]


def is_out_of_memory(text: str) -> bool:
    """Does a diagnostic speak of memory that could not be had?"""
    return _MEMORY_WORDS.search(text) is not None
