# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Failures of tests and of ops, put together by their cause."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bringup.harness.records.fingerprint import fingerprint, parts
from bringup.harness.records.night import Cluster, Moment
from bringup.pipeline.history.causes.likeness import groups
from bringup.pipeline.history.causes.rules import Rule, rule_for

EXAMPLE_LENGTH = 2000


@dataclass(frozen=True)
class Failing:
    """One failure: of a test, or of an op of a test."""

    test: str
    """`Identity.key`; of an op, of the test that it was taken from."""
    device: str
    stage: str
    message: str
    """In its own words."""
    op: str = ""
    """The op's name; empty of a whole model."""
    model: str = ""
    """The name people read."""
    command: str = ""
    """What shows it again."""
    op_key: str = ""
    known: str = ""
    """Its fingerprint, where somebody has it."""

    @property
    def mark(self) -> str:
        """Its fingerprint."""
        said = self.message or "nothing was said"
        return self.known or fingerprint(self.stage, self.op, said)


@dataclass(frozen=True)
class Clustered:
    """Clusters, and where each failure went."""

    clusters: tuple[Cluster, ...]
    """Those that hit the most tests first."""
    of: tuple[str, ...]
    """Of each failure, in the order given, its cluster's id."""

    @property
    def of_test(self) -> dict[str, str]:
        """Of each test its cluster; of one in several that which comes first."""
        found: dict[str, str] = {}
        for cluster in self.clusters:
            for test in cluster.tests:
                found.setdefault(test, cluster.id)
        return found


def cluster(
    failures: Iterable[Failing],
    rules: Sequence[Rule] = (),
    first_seen: Mapping[str, Moment] | None = None,
) -> Clustered:
    """Put failures of one cause together.

    Args:
        rules: which name, and so merge, what they match.
        first_seen: by fingerprint; a cluster was first seen when the first of its own was. It
            gives the id as well, so that one keeps its id when failures join it later.
    """
    given, seen = list(failures), first_seen or {}
    known = {(f.stage, f.op, f.message): f for f in given}  # many ops fail in the same words
    mark_of = {said: failing.mark for said, failing in known.items()}
    marks = [mark_of[f.stage, f.op, f.message] for f in given]
    by_mark: dict[str, list[int]] = defaultdict(list)
    for position, mark in enumerate(marks):
        by_mark[mark].append(position)
    distinct = sorted(by_mark, key=lambda m: (seen[m].at if m in seen else float("inf"), m))
    ruled = {m: rule_for(rules, *_texts(m, given[by_mark[m][0]])) for m in distinct}
    merged: dict[str, list[str]] = {}
    for mark in distinct:
        if rule := ruled[mark]:
            merged.setdefault(f"rule {rule.name}", []).append(mark)
    free = [mark for mark in distinct if ruled[mark] is None]
    for members in groups((parts(mark)[:2], parts(mark)[2]) for mark in free):
        merged[free[members[0]]] = [free[i] for i in members]
    clusters, home = [], {}
    for own in merged.values():
        positions = sorted(p for mark in own for p in by_mark[mark])
        one = _cluster(own, [given[p] for p in positions], ruled[own[0]], seen)
        clusters.append(one)
        home.update(dict.fromkeys(own, one.id))
    clusters.sort(key=lambda c: (-len(c.tests), -c.ops, c.name, c.id))
    return Clustered(tuple(clusters), tuple(home[mark] for mark in marks))


def _texts(mark: str, failing: Failing) -> tuple[str, str]:
    stage, op, text = parts(mark)
    return f"{stage} {op} {text}", f"{failing.stage} {failing.op} {failing.message}"


def _cluster(
    marks: Sequence[str],
    failures: Sequence[Failing],
    rule: Rule | None,
    seen: Mapping[str, Moment],
) -> Cluster:
    stage, op, text = parts(marks[0])
    own = f"{op}: {text}" if op and op not in text else text
    moments = [seen[mark] for mark in marks if mark in seen]
    example = min(failures, key=lambda f: (not f.command, bool(f.op), f.test, f.op_key))
    return Cluster(
        id=_digest(f"rule {rule.name}" if rule else marks[0]),
        name=rule.name if rule else own,
        stage=stage,
        op=op,
        tests=tuple(sorted({f.test for f in failures})),
        ops=len({(f.device, f.op_key or f.op) for f in failures if f.op}),
        models=tuple(sorted({f.model or f.test.partition("[")[0] for f in failures})),
        devices=tuple(sorted({f.device for f in failures})),
        fingerprints=tuple(marks),
        first_seen=min(moments, key=lambda m: (m.at, m.run), default=None),
        example=example.message[:EXAMPLE_LENGTH],
        command=example.command,
        issue=rule.issue if rule else "",
        owner=rule.owner if rule else "",
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:12]
