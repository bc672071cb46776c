# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Files of a mirror that fsspec reaches: s3:// of any S3-compatible service, file://, and others.

Where the service is and who we are comes from the environment, as its own tools take it:
`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, ..., or `FSSPEC_S3_...` for what s3fs takes.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bringup.harness.errors import FileError, UsageError
from bringup.harness.files.source import AbsentError, Answer, BrokenError, IsFolderError, said

_BLOCK = 8 << 20
"""Bytes asked of a server at once."""
_S3 = ("s3", "s3a")


@dataclass(frozen=True)
class Listed:
    """A file of a folder."""

    name: str
    """Relative to the folder, with `/`."""
    size: int


class FsspecSource:
    """A file or a folder below an address that fsspec knows."""

    def __init__(self, root: str, name: str, timeout_s: float) -> None:
        """`name` below `root`, with `/`; `timeout_s` as in `HttpSource`.

        Raises:
            UsageError: fsspec knows no such address.
            FileError: it needs a package that is not installed.
        """
        import fsspec

        self._timeout_s = timeout_s
        scheme = root.partition("://")[0]
        options = _s3_options(timeout_s) if scheme in _S3 else {}
        self.address = f"{_without_login(root).rstrip('/')}/{name}"
        try:
            self._fs, base = fsspec.core.url_to_fs(root, skip_instance_cache=True, **options)
        except ImportError as error:
            raise FileError(
                f"{_without_login(root)} needs a package that is not installed ({error}); "
                "pip install 'bringup[files]' brings what s3:// needs"
            ) from error
        except ValueError as error:
            raise UsageError(
                f"{_without_login(root)} is no address of a mirror: {error}"
            ) from error
        if scheme in _S3:
            self._fs.retries = 1  # the download itself tries again
        self._path = f"{base.rstrip('/')}/{name}"

    @contextlib.contextmanager
    def open(self, offset: int, validator: str) -> Iterator[Answer]:
        """See `Source.open`."""
        with contextlib.ExitStack() as stack:
            with self._faults_named():
                info = self._info()
                if info["type"] == "directory":
                    raise IsFolderError(f"{self.address} is a folder")
                size, current = info.get("size"), _validator(info)
                start = offset if validator == current and offset <= (size or 0) else 0
                file = self._fs.open(self._path, "rb", block_size=_BLOCK, cache_type="none")
                stack.enter_context(file)
                file.seek(start)
            yield Answer(start, size, current, self._chunks(file))

    def _chunks(self, file: Any) -> Iterator[bytes]:
        with self._faults_named():
            while chunk := file.read(_BLOCK):
                yield chunk

    def files(self) -> list[Listed] | None:
        """What the folder holds, at any depth; None: there is no folder of that name.

        Raises:
            FileError: as `Source.open`.
        """
        with self._faults_named():
            try:
                if self._info()["type"] != "directory":
                    return None
            except FileNotFoundError:
                return None
            prefix = self._fs._strip_protocol(self._path).rstrip("/") + "/"
            return [
                Listed(path.removeprefix(prefix), int(info.get("size") or 0))
                for path, info in sorted(self._fs.find(self._path, detail=True).items())
                if path.startswith(prefix) and not path.endswith("/")  # S3 consoles make "a/"
            ]

    def _info(self) -> Any:
        self._fs.invalidate_cache()
        return self._fs.info(self._path)

    @contextlib.contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            yield
        except (FileError, GeneratorExit):
            raise
        except FileNotFoundError as error:
            raise AbsentError(f"{self.address} is not there") from error
        except PermissionError as error:
            raise FileError(f"{self.address} is refused to us: {said(error)}") from error
        except Exception as error:  # each service has errors of its own
            named = f"{self.address}: {type(error).__name__}: {said(error)}"
            final = type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError")
            raise (FileError(named) if final else BrokenError(named)) from error


def _s3_options(timeout_s: float) -> dict[str, Any]:
    """One try each, with our patience: botocore and s3fs would each try five times."""
    from fsspec.config import conf

    given = conf.get("s3", {}).get("config_kwargs", {})
    ours = {
        "connect_timeout": timeout_s,
        "read_timeout": timeout_s,
        "retries": {"total_max_attempts": 1},
    }
    return {"config_kwargs": {**ours, **given}}


def _validator(info: dict[str, Any]) -> str:
    """An ETag where there is one, else whatever tells of a change."""
    known = ("LastModified", "mtime", "created", "size", "ino")
    return str(info.get("ETag") or [str(info.get(key)) for key in known])


def _without_login(address: str) -> str:
    scheme, separator, rest = address.partition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}{separator}{place.rpartition('@')[2]}{slash}{path}"
