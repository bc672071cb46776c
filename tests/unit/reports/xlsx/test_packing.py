# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Packing beside the making of what is packed: in order, the same each time, and never silent."""

import io
import zipfile

import pytest

from bringup.reports.xlsx.packing import Packing


def packed() -> bytes:
    packing = Packing()
    for number in range(20):
        packing.begin(f"{number}.xml")
        for piece in range(30):
            packing.write(f"{number} {piece}\n".encode() * 50)
        packing.add(f"{number}.rels", b"one")
    return packing.to_bytes()


def test_files_are_whole_and_in_order_and_the_same_each_time() -> None:
    data = packed()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == [f"{n}.{e}" for n in range(20) for e in ("xml", "rels")]
        wanted = "".join(f"7 {piece}\n" * 50 for piece in range(30))
        assert archive.read("7.xml").decode() == wanted
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert packed() == data


def test_what_cannot_be_packed_is_said_and_nothing_hangs() -> None:
    packing = Packing()
    packing.write(b"before any file was begun")
    with pytest.raises(ValueError, match="no file was begun"):
        for number in range(100):
            packing.add(str(number), b"more")
        packing.to_bytes()
