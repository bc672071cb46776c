# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The artifacts of a GitHub Actions run, by the run's id, into a folder.

The token comes from the environment (`GITHUB_TOKEN` or `GH_TOKEN`) and goes to the API's own host
and nowhere else: an artifact is had from a storage that the API redirects to. What comes is a
stranger's zip file: names that lead out of the folder, links, encrypted entries and archives that
unpack to more than `LARGEST` bytes are refused before anything is written.

Source of the requests: "REST API endpoints for GitHub Actions artifacts", docs.github.com.
"""

import contextlib
import json
import os
import re
import shutil
import stat
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec

from bringup.harness.records.variable_names import (
    GH_TOKEN_VARIABLE,
    GITHUB_API_VARIABLE,
    GITHUB_TOKEN_VARIABLE,
)
from bringup.harness.storage.decoding import decode_json, shown, why_not
from bringup.harness.storage.file_names import fitted
from bringup.pipeline.errors import HistoryError

API = "https://api.github.com"
LARGEST = 4 << 30
"""Bytes: of one archive, and of what it unpacks to."""
MOST_FILES = 200_000
MOST_PAGES = 100
TIMEOUT_S = 60.0
_TRIES = 3
_LARGEST_PAGE = 16 << 20
_CHUNK = 1 << 20
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_RETRYABLE = (408, 429, 500, 502, 503, 504)


class Artifact(msgspec.Struct, frozen=True):
    """One artifact as the API lists it."""

    id: int
    name: str
    archive_download_url: str
    expired: bool = False
    size_in_bytes: int = 0


class _Page(msgspec.Struct, frozen=True):
    total_count: int
    artifacts: list[Artifact]


def fetch_artifacts(repository: str, run_id: int, into: Path) -> tuple[list[Path], list[str]]:
    """Fetch and unpack every artifact of a run, a folder each.

    Returns the folders, and a sentence for whatever is not to be had.

    Raises:
        HistoryError: no such repository or run, no token where one is needed, or a hostile archive.
    """
    if not _REPOSITORY.fullmatch(repository) or run_id <= 0:
        raise HistoryError(f"{shown(repository)} run {run_id} is no OWNER/NAME and run of GitHub's")
    said: list[str] = []
    folders: list[Path] = []
    for artifact in _artifacts(repository, run_id):
        if artifact.expired:
            said.append(f"the artifact {shown(artifact.name)} has expired and is gone")
            continue
        name = re.sub(r"[^\w.-]", "_", artifact.name, flags=re.ASCII).lstrip(".") or "artifact"
        folder = into / fitted(f"{artifact.id}-{name}", 120, artifact.name)
        archive = into / f".{artifact.id}.zip"
        into.mkdir(parents=True, exist_ok=True)
        try:
            _download(artifact.archive_download_url, archive)
            unpack(archive, folder)
        finally:
            archive.unlink(missing_ok=True)
        folders.append(folder)
    if not folders and not said:
        said.append(f"run {run_id} of {repository} has no artifact")
    return folders, said


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a stranger's zip file below a folder.

    Raises:
        HistoryError: it is damaged, or would write elsewhere, or too much.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            entries = zipped.infolist()
            _refuse_hostile(archive, entries)
            left = LARGEST
            for entry in entries:
                target = folder / entry.filename
                if entry.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with zipped.open(entry) as source, target.open("xb") as sink:
                    left -= _copied(source, sink, left, archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise HistoryError(
            f"the artifact {folder.name} is no whole zip: {why_not(error)}"
        ) from error
    except HistoryError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _refuse_hostile(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > LARGEST:
        raise HistoryError(f"the artifact {archive.name} unpacks to more than {LARGEST} bytes")
    for entry in entries:
        path = PurePosixPath(entry.filename)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        leads_out = path.is_absolute() or ".." in path.parts or "\\" in entry.filename
        if leads_out or not path.parts or kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise HistoryError(
                f"the artifact {archive.name} has an entry {shown(entry.filename)} that is no "
                "plain file below it; nothing was taken"
            )


def _copied(source: IO[bytes], sink: IO[bytes], most: int, archive: Path) -> int:
    """Bytes copied; an entry may say that it is smaller than it is."""
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > most:
            raise HistoryError(f"the artifact {archive.name} unpacks to more than {LARGEST} bytes")
        sink.write(chunk)
    return size


def _artifacts(repository: str, run_id: int) -> Iterator[Artifact]:
    api = (os.environ.get(GITHUB_API_VARIABLE) or API).rstrip("/")
    seen = 0
    for page in range(1, MOST_PAGES + 1):
        query = urllib.parse.urlencode({"per_page": 100, "page": page})
        url = f"{api}/repos/{repository}/actions/runs/{run_id}/artifacts?{query}"
        with _answer(url) as answer:
            data = answer.read(_LARGEST_PAGE)
        found = decode_json(data, _Page, url, "a list of artifacts")
        yield from found.artifacts
        seen += len(found.artifacts)
        if not found.artifacts or seen >= found.total_count:
            return


def _download(url: str, target: Path) -> None:
    with _answer(url) as answer, target.open("wb") as sink:
        declared = answer.headers.get("Content-Length")
        size = _copied(answer, sink, LARGEST, target)
    if declared is not None and declared.isdecimal() and int(declared) != size:
        raise HistoryError(f"{url} was cut short: {size} of {declared} bytes")


@contextlib.contextmanager
def _answer(url: str) -> Iterator[Any]:
    """An open answer; what may pass is tried again."""
    for attempt in range(1, _TRIES + 1):
        try:
            answer = urllib.request.urlopen(_request(url), timeout=TIMEOUT_S)
            break
        except urllib.error.HTTPError as error:
            if error.code not in _RETRYABLE or attempt == _TRIES:
                raise HistoryError(_why(url, error)) from error
            wait = error.headers.get("Retry-After", "")
            time.sleep(min(float(wait) if wait.isdecimal() else 0.5 * attempt, 30.0))
        except (OSError, HTTPException, ValueError) as error:
            if attempt == _TRIES:
                raise HistoryError(f"{url} cannot be had: {why_not(error)}") from error
            time.sleep(0.5 * attempt)
    try:
        with answer:
            yield answer
    except (OSError, HTTPException) as error:
        raise HistoryError(f"{url} was cut short: {why_not(error)}") from error


def _request(url: str) -> urllib.request.Request:
    """The token goes to the API's host alone, and not along with a redirect."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise HistoryError(f"{shown(url)} is no address of a server")
    request = urllib.request.Request(url, headers={"User-Agent": "bringup"})
    request.add_header("Accept", "application/vnd.github+json")
    api = os.environ.get(GITHUB_API_VARIABLE) or API
    token = os.environ.get(GITHUB_TOKEN_VARIABLE) or os.environ.get(GH_TOKEN_VARIABLE) or ""
    if token and urllib.parse.urlsplit(url).netloc == urllib.parse.urlsplit(api).netloc:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return request


def _why(url: str, error: urllib.error.HTTPError) -> str:
    reasons = {
        401: "the token is refused; GITHUB_TOKEN or GH_TOKEN holds it",
        403: "it is refused; GITHUB_TOKEN or GH_TOKEN must hold a token that may read actions",
        404: "there is no such run, or the token may not see it",
        410: "it has expired",
    }
    said = ""
    with contextlib.suppress(Exception):
        said = str(json.loads(error.read(4096)).get("message", ""))
    why = reasons.get(error.code, f"status {error.code}")
    return f"{url}: {why}{f' ({shown(said)})' if said else ''}"
