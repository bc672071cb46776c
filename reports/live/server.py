# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The server of `report --serve`: one run, read only.

    /             how far the run is, or its page once it is merged and written
    /state.json   the same as JSON
    /events       the same again whenever it changes, as server-sent events
    /report/...   the run's documents

It answers GET and HEAD only, writes nothing, and gives out documents of the run's own directory
alone. A page of another site must not read it through a name that it lets point here (DNS
rebinding), so the `Host` of a request has to be one that this server goes by.

Source of the events' format: WHATWG HTML, 9.2 (server-sent events).
"""

import base64
import hashlib
import re
import socket
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from bringup.reports.live.progress import LiveRun, Snapshot

_KINDS: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".md": "text/markdown; charset=utf-8",
    ".json": "application/json",
    ".xml": "application/xml",
    ".atom": "application/atom+xml",
}
"""Documents that are given out, and as what; no record is among them, which know the variables and
the command lines of a run."""
_LOOK_S = 0.5
"""Seconds between two looks at the journals, however many ask."""
_TELL_S = 1.0
_MOST_LISTENERS = 64
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class _Watched:
    """The run, looked at no more often than it makes sense."""

    def __init__(self, run_dir: Path) -> None:
        self._run = LiveRun(run_dir)
        self._lock = threading.Lock()
        self._looked = float("-inf")

    def snapshot(self) -> Snapshot:
        with self._lock:
            if time.monotonic() - self._looked >= _LOOK_S:
                self._run.read()
                self._looked = time.monotonic()
            return self._run.snapshot(time.time())


class LiveServer(ThreadingHTTPServer):
    """Serves one run; `server_address` has the port where any was asked for."""

    daemon_threads = True

    def __init__(self, run_dir: Path, host: str, port: int) -> None:
        """Raises:
        OSError: the port is taken, or the host is none of this machine.
        """
        self.run_dir = run_dir.resolve()
        self.watched = _Watched(self.run_dir)
        self.listeners = threading.BoundedSemaphore(_MOST_LISTENERS)
        self.closing = threading.Event()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
        names = {*LOOPBACK, host} if host in LOOPBACK else {host}
        self.hosts = {_bracketed(name) for name in names}

    @property
    def address(self) -> str:
        """What to open."""
        host, port = self.server_address[:2]
        return f"http://{_bracketed(str(host))}:{port}/"

    def server_close(self) -> None:
        """Stop, and let those who listen go."""
        self.closing.set()
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    server: LiveServer
    server_version, sys_version = "bringup", ""
    timeout = 60  # seconds that a request may take to arrive

    def do_GET(self) -> None:
        if self._host_is_ours():
            self._answer()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal is for whoever started it."""

    def _host_is_ours(self) -> bool:
        """Refuse a request that came by a name that is none of this server's."""
        host = self.headers.get("Host", "")
        name = re.sub(r":\d+$", "", host)
        every = any(known in ("0.0.0.0", "[::]") for known in self.server.hosts)
        if name in self.server.hosts or (every and _is_number(name)):
            return True
        self._say(HTTPStatus.MISDIRECTED_REQUEST, "This server does not go by that name.")
        return False

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        if path == "/":
            self._live_page()
        elif path == "/state.json":
            body = msgspec.json.encode(self.server.watched.snapshot())
            self._send(HTTPStatus.OK, body, "application/json")
        elif path == "/events":
            self._events()
        elif path.startswith("/report/"):
            self._document(unquote(path.removeprefix("/report/"), errors="replace"))
        else:
            self._say(HTTPStatus.NOT_FOUND, "There is no such page.")

    def _live_page(self) -> None:
        if self.server.watched.snapshot().report:
            self.send_response(HTTPStatus.FOUND)
            self.send_header("Location", "/report/index.html")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        page = files("bringup.reports.live").joinpath("page.html").read_text("utf-8")
        self._send(HTTPStatus.OK, page.encode(), _KINDS[".html"], _policy(page))

    def _events(self) -> None:
        if not self.server.listeners.acquire(blocking=False):
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, "Too many listen already.")
            return
        try:
            self._send_head(HTTPStatus.OK, "text/event-stream", None)
            told = b""
            while self.command == "GET" and not self.server.closing.is_set():
                state = msgspec.json.encode(self.server.watched.snapshot())
                self.wfile.write(b": still here\n\n" if state == told else _event(state))
                self.wfile.flush()
                told = state
                self.server.closing.wait(_TELL_S)
        except OSError:
            pass  # it is gone
        finally:
            self.close_connection = True
            self.server.listeners.release()

    def _document(self, name: str) -> None:
        found = document(self.server.run_dir, name)
        if found is None:
            self._say(HTTPStatus.NOT_FOUND, "The run has no such document.")
            return
        try:
            body = found.read_bytes()
        except OSError:
            self._say(HTTPStatus.NOT_FOUND, "The document cannot be read.")
            return
        self._send(HTTPStatus.OK, body, _KINDS[found.suffix])

    def _say(self, status: HTTPStatus, sentence: str) -> None:
        self._send(status, sentence.encode() + b"\n", "text/plain; charset=utf-8")

    def _send(self, status: HTTPStatus, body: bytes, kind: str, policy: str = "") -> None:
        self._send_head(status, kind, len(body), policy)
        if self.command != "HEAD":
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

    def _send_head(
        self, status: HTTPStatus, kind: str, length: int | None, policy: str = ""
    ) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if length is not None:
            headers["Content-Length"] = str(length)
        if policy:
            headers["Content-Security-Policy"] = policy
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def document(run_dir: Path, name: str) -> Path | None:
    """A document of a run; None for what is no document, is not there, or leads out of the run."""
    parts = name.split("/")
    if not name or any(p in ("", ".", "..") or "\\" in p or "\0" in p for p in parts):
        return None
    try:
        path = run_dir.joinpath(*parts).resolve()
        inside = path.is_relative_to(run_dir) and path.is_file()
    except (OSError, ValueError):
        return None
    known = path.suffix in _KINDS and (path.suffix != ".json" or parts[0] == "models")
    return path if inside and known else None


def _event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


def _policy(page: str) -> str:
    """What the live page may do: run its own script, and listen to this server."""

    def digest(tag: str) -> str:
        found = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        text = found[1] if found else ""
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        f"default-src 'none'; script-src 'sha256-{digest('script')}'; "
        f"style-src 'sha256-{digest('style')}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_number(name: str) -> bool:
    """Is it an address and not a name, which somebody else could let point here?"""
    return bool(re.fullmatch(r"[\d.]+|\[[0-9A-Fa-f:.]+\]", name))
