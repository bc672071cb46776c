# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""IR of the last good night, taken into a run's own directory so that the two can be compared.

Runs are pruned, and a page must be built again from its directory alone. So the texts of what is
newly bad are copied, once per content, while the earlier run is still there.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bringup.harness.errors import RecordError
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.night import NEW_FAILURES, NightVerdict, TestVerdict
from bringup.harness.records.outcomes import latest
from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import Artifact, TestRecord
from bringup.harness.records.trends import EarlierText

MOST_TESTS = 40
MOST_BYTES = 64 << 20
"""Of texts before they are packed: some 5 MB on disk."""


def earlier_texts(run_dir: Path, verdict: NightVerdict) -> tuple[EarlierText, ...]:
    """Of new failures, the texts of their last good night that tonight has too, level by level.

    What an earlier run no longer has, or cannot be read, is left out.

    Raises:
        RecordError: tonight's records cannot be read, or the disk is full.
    """
    told = [t for t in verdict.tests if t.judgement in NEW_FAILURES and t.last_good is not None]
    return _taken(run_dir, _with_before(run_dir.parent, told)) if told else ()


def texts_of_run(run_dir: Path, other: Path, first: Sequence[str]) -> tuple[EarlierText, ...]:
    """The texts of `other` that `run_dir` has too, with another content.

    Tests in `first`, by key, come before the rest. A run that is not there has none.

    Raises:
        RecordError: the records of `run_dir` cannot be read, or the disk is full.
    """
    before = _readable(other)
    keys = [key for key in dict.fromkeys((*first, *sorted(before))) if key in before]
    return _taken(run_dir, ((key, other, before[key]) for key in keys)) if keys else ()


def _taken(
    run_dir: Path, before: Iterable[tuple[str, Path, TestRecord]]
) -> tuple[EarlierText, ...]:
    """Copies what differs into the run directory: of so many tests, while there is room."""
    store, tonight = ArtifactStore(run_dir), _by_key(run_dir)
    room, found, tests = MOST_BYTES, list[EarlierText](), set[str]()
    for test, place, record in before:
        if len(tests) == MOST_TESTS:
            break
        for artifact in _differing(record, tonight.get(test)):
            if artifact.size > room:
                continue
            try:
                kept = store.put(ArtifactStore(place).get(artifact), artifact.level)
            except RecordError:
                continue
            room -= artifact.size
            found.append(EarlierText(test, place.name, kept))
            tests.add(test)
    return tuple(found)


def _with_before(results: Path, told: list[TestVerdict]) -> Iterator[tuple[str, Path, TestRecord]]:
    """Each test with its last good run's directory and its record there, if it is there."""
    known: dict[str, dict[str, TestRecord]] = {}
    for test in told:
        assert test.last_good is not None
        run = test.last_good.run
        if run not in known:  # an id out of a history is no path
            known[run] = _readable(results / run) if Path(run).name == run else {}
        if test.test in known[run]:
            yield test.test, results / run, known[run][test.test]


def _readable(run_dir: Path) -> dict[str, TestRecord]:
    if not run_dir.is_dir() or run_dir.is_symlink():
        return {}
    try:
        return _by_key(run_dir)
    except RecordError:
        return {}


def _by_key(run_dir: Path) -> dict[str, TestRecord]:
    return {record.identity.key: record for record in latest(read_merged(run_dir)[1])}


def _differing(before: TestRecord, now: TestRecord | None) -> Iterator[Artifact]:
    """Of the earlier record, the texts whose level tonight has with another content."""
    if now is None:
        return
    here = {text.level: text.sha256 for stage in now.stages for text in stage.artifacts}
    for stage in before.stages:
        for text in stage.artifacts:
            if here.get(text.level, text.sha256) != text.sha256:
                yield text
