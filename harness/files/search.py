# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From place to place, until a file is found; what was tried is what the error says."""

import os
import urllib.parse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bringup.harness.errors import FileError, RecordError, UsageError
from bringup.harness.files.download import Terms, UnwritableError, download, is_good
from bringup.harness.files.fsspec_source import FsspecSource
from bringup.harness.files.http_source import HttpSource
from bringup.harness.files.places import (
    Asked,
    Cache,
    docker_caches,
    local_caches,
    look,
    read_path,
    whole_mark,
)
from bringup.harness.files.source import IsFolderError
from bringup.harness.records.variable_names import MIRROR_VARIABLE
from bringup.harness.storage.atomic import write_atomically


class Search:
    """For one file or folder."""

    def __init__(self, asked: Asked, terms: Terms) -> None:
        """Nothing is looked for yet.

        Raises:
            UsageError: the address of the file or of the mirror is none.
        """
        self._asked = asked
        self._terms = terms
        self._local = local_caches()
        self._mirror = "" if asked.url else _mirror_address()
        self._tried: list[str] = []

    def run(self) -> Path:
        """Where it lies now.

        Raises:
            FileError: it is nowhere.
        """
        found = self._on_this_machine() or self._from_elsewhere()
        if found:
            return found
        raise FileError(f"{self._asked.name!r} cannot be had: {'; '.join(self._tried)}")

    def _on_this_machine(self) -> Path | None:
        for cache in (docker := docker_caches()):
            if found := self._look(cache):
                return found
        if docker:
            self._tried[-1] += ", and follows the bucket within the hour"
        for cache in self._readable():
            found = self._look(cache)
            if found and not self._may_lack_files(found):
                return found
        return None

    def _readable(self) -> Iterator[Cache]:
        """The local cache, and the usual one behind it where what is new is put there."""
        for cache in self._local:
            yield cache
            if os.access(cache.root, os.W_OK) or not os.access(cache.root, os.F_OK):
                return

    def _look(self, cache: Cache) -> Path | None:
        try:
            found = look(cache, self._asked.parts)
        except FileError as error:
            self._tried.append(f"{cache.title}: {error}")
            return None
        if found is None:
            self._tried.append(f"{cache.title} ({cache.root}) has none")
        elif self._terms.sha256 and found.is_dir():
            raise UsageError(f"{self._asked.name!r} is a folder, which has no sha256")
        elif self._terms.sha256 and not is_good(found, self._terms.sha256):
            self._tried.append(f"{cache.title}: {found} has another sha256")
        else:
            return found
        return None

    def _may_lack_files(self, found: Path) -> bool:
        """Is it a folder with some files that were asked for one by one, for all we know?"""
        return found.is_dir() and self._lists() and not whole_mark(found).exists()

    def _lists(self) -> bool:
        return bool(self._mirror) and not self._mirror.startswith(("http://", "https://"))

    def _from_elsewhere(self) -> Path | None:
        target = self._local[0].root.joinpath(*self._asked.parts)
        if not self._asked.url and not self._mirror:
            self._tried.append(
                f"{MIRROR_VARIABLE} is not set; set it to the mirror's address, or put the file"
                f" at {target}"
            )
            return None
        for cache in self._local:
            try:
                return self._fetch(cache.root.joinpath(*self._asked.parts))
            except (UnwritableError, PermissionError) as error:
                self._tried.append(f"{cache.title}: {error}")
            except FileError as error:
                self._tried.append(str(error) if self._asked.url else f"{MIRROR_VARIABLE}: {error}")
                return None
        return None

    def _fetch(self, target: Path) -> Path:
        if self._lists():
            return self._fetch_listed(target)
        url = self._asked.url or "/".join(
            (self._mirror, *(urllib.parse.quote(part, safe="") for part in self._asked.parts))
        )
        try:
            source = HttpSource(url, self._terms.timeout_s)
        except UsageError as error:
            raise error if self._asked.url else UsageError(f"{MIRROR_VARIABLE}: {error}") from error
        return download(source, target, self._terms)

    def _fetch_listed(self, target: Path) -> Path:
        name = "/".join(self._asked.parts)
        source = self._listed(name)
        if not target.is_dir():
            try:
                return download(source, target, self._terms)
            except IsFolderError:
                if self._terms.sha256:
                    raise FileError(f"{source.address} is a folder, which has no sha256") from None
        return self._fetch_folder(source, name, target)

    def _listed(self, name: str) -> FsspecSource:
        try:
            return FsspecSource(self._mirror, name, self._terms.timeout_s)
        except UsageError as error:
            raise UsageError(f"{MIRROR_VARIABLE}: {error}") from error

    def _fetch_folder(self, source: FsspecSource, name: str, target: Path) -> Path:
        listed = source.files()
        if listed is None:  # somebody put it into the local cache
            return target
        if sum(file.size for file in listed) > self._terms.limit:
            raise FileError(f"{source.address} has more than the limit of {self._terms.limit} B")
        for file in listed:
            try:
                parts = read_path(file.name).parts
            except UsageError as error:
                raise FileError(
                    f"{source.address} lists a name that is refused: {error}"
                ) from error
            one = self._listed(f"{name}/{file.name}")
            download(one, target.joinpath(*parts), replace(self._terms, sha256=""))
        try:
            target.mkdir(parents=True, exist_ok=True)
            write_atomically(whole_mark(target), b"")
        except (OSError, RecordError) as error:
            raise FileError(f"cannot write {target}: {error}") from error
        return target


def _mirror_address() -> str:
    """Of the mirror, without a slash at the end; a bare host is http's, as it is wget's."""
    text = os.environ.get(MIRROR_VARIABLE, "")
    if not text:
        return ""
    if text.startswith(("/", "~")):
        text = f"file://{Path(text).expanduser()}"
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    rest = rest.rstrip("/")
    if not rest and scheme.lower() not in ("file", "memory"):
        raise UsageError(f"{MIRROR_VARIABLE}={text[:200]!r} names no server")
    return f"{scheme.lower()}://{rest}"
