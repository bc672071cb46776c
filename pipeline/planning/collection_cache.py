# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The tests that pytest collected, kept until something that they are made of has changed.

Collecting imports every test file with what it imports: some seven seconds of processor time before
anything runs. What comes of it is a function of the files below the folder of tests, whatever they
are, of pytest's settings above it, of every other module that was imported and is no installed
distribution's, of the files and folders elsewhere that test files read while they are imported, of
which distributions are installed, of Python, and of the environment. A file that could not be
collected is asked again each time, and so are repositories of loaders. What other programs read for
them, and whether a file is there at all, is in no key: then `--no-cache`.

A planned test that is no more is told by the session that cannot find it, as ever.
"""

import hashlib
import os
import sys
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.variable_names import KINDS_VARIABLE, MODELS_VARIABLE, SIZE_VARIABLE
from bringup.harness.records.verdicts.cache import default_path
from bringup.harness.records.verdicts.upkeep import builds_beside
from bringup.harness.storage.decoding import UNDECODABLE
from bringup.harness.storage.file_cache import FileCache
from bringup.harness.storage.writable import encoded
from bringup.pipeline.planning.collected_json import CollectedJson
from bringup.pipeline.planning.read_elsewhere import installed_folders

KEY_VERSION = 2
_ABOVE = (
    *("conftest.py", "__init__.py", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini"),
    *("setup.cfg", "pytest.toml", ".pytest.toml"),
)
"""What pytest reads in the folders above the tests."""
_NOT_READ = (
    *("PWD", "OLDPWD", "SHLVL", "_", "TMPDIR", "COLUMNS", "LINES", "TERM*", "LS_COLORS"),
    *("GITHUB_*", "RUNNER_*", "ACTIONS_*", "SLURM_*", "SSH_*", "XDG_*", "DBUS_*", "BRINGUP_*"),
    "PYTEST_*",
)
"""Variables that differ from shell to shell and from job to job, by pattern."""
_OURS = (SIZE_VARIABLE, KINDS_VARIABLE)
"""Those of ours that may decide what is collected."""
_MADE = frozenset({"__pycache__", ".git", ".pytest_cache"})
_LARGE = 64 << 20
"""Bytes of a file above which it takes as long to read it as to collect."""
_MOST_FILES = 20_000
"""Files below a folder of tests above which it takes as long to read them as to collect."""


class _Kept(msgspec.Struct, frozen=True):
    collected: bytes
    files: dict[str, str]
    """What else it was made of, and digests."""


class CollectionCache:
    """What was collected below a folder, for one command."""

    def __init__(self, folder: str, root: Path) -> None:
        self._files = FileCache(builds_beside(default_path()), complain=lambda sentence: None)
        self._key = _key(folder, root)

    def get(self) -> CollectedJson | None:
        """It, if nothing that it is made of has changed."""
        content = self._files.get(self._key) if self._key else None
        if content is None:
            return None
        try:
            kept = msgspec.msgpack.decode(content, type=_Kept)
            if any(_digest(Path(name)) != digest for name, digest in kept.files.items()):
                return None
            return msgspec.json.decode(kept.collected, type=CollectedJson)
        except UNDECODABLE:
            return None

    def put(self, found: CollectedJson) -> None:
        """Keep what was just collected, if all of it could be."""
        if not self._key or found.broken or found.left_out or found.expected:
            return
        files = {name: _digest(Path(name)) for name in found.made_of}
        if all(files.values()):
            said = encoded(found)
            self._files.put(self._key, msgspec.msgpack.encode(_Kept(said, files)))


def imported_from_elsewhere() -> list[str]:
    """The files of this process's modules that no distribution was installed with."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    found = {Path(file).resolve() for file in files if isinstance(file, str)}
    own = {str(path) for path in found if path.is_file()}  # PyTorch has modules of made names
    return sorted(file for file in own if not file.startswith(installed_folders()))


def _key(folder: str, root: Path) -> str:
    """The key of a collection; empty where nothing is kept of it."""
    if os.environ.get(MODELS_VARIABLE):
        return ""
    try:
        below = root / folder
        files = sorted(_below(below))
        above = [place / name for place in below.resolve().parents for name in _ABOVE]
        if len(files) > _MOST_FILES:
            return ""
        said = (
            (KEY_VERSION, folder, str(root.resolve()), sys.version, sys.path, sys.flags),
            {str(path): _digest(path) for path in (*files, *above)},
            _distributions(sys.path),
            _environment(os.environ),
        )
    except OSError:
        return ""
    return hashlib.sha256(repr(said).encode("utf-8", "surrogateescape")).hexdigest()


def _below(folder: Path) -> Iterable[Path]:
    if folder.is_file():
        yield folder
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _MADE)
        if any(Path(where, name).is_symlink() for name in folders):
            raise OSError("a linked folder may have no end")
        yield from (Path(where, name) for name in names)


def _digest(path: Path) -> str:
    """Of a file's content, of a large one by its size and time, or of the names in a folder; empty
    where there is none that can be read."""
    try:
        if path.is_dir():
            names = sorted(set(os.listdir(path)) - _MADE)  # noqa: PTH208
            return hashlib.sha256(repr(names).encode("utf-8", "surrogateescape")).hexdigest()
        if (told := path.stat()).st_size > _LARGE:
            return f"{told.st_size} {told.st_mtime_ns}"
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, RecordError):
        return ""


def _distributions(paths: Iterable[str]) -> list[str]:
    """The folders that name what is installed, and its version."""
    return [
        name
        for path in paths
        if os.path.isdir(path)  # noqa: PTH112 - one of them may be an archive, or empty
        for name in sorted(os.listdir(path))  # noqa: PTH208
        if name.endswith((".dist-info", ".egg-info", ".pth", ".egg-link"))
    ]


def _environment(variables: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(
        (name, value)
        for name, value in variables.items()
        if name in _OURS or not any(fnmatchcase(name, pattern) for pattern in _NOT_READ)
    )
