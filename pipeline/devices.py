# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What this machine can do for which device, asked of the harness in a child process.

`python -m bringup.harness.list_devices --json` prints what is read here; a probe of a sick driver
may end its process, so it is never made in ours.
"""

import subprocess
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import RecordError
from bringup.harness.records.device_listing import ListedDevice, decode_listing
from bringup.harness.storage.decoding import read_bytes
from bringup.pipeline.errors import PipelineError

PROBE_TIMEOUT_S = 300.0
_UNKNOWN_NAME = 2  # its exit code; the sentence is on stderr


def probe(
    root: Path, names: Sequence[str] = (), only: Collection[str] = (), *, first: bool = False
) -> tuple[ListedDevice, ...]:
    """Ask the harness, in a child started in `root`, of `names` or of every device; where `only`
    says for which there is anything to do, the others are named and not opened; with `first` of no
    more than it takes to find one that executes and one that is only compiled for.

    Raises:
        PipelineError: it does not know a name, or does not answer.
    """
    few = ["--first"] if first else [w for name in sorted(only) for w in ("--only", name)]
    words = [*names, *few, "--json", "--cached"]
    command = [sys.executable, "-m", "bringup.harness.list_devices", *words]
    spoken = f"`python {' '.join(command[1:])}`"
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=root,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PipelineError(
            f"{spoken} did not answer in {PROBE_TIMEOUT_S:.0f} s; the same command goes on with the"
            " devices that it has not opened yet, or name fewer by --device"
        ) from error
    last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    if done.returncode == _UNKNOWN_NAME:
        raise PipelineError(last)
    if done.returncode != 0:
        raise PipelineError(f"{spoken} ended with {done.returncode}: {last}")
    return parse(done.stdout, spoken)


def read(path: Path) -> tuple[ListedDevice, ...]:
    """Read a file of what that command printed, on this machine or another.

    Raises:
        PipelineError: it is absent or something else.
    """
    try:
        return parse(read_bytes(path), str(path))
    except RecordError as error:
        raise PipelineError(str(error)) from error


def parse(data: bytes, source: str) -> tuple[ListedDevice, ...]:
    """Devices from JSON.

    Raises:
        PipelineError: something else.
    """
    try:
        return decode_listing(data, source)
    except RecordError as error:
        raise PipelineError(f"{source} gave no list of devices: {error}") from error


def named(devices: Sequence[ListedDevice], names: Iterable[str]) -> list[ListedDevice]:
    """The devices called `names`, in that order, each once.

    Raises:
        PipelineError: there is no device of that name; the sentence says which there are.
    """
    by_name = {d.name: d for d in devices}
    found = []
    for name in dict.fromkeys(names):
        if name not in by_name:
            raise PipelineError(
                f"there is no device `{name}`{hint(name, by_name)}; "
                f"there are {', '.join(sorted(by_name))}"
            )
        found.append(by_name[name])
    return found
