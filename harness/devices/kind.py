# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is to be said of a kind of device, once and in one place."""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from bringup.harness.devices.figures import Figures
from bringup.harness.records.values import Stage, Status

if TYPE_CHECKING:
    from bringup.harness.devices.backend import Backend
    from bringup.harness.devices.wire import Level


class Arithmetic(enum.StrEnum):
    """The precision in which a device computes a program's float32 values, the finest first."""

    F32 = "f32"
    """24 significant bits, IEEE 754 binary32."""
    TF32 = "tf32"
    """11 significant bits, the exponent of binary32: operands of matrix products on NVIDIA's
    tensor cores, sums in binary32."""
    BF16 = "bf16"
    """8 significant bits, the exponent of binary32."""
    BFP8 = "bfp8"
    """8 bits a value, 16 values sharing an exponent: Tenstorrent's block float, 7 significant bits
    for the largest of a block and fewer for the others."""


@dataclass(frozen=True)
class Released:
    """Distributions that are released together, under one version."""

    name: str
    """The one whose releases are looked at."""
    together: tuple[str, ...] = ()
    """Those that must have the same version."""
    oldest: str = "0"
    """The first release that this program can open."""


@dataclass(frozen=True)
class IrLevel:
    """A level of a device's own IR."""

    name: str
    """As its backend calls it (`wire.Level.name`); the same for every kind that has it."""
    status: Status
    """What a program has reached once this level was written, even if it failed later."""
    stage: Stage = Stage.COMPILE
    """The stage it is written in."""


def _nothing() -> tuple[Path, ...]:
    return ()


def _no_names() -> tuple[str, ...]:
    return ()


def _no_variables(boards: Sequence[str]) -> Mapping[str, str]:
    return {}


def _undescribed(name: str) -> str:
    return ""


def _none_left(scratch: Path) -> "tuple[Level, ...]":
    return ()


def _always() -> bool:
    return True


@dataclass(frozen=True)
class DeviceKind:
    """A kind of device. Functions import what they need when they are called, not before."""

    name: str
    """What users call it: `--device NAME`."""
    title: str
    """What it is, for people."""
    backend: "Callable[[str], Backend]"
    """Makes the unopened backend of the device of this name, inside a device host.

    Raises DeviceError: what it needs is not installed."""
    levels: tuple[IrLevel, ...] = ()
    """Its own IR levels, lowest last."""
    compiler: str = ""
    """The compiler's family; only of devices whose families are known and differ can one be the
    reference of the other."""
    arithmetic: Arithmetic = Arithmetic.F32
    """What float32 values come through an op as, and what it rounds to."""
    products: Arithmetic | None = None
    """What the operands of matrix products and convolutions are rounded to; None: `arithmetic`."""

    figures: Figures | None = None
    """What its data sheet says, for estimates; None where it is no accelerator with one."""

    # --- what a verdict depends on: another of any of these, and it is computed again -------------
    distributions: tuple[str, ...] = ()
    """Installed distributions that the backend comes from, as names or patterns (`fnmatch`)."""
    releases: tuple[Released, ...] = ()
    """Of these what can be asked which release a failure came with; the compiler first."""
    libraries: Callable[[], Sequence[Path]] = _nothing
    """The shared libraries that compile and run, and any other file that does: the distributions
    that own them and their content count too."""
    environment: tuple[str, ...] = ()
    """Variables, by name or pattern, that compiler and runtime read."""
    flags: tuple[str, ...] = ()
    """What the backend always tells the compiler."""
    optimizer_options: Mapping[str, str] = field(default_factory=dict)
    """What `enable_optimizer` adds to the compiler's options; none: it always optimises."""
    target: Callable[[str], str] = _undescribed
    """What the device of this name compiles for on this machine, in a digest or a few words."""

    # --- the machine ------------------------------------------------------------------------------
    exclusive: Callable[[], bool] = _always
    """Is there a real device behind it, which serves one process at a time?"""
    lease: str = ""
    """Kinds with the same name here share one real device; empty: the kind's own name."""
    boards: Callable[[], Sequence[str]] = _no_names
    """What its driver calls the real devices that are here, each of which a process of its own may
    have; none: they cannot be told apart, or a process cannot be kept to one."""
    only: Callable[[Sequence[str]], Mapping[str, str]] = _no_variables
    """The variables by which a device host sees these boards, and no other."""
    takes: int = 1
    """How many of them one device of the kind is."""
    reset: Callable[[Sequence[str]], bool] | None = None
    """Resets these boards (none named: all there are), outside any host; False: it did not work.
    None: nobody knows how."""
    plugins: tuple[str, ...] = ()
    """PJRT plugins, by name or pattern, that this kind goes through."""
    install: str = ""
    """What brings it where it is missing, e.g. `pip install ...`."""
    preload: tuple[str, ...] = ()
    """Modules that a fork server imports for its hosts; they may start no thread."""
    left: "Callable[[Path], tuple[Level, ...]]" = _none_left
    """The levels that a host which was stopped left in its temporary folder."""
    listed: bool = True
    """False: none that a run is offered; it judges others."""

    @property
    def coarsest(self) -> Arithmetic:
        """The coarser of its arithmetic and that of its products; verification reckons with it."""
        order = list(Arithmetic)
        return max(self.arithmetic, self.products or self.arithmetic, key=order.index)

    def independent_of(self, other: "DeviceKind") -> bool:
        """Is neither compiler a part of the other?"""
        return bool(self.compiler and other.compiler) and self.compiler != other.compiler

    def goes_through(self, plugin: str) -> bool:
        """Is a PJRT plugin, by its name, this kind's?"""
        return any(fnmatchcase(plugin, pattern) for pattern in self.plugins)


@dataclass(frozen=True)
class Family:
    """Kinds that are named after what is installed: a prefix and a name."""

    prefix: str
    kind: Callable[[str], DeviceKind]
    """The kind of a whole name, installed or not."""
    installed: Callable[[], Sequence[str]]
    """Whole names of what is installed and has no kind of its own."""
