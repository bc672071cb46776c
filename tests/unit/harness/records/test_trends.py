# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`trends.json.zst`: read as it was written, or refused in one sentence."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import zstandard

from bringup.harness.errors import RecordError
from bringup.harness.records.night import Moment
from bringup.harness.records.trends import (
    TRENDS_NAME,
    TRENDS_SCHEMA,
    Trends,
    read_trends,
    write_trends,
)
from bringup.harness.records.values import Outcome

TRENDS = Trends(
    schema=TRENDS_SCHEMA,
    outcomes=tuple(Outcome),
    run="n1",
    nights=(Moment("n0", 0.0), Moment("n1", 86400.0)),
    tests=("bert[full-eval]@cpu",),
    outcome=bytes([1, 3]),
    status=bytes([7, 7]),
    pcc=np.array([1.0, 0.7], "<f4").tobytes(),
    seconds=np.array([2.0, np.nan], "<f4").tobytes(),
    memory=np.array([900.0, 910.0], "<f4").tobytes(),
)


def _write(folder: Path, **fields: object) -> None:
    document = msgspec.to_builtins(TRENDS, builtin_types=(bytes,)) | fields
    data = msgspec.json.encode(document)
    (folder / TRENDS_NAME).write_bytes(zstandard.compress(data))


def test_a_past_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_trends(tmp_path) is None
    first = write_trends(tmp_path, TRENDS).read_bytes()
    assert read_trends(tmp_path) == TRENDS
    assert write_trends(tmp_path, TRENDS).read_bytes() == first


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"schema": 99}, "written with trends schema 99.*upgrade"),
        ({"pcc": b"1234"}, "pcc has not 4 bytes for each of 1 tests and 2 nights"),
        ({"ops": ["aten.add"]}, "op_results and op_bad have not 4 bytes for each of 1 ops"),
        ({"outcome": bytes([1, 77])}, "outcome has a code above 12"),
        ({"tests": 3}, "tests"),
    ],
)
def test_a_newer_schema_and_damage_are_one_sentence_each(
    tmp_path: Path, fields: dict[str, object], says: str
) -> None:
    _write(tmp_path, **fields)
    with pytest.raises(RecordError, match=rf"(?s)trends\.json\.zst.*{says}"):
        read_trends(tmp_path)


def test_what_is_not_packed_is_refused(tmp_path: Path) -> None:
    (tmp_path / TRENDS_NAME).write_bytes(b"{}")
    with pytest.raises(RecordError, match=r"trends\.json\.zst"):
        read_trends(tmp_path)
