# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A real http server on this machine that serves well, or fails, stalls, cuts short and lies."""

import email.utils
import gzip
import hashlib
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

Behaviour = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request; what is done with it is its path's behaviour."""

    server: "FileServer"

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        behave = self.server.paths.get(unquote(self.path.partition("?")[0]))
        if behave is None:
            self.send_error(404)
        else:
            behave(self)

    def start(self, status: int = 200, **headers: Any) -> None:
        """Send status and headers; `_` in a name stands for `-`."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class FileServer(ThreadingHTTPServer):
    """Serves `paths`; remembers `requests`, path and headers each."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths: dict[str, Behaviour] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients go away here."""

    def ranges(self) -> list[str]:
        """Which range each request asked for, empty for the whole."""
        return [headers.get("Range", "") for _, headers in self.requests]


def tag_of(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:12]}"'


def whole(data: bytes, **headers: Any) -> Behaviour:
    """An honest server that knows no ranges."""
    return lambda h: (h.start(Content_Length=len(data), **headers), h.wfile.write(data))[0]


def ranged(data: bytes, *, cut: int | None = None, tag: str = "", **headers: Any) -> Behaviour:
    """A server that knows ranges and If-Range; each answer is cut after `cut` bytes."""

    def behave(handler: Handler) -> None:
        named = {"ETag": tag or tag_of(data), "Accept_Ranges": "bytes", **headers}
        match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start = int(match[1]) if match else 0
        versions = [v for v in (named["ETag"], named.get("Last_Modified")) if v and v[0] != "W"]
        if handler.headers.get("If-Range") not in (None, *versions):
            match, start = None, 0
        if match and start >= len(data):
            handler.start(416, Content_Range=f"bytes */{len(data)}", Content_Length=0)
            return
        rest = data[start:]
        if match:
            span = f"bytes {start}-{len(data) - 1}/{len(data)}"
            handler.start(206, Content_Length=len(rest), Content_Range=span, **named)
        else:
            handler.start(Content_Length=len(rest), **named)
        handler.wfile.write(rest if cut is None else rest[:cut])

    return behave


def declared(data: bytes, length: int | str, **headers: Any) -> Behaviour:
    """Sends `data` and says that it is another length."""
    return lambda h: (h.start(Content_Length=length, **headers), h.wfile.write(data))[0]


def lengthless(data: bytes, **headers: Any) -> Behaviour:
    """Ends by closing the connection."""
    return lambda h: (h.start(**headers), h.wfile.write(data))[0]


def chunked(data: bytes, *, end: bool = True) -> Behaviour:
    """`Transfer-Encoding: chunked`, with its end or without."""

    def behave(handler: Handler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.start(Transfer_Encoding="chunked", Connection="close")
        for at in range(0, len(data), 1000):
            piece = data[at : at + 1000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if end:
            handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = True

    return behave


def packed(data: bytes, *, cut: int = 0) -> Behaviour:
    """gzip, although nobody asked for it."""
    body = gzip.compress(data)
    return whole(body[: len(body) - cut], Content_Encoding="gzip")


def status(code: int, **headers: Any) -> Behaviour:
    return lambda h: h.start(code, Content_Length=0, **headers)


def silent(seconds: float) -> Behaviour:
    """Takes the request and says nothing."""
    return lambda _: time.sleep(seconds)


def stalling(data: bytes, after: int, seconds: float) -> Behaviour:
    """Stops half way."""

    def behave(handler: Handler) -> None:
        handler.start(Content_Length=len(data), ETag=tag_of(data))
        handler.wfile.write(data[:after])
        time.sleep(seconds)

    return behave


def trickling(data: bytes, pause_s: float) -> Behaviour:
    """A byte at a time."""

    def behave(handler: Handler) -> None:
        handler.start(Content_Length=len(data))
        for byte in data:
            handler.wfile.write(bytes([byte]))
            time.sleep(pause_s)

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One for each request; the last one for all that follow."""
    rest = list(behaviours)
    return lambda h: (rest.pop(0) if len(rest) > 1 else rest[0])(h)


LAST_CHANGE = email.utils.formatdate(1.7e9, usegmt=True)
