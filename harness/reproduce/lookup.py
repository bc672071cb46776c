# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Finding the reproducer of an op by its key, by its name, or by where it lies."""

import difflib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bringup.harness.errors import UsageError
from bringup.harness.records.reproducible import EXPECTED, REPRO_FOLDER, device_in_name
from bringup.harness.reproduce.reproducer import read_expected

_OP_NAME = re.compile(r"([0-9a-f]{16})-(.+)")
_MOST_NAMED = 8


@dataclass(frozen=True)
class Found:
    """A reproducer, and those of the same op on the same device that it was preferred to."""

    folder: Path
    older: tuple[Path, ...] = ()


def find(which: str, results: Path, device: str | None = None) -> Found:
    """The reproducer that `which` names: a directory, or the newest one below `results`.

    `which` is the path of a directory, an op's whole key or its first digits, or either of them
    and the device, `KEY-DEVICE`, as a directory is called. `results` holds run directories, or is
    one. With `device` only that device's count.

    Raises:
        UsageError: nothing, or several different ones, go by that name.
        RecordError: the directory's record is damaged.
    """
    if (Path(which) / EXPECTED).is_file():
        return Found(_on(Path(which), device))
    kept = _kept(results)
    names = [name for name in kept if _is_meant(which, name, device)]
    if len(names) == 1:
        newest, *older = kept[names[0]]
        return Found(newest, tuple(older))
    if names:
        raise UsageError(_which_of(which, sorted(names)))
    if os.sep in which:
        raise UsageError(f"{which} is no reproducer's directory: it has no {EXPECTED}")
    raise UsageError(
        f"there is no reproducer {_named(which, device)} in {results}/*/{REPRO_FOLDER};"
        f" {_hint(which, kept)} One of a run elsewhere is named by its path,"
        f" RUN/{REPRO_FOLDER}/KEY-DEVICE, or looked for with --results RUN."
    )


def written_below(results: Path) -> list[Path]:
    """The `expected.json` of every reproducer in a results folder or a run directory, by age, the
    newest last."""
    pattern = f"{REPRO_FOLDER}/[!.]*/{EXPECTED}"
    return sorted([*results.glob(f"*/{pattern}"), *results.glob(pattern)], key=_written)


def _on(folder: Path, device: str | None) -> Path:
    if device is not None and read_expected(folder).device != device:
        raise UsageError(f"{folder} is of {read_expected(folder).device}, not of {device}")
    return folder


def _kept(results: Path) -> dict[str, list[Path]]:
    """The reproducers below a folder by name, the newest first."""
    kept: dict[str, list[Path]] = {}
    for path in reversed(written_below(results)):
        kept.setdefault(path.parent.name, []).append(path.parent)
    return kept


def _is_meant(which: str, name: str, device: str | None = None) -> bool:
    """Does `which`, digits of a key and perhaps a device, stand for a directory's name?"""
    parts = _OP_NAME.fullmatch(name)
    digits, dash, asked = which.partition("-")
    if parts is None or not re.fullmatch(r"[0-9a-f]+", digits):
        return False
    key, place = parts.groups()
    wanted = [asked] if dash else []
    wanted += [device_in_name(device)] if device is not None else []
    return (key.startswith(digits) or digits.startswith(key)) and all(w == place for w in wanted)


def _which_of(which: str, names: Sequence[str]) -> str:
    listed = ", ".join(names[:_MOST_NAMED])
    if len({name.partition("-")[0] for name in names}) == 1:
        return f"{which!r} failed on {len(names)} devices; add --device, or name one: {listed}"
    return f"{which!r} may be any of {len(names)} reproducers; name one: {listed}"


def _hint(which: str, kept: dict[str, list[Path]]) -> str:
    elsewhere = sorted(name for name in kept if _is_meant(which.partition("-")[0], name))
    near = elsewhere or difflib.get_close_matches(which, kept, n=1, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near[:_MOST_NAMED])}?"
    return f"there are {len(kept)} of other keys."


def _named(which: str, device: str | None) -> str:
    return f"{which!r} for {device}" if device else repr(which)


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
