# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The published JSON Schema: it is the types', it takes what we write and refuses what is none."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from bringup.harness.records.json_schema import (
    DOCUMENTS,
    PUBLISHED,
    field_docs,
    main,
)
from bringup.harness.records.packing import read_lines
from bringup.harness.records.plans import SharedPlan
from bringup.harness.records.run_dir import HEADER_NAME, RECORDS_NAME
from bringup.harness.records.schema import SCHEMA_VERSION, Metric, Outcome, TestRecord
from bringup.harness.storage.writable import encoded
from tests.unit.run_builder import identity, op_result, output, record, write_run

ROOT = Path(__file__).parents[4]
SCHEMA = json.loads((ROOT / PUBLISHED).read_text())


def validator(name: str = "") -> Draft202012Validator:
    """Of all documents, or of one type."""
    one = {"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]}
    return Draft202012Validator(one if name else SCHEMA)


def test_the_published_file_is_what_the_types_say(tmp_path: Path) -> None:
    assert main([str(tmp_path / "schema.json")]) == 0
    made = (tmp_path / "schema.json").read_bytes()
    assert made == (ROOT / PUBLISHED).read_bytes(), (
        "run `python -m bringup.harness.records.json_schema` and look at what changed"
    )
    Draft202012Validator.check_schema(SCHEMA)
    assert f"schema {SCHEMA_VERSION}" in SCHEMA["title"]


def test_what_a_run_writes_is_valid(tmp_path: Path) -> None:
    odd = output(pcc=float("nan"), ok=False)
    records = [
        record(),
        record(outcome=Outcome.FAILED),
        record(outcome=Outcome.INCORRECT, outputs=(odd,)),
    ]
    twice = [op_result(), op_result(), op_result(1, outcome=Outcome.FAILED)]
    run = write_run(tmp_path / "run", records, ops={identity(): twice})
    lines = read_lines(run / RECORDS_NAME).splitlines()
    documents = {"TestRecord": lines, "RunHeader": [(run / HEADER_NAME).read_bytes()]}
    documents["Plan"] = [path.read_bytes() for path in run.glob("plan*.json")]
    plan = SharedPlan(run_id="r", created=1.0, session="nightly", shards=((), ()))
    documents["SharedPlan"] = [encoded(plan)]
    for name, found in documents.items():
        assert found, name
        for text in found:
            validator(name).validate(json.loads(text))
            validator().validate(json.loads(text))
    events = [
        json.loads(line)
        for path in (run / "journal").iterdir()
        for line in read_lines(path).splitlines()
    ]
    assert {event["event"] for event in events} == {
        *("journal_opened", "test_started", "op_ended", "op_repeated", "test_ended")
    }
    for event in events:
        validator().validate(event)


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "HUNG"},
        {"status": 8},
        {"identity": "net@cpu"},
        {"nodeid": None},
        {"started": "yesterday"},
        {"stages": [{"stage": "lunch", "ok": True}]},
        {"outputs": [{"path": "x"}]},
    ],
)
def test_what_no_reader_takes_is_invalid(change: dict[str, Any]) -> None:
    good = json.loads(encoded(record()))
    validator("TestRecord").validate(good)
    bad = good | change
    assert not validator("TestRecord").is_valid(bad)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(bad), type=TestRecord)


def test_a_field_of_a_later_version_is_passed_over() -> None:
    later = json.loads(encoded(record())) | {"weather": "fine"}
    validator("TestRecord").validate(later)
    assert msgspec.json.decode(json.dumps(later), type=TestRecord) == record()


def test_what_stands_below_a_field_is_its_description() -> None:
    assert set(field_docs(Outcome)) == {outcome.name for outcome in Outcome}
    started = SCHEMA["$defs"]["TestRecord"]["properties"]["started"]
    assert started["description"] == field_docs(TestRecord)["started"]
    # of an inherited field too
    assert SCHEMA["$defs"]["StageStarted"]["properties"]["time"]["description"]
    assert "description" not in SCHEMA["$defs"][Metric.__name__]["properties"]["value"]


def test_every_document_says_where_it_is_found() -> None:
    assert {kind.__name__ for kind in DOCUMENTS} == {
        name for name, found in SCHEMA["$defs"].items() if "$comment" in found
    }
    assert len(SCHEMA["anyOf"]) == len(DOCUMENTS)
