# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Kept texts (IR levels, diagnostics) as pages that a browser opens from a folder.

Blobs are zstd, which browsers do not read from files. On a real ResNet-50's levels a plain copy
took 10.5 times the blobs' space; a page that carries the text deflated takes 1.5 times and shows
line numbers, so that is what is written, once per content.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bringup.harness.errors import RecordError
from bringup.harness.records.blobs import BlobStore
from bringup.harness.records.schema import Artifact
from bringup.harness.storage.atomic import write_atomically
from bringup.reports.folder import folder_of, remove_others
from bringup.reports.html.environment import asset, environment, packed, policy
from bringup.reports.model.run import Result
from bringup.reports.words.figures import size_text

FOLDER = "ir"
_LARGEST = 256 << 20
"""Bytes: beyond this no browser scrolls any more."""
_OURS = re.compile(r"[0-9a-f]{16}-[A-Za-z0-9_.]{1,40}\.html")


class Choice(StrEnum):
    """Whose kept texts become pages."""

    ALL = "all"
    FAILED = "failed"
    NONE = "none"


@dataclass(frozen=True)
class KeptTexts:
    """Where each kept text can be read."""

    links: Mapping[str, str]
    """sha256 to an address relative to the run directory."""
    losses: tuple[str, ...] = ()
    """Sentences: texts that records name and the store does not have."""


def artifacts_of(result: Result) -> Iterator[Artifact]:
    """Every text that the last attempt kept, in order."""
    for stage in result.record.stages:
        yield from stage.artifacts
    if result.record.failure and result.record.failure.diagnostic:
        yield result.record.failure.diagnostic


def write_pages(
    run_dir: Path,
    results: Sequence[Result],
    choice: Choice,
    of_ops: Sequence[Artifact] = (),
) -> KeptTexts:
    """Write a page per distinct kept text and remove pages of earlier builds.

    `of_ops` are the texts of ops, which follow those of the results unless none are wanted.

    Raises:
        RecordError: the disk is full or gone.
        ReportError: the folder is a link to somewhere else.
    """
    folder = folder_of(run_dir, FOLDER)
    store, links, losses = BlobStore(run_dir), {}, {}
    for artifact in _chosen(results, choice, of_ops):
        if artifact.sha256 in links or artifact.sha256 in losses:
            continue
        try:
            text = _text(store, artifact)
        except RecordError as error:
            losses[artifact.sha256] = str(error)
            continue
        name = page_name(artifact)
        write_atomically(folder / name, render_page(artifact, text).encode(), sync=False)
        links[artifact.sha256] = f"{FOLDER}/{name}"
    remove_others(folder, _OURS.fullmatch, {Path(link).name for link in links.values()})
    return KeptTexts(links, tuple(losses.values()))


def page_name(artifact: Artifact) -> str:
    """A file name made of safe characters only, whatever the record says."""
    level = re.sub(r"[^A-Za-z0-9_.]", "_", artifact.level)[:40] or "text"
    return f"{artifact.sha256[:16]}-{level}.html"


def render_page(artifact: Artifact, text: bytes) -> str:
    """One kept text as a page of its own."""
    style, script = asset("text.css"), asset("text.js")
    return (
        environment()
        .get_template("text.html.j2")
        .render(
            artifact=artifact,
            size=size_text(len(text)),
            data=packed(text),
            style=style,
            script=script,
            policy=policy(style, script),
        )
    )


def _chosen(
    results: Sequence[Result], choice: Choice, of_ops: Sequence[Artifact]
) -> Iterator[Artifact]:
    if choice is Choice.NONE:
        return
    for result in results:
        if choice is Choice.ALL or not result.good:
            yield from artifacts_of(result)
    yield from of_ops


def _text(store: BlobStore, artifact: Artifact) -> bytes:
    if artifact.size > _LARGEST:
        raise RecordError(
            f"the kept {artifact.level} text is {size_text(artifact.size)}, too long for a page: "
            f"read blobs/{artifact.sha256[:2]}/{artifact.sha256}.zst"
        )
    return store.get(artifact)
