# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test id, a function, a class, a file or a folder on the command line stands for."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from bringup.harness.did_you_mean import hint
from bringup.harness.records.naming import parts_of
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.collect import Collected


def ids_meant(text: str, collected: Collected, root: Path | None = None) -> list[str]:
    """The collected ids that one word stands for, in pytest's order.

    The word is a whole id, or what an id has before its parameters: the function, with the classes
    around it, a class, the file, or a folder that the file is in. A path may be absolute, or have
    `./` before it; `root` is the working directory. Of tests of another project it is relative to
    that project's root or to the working directory.

    Raises:
        PipelineError: it stands for nothing, or for more than one of these; the sentence names
            them.
    """
    wanted = _from_root(text, root or Path.cwd(), collected.root)
    found = {kind: ids for kind, ids in _by_kind(wanted, collected.ids).items() if ids}
    if len(found) > 1:
        what = ", ".join(f"a {kind} ({ids[0]})" for kind, ids in found.items())
        raise PipelineError(f"`{text}` is {what}; give the whole id of what is meant")
    if not found:
        reason = collected.broken.get(wanted.partition("::")[0])
        raise PipelineError(reason or f"pytest collects no `{text}`{_hint(wanted, collected)}")
    return next(iter(found.values()))


def _from_root(text: str, here: Path, root: Path) -> str:
    """The word as ids begin: relative to their root, without `./` or a `/` at the end."""
    path, mark, rest = text.partition("::")
    if Path(path).is_absolute() and Path(path).is_relative_to(here):
        path = str(Path(path).relative_to(here))
    elif path and root.is_absolute() and not root.samefile(here):
        found = ((base / path).resolve() for base in (root, here))
        inside = (p for p in found if p.exists() and p.is_relative_to(root.resolve()))
        path = next((str(p.relative_to(root.resolve())) for p in inside), path)
    return f"{os.path.normpath(path)}{mark}{rest}" if path else text


def _by_kind(wanted: str, ids: Iterable[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {
        "test": [],
        "function": [],
        "class": [],
        "file": [],
        "folder": [],
    }
    for each in ids:
        parts = parts_of(each)
        if each == wanted:
            found["test"].append(each)
            continue
        if parts.path == wanted:
            found["file"].append(each)
        if parts.path.startswith(f"{wanted}/") or wanted == os.curdir:
            found["folder"].append(each)
        place = parts.path
        for name in parts.classes:
            place = f"{place}::{name}"
            if place == wanted:
                found["class"].append(each)
        if f"{place}::{parts.function}" == wanted:
            found["function"].append(each)
    return found


def _hint(wanted: str, collected: Collected) -> str:
    for known in collected.ids:
        if known.endswith("]") and wanted.startswith(f"{known[:-1]}-"):
            return f"; a size or a device is no part of an id: {known}, with --size or --device"
    return hint(wanted, collected.ids)
