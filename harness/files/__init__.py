# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Files that tests need and the repository does not hold: weights, models, inputs.

    from bringup import get_file

    weights = get_file("test_files/pytorch/yolov10/yolov10n.pt")

`places` says what may be asked for and where it may lie, `search` goes through the places,
`download` brings one file from a `source`: `http_source` or `fsspec_source`. For users:
`docs/files.md`.
"""

import math
import re
from dataclasses import replace
from pathlib import Path, PurePath

from bringup.harness.errors import UsageError
from bringup.harness.files.download import Terms
from bringup.harness.files.places import read_path
from bringup.harness.files.search import Search
from bringup.harness.records.variable_names import FILE_LIMIT_VARIABLE, FILE_TIMEOUT_VARIABLE
from bringup.harness.records.variables import VARIABLES


def get_file(
    path: str | PurePath,
    *,
    sha256: str | None = None,
    limit: int | None = None,
    timeout_s: float | None = None,
) -> Path:
    """A file of the bucket, or of an http(s) address, as a file of this machine.

    Looked for in the caches that CI mounts, then in the local cache, then at the mirror; what is
    downloaded is kept in the local cache. A folder of the bucket is had likewise, as far as a cache
    or a mirror that can list holds it.

    Args:
        path: the path in the bucket, which is the path in every cache; or `http(s)://...`.
        sha256: in hexadecimal; a file with another content is not used, wherever it lies.
        limit: bytes that may be downloaded; default `BRINGUP_FILE_LIMIT_GIB`, or 100 GiB.
        timeout_s: seconds without a byte after which a try is given up; default
            `BRINGUP_FILE_TIMEOUT`, or 30.

    Raises:
        UsageError: the path, an option or a variable is wrong.
        FileError: there is no such file to be had; the message says where it was looked for.
    """
    return Search(read_path(path), _terms(sha256, limit, timeout_s)).run()


def _terms(sha256: str | None, limit: int | None, timeout_s: float | None) -> Terms:
    if sha256 is not None and not isinstance(sha256, str):
        raise UsageError(f"sha256={sha256!r:.80} is no text")
    for name, given, kinds in (("limit", limit, int), ("timeout_s", timeout_s, int | float)):
        if given is not None and (isinstance(given, bool) or not isinstance(given, kinds)):
            raise UsageError(f"{name}={given!r:.80} is no number")
    if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise UsageError(f"sha256={sha256[:80]!r} is not 64 hexadecimal digits")
    if limit is not None and limit <= 0:
        raise UsageError(f"limit={limit} is not a number of bytes above 0")
    if timeout_s is not None and not 0 < timeout_s < math.inf:
        raise UsageError(f"timeout_s={timeout_s} is not a number of seconds above 0")
    return replace(
        Terms(),
        sha256=(sha256 or "").lower(),
        limit=limit or math.ceil(VARIABLES[FILE_LIMIT_VARIABLE].read() * 2**30),
        timeout_s=timeout_s or VARIABLES[FILE_TIMEOUT_VARIABLE].read(),
    )
