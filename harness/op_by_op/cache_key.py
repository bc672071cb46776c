# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The key of the verdict cache: everything that a verdict depends on."""

import hashlib
from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec

from harness.devices.catalog import DEFAULT_DEVICE, kind_of
from harness.records.schema import Op

KEY_VERSION = 4
"""Counted up when the same op, versions and flags may come to another verdict."""


def cache_key(
    op: Op,
    device: str,
    descriptor: str,
    versions: Mapping[str, str],
    flags: Mapping[str, str],
    depth: str,
) -> str:
    """sha256 of everything a verdict depends on.

    `descriptor` is what the device is compiled for, e.g. a system descriptor's digest; `versions`
    are all that are installed, of which only those that this device's verdicts go through count.
    """
    relevant = {name: v for name, v in versions.items() if _matters(name, device, op.source)}
    whole = (KEY_VERSION, op, device, descriptor, relevant, dict(flags), depth)
    return hashlib.sha256(msgspec.json.encode(whole, order="sorted")).hexdigest()


def _matters(distribution: str, device: str, source: str) -> bool:
    if distribution in ("bringup", "torch", "torch-mlir"):  # comparison, golden, lowering
        return True
    judges = (DEFAULT_DEVICE,) if source == "stablehlo" else ()  # it may be the golden's source
    patterns = (p for name in (device, *judges) for p in kind_of(name).distributions)
    return any(fnmatchcase(distribution, pattern) for pattern in patterns)
