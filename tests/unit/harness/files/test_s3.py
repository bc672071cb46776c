# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A mirror at s3://, with a real S3 service (moto's server) on this machine, over real http."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from bringup import get_file
from bringup.harness.errors import FileError
from bringup.harness.files.fsspec_source import FsspecSource
from tests.s3_service import s3_service, variables_of

DATA = random.Random(9).randbytes(9 << 20)
"""More than one block."""
BUCKET = "models"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_service(BUCKET) as address:
        yield address


@pytest.fixture
def put(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    for name in ("DOCKER_CACHE_DIR", "DOCKER_CACHE_ROOT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        **variables_of(endpoint, tmp_path),
        "LOCAL_LF_CACHE": str(tmp_path / "cache"),
        "IRD_LF_CACHE": f"s3://{BUCKET}/test_files",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=endpoint)

    def put(key: str, data: bytes) -> None:
        client.put_object(Bucket=BUCKET, Key=f"test_files/{key}", Body=data)

    return put


def test_a_file_comes_from_the_bucket(put: Callable[..., None], tmp_path: Path) -> None:
    put("a/weights ü+%20.pt", DATA)
    put("a/empty", b"")
    path = get_file("a/weights ü+%20.pt")
    assert path == tmp_path / "cache/a/weights ü+%20.pt" and path.read_bytes() == DATA
    assert get_file("a/empty").read_bytes() == b""
    assert sorted(p.name for p in path.parent.iterdir()) == ["empty", "weights ü+%20.pt"]


def test_a_folder_comes_from_the_bucket(put: Callable[..., None], tmp_path: Path) -> None:
    for key, data in {"hf/": b"", "hf/c.json": b"{}", "hf/deep/w": b"w", "hfx": b"no"}.items():
        put(key, data)
    folder = get_file("hf")
    files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert files == {"c.json": b"{}", "deep/w": b"w"}


def test_what_is_not_in_the_bucket_is_said(put: Callable[..., None], tmp_path: Path) -> None:
    with pytest.raises(FileError, match="IRD_LF_CACHE: s3://models/test_files/none is not there"):
        get_file("none")
    assert not any(p.is_file() for p in (tmp_path / "cache").rglob("*"))


def test_a_hostile_bucket_puts_nothing_outside(put: Callable[..., None], tmp_path: Path) -> None:
    put("evil/../../../out", b"x")
    with pytest.raises(FileError, match=r"is refused: .* leads out of the cache"):
        get_file("evil")
    assert not any(p.name == "out" for p in tmp_path.rglob("*"))


def test_a_broken_download_goes_on_unless_the_object_changed(put: Callable[..., None]) -> None:
    put("big", DATA)
    source = FsspecSource(f"s3://{BUCKET}/test_files", "big", 10.0)
    with source.open(0, "") as first:
        head = next(first.chunks)
    with source.open(len(head), first.validator) as rest:
        assert rest.start == len(head) and head + b"".join(rest.chunks) == DATA
    put("big", DATA[::-1])
    with source.open(len(head), first.validator) as anew:
        assert anew.start == 0 and b"".join(anew.chunks) == DATA[::-1]


def test_an_object_that_changes_meanwhile_is_begun_anew(put: Callable[..., None]) -> None:
    put("changing", DATA)
    source = FsspecSource(f"s3://{BUCKET}/test_files", "changing", 10.0)
    with source.open(0, "") as answer:
        next(answer.chunks)
        put("changing", DATA[::-1])
        with pytest.raises(FileError):
            list(answer.chunks)
    assert get_file("changing").read_bytes() == DATA[::-1]


def test_a_service_that_hangs_is_given_up(
    put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kept: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    kept.append(silent.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(FileError, match=r"IRD_LF_CACHE: s3://models/.*; tried 4 times"):
            get_file("x", timeout_s=0.2)
        assert time.monotonic() - started < 15


def test_a_login_that_is_missing_is_said(
    put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    started = time.monotonic()
    with pytest.raises(FileError, match=r"s3://models/test_files/x: .*[Cc]redentials"):
        get_file("x")
    assert time.monotonic() - started < 10
