# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every Python source that a model may be made of: what is installed, and what a session tests.

What a model's Python does when it is exported is nowhere but in sources, and nobody knows which of
them it will call. So all count that it could: those of every installed package, those below the
folders that a session was given, and of whatever else was imported the file. That is more than
matters, and a source that changes costs a night the exports that it kept.
"""

import functools
import site
import sys
import sysconfig
import time
from collections.abc import Iterable
from pathlib import Path

from bringup.harness.records.verdicts.file_digest import digest_of, digest_of_sources
from bringup.harness.session import current

_PACKAGE = (Path(__file__).parents[2], Path(__file__).resolve().parents[2])
"""Where the harness was imported from, by links and without them."""
_IMPORTED_NS = time.time_ns()
"""When this process, or the one that it was forked off, began to import what it tests with."""


class SourceFolders:
    """The folders whose sources a session's models may be of; held by the session."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        given = {path.resolve() for path in folders}
        self.folders = tuple(sorted(p for p in given if given.isdisjoint(p.parents)))
        self._below = tuple(f"{path}/" for path in (*self.folders, *_installed(), *_of_python()))
        self._begun_ns = time.time_ns()
        self._imported = {*sys.modules}
        self._unchanged: set[str] = set()
        self._others: set[Path] = set()

    @functools.cached_property
    def digests(self) -> tuple[str, ...]:
        """Of what lies in them and of what is installed, and what that is called; none where a
        file cannot be read."""
        found = [digest_of_sources(path) for path in (*_installed(), *self.folders)]
        names = (name for path in _installed() for name in _distributions(path))
        return (*found, *names) if all(found) else ()

    def others(self) -> tuple[str, ...] | None:
        """Digests of what was imported from elsewhere; None where a module has changed since it
        could be imported: what was imported may be the one or the other."""
        for own, module in [*sys.modules.items()]:
            name = getattr(module, "__file__", None)
            if not isinstance(name, str) or name in self._unchanged:
                continue
            path = Path(name)
            if not path.is_absolute():  # PyTorch's `torch.ops` and what is typed in have no file
                continue
            try:
                since = _IMPORTED_NS if own in self._imported else self._begun_ns
                if path.stat().st_ctime_ns > since:
                    return None
            except OSError:  # of a module that was made, or whose source is gone
                return None
            self._unchanged.add(name)
            if not name.startswith(self._below) and not str(path.resolve()).startswith(self._below):
                self._others.add(path)
        return tuple(digest_of(path) for path in sorted(self._others))


def is_of_project(module: str) -> bool:
    """Is a module neither installed, nor of Python's own library, nor of the harness?"""
    name = getattr(sys.modules.get(module), "__file__", None)
    if not isinstance(name, str) or module.partition(".")[0] == "bringup":
        return False
    return not name.startswith(tuple(f"{path}/" for path in (*_installed(), *_of_python())))


def without_places(lines: str, places: Iterable[str]) -> str:
    """Lines of a traceback, each file named as from the folder that it lies below."""
    for place in places:
        lines = lines.replace(f'File "{place}', 'File "')
    return lines


def places_of_sources() -> tuple[str, ...]:
    """The folders that a session's sources lie below, the innermost first, each with a slash at
    its end: a checkout, or an environment, that lies elsewhere is the same one."""
    session = current().find(SourceFolders)
    given = session.folders if session is not None else ()
    found = {f"{path}/" for path in (*given, *_installed(), *_PACKAGE)}
    return tuple(sorted(found, key=len, reverse=True))


def all_sources() -> tuple[str, ...]:
    """Digests of all of them; none where nobody can tell, as in a session without folders."""
    session = current().find(SourceFolders)
    if session is None or not session.folders or not session.digests:
        return ()
    others = session.others()
    if others is None or not all(others):
        return ()
    return (*session.digests, *others)


@functools.cache
def _installed() -> tuple[Path, ...]:
    """Where packages are installed that this process can import."""
    names = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    names |= {*site.getsitepackages(), site.getusersitepackages()}
    names |= {name for name in sys.path if name.endswith(("site-packages", "dist-packages"))}
    return tuple(sorted({Path(name).resolve() for name in names if Path(name).is_dir()}))


def _of_python() -> set[str]:
    return {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}


def _distributions(folder: Path) -> list[str]:
    """Name and version of what is installed: of what has no source in Python too."""
    endings = (".dist-info", ".egg-info")
    return sorted(path.name for path in folder.iterdir() if path.suffix in endings)
