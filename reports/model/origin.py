# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""With what and where a run was made: many processes' provenances as one line."""

from collections.abc import Iterable
from dataclasses import dataclass

from bringup.harness.records.schema import Provenance

_SHORT = 12  # digits of a commit: unambiguous in any repository, short enough to read


@dataclass(frozen=True)
class Origin:
    """The distinct values over all processes of a run; more than one is worth a look."""

    commits: tuple[str, ...]
    """Short hashes, each with ` (dirty)` when the tree was."""
    hosts: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    """(distribution, version); several versions are joined by ` / `."""
    seeds: tuple[int, ...]
    branches: tuple[str, ...] = ()

    @property
    def commit_text(self) -> str:
        """`branch main, commit 4592669d1f0c (dirty)`, or that there is none."""
        if not self.commits:
            return "not in a git checkout"
        branch = f"branch {', '.join(self.branches)}, " if self.branches else ""
        return f"{branch}commit {', '.join(self.commits)}"

    @property
    def versions_text(self) -> str:
        """`torch 2.13.0, jaxlib 0.10.2`."""
        return ", ".join(f"{name} {version}" for name, version in self.versions)


def origin_of(provenances: Iterable[Provenance]) -> Origin:
    """Collect what differs between the processes of a run."""
    seen = list(provenances)
    versions: dict[str, set[str]] = {}
    for one in seen:
        for name, version in {**one.versions, "python": one.python}.items():
            versions.setdefault(name, set()).add(version)
    return Origin(
        commits=tuple(sorted({_commit(one) for one in seen if one.git_commit})),
        hosts=tuple(sorted({one.host for one in seen})),
        versions=tuple((name, " / ".join(sorted(versions[name]))) for name in sorted(versions)),
        seeds=tuple(sorted({one.seed for one in seen})),
        branches=tuple(sorted({one.git_branch for one in seen if one.git_branch})),
    )


def _commit(provenance: Provenance) -> str:
    return provenance.git_commit[:_SHORT] + (" (dirty)" if provenance.git_dirty else "")
