# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import jsonschema
import msgspec
import pytest

from bringup.harness.errors import RecordError
from bringup.harness.records.json_schema import json_schema
from bringup.harness.records.night import (
    NIGHT_NAME,
    NIGHT_SCHEMA,
    Cluster,
    Drift,
    DriftKind,
    Judgement,
    Moment,
    NightVerdict,
    Range,
    TestVerdict,
    read_night,
    write_night,
)
from bringup.harness.records.values import Outcome

NIGHT = NightVerdict(
    schema=NIGHT_SCHEMA,
    run="n1",
    at=86400.0,
    counts={Judgement.REGRESSION: 1, Judgement.GOOD: 7},
    tests=(
        TestVerdict(
            test="bert[full-eval]@n150",
            device="n150",
            judgement=Judgement.REGRESSION,
            outcome=Outcome.FAILED,
            since=Range(Moment("n1", 86400.0), Moment("n0", 0.0)),
            drifts=(Drift(DriftKind.PCC, 0.99, 0.9, 0.01),),
        ),
    ),
    clusters=(Cluster(id="c", name="no such op", example="\udc80 no UTF-8"),),
)


def test_a_verdict_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_night(tmp_path) is None
    write_night(tmp_path, NIGHT)
    found = read_night(tmp_path)
    assert found is not None and found.tests == NIGHT.tests and found.counts == NIGHT.counts
    assert write_night(tmp_path, found).read_bytes() == (tmp_path / NIGHT_NAME).read_bytes()
    assert read_night(tmp_path) == found


def test_a_written_verdict_is_a_document_of_the_published_schema(tmp_path: Path) -> None:
    written = msgspec.json.decode(write_night(tmp_path, NIGHT).read_bytes())
    schema = json_schema()
    only = {**schema, "anyOf": [{"$ref": "#/$defs/NightVerdict"}]}
    jsonschema.validate(written, only)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**written, "counts": {"worse": 1}, "run": 3}, only)


def test_a_newer_schema_and_damage_are_one_sentence_each(tmp_path: Path) -> None:
    path = tmp_path / NIGHT_NAME
    path.write_text('{"schema": 99, "tests": 7}')
    with pytest.raises(RecordError, match=r"night\.json: written with night schema 99.*upgrade"):
        read_night(tmp_path)
    path.write_text('{"schema": 1, "run": "n1", "at": 0, "tests": [{"judgement": "worse"}]}')
    with pytest.raises(RecordError, match=r"night\.json.*tests\[0\]"):
        read_night(tmp_path)
    path.write_text('{"schema": 1')
    with pytest.raises(RecordError, match=r"night\.json"):
        read_night(tmp_path)
