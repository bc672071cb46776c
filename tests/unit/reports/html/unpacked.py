# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a page's script finds in its packed blocks, read as `pack` says they are laid out."""

import base64
import json
import re
import struct
import zlib
from typing import Any


def block(source: str, name: str) -> bytes:
    """A block's bytes, unpacked."""
    found = re.search(rf'<script type="text/plain" id="{name}">(.*?)</script>', source)
    assert found is not None, f"no block {name}"
    return zlib.decompress(base64.b64decode(found[1]))


def columns(source: str, name: str) -> dict[str, Any]:
    """A block's JSON, with its columns as lists of numbers in it."""
    data = block(source, name)
    (length,) = struct.unpack_from("<I", data)
    head = json.loads(data[4 : 4 + length])
    found, at = head["meta"], 4 + length
    for column, (width, size) in head["columns"].items():
        planes = [data[at + plane * size : at + (plane + 1) * size] for plane in range(width)]
        found[column] = [sum(p[i] << 8 * n for n, p in enumerate(planes)) for i in range(size)]
        at += width * size
    assert at == len(data)
    return found


def details(source: str) -> list[dict[str, Any]]:
    """What the panel shows of each result, in the order of the grid."""
    names = re.findall(r'id="(detail-\d+)"', source)
    return [one for name in names for one in json.loads(block(source, name))]


def texts(value: Any) -> str:
    """All texts in some JSON, one a line."""
    if isinstance(value, dict):
        return "\n".join(texts(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return "\n".join(map(texts, value))
    return str(value)
