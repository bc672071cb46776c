# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Names of files made of names of tests: any length in, one that every file system takes out."""

import hashlib

LONGEST = 200
"""Bytes of a name we make: 255 is what file systems take, and a file is first written beside its
name, with a process id and eight digits more."""
_DIGITS = 16


def fitted(name: str, longest: int = LONGEST, whole: str | None = None) -> str:
    """`name`, or its beginning and a digest of `whole` (of itself without that) if it is longer.

    Two names that begin alike stay two; `longest` is in bytes of UTF-8. `whole` is what the name
    was made of, where two of those might have come to one name.
    """
    data = name.encode("utf-8", "replace")
    if len(data) <= longest:
        return name
    digest = hashlib.sha256((whole or name).encode("utf-8", "backslashreplace")).hexdigest()
    digest = digest[:_DIGITS]
    return f"{data[: longest - _DIGITS - 1].decode('utf-8', 'ignore')}~{digest}"
