# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A real server asked over real sockets: what it gives out, and what it keeps."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.errors import HarnessError
from bringup.reports.cli import main
from bringup.reports.live.runs import newest_live
from bringup.reports.live.server import LiveServer
from tests.unit.run_builder import keep, plan_of, record, write_run


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    outside = tmp_path / "secret.html"
    outside.write_text("secret")
    run_dir = write_run(tmp_path / "night", [record()])
    keep(run_dir, "module {}")
    (run_dir / "index.html").write_text("<title>the page</title>")
    (run_dir / "ir").mkdir()
    (run_dir / "ir" / "a b.html").write_text("text")
    (run_dir / "leads-out.html").symlink_to(outside)
    return run_dir


@pytest.fixture
def server(run_dir: Path) -> Iterator[LiveServer]:
    with LiveServer(run_dir, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: LiveServer, path: str, method: str = "GET", host: str = ""
) -> tuple[int, dict[str, str], bytes]:
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{port}")
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def test_a_run_that_is_over_leads_to_its_page(server: LiveServer, run_dir: Path) -> None:
    status, headers, _ = ask(server, "/")
    assert (status, headers["Location"]) == (302, "/report/index.html")
    status, headers, body = ask(server, "/report/index.html")
    assert (status, body) == (200, b"<title>the page</title>")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert ask(server, "/report/ir/a%20b.html?x#y")[2] == b"text"
    assert ask(server, "/report/index.html", "HEAD")[2] == b""


@pytest.mark.parametrize(
    "path",
    [
        "/report/../secret.html",
        "/report/%2e%2e/secret.html",
        "/report/..%2fsecret.html",
        "/report/ir/../../secret.html",
        "/report//etc/passwd",
        "/report/leads-out.html",
        "/report/run.json",
        "/report/plan.json",
        "/report/records.jsonl.zst",
        "/report/journal",
        "/report/ir",
        "/report/",
        "/report/a%00b.html",
        "/report/..%5csecret.html",
        "/report/%ff%fe.html",
        "/report/" + "x" * 5_000 + ".html",
        "/secret.html",
        "/journal/x",
    ],
)
def test_nothing_but_the_runs_documents_is_given_out(server: LiveServer, path: str) -> None:
    status, _, body = ask(server, path)
    assert status == 404 and b"secret" not in body


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "x"])
@pytest.mark.parametrize("path", ["/", "/state.json", "/events", "/report/index.html"])
def test_a_name_that_is_not_the_servers_is_refused(
    server: LiveServer, host: str, path: str
) -> None:
    assert ask(server, path, host=host)[0] == 421


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1", "[::1]:1"])
def test_names_of_this_machine_are_the_servers(server: LiveServer, host: str) -> None:
    assert ask(server, "/state.json", host=host)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_it_takes_nothing(server: LiveServer, method: str, run_dir: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in run_dir.rglob("*")}
    assert ask(server, "/report/index.html", method)[0] == 501
    assert {p: p.stat().st_mtime_ns for p in run_dir.rglob("*")} == before


def test_a_run_without_documents_says_that_it_is_over(run_dir: Path, server: LiveServer) -> None:
    (run_dir / "index.html").unlink()
    status, headers, body = ask(server, "/")
    assert status == 200 and b"EventSource" in body
    assert "script-src 'sha256-" in headers["Content-Security-Policy"]
    state = json.loads(ask(server, "/state.json")[2])
    assert state["over"] and not state["report"]


def test_events_tell_of_what_is_new(run_dir: Path, server: LiveServer) -> None:
    (run_dir / "index.html").unlink()
    with socket.create_connection(server.server_address[:2], timeout=20) as listener:
        listener.sendall(b"GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n")
        stream = listener.makefile("rb")
        told = next(line for line in stream if line.startswith(b"data: "))
        assert not json.loads(told.removeprefix(b"data: "))["report"]
        (run_dir / "index.html").write_text("now")
        told = next(line for line in stream if line.startswith(b"data: "))
        assert json.loads(told.removeprefix(b"data: "))["report"]


def test_the_newest_run_is_the_one_that_was_written_to_last(tmp_path: Path) -> None:
    import os

    with pytest.raises(HarnessError, match="no run below"):
        newest_live(tmp_path)
    old = write_run(tmp_path / "old", [record()])
    new = write_run(tmp_path / "deep" / "new", plan=plan_of([]))
    for path in old.rglob("*"):
        os.utime(path, (1_000, 1_000))
    assert newest_live(tmp_path) == new


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "70000"], "expected a number from 0 to 65535"),
        (["--port", "x"], "expected a number from 0 to 65535"),
        (["nowhere"], "there is no run directory nowhere"),
        (["--host", "999.1.1.1"], "cannot serve at 999.1.1.1"),
    ],
)
def test_a_mistake_is_a_sentence(
    tmp_path: Path,
    run_dir: Path,
    words: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = [] if "nowhere" in words else [str(run_dir)]
    assert main(["build", *place, "--serve", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_port_that_is_taken_is_a_sentence(
    server: LiveServer, run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = str(server.server_address[1])
    assert main(["build", str(run_dir), "--serve", "--port", port]) == 2
    assert "cannot serve at 127.0.0.1" in capsys.readouterr().err
