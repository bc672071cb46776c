# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is kept of lowerings and compilations, as one test sees it.

An entry lies beside the verdict cache, under the digest of everything that it depends on, and is
pruned with it. Which hits are taken, and which are computed again, is said where it is for ops.
"""

import hashlib
from typing import TypeVar

import msgspec

from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.verdicts.cache import default_path
from bringup.harness.records.verdicts.recheck import Recheck
from bringup.harness.records.verdicts.upkeep import builds_beside
from bringup.harness.session import current
from bringup.harness.storage.decoding import UNDECODABLE
from bringup.harness.storage.file_cache import FileCache

KEY_VERSION = 1
"""Counted up when entries are otherwise, or when what is in no key has changed."""
T = TypeVar("T", bound=msgspec.Struct)


def key_of(what: str, whole: object) -> str:
    """The key of an entry: `what` it is, and everything that it depends on.

    Raises:
        TypeError: something in it has no written form.
    """
    said = msgspec.json.encode((KEY_VERSION, what, whole), order="sorted")
    return hashlib.sha256(said).hexdigest()


class Files(FileCache):
    """Those of a session, which says once that nothing can be kept."""

    def __init__(self) -> None:
        super().__init__(builds_beside(default_path()))


class BuildCache:
    """Entries by their keys, for one test."""

    def __init__(self, recorder: TestRecorder) -> None:
        self._files = current().get(Files)
        self._recheck = Recheck.from_environment(recorder.run.run_id)

    def get(self, key: str, kind: type[T]) -> T | None:
        """The entry of a key; None where there is none, or this run takes none."""
        if not self._recheck.takes_hits:
            return None
        content = self._files.get(key)
        if content is None:
            return None
        try:
            return msgspec.msgpack.decode(content, type=kind)
        except UNDECODABLE:
            return None

    def audits(self, key: str) -> bool:
        """Is an entry to be computed again, whatever it says?"""
        return self._recheck.chooses(key)

    def put(self, key: str, entry: msgspec.Struct) -> None:
        """Keep an entry, in the place of what was there; one that cannot be written is not kept."""
        try:
            content = msgspec.msgpack.encode(entry)
        except (UnicodeEncodeError, OverflowError, TypeError, ValueError):
            self.forget(key)
            return
        if not self._files.put(key, content):
            self.forget(key)

    def forget(self, key: str) -> None:
        """Have nothing under a key."""
        self._files.forget(key)
