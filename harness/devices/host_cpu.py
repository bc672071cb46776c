# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The processor of this machine, for compilers that compile for whatever they run on."""

import functools
import hashlib
import platform
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_FIELDS = ("model name", "flags", "Features", "CPU part")
"""What decides the instructions that are chosen (proc(5)): x86's names, then Arm's."""


@functools.cache
def processor() -> str:
    """A digest of the processor's model and instruction sets; equal for equal machines."""
    said = [platform.machine()]
    try:
        first = _CPUINFO.read_text(errors="replace").split("\n\n")[0]
    except OSError:
        first = ""
    for line in first.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in _FIELDS:
            said.append(" ".join(sorted(value.split())))
    return hashlib.sha256("\n".join(said).encode()).hexdigest()
