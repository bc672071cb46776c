# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""IR of the last good night, taken into a run's own directory so that the two can be compared.

Runs are pruned, and a page must be built again from its directory alone. So the texts of what is
newly bad are copied, once per content, while the earlier run is still there.
"""

from collections.abc import Iterator
from pathlib import Path

from bringup.harness.errors import RecordError
from bringup.harness.records.blobs import BlobStore
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
    if not told:
        return ()
    store, tonight = BlobStore(run_dir), _by_key(run_dir)
    room, found = MOST_BYTES, []
    for test, before in _with_before(run_dir.parent, told[:MOST_TESTS]):
        place = before[0]
        for artifact in _differing(before[1], tonight.get(test.test)):
            if artifact.size > room:
                continue
            try:
                kept = store.put(BlobStore(place).get(artifact), artifact.level)
            except RecordError:
                continue
            room -= artifact.size
            found.append(EarlierText(test.test, place.name, kept))
    return tuple(found)


def _with_before(
    results: Path, told: list[TestVerdict]
) -> Iterator[tuple[TestVerdict, tuple[Path, TestRecord]]]:
    """Each test with its last good run's directory and its record there, if it is there."""
    known: dict[str, dict[str, TestRecord]] = {}
    for test in told:
        assert test.last_good is not None
        run = test.last_good.run
        if run not in known:  # an id out of a history is no path
            known[run] = _readable(results / run) if Path(run).name == run else {}
        if test.test in known[run]:
            yield test, (results / run, known[run][test.test])


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
