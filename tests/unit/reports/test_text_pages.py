# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Kept texts as pages: once per content, inside the run, and never believed."""

import base64
import re
import zlib
from pathlib import Path

import pytest

from bringup.harness.errors import HarnessError
from bringup.harness.records.schema import Artifact, Failure, Outcome, Stage
from bringup.reports.html.text_pages import Choice, page_name, write_pages
from bringup.reports.model.run import Result
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


def test_a_kept_text_becomes_a_page_that_carries_it_whole(tmp_path: Path) -> None:
    artifact = keep(tmp_path, MLIR, "ttnn")
    kept = write_pages(tmp_path, [result(artifact)], Choice.ALL)
    (page,) = pages(tmp_path)
    assert page.name == f"{artifact.sha256[:16]}-ttnn.html"
    assert kept.links == {artifact.sha256: f"ir/{page.name}"}
    assert text_of(page) == MLIR
    assert "alert" not in page.read_text()


def test_one_content_is_one_page_however_often_it_is_named(tmp_path: Path) -> None:
    shared = keep(tmp_path, MLIR)
    write_pages(tmp_path, [result(shared), result(shared, shared)], Choice.ALL)
    assert len(pages(tmp_path)) == 1


def test_the_choice_decides_whose_texts_are_written(tmp_path: Path) -> None:
    fine, broken = keep(tmp_path, "fine"), keep(tmp_path, "broken")
    results = [result(fine), result(broken, good=False)]
    assert set(write_pages(tmp_path, results, Choice.ALL).links) == {fine.sha256, broken.sha256}
    assert set(write_pages(tmp_path, results, Choice.FAILED).links) == {broken.sha256}
    assert not write_pages(tmp_path, results, Choice.NONE).links


def test_pages_of_an_earlier_build_do_not_stay(tmp_path: Path) -> None:
    write_pages(tmp_path, [result(keep(tmp_path, MLIR))], Choice.ALL)
    (tmp_path / "ir" / "somebody-elses.html").write_text("not ours")
    write_pages(tmp_path, [], Choice.ALL)
    assert [page.name for page in pages(tmp_path)] == ["somebody-elses.html"]


def test_a_diagnostic_is_a_kept_text_too(tmp_path: Path) -> None:
    diagnostic = keep(tmp_path, "error: no", "diagnostic")
    failure = Failure(Stage.COMPILE, "JaxRuntimeError", "no", diagnostic)
    failed = Result(record(outcome=Outcome.FAILED, failure=failure))
    assert set(write_pages(tmp_path, [failed], Choice.FAILED).links) == {diagnostic.sha256}


@pytest.mark.parametrize("level", ["../../etc/passwd", "a/b", "", "x" * 300, "\x00<>", "..", "é"])
def test_a_level_never_leads_out_of_the_folder(tmp_path: Path, level: str) -> None:
    artifact = keep(tmp_path, MLIR, level)
    write_pages(tmp_path, [result(artifact)], Choice.ALL)
    (page,) = pages(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{16}-[A-Za-z0-9_.]{1,40}\.html", page.name)
    assert page.name == page_name(artifact)


@pytest.mark.parametrize("digest", ["../../../../etc/passwd", "", "A" * 64, "0" * 64])
def test_a_text_that_is_not_there_is_a_loss_and_not_a_stop(tmp_path: Path, digest: str) -> None:
    there = keep(tmp_path, MLIR)
    kept = write_pages(tmp_path, [result(Artifact("x", digest, 5), there)], Choice.ALL)
    assert set(kept.links) == {there.sha256}
    assert len(kept.losses) == 1


def test_a_text_that_was_changed_is_not_shown(tmp_path: Path) -> None:
    artifact, other = keep(tmp_path, MLIR), keep(tmp_path, "other")
    blobs = tmp_path / "blobs"
    (blobs / artifact.sha256[:2] / f"{artifact.sha256}.zst").write_bytes(
        (blobs / other.sha256[:2] / f"{other.sha256}.zst").read_bytes()
    )
    kept = write_pages(tmp_path, [result(artifact)], Choice.ALL)
    assert not kept.links
    assert "does not match its name" in kept.losses[0]


def test_a_text_too_long_for_a_browser_is_left_where_it_is(tmp_path: Path) -> None:
    huge = Artifact("ttnn", "0" * 64, 1 << 40)
    kept = write_pages(tmp_path, [result(huge)], Choice.ALL)
    assert f"blobs/00/{'0' * 64}.zst" in kept.losses[0]


def test_a_folder_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run" / "ir").symlink_to(tmp_path / "elsewhere")
    artifact = keep(tmp_path / "run", MLIR)
    with pytest.raises(HarnessError, match="is a link"):
        write_pages(tmp_path / "run", [result(artifact)], Choice.ALL)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_page_is_the_same_when_built_again(tmp_path: Path) -> None:
    results = [result(keep(tmp_path, MLIR))]
    write_pages(tmp_path, results, Choice.ALL)
    (page,) = pages(tmp_path)
    first = page.read_bytes()
    write_pages(tmp_path, results, Choice.ALL)
    assert page.read_bytes() == first
