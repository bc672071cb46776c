# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Artifacts (IR levels, diagnostics) as pages that a browser opens from a folder: `ir/*.html`.

Artifacts are zstd, which browsers do not read from files. On a real ResNet-50's levels a plain copy
took 10.5 times their space; a page that carries the text deflated takes 1.5 times and shows
line numbers, so that is what is written, once per content.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from bringup.harness.errors import RecordError
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.outcomes import is_good
from bringup.harness.records.schema import Artifact
from bringup.harness.storage.atomic import cannot_write, write_atomically
from bringup.reports.beside import Beside, ProcessEnded, is_worth_it
from bringup.reports.folder import folder_of, remove_others
from bringup.reports.html.environment import asset, environment, packed, policy
from bringup.reports.model.ops import ModelOps
from bringup.reports.model.run import Result
from bringup.reports.model.texts import page_name
from bringup.reports.reporter import ArtifactChoice
from bringup.reports.text.numbers import size_text

FOLDER = "ir"
_LARGEST = 256 << 20
"""Bytes: beyond this no browser scrolls any more."""
_OURS = re.compile(r"[0-9a-f]{16}-[A-Za-z0-9_.]{1,40}\.html")


@dataclass(frozen=True)
class ArtifactPages:
    """Where each artifact can be read."""

    links: Mapping[str, str]
    """sha256 to an address relative to the run directory."""
    losses: tuple[str, ...] = ()
    """Sentences: artifacts that records name and the store does not have."""


def write_artifact_pages(
    run_dir: Path,
    results: Sequence[Result],
    choice: ArtifactChoice,
    of_ops: Sequence[Artifact] = (),
) -> ArtifactPages:
    """Write a page per distinct artifact and remove pages of earlier builds.

    `of_ops` are the artifacts of ops, which follow those of the results unless none are wanted.

    Raises:
        RecordError: the disk is full or gone.
        ReportError: the folder is a link to somewhere else.
    """
    folder = folder_of(run_dir, FOLDER)
    chosen: dict[str, Artifact] = {}
    for artifact in _chosen(results, choice, of_ops):  # two levels may have one text
        chosen.setdefault(artifact.sha256, artifact)
    lost = _written(run_dir, folder, [*chosen.values()])
    links = {
        digest: f"{FOLDER}/{page_name(artifact)}"
        for digest, artifact in chosen.items()
        if digest not in lost
    }
    # last: where writing fails, what an earlier build's pages link to is still there
    remove_others(folder, _OURS.fullmatch, {Path(link).name for link in links.values()})
    return ArtifactPages(links, tuple(lost[digest] for digest in chosen if digest in lost))


def _written(run_dir: Path, folder: Path, artifacts: Sequence[Artifact]) -> dict[str, str]:
    """Write the pages, half of very many by another process; sentences by digest of what is lost.

    Raises:
        RecordError: the disk is full or gone.
    """
    store = ArtifactStore(run_dir)
    if not is_worth_it(len(artifacts)):
        return _write(store, folder, artifacts)
    half, rest = artifacts[::2], artifacts[1::2]
    beside = Beside(lambda: _write(store, folder, rest))
    try:
        lost = _write(store, folder, half)
    except BaseException:
        beside.give_up()
        raise
    try:
        return lost | beside.result()
    except ProcessEnded:
        return lost | _write(store, folder, rest)


def _write(store: ArtifactStore, folder: Path, artifacts: Iterable[Artifact]) -> dict[str, str]:
    lost = {}
    for artifact in artifacts:
        try:
            content = _content(store, artifact)
        except RecordError as error:
            lost[artifact.sha256] = str(error)
            continue
        page = render_page(artifact, content).encode()
        path = f"{folder}/{page_name(artifact)}"
        try:  # of a name that nobody has: a hundred thousand neighbours to rename take their time
            with open(path, "xb") as file:  # noqa: PTH123
                file.write(page)
        except (FileExistsError, FileNotFoundError):  # which makes the folder, too
            write_atomically(Path(path), page, sync=False)
        except OSError as error:
            raise cannot_write(path, error) from error
    return lost


def render_page(artifact: Artifact, content: bytes) -> str:
    """One artifact as a page of its own."""
    style, script = asset("artifact.css"), asset("artifact.js")
    return (
        environment()
        .get_template("artifact.html.j2")
        .render(
            artifact=artifact,
            size=size_text(len(content)),
            data=Markup(packed(content)),  # base64: nothing to be escaped
            style=style,
            script=script,
            policy=policy(style, script),
        )
    )


def artifacts_of_ops(
    models: Iterable[ModelOps], run_dir: Path, *, good: bool = False
) -> list[Artifact]:
    """The artifacts that a reader of failures needs: those of ops that are not good.

    With `good` those of good ops too, where the run keeps them: nobody misses the others.
    """
    found: list[Artifact] = []
    is_kept = functools.cache(ArtifactStore(run_dir).has)
    for model in models:
        for result in model.ops:
            verdict = result.verdict
            own = [a for stage in verdict.stages for a in stage.artifacts]
            if is_good(result):
                found += [a for a in own if is_kept(a)] if good else []
                continue
            found += own
            if verdict.failure and verdict.failure.diagnostic:
                found.append(verdict.failure.diagnostic)
    return found


def _chosen(
    results: Sequence[Result], choice: ArtifactChoice, of_ops: Sequence[Artifact]
) -> Iterator[Artifact]:
    if choice is ArtifactChoice.NONE:
        return
    for result in results:
        if choice is ArtifactChoice.ALL or not result.good:
            yield from _artifacts_of(result)
    yield from of_ops


def _artifacts_of(result: Result) -> Iterator[Artifact]:
    """Every artifact of the last attempt, in order."""
    for stage in result.record.stages:
        yield from stage.artifacts
    if result.record.failure and result.record.failure.diagnostic:
        yield result.record.failure.diagnostic


def _content(store: ArtifactStore, artifact: Artifact) -> bytes:
    if artifact.size > _LARGEST:
        raise RecordError(
            f"the kept {artifact.level} text is {size_text(artifact.size)}, too long for a page: "
            f"read blobs/{artifact.sha256[:2]}/{artifact.sha256}.zst"
        )
    return store.get(artifact)
