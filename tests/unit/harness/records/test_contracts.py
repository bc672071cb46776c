# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What crosses walls: newer schemas are refused in one way, journals have one tail, devices one
listing."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bringup.harness.device_host.listing import list_devices
from bringup.harness.errors import HarnessError, RecordError
from bringup.harness.records.device_listing import (
    DeviceState,
    ListedDevice,
    decode_listing,
    encode_listing,
)
from bringup.harness.records.journal import JournalWriter, pack_journals, read_journal
from bringup.harness.records.journal_tail import JournalTail
from bringup.harness.records.run_dir import (
    read_merged,
    read_plan,
    read_run_header,
    read_shared_plan,
)
from bringup.harness.records.schema import Outcome, Plan, RunHeader, TestEnded
from bringup.harness.records.versions import NewerError, decode_versioned, refuse_newer
from bringup.harness.reduce.model_reproducer import read_model
from bringup.harness.reproduce.reproducer import read_expected
from bringup.pipeline import devices
from bringup.pipeline.planning.durations import read_durations
from bringup.reports.build import newest_run
from tests.unit import run_builder as made

READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "plan": ("plan.json", read_plan),
    "plan of all shards": ("all.json", read_shared_plan),
    "header": ("run.json", lambda path: read_run_header(path.parent)),
    "merged": ("run.json", lambda path: read_merged(path.parent)),
    "newest": ("run.json", lambda path: newest_run(path.parent)),
    "journal": ("a.jsonl", read_journal),
    "tail": ("journal/a.jsonl", lambda path: list(JournalTail(path.parent.parent).read())),
    "durations": ("durations.json", read_durations),
    "op's reproducer": ("expected.json", lambda path: read_expected(path.parent)),
    "model's reproducer": ("expected.json", lambda path: read_model(path.parent)),
}


@pytest.mark.parametrize("reader", READERS)
def test_what_a_newer_version_wrote_is_refused_in_one_way(reader: str, tmp_path: Path) -> None:
    name, read = READERS[reader]
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    model = {"model": msgspec.to_builtins(made.identity("t5"))} if "model" in reader else {}
    path.write_bytes(msgspec.json.encode({"schema": 99, "unheard": "of", **model}) + b"\n")
    with pytest.raises(HarnessError, match=r"schema 99, this version reads up to \d; upgrade"):
        read(path)


@pytest.mark.parametrize(("schema", "refused"), [(1, False), (4, False), (5, True), (10**9, True)])
def test_a_schema_is_newer_from_one_above_what_is_known(schema: int, refused: bool) -> None:
    data = msgspec.json.encode(RunHeader(schema=schema, run_id="r", session="s", created=1.0))
    if refused:
        with pytest.raises(NewerError, match="x: written with record schema"):
            decode_versioned(data, RunHeader, "x", "a header", 4)
    else:
        assert decode_versioned(data, RunHeader, "x", "a header", 4).schema == schema
    refuse_newer(b"no json", "x", 4)
    with pytest.raises(RecordError, match="x: not a plan"):
        decode_versioned(b'{"schema": "x"}', Plan, "x", "a plan", 4)


# --- the tail of a journal ------------------------------------------------------------------


def ended(i: int) -> TestEnded:
    return TestEnded(time=float(i), key=f"k{i}", outcome=Outcome.PASSED)


@given(st.lists(st.integers(0, 400), max_size=8))
def test_however_a_journal_is_looked_at_every_line_is_read_once(cuts: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal" / "one.jsonl"
        path.parent.mkdir()
        data = b"".join(msgspec.json.encode(ended(i)) + b"\n" for i in range(5)) + b'{"torn'
        tail, found, at = JournalTail(Path(folder)), [], 0
        for cut in [*sorted(cuts), len(data)]:
            with path.open("ab") as file:
                file.write(data[at:cut])
            at = max(at, min(cut, len(data)))
            found += [event for event, name in tail.read() if name == "one"]
        assert found == [ended(i) for i in range(5)]
        assert list(tail.read()) == []


def test_a_tail_reads_on_where_a_journal_was_packed_meanwhile(tmp_path: Path) -> None:
    tail = JournalTail(tmp_path)
    first = JournalWriter(tmp_path, "r", made.PROVENANCE)
    first.append(ended(1))
    first.close()
    assert len(list(tail.read())) == 2
    pack_journals(tmp_path)
    second = JournalWriter(tmp_path, "r", made.PROVENANCE)
    second.append(ended(2))
    second.close()
    for again, keys in ((tail, ["k2"]), (JournalTail(tmp_path), ["k1", "k2"]), (tail, [])):
        found = [event.key for event, _ in again.read() if isinstance(event, TestEnded)]
        assert sorted(found) == keys


# --- the listing of devices -----------------------------------------------------------------


def test_what_devices_prints_is_what_the_pipeline_reads(tmp_path: Path) -> None:
    found = list_devices(["cpu", "interpreter"])
    assert decode_listing(encode_listing(found), "x") == tuple(found)
    path = tmp_path / "devices.json"
    path.write_bytes(encode_listing(found))
    assert devices.read(path) == tuple(found)
    assert found[0].state is DeviceState.EXECUTES and found[0].title and found[0].detail


def test_a_listing_may_say_less_or_more_and_is_read() -> None:
    (one,) = decode_listing(b'[{"name": "cpu", "state": "executes", "colour": "red"}]', "x")
    assert one == ListedDevice("cpu", DeviceState.EXECUTES)
    with pytest.raises(RecordError, match=r"x: not JSON of devices: .*state"):
        decode_listing(b'[{"name": "cpu", "state": "sleeps"}]', "x")
