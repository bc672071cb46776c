# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What GitHub keeps between jobs and runs: a repository, caches, artifacts, Pages, summaries."""

import fnmatch
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Caches:
    """Caches by key: one that is there is never written again, as with `actions/cache`."""

    folder: Path
    order: list[str] = field(default_factory=list)

    def save(self, key: str, workspace: Path, paths: list[str]) -> bool:
        """Keep what is there of some paths; False where the key is taken, or nothing is there."""
        there = [path for path in paths if (workspace / path).exists()]
        if key in self.order or not there:
            return False
        for path in there:
            copy(workspace / path, self.folder / key / path)
        self.order.append(key)
        return True

    def restore(self, key: str, prefixes: list[str], workspace: Path) -> str:
        """Bring back the newest cache that fits; its key, empty where none does."""
        fitting = [k for k in self.order if k == key] or [
            k for p in prefixes for k in reversed(self.order) if k.startswith(p)
        ]
        if not fitting:
            return ""
        copy(self.folder / fitting[0], workspace)
        return fitting[0]


@dataclass
class Artifacts:
    """The artifacts of one run of a workflow, over all its attempts."""

    folder: Path

    def upload(self, name: str, path: Path, *, overwrite: bool) -> None:
        """Keep a folder under a name.

        Raises:
            FileExistsError: the name is taken: an attempt would lose another's artifact.
        """
        if (self.folder / name).exists():
            if not overwrite:
                raise FileExistsError(f"there is an artifact {name} already")
            shutil.rmtree(self.folder / name)
        copy(path, self.folder / name)

    def download(self, name: str, into: Path) -> None:
        """One artifact, its files right below `into`.

        Raises:
            FileNotFoundError: there is none of that name.
        """
        if not (self.folder / name).exists():
            raise FileNotFoundError(f"there is no artifact {name}")
        copy(self.folder / name, into)

    def download_all(self, pattern: str, into: Path) -> None:
        """Every artifact that fits, in a folder of its own name; where none fits, nothing."""
        for path in sorted(self.folder.glob("*")):
            if fnmatch.fnmatchcase(path.name, pattern):
                copy(path, into / path.name)


@dataclass
class Repository:
    """Where commits are pushed to, and what is cloned by jobs."""

    folder: Path

    def clone(self, into: Path) -> None:
        """A checkout without history's objects of its own, as clean as a runner's."""
        run = ["git", "clone", "--quiet", "--no-hardlinks", str(self.folder), str(into)]
        subprocess.run(run, check=True)

    def head(self) -> str:
        """The newest commit."""
        run = ["git", "-C", str(self.folder), "rev-parse", "HEAD"]
        return subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip()


def copy(source: Path, target: Path) -> None:
    """A file or a folder, into what may be there."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
