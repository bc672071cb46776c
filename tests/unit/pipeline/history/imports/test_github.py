# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Artifacts over real http: two servers on this machine, one the API and one its storage."""

import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.imports import github
from bringup.pipeline.history.imports.github import fetch_artifacts
from tests.unit.file_server import FileServer, declared, in_turn, status, whole

LIST = "/repos/o/n/actions/runs/7/artifacts"


def zipped(**files: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FileServer, FileServer]]:
    api, storage = FileServer(), FileServer()
    monkeypatch.setenv("GITHUB_API_URL", api.address)
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.delenv("GH_TOKEN", raising=False)
    monkeypatch.setattr(github.time, "sleep", lambda _: None)
    yield api, storage
    api.shutdown()
    storage.shutdown()


def serve(servers: tuple[FileServer, FileServer], *archives: bytes, **fields: object) -> None:
    api, storage = servers
    listed = []
    for i, data in enumerate(archives):
        listed.append(
            {
                "id": i,
                "name": f"shard {i}",
                "archive_download_url": f"{api.address}/zip/{i}",
                "expired": False,
                **fields,
            }
        )
        api.paths[f"/zip/{i}"] = status(302, Location=f"{storage.address}/blob/{i}")
        storage.paths[f"/blob/{i}"] = whole(data)
    page = msgspec.json.encode({"total_count": len(listed), "artifacts": listed})
    api.paths[LIST] = whole(page)


def test_artifacts_of_a_run_come_each_into_a_folder(
    servers: tuple[FileServer, FileServer], tmp_path: Path
) -> None:
    serve(servers, zipped(**{"junit.xml": b"<a/>", "deep/b.txt": b"b"}), zipped(c=b"c"))
    folders, said = fetch_artifacts("o/n", 7, tmp_path / "into")
    assert said == []
    found = {p.relative_to(tmp_path / "into").as_posix() for p in (tmp_path / "into").rglob("*.*")}
    assert {"0-shard_0/junit.xml", "0-shard_0/deep/b.txt"} <= found and len(folders) == 2
    assert (folders[1] / "c").read_bytes() == b"c"


def test_the_token_goes_to_the_api_alone(
    servers: tuple[FileServer, FileServer], tmp_path: Path
) -> None:
    serve(servers, zipped(a=b"a"))
    fetch_artifacts("o/n", 7, tmp_path)
    api, storage = servers
    assert [headers.get("Authorization") for _, headers in api.requests] == ["Bearer secret"] * 2
    assert [headers.get("Authorization") for _, headers in storage.requests] == [None]


def test_a_list_of_many_pages_is_read_whole(
    servers: tuple[FileServer, FileServer], tmp_path: Path
) -> None:
    serve(servers, zipped(a=b"a"), zipped(b=b"b"))
    api, _ = servers
    pages = [
        msgspec.json.encode(
            {
                "total_count": 2,
                "artifacts": [
                    {"id": i, "name": "x", "archive_download_url": f"{api.address}/zip/{i}"}
                ],
            }
        )
        for i in range(2)
    ]
    api.paths[LIST] = in_turn(*map(whole, pages))
    assert len(fetch_artifacts("o/n", 7, tmp_path)[0]) == 2
    asked = [path for path, _ in api.requests if path.startswith(LIST)]
    assert ["page=1" in asked[0], "page=2" in asked[1]] == [True, True]


def test_a_server_that_is_busy_is_asked_again(
    servers: tuple[FileServer, FileServer], tmp_path: Path
) -> None:
    serve(servers, zipped(a=b"a"))
    api, storage = servers
    api.paths[LIST] = in_turn(status(503), status(429, Retry_After="1"), api.paths[LIST])
    storage.paths["/blob/0"] = in_turn(status(500), storage.paths["/blob/0"])
    assert len(fetch_artifacts("o/n", 7, tmp_path)[0]) == 1


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (401, "the token is refused"),
        (403, "may read actions"),
        (404, "there is no such run"),
        (500, "status 500"),
    ],
)
def test_a_refusal_is_a_sentence(
    servers: tuple[FileServer, FileServer], tmp_path: Path, code: int, why: str
) -> None:
    servers[0].paths[LIST] = status(code)
    with pytest.raises(HistoryError, match=why) as refused:
        fetch_artifacts("o/n", 7, tmp_path)
    assert "secret" not in str(refused.value)


def test_what_has_expired_is_said(servers: tuple[FileServer, FileServer], tmp_path: Path) -> None:
    serve(servers, zipped(a=b"a"), expired=True)
    assert fetch_artifacts("o/n", 7, tmp_path) == (
        [],
        ["the artifact shard 0 has expired and is gone"],
    )


def linked(target: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, target)
    return data.getvalue()


HOSTILE = {
    "leads out": zipped(**{"../out": b"x"}),
    "leads far out": zipped(**{"a/../../../out": b"x"}),
    "absolute": zipped(**{"/tmp/out": b"x"}),
    "backslash": zipped(**{"..\\out": b"x"}),
    "a link": linked("/etc/passwd"),
    "not a zip": b"plain words",
    "cut": zipped(a=bytes(range(256)) * 100)[:-40],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(
    servers: tuple[FileServer, FileServer], tmp_path: Path, what: str
) -> None:
    serve(servers, HOSTILE[what])
    with pytest.raises(HistoryError):
        fetch_artifacts("o/n", 7, tmp_path / "deep" / "into")
    assert [p for p in tmp_path.rglob("*") if p.is_file() or p.is_symlink()] == []


def test_an_archive_that_unpacks_to_the_size_of_the_disk_is_refused(
    servers: tuple[FileServer, FileServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github, "LARGEST", 1 << 20)
    bomb = zipped(a=bytes(2 << 20))
    honest = bomb.index((2 << 20).to_bytes(4, "little"), bomb.index(b"PK\x01\x02"))
    liar = bomb[:honest] + (1000).to_bytes(4, "little") + bomb[honest + 4 :]
    for data in (bomb, liar):
        serve(servers, data)
        with pytest.raises(HistoryError):
            fetch_artifacts("o/n", 7, tmp_path)
        assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) < 2 << 20


def test_a_download_that_is_cut_short_is_refused(
    servers: tuple[FileServer, FileServer], tmp_path: Path
) -> None:
    serve(servers, zipped(a=b"a"))
    servers[1].paths["/blob/0"] = declared(zipped(a=b"a"), 5000)
    with pytest.raises(HistoryError, match="cut short"):
        fetch_artifacts("o/n", 7, tmp_path)


@pytest.mark.parametrize("repository", ["", "o", "../x", "o/n/more", "o/n?x=1"])
def test_what_is_no_repository_is_never_asked(repository: str, tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="is no OWNER/NAME"):
        fetch_artifacts(repository, 7, tmp_path)
