# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`get_file` against a server that fails, stalls, cuts short and lies."""

import base64
import hashlib
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bringup import get_file
from bringup.harness.errors import FileError, UsageError
from bringup.harness.files import download, search
from bringup.harness.files.download import Terms
from bringup.harness.files.http_source import HttpSource
from tests.unit.file_server import (
    LAST_CHANGE,
    Behaviour,
    FileServer,
    chunked,
    declared,
    in_turn,
    lengthless,
    packed,
    ranged,
    silent,
    stalling,
    status,
    tag_of,
    trickling,
    whole,
)

DATA = random.Random(9).randbytes(100_000)
OTHER = random.Random(8).randbytes(100_000)
SHA = hashlib.sha256(DATA).hexdigest()
Get = Callable[..., Path]


@pytest.fixture
def server() -> Iterator[FileServer]:
    server = FileServer()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DOCKER_CACHE_DIR", "DOCKER_CACHE_ROOT", "IRD_LF_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOCAL_LF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "cache"


@pytest.fixture
def get(server: FileServer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Get:
    """Fetch what the server does with `behaviour` at /f.pt, hardly pausing between tries."""
    real = download.download

    def hurried(source: HttpSource, target: Path, terms: Terms) -> Path:
        return real(source, target, Terms(terms.sha256, terms.limit, terms.timeout_s, 4, 0.01))

    monkeypatch.setattr(search, "download", hurried)

    def get(behaviour: Behaviour, name: str = "f.pt", **options: object) -> Path:
        server.paths[f"/{name}"] = behaviour
        return get_file(f"{server.address}/{name}", **options)  # type: ignore[arg-type]

    return get


def left(cache: Path) -> list[str]:
    return [p.name for p in cache.rglob("*") if p.is_file()]


@pytest.mark.parametrize(
    "behaviour",
    [
        whole(DATA),
        ranged(DATA),
        lengthless(DATA),
        chunked(DATA),
        packed(DATA),
        declared(DATA, "nonsense"),
        in_turn(declared(DATA[:500], len(DATA)), whole(DATA)),
        in_turn(declared(DATA, 500), whole(DATA)),
        in_turn(chunked(DATA[:5000], end=False), chunked(DATA)),
        in_turn(packed(DATA, cut=20), packed(DATA)),
        in_turn(status(503), status(500), status(429), whole(DATA)),
        in_turn(status(503, Retry_After="0"), whole(DATA)),
        ranged(DATA, cut=30_000),
        ranged(DATA, cut=30_000, tag='W/"weak"', Last_Modified=LAST_CHANGE),
    ],
    ids=lambda b: b.__qualname__.partition(".")[0],
)
def test_a_file_comes_whole(get: Get, cache: Path, behaviour: Behaviour) -> None:
    path = get(behaviour)
    assert path.read_bytes() == DATA and path.name.endswith("-f.pt")
    assert left(cache) == [path.name]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (declared(DATA[:500], len(DATA)), r"ended after 500 of 100000 B; tried \d times"),
        (declared(DATA, 500), r"sends more than the 500 B it declared; tried \d"),
        (chunked(DATA[:5000], end=False), r"tried \d times"),
        (packed(DATA, cut=20), r"gzip ends too early; tried \d times"),
        (whole(b"not gzip", Content_Encoding="gzip"), "incorrect header"),
        (whole(DATA, Content_Encoding="br"), "sends the encoding 'br', not the file itself"),
        (status(404), "answers 404 Not Found$"),
        (status(403), "answers 403 Forbidden$"),
        (status(503), r"answers 503 Service Unavailable; tried \d times"),
        (status(204), "answers 204, not with a file"),
        (status(302), "answers 302 Found"),
        (status(302, Location="file:///etc/passwd"), "answers 302 .*file:///etc/passwd"),
        (status(302, Location="ftp://127.0.0.1/f"), "redirects to a ftp address"),
        (status(302, Location="/f.pt"), "infinite loop"),
        (status(302, Location="http://[::1/f.pt"), "answers what cannot be followed: Invalid IPv6"),
        (lengthless(DATA, Transfer_Encoding="gzip, chunked"), "sends by 'gzip, chunked', not"),
        (silent(3.0), r"did not answer for 0.1 s; tried \d"),
        (stalling(DATA, 500, 3.0), r"did not answer for 0.1 s; tried \d"),
        (trickling(DATA, 0.02), r"sent \d B in 0 s; tried \d"),
        (lambda h: h.wfile.write(b"junk\r\n\r\n"), r"junk; tried \d"),
        (lambda h: None, r"tried \d"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_is_not_whole_is_not_kept(
    get: Get, cache: Path, behaviour: Behaviour, why: str
) -> None:
    with pytest.raises(FileError, match=why) as caught:
        get(behaviour, timeout_s=0.1)
    assert "\n" not in str(caught.value)
    assert not [name for name in left(cache) if not name.startswith(".bringup-part-")]


def test_what_is_refused_is_not_asked_for_again(get: Get, server: FileServer) -> None:
    for code in (400, 401, 403, 404, 410):
        with pytest.raises(FileError):
            get(status(code))
    assert len(server.requests) == 5


def test_a_broken_download_goes_on_where_it_broke(get: Get, server: FileServer) -> None:
    assert get(ranged(DATA, cut=30_000)).read_bytes() == DATA
    assert server.ranges() == ["", "bytes=30000-", "bytes=60000-", "bytes=90000-"]
    assert {h.get("If-Range") for _, h in server.requests[1:]} == {tag_of(DATA)}


def test_the_next_call_goes_on_where_the_last_one_gave_up(get: Get, server: FileServer) -> None:
    with pytest.raises(FileError):
        get(in_turn(ranged(DATA, cut=30_000), status(404)))
    assert get(ranged(DATA)).read_bytes() == DATA
    assert server.ranges()[-1] == "bytes=30000-"


@pytest.mark.parametrize(
    "then",
    [
        ranged(OTHER),  # honours If-Range
        whole(OTHER),  # knows no ranges
        in_turn(status(416), whole(OTHER)),
        in_turn(  # ignores If-Range, but tells the version
            lambda h: h.start(206, Content_Range="bytes 30000-99999/100000", ETag='"new"'),
            whole(OTHER),
        ),
        in_turn(  # another part than was asked for
            lambda h: h.start(206, Content_Range="bytes 10-99999/100000", ETag=tag_of(DATA)),
            whole(OTHER),
        ),
        in_turn(  # a range without saying which
            lambda h: h.start(206, ETag=tag_of(DATA)), whole(OTHER)
        ),
        in_turn(  # a shorter file under the same tag
            lambda h: h.start(206, Content_Range="bytes 30000-30009/30010", ETag=tag_of(DATA)),
            whole(OTHER),
        ),
        in_turn(  # numbers that are none
            lambda h: h.start(206, Content_Range=f"bytes 30000-{'9' * 5000}/{'9' * 5001}"),
            whole(OTHER),
        ),
    ],
)
def test_two_versions_are_never_made_into_one(
    get: Get, server: FileServer, then: Behaviour
) -> None:
    assert get(in_turn(ranged(DATA, cut=30_000), then)).read_bytes() == OTHER
    assert server.ranges()[1] == "bytes=30000-"


def test_a_server_that_mixes_versions_under_one_tag_is_found_out_by_the_digest(get: Get) -> None:
    mixed = in_turn(ranged(OTHER, cut=30_000, tag='"x"'), ranged(DATA, tag='"x"'))
    assert get(mixed, sha256=SHA).read_bytes() == DATA


def test_a_partial_file_of_unknown_origin_is_begun_anew(
    get: Get, cache: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for spoil in ("note", "longer", "boot"):
        with pytest.raises(FileError):
            get(in_turn(ranged(DATA, cut=30_000), status(404)), name=spoil)
        (part,) = (p for p in cache.rglob(".bringup-part-*") if p.suffix != ".json")
        if spoil == "note":
            part.with_name(part.name + ".json").write_text('{"address": 1}')
        elif spoil == "longer":
            part.write_bytes(OTHER + OTHER)
        else:  # after a restart nobody knows what of it reached the disk
            monkeypatch.setattr(download, "_boot", lambda: "another")
        assert get(ranged(DATA), name=spoil).read_bytes() == DATA
        assert server.ranges()[-1] == ""


def test_a_whole_partial_file_is_not_asked_for(get: Get, cache: Path, server: FileServer) -> None:
    with pytest.raises(FileError):
        get(in_turn(ranged(DATA, cut=30_000), status(404)))
    (part,) = (p for p in cache.rglob(".bringup-part-*") if p.suffix != ".json")
    part.write_bytes(OTHER)
    assert get(ranged(DATA), sha256=SHA).read_bytes() == DATA, "begun anew: it was another"
    with pytest.raises(FileError):
        get(in_turn(ranged(DATA, cut=30_000), status(404)), name="g")
    (part,) = (p for p in cache.rglob(".bringup-part-*") if p.suffix != ".json")
    part.write_bytes(DATA)
    asked = len(server.requests)
    assert get(ranged(DATA), name="g").read_bytes() == DATA and len(server.requests) == asked


def test_the_content_is_held_to_the_digest_that_was_asked_for(get: Get, cache: Path) -> None:
    with pytest.raises(FileError, match=f"has sha256 .*, and {SHA} was asked for; it is not kept"):
        get(whole(OTHER), sha256=SHA)
    assert left(cache) == []
    assert get(whole(DATA), sha256=SHA.upper()).read_bytes() == DATA


@pytest.mark.parametrize("header", ["Repr_Digest", "Digest"])
def test_the_content_is_held_to_the_digest_that_the_server_gives(
    get: Get, cache: Path, header: str
) -> None:
    colon = ":" if header == "Repr_Digest" else ""
    said = f"sha-256={colon}{base64.b64encode(bytes.fromhex(SHA)).decode()}{colon}"
    assert get(whole(DATA, **{header: said}), name="good").read_bytes() == DATA
    with pytest.raises(FileError, match="the server says; it is not kept"):
        get(lambda h: whole(OTHER, **{header: said})(h))
    assert len(left(cache)) == 1


def test_a_kept_file_with_another_content_is_had_anew(get: Get) -> None:
    path = get(whole(OTHER))
    assert get(whole(DATA)) == path and path.read_bytes() == OTHER, "it is not asked for again"
    assert get(whole(DATA), sha256=SHA) == path and path.read_bytes() == DATA


@pytest.mark.parametrize("behaviour", [whole(DATA), lengthless(DATA), chunked(DATA), packed(DATA)])
def test_more_than_the_limit_is_not_taken(get: Get, cache: Path, behaviour: Behaviour) -> None:
    with pytest.raises(FileError, match=r"over the limit of 48\.8 KiB; see BRINGUP_FILE_LIMIT"):
        get(behaviour, limit=50_000)
    assert left(cache) == []
    assert get(behaviour, limit=100_000).read_bytes() == DATA


def test_the_limit_and_the_timeout_are_taken_from_the_environment(
    get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRINGUP_FILE_LIMIT_GIB", "0.00001")
    with pytest.raises(FileError, match=r"over the limit of 10\.5 KiB"):
        get(whole(DATA))
    monkeypatch.setenv("BRINGUP_FILE_TIMEOUT", "0.05")
    with pytest.raises(FileError, match=r"did not answer for 0\.05 s"):
        get(silent(2.0))
    monkeypatch.setenv("BRINGUP_FILE_TIMEOUT", "soon")
    with pytest.raises(UsageError, match="BRINGUP_FILE_TIMEOUT='soon': expected seconds"):
        get(whole(DATA))


def test_a_file_that_has_no_room_is_not_begun(get: Get, cache: Path) -> None:
    with pytest.raises(FileError, match=r"has 931322574\.6 GiB, and .* of room"):
        get(declared(DATA, 10**18), limit=10**19)
    assert left(cache) == []


def test_a_disk_that_is_full_half_way_keeps_nothing(get: Get, cache: Path) -> None:
    """RLIMIT_FSIZE refuses the write as a full disk does, with an errno of its own."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, usual[1]))
    try:
        with pytest.raises(FileError, match=r"cannot write .*url_cache: File too large"):
            get(ranged(DATA))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert left(cache) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_really_full_disk_keeps_nothing(get: Get, cache: Path) -> None:
    cache.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", cache], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"this root may not mount: {mounted.stderr.decode().strip()}")
    try:
        with pytest.raises(FileError, match=r"has 97\.7 KiB, and .* of room"):
            get(ranged(DATA))
        with pytest.raises(FileError, match=r"cannot write .*: No space left on device"):
            get(chunked(DATA))
        assert left(cache) == []
    finally:
        subprocess.run(["umount", cache], check=True)


def test_an_empty_file_is_a_file(get: Get, cache: Path) -> None:
    path = get(whole(b""))
    assert path.read_bytes() == b"" and left(cache) == [path.name]


def test_an_archive_is_kept_as_it_is_stored(get: Get) -> None:
    assert get(whole(DATA, Content_Encoding="gzip"), name="a.tar.gz").read_bytes() == DATA


def test_redirects_are_followed(get: Get, server: FileServer) -> None:
    server.paths["/there"] = ranged(DATA, cut=60_000)
    assert get(status(302, Location="/there")).read_bytes() == DATA
    assert server.ranges() == ["", "", "bytes=60000-", "bytes=60000-"]


def test_a_login_is_given_to_its_server_only_and_never_shown(
    get: Get, server: FileServer, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    elsewhere = FileServer()
    elsewhere.paths["/f"] = whole(DATA)
    server.paths["/f"] = status(302, Location=f"{elsewhere.address}/f")
    server.paths["/none"] = status(404)
    address = server.address.replace("//", "//me:pass%20word@")
    assert get_file(f"{address}/f").read_bytes() == DATA
    login = base64.b64encode(b"me:pass word").decode()
    assert server.requests[0][1]["Authorization"] == f"Basic {login}"
    assert "Authorization" not in elsewhere.requests[0][1]
    with pytest.raises(FileError) as caught:
        get_file(f"{address}/none?X-Signature=secret")
    assert "pass" not in str(caught.value) and "secret" not in str(caught.value)
    assert not [n for n in left(cache) if "pass" in n]
    elsewhere.shutdown()


def test_addresses_that_differ_in_their_query_are_two_files(get: Get, server: FileServer) -> None:
    server.paths["/x"] = lambda h: whole(h.path.encode())(h)
    one, two = (get_file(f"{server.address}/x?v={n}") for n in (1, 2))
    assert (one.read_bytes(), two.read_bytes()) == (b"/x?v=1", b"/x?v=2")


@pytest.mark.parametrize("name", ["sp ace.pt", "ü%20.pt", "a%2Fb.pt", "x" * 250, "a+b=c&d;e.pt"])
def test_odd_names_are_asked_for_and_kept(get: Get, server: FileServer, name: str) -> None:
    server.paths = dict.fromkeys(
        [f"/{name}", f"/{name.replace('%20', ' ').replace('%2F', '/')}"], whole(DATA)
    )
    path = get_file(f"{server.address}/{name}")
    assert path.read_bytes() == DATA and path.parent.name == "url_cache" and len(path.name) < 100


def test_a_server_without_a_length_is_told_of(get: Get, capfd: pytest.CaptureFixture[str]) -> None:
    get(lengthless(DATA))
    assert "does not say how long the file is" in capfd.readouterr().err
    get(lengthless(DATA), name="known", sha256=SHA)
    assert capfd.readouterr().err == ""


def test_a_server_that_is_not_there(cache: Path, get: Get, server: FileServer) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(FileError, match=r"Connection refused; tried \d times"):
        get(whole(DATA))
    with pytest.raises(FileError, match=r"http://no-such-host\.invalid/x"):
        get_file("http://no-such-host.invalid/x")
    assert left(cache) == []


WAITER = """
import sys
from bringup import get_file
print(get_file(sys.argv[1]).stat().st_size, flush=True)
"""


def start(url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WAITER, url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_one_process_downloads_and_the_others_wait(server: FileServer, cache: Path) -> None:
    def slow(handler: object) -> None:
        time.sleep(1.0)
        whole(DATA)(handler)  # type: ignore[arg-type]

    server.paths["/f"] = slow
    processes = [start(f"{server.address}/f") for _ in range(4)]
    said = [p.communicate(timeout=30) for p in processes]
    assert said == [("100000\n", "")] * 4
    assert len(server.requests) == 1 and len(left(cache)) == 1


def test_another_process_goes_on_with_what_a_killed_one_began(
    server: FileServer, cache: Path
) -> None:
    server.paths["/f"] = in_turn(stalling(DATA, 40_000, 20.0), ranged(DATA))
    first = start(f"{server.address}/f")
    end = time.monotonic() + 20
    while sum(p.stat().st_size for p in cache.rglob(".bringup-part-*")) < 40_000:
        assert time.monotonic() < end
        time.sleep(0.02)
    second = start(f"{server.address}/f")
    time.sleep(0.8)
    assert second.poll() is None and len(server.requests) == 1, "it waits"
    first.kill()
    first.communicate()
    assert second.communicate(timeout=30) == ("100000\n", "")
    assert server.ranges() == ["", "bytes=40000-"]
    (path,) = (p for p in cache.rglob("*") if p.is_file())
    assert path.read_bytes() == DATA
