# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Texts kept beside the records, compressed, each stored once under the hash of its content."""

import hashlib
import os
import re
from pathlib import Path

import zstandard

from bringup.harness.errors import RecordError
from bringup.harness.records.schema import Artifact
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.decoding import unpacked
from bringup.harness.storage.writable import writable

ARTIFACT_FOLDER = "blobs"
"""By the name that runs of all versions have it by."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LEVEL = 3  # zstd: MLIR text shrinks about 12 times at 300 MB/s
_LARGEST = 4 << 30
"""Bytes: a text that claims to be larger is not unpacked."""


class ArtifactStore:
    """A folder of artifacts below a run directory. Safe under concurrent writers."""

    def __init__(self, run_dir: Path) -> None:
        self.root = run_dir / ARTIFACT_FOLDER
        self.linked: set[str] = set()
        """Digests of what this process has linked into it: nobody takes it away again."""

    def put(self, text: str | bytes, level: str) -> Artifact:
        """Keep `text` and return its address; a text already there is not written again.

        Raises:
            RecordError: the disk is full or gone.
        """
        data = writable(text).encode() if isinstance(text, str) else text
        digest = hashlib.sha256(data).hexdigest()
        path = self.path(digest)
        if not path.exists():
            write_atomically(path, zstandard.compress(data, _LEVEL), sync=False)
        return Artifact(level=level, sha256=digest, size=len(data))

    def get(self, artifact: Artifact) -> bytes:
        """The uncompressed bytes.

        Raises:
            RecordError: the artifact is absent or is not what its name says.
        """
        path = self.path(artifact.sha256)
        try:
            if path.exists() and not path.is_file():  # reading a pipe would never end
                raise RecordError(f"{path}: the content does not match its name")
            packed = path.read_bytes()
            if zstandard.frame_content_size(packed) != artifact.size:  # a bomb, or another text
                raise RecordError(f"{path}: the content does not match its name")
        except (OSError, zstandard.ZstdError) as error:
            raise RecordError(f"{path}: the kept {artifact.level} text is unreadable") from error
        data = unpacked(packed, path, min(artifact.size, _LARGEST))
        if hashlib.sha256(data).hexdigest() != artifact.sha256:
            raise RecordError(f"{path}: the content does not match its name")
        return data

    def has(self, artifact: Artifact) -> bool:
        """Is it kept here, whole or not?"""
        digest = artifact.sha256
        return bool(_DIGEST.fullmatch(digest)) and os.access(
            f"{self.root}/{digest[:2]}/{digest}.zst",
            os.F_OK,  # a night asks this 100,000 times
        )

    def path(self, digest: str) -> Path:
        """Where an artifact lies. Records are untrusted: only a digest is ever made into a path."""
        if not _DIGEST.fullmatch(digest):
            raise RecordError(f"{digest[:80]!r} is not a sha256 digest")
        return self.root / digest[:2] / f"{digest}.zst"
