# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What passes between a preloaded Python and who wants processes of it.

Messages are single packets on a UNIX socket of kind SOCK_SEQPACKET, with descriptors beside them.
"""

import msgspec

PACKET = 1 << 20
"""Bytes that a packet is received into."""
LARGEST = 128 << 10
"""Bytes of a packet that is sent: the kernel takes none above its buffer, 208 KiB by default."""


class Preload(msgspec.Struct, frozen=True, tag=True):
    """Import more; a descriptor for what is said meanwhile and later comes along. Not answered."""

    modules: tuple[str, ...]
    """Each `MODULE` or `MODULE:NAME,NAME`."""


class Start(msgspec.Struct, frozen=True, tag=True):
    """Fork a process; its standard input, output and error come along. Answered by `Started`."""

    arguments: tuple[str, ...]
    """As after `python`: `-m MODULE ...`, or `-c CODE ...`."""
    folder: str
    environment: dict[str, str]
    """All of it."""


class Started(msgspec.Struct, frozen=True, tag=True):
    """It lives; its pidfd comes along."""

    pid: int


class Reap(msgspec.Struct, frozen=True, tag=True):
    """Wait for one that has ended. Answered by `Reaped`."""

    pid: int


class Reaped(msgspec.Struct, frozen=True, tag=True):
    """An exit code, negative for a signal."""

    code: int
