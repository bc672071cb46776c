# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Artifacts as pages: once per content, inside the run, and never believed."""

import base64
import re
import zlib
from pathlib import Path

import pytest

from bringup.harness.errors import HarnessError
from bringup.harness.records.schema import Artifact, Failure, Outcome, Stage
from bringup.reports.html.artifact_pages import page_name
from bringup.reports.html.artifact_pages import write_artifact_pages as write
from bringup.reports.model.run import Result
from bringup.reports.reporter import ArtifactChoice
from tests.unit.run_builder import keep, record, stages

MLIR = 'module @"</script><script>alert(1)</script>" {\n}\n'


def result(*artifacts: Artifact, good: bool = True) -> Result:
    outcome = Outcome.PASSED if good else Outcome.FAILED
    return Result(record(outcome=outcome, stages=stages(artifacts=artifacts)))


def text_of(page: Path) -> str:
    (data,) = re.findall(r'<script type="text/plain" id="data">(.*?)</script>', page.read_text())
    return zlib.decompress(base64.b64decode(data)).decode()


def pages(run_dir: Path) -> list[Path]:
    return sorted((run_dir / "ir").glob("*"))


def test_an_artifact_becomes_a_page_that_carries_it_whole(tmp_path: Path) -> None:
    artifact = keep(tmp_path, MLIR, "ttnn")
    written = write(tmp_path, [result(artifact)], ArtifactChoice.ALL)
    (page,) = pages(tmp_path)
    assert page.name == f"{artifact.sha256[:16]}-ttnn.html"
    assert written.links == {artifact.sha256: f"ir/{page.name}"}
    assert text_of(page) == MLIR
    assert "alert" not in page.read_text()


def test_one_content_is_one_page_however_often_it_is_named(tmp_path: Path) -> None:
    shared = keep(tmp_path, MLIR)
    write(tmp_path, [result(shared), result(shared, shared)], ArtifactChoice.ALL)
    assert len(pages(tmp_path)) == 1


def test_the_choice_decides_whose_artifacts_are_written(tmp_path: Path) -> None:
    fine, broken = keep(tmp_path, "fine"), keep(tmp_path, "broken")
    results = [result(fine), result(broken, good=False)]
    assert set(write(tmp_path, results, ArtifactChoice.ALL).links) == {
        fine.sha256,
        broken.sha256,
    }
    assert set(write(tmp_path, results, ArtifactChoice.FAILED).links) == {broken.sha256}
    assert not write(tmp_path, results, ArtifactChoice.NONE).links


def test_pages_of_an_earlier_build_do_not_stay(tmp_path: Path) -> None:
    write(tmp_path, [result(keep(tmp_path, MLIR))], ArtifactChoice.ALL)
    (tmp_path / "ir" / "somebody-elses.html").write_text("not ours")
    write(tmp_path, [], ArtifactChoice.ALL)
    assert [page.name for page in pages(tmp_path)] == ["somebody-elses.html"]


def test_a_diagnostic_is_an_artifact_too(tmp_path: Path) -> None:
    diagnostic = keep(tmp_path, "error: no", "diagnostic")
    failure = Failure(Stage.COMPILE, "JaxRuntimeError", "no", diagnostic)
    failed = Result(record(outcome=Outcome.FAILED, failure=failure))
    assert set(write(tmp_path, [failed], ArtifactChoice.FAILED).links) == {diagnostic.sha256}


@pytest.mark.parametrize("level", ["../../etc/passwd", "a/b", "", "x" * 300, "\x00<>", "..", "é"])
def test_a_level_never_leads_out_of_the_folder(tmp_path: Path, level: str) -> None:
    artifact = keep(tmp_path, MLIR, level)
    write(tmp_path, [result(artifact)], ArtifactChoice.ALL)
    (page,) = pages(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{16}-[A-Za-z0-9_.]{1,40}\.html", page.name)
    assert page.name == page_name(artifact)


@pytest.mark.parametrize("digest", ["../../../../etc/passwd", "", "A" * 64, "0" * 64])
def test_an_artifact_that_is_not_there_is_a_loss_and_no_stop(tmp_path: Path, digest: str) -> None:
    there = keep(tmp_path, MLIR)
    written = write(tmp_path, [result(Artifact("x", digest, 5), there)], ArtifactChoice.ALL)
    assert set(written.links) == {there.sha256}
    assert len(written.losses) == 1


def test_an_artifact_that_was_changed_is_not_shown(tmp_path: Path) -> None:
    artifact, other = keep(tmp_path, MLIR), keep(tmp_path, "other")
    artifacts = tmp_path / "blobs"
    (artifacts / artifact.sha256[:2] / f"{artifact.sha256}.zst").write_bytes(
        (artifacts / other.sha256[:2] / f"{other.sha256}.zst").read_bytes()
    )
    written = write(tmp_path, [result(artifact)], ArtifactChoice.ALL)
    assert not written.links
    assert "does not match its name" in written.losses[0]


def test_an_artifact_too_long_for_a_browser_is_left_where_it_is(tmp_path: Path) -> None:
    huge = Artifact("ttnn", "0" * 64, 1 << 40)
    written = write(tmp_path, [result(huge)], ArtifactChoice.ALL)
    assert f"blobs/00/{'0' * 64}.zst" in written.losses[0]


def test_a_folder_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run" / "ir").symlink_to(tmp_path / "elsewhere")
    artifact = keep(tmp_path / "run", MLIR)
    with pytest.raises(HarnessError, match="is a link"):
        write(tmp_path / "run", [result(artifact)], ArtifactChoice.ALL)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_page_is_the_same_when_built_again(tmp_path: Path) -> None:
    results = [result(keep(tmp_path, MLIR))]
    write(tmp_path, results, ArtifactChoice.ALL)
    (page,) = pages(tmp_path)
    first = page.read_bytes()
    write(tmp_path, results, ArtifactChoice.ALL)
    assert page.read_bytes() == first
