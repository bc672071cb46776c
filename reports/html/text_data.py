# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Kept IR of two nights in the page itself, so that a browser can lay them side by side.

A page of a folder may not read the file beside it. What does not fit has a page of its own for
each of the two.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from bringup.harness.errors import RecordError
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.schema import Artifact
from bringup.reports.html.environment import packed
from bringup.reports.model.run import RunSummary
from bringup.reports.text.untrusted import clean

MOST = 600_000
"""Characters of packed texts in a page."""
_LARGEST = 2 << 20
"""Bytes of a text: two of them are aligned in the time of a blink."""

Pair = tuple[str, str, str, str, str, str, str]
"""Test, level, the earlier run; the names of both texts' blocks, empty where they are not in the
page; the addresses of both texts' pages, empty where they have none."""


def compared_texts(
    run: RunSummary, links: Mapping[str, str], folder: Path | None
) -> tuple[list[Pair], dict[str, str]]:
    """Pairs of texts of one level, and the blocks of those that are in the page, by name."""
    if run.trends is None or folder is None:
        return [], {}
    store, blocks = ArtifactStore(folder), dict[str, str]()
    pairs: list[Pair] = []
    for test, earlier, before, now in _pairs(run):
        both = {text.sha256[:16]: text for text in (before, now)}
        new = _blocks({name: t for name, t in both.items() if name not in blocks}, store)
        fits = new is not None and sum(map(len, (*blocks.values(), *new.values()))) <= MOST
        if new is not None and fits:
            blocks |= new
        names = (before.sha256[:16], now.sha256[:16]) if fits else ("", "")
        addresses = (links.get(before.sha256, ""), links.get(now.sha256, ""))
        pairs.append((test, clean(before.level), clean(earlier), *names, *addresses))
    return pairs, blocks


def _pairs(run: RunSummary) -> Iterator[tuple[str, str, Artifact, Artifact]]:
    """Test, earlier run, and the texts of one level of then and of tonight."""
    assert run.trends is not None
    here = {
        (result.identity.planned.key, text.level): text
        for result in run.results
        for stage in result.record.stages
        for text in stage.artifacts
    }
    for one in run.trends.earlier:
        now = here.get((one.test, one.artifact.level))
        if now is not None:
            yield one.test, one.run, one.artifact, now


def _blocks(texts: Mapping[str, Artifact], store: ArtifactStore) -> dict[str, str] | None:
    """None where one of them is too large, or cannot be read."""
    if any(text.size > _LARGEST for text in texts.values()):
        return None
    try:
        return {name: packed(store.get(text)) for name, text in texts.items()}
    except RecordError:
        return None
