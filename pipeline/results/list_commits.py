# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Moves as commits: made beside the work tree, and found again when somebody took them back.

A commit of moves names each in a trailer. Where the newest commit that names an entry put it on a
list (or took it off) and the list says otherwise today, a person has undone it, by a revert or by
an edit. That is remembered by git alone, and is a suggestion: only the policy's pins hold a test.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bringup.harness.records.moves import Move
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.lists.entries import fields_of
from bringup.pipeline.lists.lists import Lists

TRAILER = "Bringup-Move"
_MOVES = ("add", "remove")
MOST_COMMITS = 500
"""Commits of moves that are looked back at."""


@dataclass(frozen=True)
class Undone:
    """A move that was made, and that the lists do not show any more."""

    move: str
    list: str
    device: str
    test: str
    commit: str
    at: float
    """When the move was committed, in seconds since the epoch."""
    says: bool = False
    """Did its entry say something beside its test?"""


def commit_moves(
    root: Path, branch: str, title: str, moves: Iterable[Move], files: Mapping[Path, str]
) -> str:
    """Commit new texts of files on a new branch; the work tree and its index stay as they are.

    Returns:
        The commit; the one that is there where the branch holds the same texts already.

    Raises:
        PipelineError: it is no git checkout, or git cannot: with git's own words.
    """
    with tempfile.TemporaryDirectory(prefix="bringup-index-") as folder:
        index = {"GIT_INDEX_FILE": f"{folder}/index"}
        _git(root, "read-tree", "HEAD", variables=index)
        top = Path(_git(root, "rev-parse", "--show-toplevel"))
        for path, text in files.items():
            if not path.resolve().is_relative_to(top.resolve()):
                raise PipelineError(
                    f"{path} is not in the checkout {top}, so no commit can hold it"
                )
            blob = _git(root, "hash-object", "-w", "--stdin", given=text)
            name = path.resolve().relative_to(top.resolve()).as_posix()
            _git(
                root,
                "update-index",
                "--add",
                "--cacheinfo",
                f"100644,{blob},{name}",
                variables=index,
            )
        tree = _git(root, "write-tree", variables=index)
    there = _git(root, "rev-parse", "--quiet", "--verify", f"refs/heads/{branch}^{{tree}}", ok=True)
    if there == tree:
        return _git(root, "rev-parse", branch)
    if there:
        raise PipelineError(
            f"there is a branch {branch} with something else on it; delete it, or give it a name"
        )
    commit = _git(root, "commit-tree", tree, "-p", "HEAD", given=_message(title, moves))
    _git(root, "update-ref", f"refs/heads/{branch}", commit)
    return commit


def uncommitted(root: Path, folder: Path) -> dict[Path, str]:
    """The files of a folder that HEAD does not have as they are, with their texts; none without
    git."""
    words = ("status", "--porcelain", "-z", "--untracked-files=all", "--", f"{folder.resolve()}")
    said = _git(root, *words, ok=True)
    top = Path(_git(root, "rev-parse", "--show-toplevel", ok=True))
    paths = [top / entry[3:] for entry in said.split("\0") if entry]
    return {path: path.read_text("utf-8") for path in paths if path.is_file()}


def undone(root: Path, lists: Lists) -> list[Undone]:
    """Moves whose commit is in the history of HEAD and that somebody has taken back; none where
    there is no git."""
    form = f"%H%x1f%ct%x1f%(trailers:key={TRAILER},valueonly,unfold,separator=%x1e)"
    said = _git(
        root, "log", f"-{MOST_COMMITS}", f"--grep=^{TRAILER}: ", f"--format={form}", "HEAD", ok=True
    )
    here = {(e.list.name, e.device, e.test): e.expectation for e in lists.entries}
    found, known = [], set[tuple[str, str, str]]()
    for line in filter(None, said.split("\n")):  # the newest first
        commit, at, trailers = line.split("\x1f")
        for trailer in filter(None, trailers.split("\x1e")):
            one = _read(trailer, commit, float(at))
            if one is None or (place := (one.list, one.device, one.test)) in known:
                continue
            known.add(place)
            unsaid = one.says and here.get(place) is None
            if unsaid or (place in here) != (one.move == "add"):
                found.append(one)
    return sorted(found, key=lambda u: (u.test, u.device, u.list))


def suggested_pins(
    undone_moves: Iterable[Undone], keys: Mapping[tuple[str, str], str], pinned: Collection[str]
) -> list[str]:
    """One sentence for each test whose move was taken back, with the pin that would hold it.

    Args:
        keys: By entry and device, the key of the test's full flow.
        pinned: Keys that a pin holds already.
    """
    said: dict[str, str] = {}
    for one in undone_moves:
        key = keys.get((one.test, one.device))
        if key is None or key in pinned:
            continue
        day = f"{datetime.fromtimestamp(one.at, UTC):%Y-%m-%d}"
        preposition = "to" if one.move == "add" else "from"
        said.setdefault(
            key,
            f"somebody took back `{one.move} {one.test} {preposition} {one.list} on {one.device}` "
            f"of {day} ({one.commit[:10]}): a pin {json.dumps(key)} in [pins] of policy.toml would "
            "keep it where it is",
        )
    return [said[key] for key in sorted(said)]


def _message(title: str, moves: Iterable[Move]) -> str:
    edits = [
        json.dumps([m.move, m.list, m.device, m.test, *filter(None, [fields_of(m.expectation)])])
        for m in moves
    ]
    return "\n".join([title, "", *(f"{TRAILER}: {edit}" for edit in edits), ""])


def _read(trailer: str, commit: str, at: float) -> Undone | None:
    """A trailer as it was written; None of one that somebody else wrote."""
    try:
        words = json.loads(trailer)
    except ValueError:
        return None
    if not isinstance(words, list) or len(words) not in (4, 5) or words[0] not in _MOVES:
        return None
    move, name, device, test = map(str, words[:4])
    return Undone(move, name, device, test, commit, at, says=len(words) == 5)


def _git(
    root: Path,
    *words: str,
    given: str = "",
    ok: bool = False,
    variables: Mapping[str, str] | None = None,
) -> str:
    """What git says; with `ok` nothing where it fails."""
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=root,
            input=given.encode(),
            capture_output=True,
            env=os.environ | {"LC_ALL": "C"} | dict(variables or {}),
            check=False,
        )
    except OSError as error:
        raise PipelineError(f"git cannot be run: {error.strerror}") from error
    if done.returncode and not ok:
        why: Sequence[str] = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise PipelineError(f"git {words[0]}: {why[-1] if why else 'it failed'}")
    return "" if done.returncode else done.stdout.decode("utf-8", "replace").strip("\n")
