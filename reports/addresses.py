# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where documents find a test, its ops and its kept texts: what every format links to.

Addresses are relative, and of hash digits and safe characters only, whatever records say.
"""

import os
from pathlib import Path
from urllib.parse import quote

from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.schema import Artifact, Identity
from bringup.reports.model.run import anchor_of
from bringup.reports.model.texts import page_name
from bringup.reports.reporter import ArtifactChoice

PAGE = "index.html"


def page_of(identity: Identity) -> str:
    """A test in the run's page, relative to the run directory."""
    return f"{PAGE}#{anchor_of(identity)}"


def text_page_of(artifact: Artifact) -> str:
    """The page of a kept text, relative to the run directory."""
    return f"ir/{page_name(artifact)}"


class Addresses:
    """The same as documents in one folder link to them."""

    def __init__(self, folder: Path, artifacts: ArtifactChoice = ArtifactChoice.ALL) -> None:
        self.folder = folder.resolve()
        self._artifacts = artifacts
        self._prefixes: dict[Path, str] = {}
        self._texts: dict[tuple[Path, str, str], str] = {}

    def of(self, run_dir: Path | None, address: str) -> str:
        """An address in a run; empty for a run that lies nowhere."""
        if run_dir is None:
            return ""
        prefix = self._prefixes.get(run_dir)
        if prefix is None:
            way = os.path.relpath(run_dir.resolve(), self.folder)
            prefix = "" if way == "." else quote(way.replace(os.sep, "/"), errors="replace") + "/"
            self._prefixes[run_dir] = prefix
        return prefix + address

    def text(self, run_dir: Path | None, artifact: Artifact, *, good: bool) -> str:
        """A kept text's page; empty where the text is not kept, or no page of it is wanted.

        `good`: it is of something that needs nobody's attention.
        """
        wanted = ArtifactChoice.ALL if good else ArtifactChoice.FAILED
        enough = self._artifacts in (wanted, ArtifactChoice.ALL)
        if run_dir is None or not enough:
            return ""
        place = run_dir, artifact.sha256, artifact.level
        found = self._texts.get(place)
        if found is None:
            kept = ArtifactStore(run_dir).has(artifact)
            found = self.of(run_dir, text_page_of(artifact)) if kept else ""
            self._texts[place] = found
        return found
