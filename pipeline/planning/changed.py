# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`--changed COMMIT`: the tests that a change touches, by what their files import.

A file of tests is touched where it, a file in its own folder or below, or a module below the folder
of tests that it imports, directly or not, differs from where HEAD and the commit parted. Imports
are read and not carried out. What changed outside the folder of tests touches no test by itself:
the project's own suite is for that.
"""

import ast
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

from bringup.pipeline.errors import PipelineError

_SECONDS = 60.0


def touched(files: Collection[str], commit: str, folder: Path, root: Path) -> set[str]:
    """Of some files of tests those that a change touches; all are relative to `root`.

    Args:
        files: Files of tests.
        commit: What the checkout is held against; uncommitted and untracked files count.
        folder: The folder of tests.
        root: The checkout's root.

    Raises:
        PipelineError: git is not here, this is no checkout, or it knows no such commit.
    """
    changed = {root / name for name in _changed(commit, root)}
    below = {path for path in changed if path.is_relative_to(root / folder)}
    direct: dict[Path, set[Path]] = {}
    return {file for file in files if _needs(root / file, root / folder, root, direct) & below} | {
        file for file in files if any(_lies_with(path, root / file) for path in below)
    }


def _lies_with(path: Path, test: Path) -> bool:
    """Is it in the test's own folder, and no other file of Python there?"""
    return path == test or (path.is_relative_to(test.parent) and path.suffix != ".py")


def _changed(commit: str, root: Path) -> Iterator[str]:
    if commit.startswith("-"):
        raise PipelineError(f"--changed {commit!r} is no commit")
    yield from _git(root, "diff", "--name-only", "-z", "--merge-base", commit, "--")
    yield from _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--full-name")


def _git(root: Path, *words: str) -> list[str]:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, timeout=_SECONDS, check=True
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise PipelineError(f"--changed asks git, which says: {said}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PipelineError(f"--changed asks git, and that did not work: {error}") from None
    return [name for name in done.stdout.decode("utf-8", "surrogateescape").split("\0") if name]


def _needs(file: Path, folder: Path, root: Path, direct: dict[Path, set[Path]]) -> set[Path]:
    """The file, and what it imports below the folder of tests; `direct` is kept between files."""
    found, to_read = {file}, [file]
    while to_read:
        path = to_read.pop()
        if path not in direct:
            modules = [root / module for module in _imported(path, root)]
            places = [p for m in modules for p in (m.with_suffix(".py"), m / "__init__.py")]
            direct[path] = {p for p in places if p.is_relative_to(folder) and p.is_file()}
        to_read += direct[path] - found
        found |= direct[path]
    return found


def _imported(file: Path, root: Path) -> Iterator[str]:
    """Modules that a file names, as paths without their suffix; nothing of what is no Python."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    package = file.relative_to(root).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.replace(".", "/") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            whole = "/".join((*base, *(node.module or "").split("."))).rstrip("/")
            yield whole
            yield from (f"{whole}/{alias.name}" for alias in node.names)
