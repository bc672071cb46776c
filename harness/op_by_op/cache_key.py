# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The key of the verdict cache: everything that a verdict depends on.

That is the op; the device, what it compiles for, and the toolchain behind it; our own code that
lowers, runs and judges; flags, tolerances and depth; and, of an op whose outcome depends on the
values it is given, where these come from (`operand_values`). Of a StableHLO op, whose golden may
be the `cpu` device's, that device's toolchain too.
"""

import functools
import hashlib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from bringup.harness.devices.catalog import DEFAULT_DEVICE, kind_of
from bringup.harness.devices.shared_libraries import libraries_of
from bringup.harness.devices.toolchain import Toolchain, toolchain_of
from bringup.harness.records.provenance import DISTRIBUTIONS, versions
from bringup.harness.records.schema import Op
from bringup.harness.records.verdicts.file_digest import digest_of

KEY_VERSION = 5
"""Counted up when the same op, versions and flags may come to another verdict."""

_HARNESS = Path(__file__).resolve().parents[1]
_JUDGING = (
    *("device_host", "devices", "frontend", "graph", "op_by_op", "ops", "reference", "reproduce"),
    "verify",
)
"""Rooms of the harness whose every line may have a part in a verdict on an op."""
_EVERYWHERE = frozenset({"bringup", "torch", "torch-mlir", "numpy"})
"""Distributions that every verdict goes through: comparison, golden, lowering."""


class Basis:
    """What the verdicts of one test on one device have in common; made once, asked for each op."""

    def __init__(
        self,
        device: str,
        descriptor: str,
        installed: Mapping[str, str],
        flags: Mapping[str, str],
        depth: str,
    ) -> None:
        """What an op's key depends on beside the op.

        Args:
            device: its name.
            descriptor: what it is compiled for, e.g. a system descriptor's digest.
            installed: versions of all libraries, of which only those that this device's verdicts
                go through count, beside those of the device's own toolchain.
            flags: options of the device's compiler.
            depth: how far an op goes.
        """
        toolchain = toolchain_of(device)
        judges = kind_of(device).independent_of(kind_of(DEFAULT_DEVICE))
        golden = toolchain_of(DEFAULT_DEVICE) if judges else None
        common = (device, descriptor, dict(flags), depth, _judging_code(), _lowering_libraries())
        self._by_source = {
            source: _digest((common, _with(chain, device, source, installed), other))
            for source, chain, other in (
                ("torch", toolchain, None),
                ("stablehlo", toolchain, golden),
            )
        }

    def key(self, op: Op, values: str = "") -> str:
        """The key of an op's verdict: sha256, in hex, of everything that it depends on.

        `values` says which its operands are, where they count.
        """
        common = self._by_source["torch" if op.source == "torch" else "stablehlo"]
        return _digest((common, op, values))


def _digest(whole: object) -> str:
    return hashlib.sha256(msgspec.json.encode((KEY_VERSION, whole), order="sorted")).hexdigest()


def _with(
    chain: Toolchain, device: str, source: str, installed: Mapping[str, str]
) -> tuple[object, ...]:
    """A toolchain, with the versions that were given in the place of those that were found."""
    found = {name: v for name, v in chain.versions.items() if name not in DISTRIBUTIONS}
    given = {**versions(), **found, **installed}
    used = {name: v for name, v in given.items() if name in found or _matters(name, device, source)}
    return used, chain.libraries, chain.environment, chain.flags


def _matters(distribution: str, device: str, source: str) -> bool:
    if distribution in _EVERYWHERE:
        return True
    judges = (DEFAULT_DEVICE,) if source == "stablehlo" else ()  # it may be the golden's source
    patterns = (p for name in (device, *judges) for p in kind_of(name).distributions)
    return any(fnmatchcase(distribution, pattern) for pattern in patterns)


@functools.cache
def _judging_code() -> str:
    """A digest of our own source, by its content: what a checkout of any state judges with."""
    found = hashlib.sha256()
    sources = [path for room in _JUDGING for path in (_HARNESS / room).rglob("*.py")]
    chips = (_HARNESS / "devices").rglob("*.toml")
    single = [_HARNESS / "mlir.py", _HARNESS / "records/fingerprint.py"]
    for path in sorted([*sources, *chips, *single]):
        content = path.read_bytes()
        found.update(f"{path.relative_to(_HARNESS)} {len(content)}\n".encode() + content)
    return found.hexdigest()


def _lowering_libraries() -> dict[str, str]:
    """torch-mlir by its content, since it too is often built anew without another version."""
    found = libraries_of("torch_mlir", "_mlir_libs/*.so")
    return {path.name: digest_of(path) for path in found}
