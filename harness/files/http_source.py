# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Files over http(s), with the standard library.

fsspec's own http takes a 200 for the range it asked for and sends no If-Range, so that a download
resumed after the file changed would be two halves of two files; and it does not see a server that
sends more than it declared. Here every answer is held to what it says of itself (RFC 9110).
"""

import base64
import binascii
import contextlib
import http.client
import re
import select
import ssl
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bringup.harness.errors import FileError, UsageError
from bringup.harness.files.source import (
    CHUNK,
    AbsentError,
    Answer,
    BrokenError,
    IsFolderError,
    said,
)

_RETRYABLE = (408, 425, 429, 500, 502, 503, 504)
_LONGEST_WAIT_S = 30.0
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)
_DIGEST = re.compile(r"sha-256=:?([A-Za-z0-9+/]{43}=)", re.IGNORECASE)
_PACKED_NAMES = (".gz", ".tgz")
_SAFE = "/%:@!$&'()*+,;=~-._"
_LOOK_S = 0.2


class HttpSource:
    """A file at an http(s) address."""

    def __init__(self, url: str, timeout_s: float) -> None:
        """`timeout_s` seconds may pass until a server is reached, and between two reads.

        Raises:
            UsageError: it is no address of a server.
        """
        self._timeout_s = timeout_s
        try:
            parts = urllib.parse.urlsplit(url)
            user, password = parts.username, parts.password or ""
            host = (parts.hostname or "").encode("idna").decode()
            port = f":{parts.port}" if parts.port is not None else ""
        except ValueError as error:  # UnicodeError among them
            raise UsageError(f"{url!r} is no http(s) address: {error}") from error
        if not host:
            raise UsageError(f"{url!r} is no http(s) address: it names no server")
        place = f"[{host}]{port}" if ":" in host else f"{host}{port}"
        path = urllib.parse.quote(parts.path or "/", safe=_SAFE)
        query = urllib.parse.quote(parts.query, safe=_SAFE + "?")
        self._url = urllib.parse.urlunsplit((parts.scheme, place, path, query, ""))
        self._path = path
        self.address = urllib.parse.urlunsplit((parts.scheme, place, path, "", ""))
        self._login = None
        if user is not None:
            plain = f"{urllib.parse.unquote(user)}:{urllib.parse.unquote(password)}"
            self._login = base64.b64encode(plain.encode()).decode()
        self._opener = _opener()

    @contextlib.contextmanager
    def open(self, offset: int, validator: str) -> Iterator[Answer]:
        """See `Source.open`."""
        with contextlib.ExitStack() as stack:
            with self._faults_named():
                response = stack.enter_context(self._ask(offset, validator))
                if offset and not _goes_on(response, offset, validator):
                    stack.close()
                    response = stack.enter_context(self._ask(0, ""))
                answer = self._answer(response)
            yield replace(answer, chunks=self._named(answer.chunks))

    def _named(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        with self._faults_named():
            yield from chunks

    def _ask(self, offset: int, validator: str) -> Any:
        headers = {"User-Agent": "bringup", "Accept-Encoding": "identity"}
        if offset:
            headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
        request = urllib.request.Request(self._url, headers=headers)
        if self._login:  # for this server only, wherever it sends us
            request.add_unredirected_header("Authorization", f"Basic {self._login}")
        try:
            return self._opener.open(request, timeout=self._timeout_s)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
                    return self._ask(0, "")
                raise self._refusal(error) from error

    def _refusal(self, error: urllib.error.HTTPError) -> FileError:
        text = f"{self.address} answers {error.code} {said(error.reason)}".rstrip()
        if error.code in (http.client.NOT_FOUND, http.client.GONE):
            return AbsentError(text)
        if error.code in _RETRYABLE:
            return BrokenError(text, _wait_s(error.headers.get("Retry-After", "")))
        return FileError(text)

    def _answer(self, response: Any) -> Answer:
        final = urllib.parse.urlsplit(response.url)
        if final.path.endswith("/") and not self._path.endswith("/"):
            raise IsFolderError(f"{self.address} is a folder, which http cannot list")
        found = _found_range(response)
        if response.status != (http.client.PARTIAL_CONTENT if found else http.client.OK):
            raise FileError(f"{self.address} answers {response.status}, not with a file")
        transfer = response.headers.get("Transfer-Encoding", "chunked").strip().lower()
        if transfer not in ("chunked", "identity"):  # http.client would give it as it is sent
            raise FileError(f"{self.address} sends by {transfer[:80]!r}, not the file itself")
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding in ("gzip", "x-gzip") and not self._path.lower().endswith(_PACKED_NAMES):
            return Answer(0, None, "", _unpacked(_body(response)))
        if encoding not in ("identity", "gzip", "x-gzip", ""):
            raise FileError(f"{self.address} sends the encoding {encoding!r}, not the file itself")
        start, size = (found[0], found[2]) if found else (0, response.length)
        return Answer(
            start=start,
            size=size,
            validator=_validator(response),
            chunks=_body(response),
            sha256=_sha256(response),
            ends_visibly=bool(found) or response.chunked or response.length is not None,
        )

    @contextlib.contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            yield
        except FileError:
            raise
        except ValueError as error:  # urllib's, of what a server redirects to
            raise FileError(f"{self.address} answers what cannot be followed: {error}") from error
        except (OSError, http.client.HTTPException, zlib.error) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            if isinstance(reason, TimeoutError):
                raise BrokenError(
                    f"{self.address} did not answer for {self._timeout_s:g} s"
                ) from error
            text = f"{self.address}: {said(reason) or type(reason).__name__}"
            final = isinstance(reason, ssl.SSLCertVerificationError | http.client.InvalidURL)
            raise (FileError(text) if final else BrokenError(text)) from error


class _Redirects(urllib.request.HTTPRedirectHandler):
    """At most 10 (urllib's own bound), and never out of http(s) or out of encryption."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        scheme = urllib.parse.urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme == "http"):
            raise FileError(f"{req.host} redirects to a {scheme} address, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Of http(s) alone: urllib's usual one opens files and ftp, too."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _wait_s(header: str) -> float:
    """Seconds of a Retry-After; a date counts for none."""
    return min(float(header), _LONGEST_WAIT_S) if re.fullmatch(r"\d{1,9}", header) else 0.0


def _found_range(response: Any) -> tuple[int, int, int] | None:
    """First byte, last byte, size of the whole."""
    if response.status != http.client.PARTIAL_CONTENT:
        return None
    match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _goes_on(response: Any, offset: int, validator: str) -> bool:
    """May the answer to a request for the rest be used: the rest, or the whole file anew?"""
    if response.status == http.client.OK:
        return True
    found = _found_range(response)
    return (
        found is not None
        and found[0] == offset
        and offset <= found[1] < found[2]
        and response.length in (None, found[1] - found[0] + 1)
        and _validator(response) in ("", validator)  # a server that knows no If-Range
        and response.headers.get("Content-Encoding", "identity") == "identity"
    )


def _validator(response: Any) -> str:
    """What If-Range takes (RFC 9110, 13.1.5): a strong ETag, or else the date of the change."""
    tag = str(response.headers.get("ETag", "")).strip()
    return tag if tag.startswith('"') else str(response.headers.get("Last-Modified", "")).strip()


def _sha256(response: Any) -> str:
    """From Repr-Digest (RFC 9530) or its forerunner Digest (RFC 3230)."""
    for header in ("Repr-Digest", "Digest"):
        match = _DIGEST.search(response.headers.get(header, ""))
        if match:
            with contextlib.suppress(binascii.Error):
                return base64.b64decode(match[1]).hex()
    return ""


def _body(response: Any) -> Iterator[bytes]:
    """What comes, to its end, held to the length that was declared, by more bytes and by fewer."""
    declared, response.length = response.length, None  # else http.client stops there, unasked
    received = 0
    while declared is None or received < declared:
        chunk = response.read1(CHUNK)
        if not chunk:
            break
        received += len(chunk)
        yield chunk
    if declared is None:
        return
    if received < declared:
        raise BrokenError(
            f"{response.url.partition('?')[0]} ended after {received} of {declared} B"
        )
    if received > declared or _more_comes(response):
        raise BrokenError(
            f"{response.url.partition('?')[0]} sends more than the {declared} B it declared"
        )


def _more_comes(response: Any) -> bool:
    """Only what is there already is seen: an honest server has closed the connection by now."""
    if response.isclosed() or not select.select([response.fileno()], [], [], _LOOK_S)[0]:
        return False
    return bool(response.read1(1))


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Undo `Content-Encoding: gzip`, which some servers send unasked; gzip carries a CRC of it."""
    decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    begun = False
    for chunk in chunks:
        while chunk:
            begun = True
            yield decoder.decompress(chunk, CHUNK)
            chunk = decoder.unconsumed_tail
            if decoder.eof:  # several files of gzip in a row are one
                chunk, begun = decoder.unused_data, False
                decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    if begun:
        raise BrokenError("what was sent as gzip ends too early")
