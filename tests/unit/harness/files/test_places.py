# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where `get_file` looks, in which order, and what it refuses."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
import pytest

from bringup import get_file
from bringup.harness.errors import FileError, UsageError
from bringup.harness.recording.failures import outcome_of
from bringup.harness.records.schema import Outcome
from tests.unit.file_server import FileServer, ranged, status, whole
from tests.unit.other_user import ALICE, BOB, as_user, folder_for_all, needs_two_users

PATH = "test_files/pytorch/yolov10/yolo.pt"
BUCKET = "models/tt-ci-models-private"


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Other users of the machine are at work in it."""
    yield from folder_for_all()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DOCKER_CACHE_DIR", "DOCKER_CACHE_ROOT", "IRD_LF_CACHE", "LOCAL_LF_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def server(home: Path) -> Iterator[FileServer]:
    server = FileServer()
    yield server
    server.shutdown()
    server.server_close()


def put(root: Path, path: str = PATH, text: str = "") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text or str(root))
    return file


def test_places_have_the_order_of_the_page(
    home: Path, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.paths[f"/{PATH}"] = whole(b"mirror")
    monkeypatch.setenv("IRD_LF_CACHE", server.address + "/")
    assert get_file(PATH) == home / ".cache/lfcache" / PATH
    assert get_file(PATH).read_text() == "mirror" and len(server.requests) == 1
    monkeypatch.setenv("LOCAL_LF_CACHE", str(tmp_path / "local"))
    assert get_file(PATH) == tmp_path / "local" / PATH and len(server.requests) == 2
    monkeypatch.setenv("DOCKER_CACHE_ROOT", str(tmp_path / "root"))
    assert get_file(PATH) == tmp_path / "local" / PATH, "where CI has none"
    file = put(tmp_path / "root")
    assert get_file(PATH) == file
    file = put(tmp_path / "root" / BUCKET)
    assert get_file(PATH) == file
    monkeypatch.setenv("DOCKER_CACHE_DIR", str(tmp_path / "dir"))
    file = put(tmp_path / "dir")
    assert get_file(PATH) == file and len(server.requests) == 2


def test_a_file_that_is_nowhere_says_where_it_was_looked_for(
    home: Path, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CACHE_DIR", str(tmp_path / "dir"))
    with pytest.raises(FileError) as caught:
        get_file(PATH)
    assert str(caught.value) == (
        f"'{PATH}' cannot be had: DOCKER_CACHE_DIR ({tmp_path}/dir) has none, and follows the "
        f"bucket within the hour; local cache ({home}/.cache/lfcache) has none; IRD_LF_CACHE is "
        f"not set; set it to the mirror's address, or put the file at {home}/.cache/lfcache/{PATH}"
    )
    assert outcome_of(caught.value) is Outcome.INFRA
    monkeypatch.setenv("IRD_LF_CACHE", server.address)
    with pytest.raises(FileError, match=r"IRD_LF_CACHE: http://.*/yolo\.pt answers 404 Not Found$"):
        get_file(PATH)


def test_a_path_may_be_put_into_the_local_cache_by_hand(home: Path) -> None:
    file = put(home / ".cache/lfcache", "mine/a b.pt")
    for path in ("mine/a b.pt", "./mine//a b.pt", PurePosixPath("mine/a b.pt")):
        assert get_file(path) == file
    assert get_file("mine") == file.parent


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("s3://bucket/x.pt", "is an S3 address: the bucket is reached only by the mirror"),
        ("S3A://bucket/x.pt", "is an S3 address"),
        (PurePosixPath("s3://bucket/x.pt"), "is an S3 address"),
        ("https://bucket.s3.us-west-2.amazonaws.com/x.pt", "is an S3 address"),
        ("https://s3.amazonaws.com/bucket/x.pt", "is an S3 address"),
        ("http://bucket.s3-eu-west-1.amazonaws.com/x", "is an S3 address"),
        ("file:///etc/passwd", "neither a path in the bucket nor an http"),
        ("memory://x", "neither a path"),
        ("https:/x.org/a", "neither a path"),
        ("http://", "names no server"),
        ("http://[::1/x", "no http"),
        ("http://h:port/x", "no http"),
        ("/etc/passwd", "is absolute"),
        ("../x.pt", r"leads out of the cache by '\.\.'"),
        ("a/../../x.pt", "leads out"),
        ("", "names no file"),
        ("./", "names no file"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
        ("a\x1b[2Jb", "control character"),
        ("a\udce4b", "UTF-8"),
        ("x" * 256, "more than 255 bytes"),
        ("a/.bringup-part-0123", "keeps for itself"),
    ],
)
def test_what_is_not_served_is_refused_in_a_sentence(home: Path, path: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        get_file(path)
    assert str(caught.value).isprintable()
    assert not home.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("sha256", "12"), ("limit", 0), ("timeout_s", -1.0), ("timeout_s", float("nan"))),
        *(("sha256", b"0" * 64), ("limit", "5"), ("limit", True), ("timeout_s", "3")),
    ],
)
def test_a_wrong_option_is_refused_by_name(home: Path, option: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"{option}="):
        get_file(PATH, **{option: value})


@pytest.mark.parametrize("path", [None, 5, b"x.pt"])
def test_what_is_no_path_is_refused(home: Path, path: Any) -> None:
    with pytest.raises(UsageError, match="is neither text nor a path"):
        get_file(path)


@pytest.mark.parametrize("mirror", ["nonsense://x", "http://", "s3:///"])
def test_a_wrong_mirror_is_named(home: Path, monkeypatch: pytest.MonkeyPatch, mirror: str) -> None:
    monkeypatch.setenv("IRD_LF_CACHE", mirror)
    with pytest.raises((UsageError, FileError)) as caught:
        get_file(PATH)
    assert str(caught.value).isprintable() and "IRD_LF_CACHE" in str(caught.value)


@pytest.mark.parametrize("name", ["a b.pt", "ü/ñ.pt", "100%25.pt", "q?x#y.pt", "a;b=c&d.pt", "[1]"])
def test_odd_names_reach_the_mirror(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    put(tmp_path / "mirror", name, "content")
    for mirror in (server.address, f"file://{tmp_path}/mirror", f"{tmp_path}/mirror"):
        monkeypatch.setenv(
            "LOCAL_LF_CACHE", str(tmp_path / hashlib.md5(mirror.encode()).hexdigest())
        )
        monkeypatch.setenv("IRD_LF_CACHE", mirror)
        server.paths = {f"/{name}": whole(b"content")}
        assert get_file(name).read_text() == "content"


def test_a_mirror_without_a_scheme_is_http(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRD_LF_CACHE", server.address.removeprefix("http://"))
    server.paths[f"/{PATH}"] = ranged(b"content", cut=3)
    assert get_file(PATH).read_text() == "content"


def test_an_http_mirrors_listing_is_not_taken_for_a_file(
    server: FileServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRD_LF_CACHE", server.address)
    server.paths = {"/dir": status(301, Location="/dir/"), "/dir/": whole(b"<html>")}
    with pytest.raises(FileError, match="is a folder, which http cannot list"):
        get_file("dir")
    assert [p for p in home.rglob("*") if p.is_file()] == []


def test_a_folder_comes_whole_from_a_mirror_that_lists(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRD_LF_CACHE", f"file://{tmp_path}/mirror")
    names = ["hf/config.json", "hf/deep/a.bin", "hf/deep/b.bin"]
    for name in names:
        put(tmp_path / "mirror", name, name)
    assert get_file("hf/config.json").read_text() == "hf/config.json"
    folder = get_file("hf/")
    assert folder == home / ".cache/lfcache/hf", "although one of its files was there already"
    assert [(folder.parent / n).read_text() for n in names] == names
    (tmp_path / "mirror").rename(tmp_path / "gone")
    assert get_file("hf") == folder, "it is known to be whole"
    with pytest.raises(UsageError, match="is a folder, which has no sha256"):
        get_file("hf", sha256="0" * 64)


def test_a_folder_that_broke_off_is_not_taken_for_whole(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRD_LF_CACHE", f"file://{tmp_path}/mirror")
    put(tmp_path / "mirror", "hf/a", "a" * 10)
    put(tmp_path / "mirror", "hf/b", "b" * 10)
    with pytest.raises(FileError, match="more than the limit of 15 B"):
        get_file("hf", limit=15)
    get_file("hf/a")
    (tmp_path / "mirror/hf/b").chmod(0)
    if os.geteuid():
        with pytest.raises(FileError, match="is refused to us"):
            get_file("hf")
        (tmp_path / "mirror/hf/b").chmod(0o644)
    assert sorted(p.name for p in get_file("hf").iterdir()) == ["a", "b"]


def test_a_folder_put_there_by_hand_is_used_beside_a_mirror_that_has_none(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mirror").mkdir()
    monkeypatch.setenv("IRD_LF_CACHE", str(tmp_path / "mirror"))
    put(home / ".cache/lfcache", "mine/a")
    assert get_file("mine") == home / ".cache/lfcache/mine"


def test_a_mirror_in_memory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec.filesystem("memory").pipe({"/bucket/a/b": b"bytes", "/bucket/a/c": b""})
    monkeypatch.setenv("IRD_LF_CACHE", "memory://bucket")
    assert get_file("a/b").read_bytes() == b"bytes"
    assert sorted(p.name for p in get_file("a").iterdir()) == ["b", "c"]


def test_a_file_of_another_content_is_passed_over(
    server: FileServer, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = hashlib.sha256(b"right").hexdigest()
    monkeypatch.setenv("DOCKER_CACHE_DIR", str(tmp_path / "ci"))
    wrong = put(tmp_path / "ci", PATH, "wrong")
    put(home / ".cache/lfcache", PATH, "wrong")
    with pytest.raises(FileError, match=f"{wrong} has another .*; local cache: .* another"):
        get_file(PATH, sha256=right)
    monkeypatch.setenv("IRD_LF_CACHE", server.address)
    server.paths[f"/{PATH}"] = whole(b"right")
    assert get_file(PATH, sha256=right).read_text() == "right" and wrong.read_text() == "wrong"


def test_a_pipe_in_a_cache_holds_nobody_up(home: Path) -> None:
    (home / ".cache/lfcache").mkdir(parents=True)
    os.mkfifo(home / ".cache/lfcache/pipe")
    with pytest.raises(FileError, match="is neither a file nor a folder"):
        get_file("pipe")


def test_links_of_ones_own_are_followed_to_read_and_never_to_write(
    server: FileServer, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = home / ".cache/lfcache"
    cache.mkdir(parents=True)
    (cache / "linked").symlink_to(put(tmp_path, "elsewhere", "content"))
    assert get_file("linked").read_text() == "content"
    (cache / "new").symlink_to(tmp_path / "nowhere")
    monkeypatch.setenv("IRD_LF_CACHE", server.address)
    server.paths["/new"] = whole(b"new")
    assert get_file("new").read_text() == "new" and not get_file("new").is_symlink()
    assert not (tmp_path / "nowhere").exists()


@needs_two_users
def test_another_users_link_in_a_shared_cache_is_not_followed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "shared"
    cache.mkdir()
    monkeypatch.setenv("LOCAL_LF_CACHE", str(cache))
    (cache / "trap").symlink_to(put(tmp_path, "secret"))
    os.chown(cache / "trap", BOB, BOB, follow_symlinks=False)
    with pytest.raises(FileError, match="is another user's link, which is not followed"):
        get_file("trap")


@needs_two_users
def test_a_read_only_shared_cache_is_read_and_what_is_new_is_kept_at_home(
    server: FileServer, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    old = put(shared, "old", "old")
    shared.chmod(0o555)
    home.mkdir()
    os.chown(home, ALICE, ALICE)
    monkeypatch.setenv("LOCAL_LF_CACHE", str(shared))
    monkeypatch.setenv("IRD_LF_CACHE", server.address)
    server.paths["/new"] = whole(b"new")
    assert as_user(ALICE, lambda: str(get_file("old"))) == str(old)
    for _ in range(2):
        assert as_user(ALICE, lambda: str(get_file("new"))) == f"{home}/.cache/lfcache/new"
    assert len(server.requests) == 1
    assert stat.S_IMODE((home / ".cache/lfcache/new").stat().st_mode) == 0o644
    refusal = as_user(BOB, lambda: str(get_file("new")))
    assert "LOCAL_LF_CACHE" in refusal and "cannot be written" in refusal


@needs_two_users
def test_users_share_a_cache_that_all_may_write(
    server: FileServer, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    monkeypatch.setenv("LOCAL_LF_CACHE", str(shared))
    monkeypatch.setenv("IRD_LF_CACHE", server.address)
    server.paths["/f"] = whole(b"new")
    assert as_user(ALICE, lambda: str(get_file("f"))) == str(shared / "f")
    assert as_user(BOB, lambda: get_file("f").read_text()) == "new"
    assert len(server.requests) == 1
