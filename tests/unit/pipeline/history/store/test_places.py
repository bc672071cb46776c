# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The same store at any address; s3:// by a real S3 service (moto's server) on this machine."""

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.records.night import NIGHT_SCHEMA, NightVerdict, write_night
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.store import history as store
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.index import VERDICTS
from bringup.pipeline.history.store.place import place_of
from bringup.pipeline.history.store.read import op_samples, samples
from bringup.pipeline.history.store.upkeep import prune, rebuild, verify
from bringup.pipeline.history.store.verdicts import keep_verdict, keep_verdict_of, kept_verdict
from tests.s3_service import s3_service, variables_of
from tests.unit import run_builder as made
from tests.unit.pipeline.history.store.made_runs import DAY, night, op_night


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_service("history") as address:
        yield address


@pytest.fixture(params=["memory", "file", "s3"])
def address(
    request: pytest.FixtureRequest,
    endpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    for name, value in variables_of(endpoint, tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    fresh = secrets.token_hex(4)
    known = {
        "memory": f"memory://{fresh}/team",
        "file": f"file://{tmp_path}/{fresh}",
        "s3": f"s3://history/{fresh}/team",
    }
    return known[request.param]


def judged(run: str, head: str) -> NightVerdict:
    return NightVerdict(schema=NIGHT_SCHEMA, run=run, at=made.STARTED, head=head)


def test_verdicts_are_kept_at_any_address_the_newest_counts_and_goes_with_its_run(
    address: str, tmp_path: Path
) -> None:
    there = History(address)
    for n in (0, 1):
        there.add(op_night(tmp_path / "runs", n, [made.op_result(0)]))
    first, second = (run.run for run in there.runs())
    assert kept_verdict(there, first) is None
    for head in ("too early", "all is well"):
        keep_verdict(there, judged(first, head))
    keep_verdict(there, judged(second, "later"))
    found = kept_verdict(History(address), first)
    assert found is not None and found.head == "all is well"
    assert len([n for n in there.place.sizes() if n.startswith(VERDICTS)]) == 2
    assert verify(there) == []
    prune(there, made.STARTED + 3 * DAY, days=2.5)
    assert kept_verdict(there, second) is not None
    if there.place.exclusive:  # elsewhere files of today may still be somebody's
        assert kept_verdict(there, first) is None


def test_a_damaged_verdict_is_named_and_the_run_is_judged_anew(tmp_path: Path) -> None:
    history = History(str(tmp_path / "history"))
    run_dir = op_night(tmp_path / "runs", 0, [made.op_result(0)])
    (run,) = [history.add(run_dir).run]
    verdict = judged(run, "as it was")
    write_night(run_dir, verdict)
    assert rebuild(history, [tmp_path / "runs"]) == []
    assert kept_verdict(history, run) == verdict
    (name,) = (n for n in history.place.sizes() if n.startswith(VERDICTS))
    path = history.place.local(name)
    path.write_bytes(path.read_bytes()[:-3])
    assert kept_verdict(history, run) is None
    (said,) = verify(history)
    assert name in said and "damaged" in said
    keep_verdict_of(history, run_dir)
    assert kept_verdict(history, run) == verdict and verify(history) == []


def test_a_store_is_the_same_at_any_address(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_LOOSE", 4)
    there, here = History(address), History(str(tmp_path / "here"))
    assert there.runs() == []
    for n in (3, 1, 2, 0, 4):
        run_dir = op_night(tmp_path / "runs", n, [made.op_result(0)])
        there.add(run_dir)
        there.add(run_dir)
        here.add(run_dir)
    assert there.runs() == here.runs() and len(there.runs()) == 5
    assert samples(there) == samples(here) and op_samples(there) == op_samples(here)
    assert len(there.index().containers) == 2
    assert [r.run for r in prune(there, made.STARTED + 5 * DAY, days=3.5)] == [
        "nightly-000",
        "nightly-001",
    ]
    assert [s.at for s in samples(there, tests=[made.identity().key])] == [
        made.STARTED + n * DAY for n in (2, 3, 4)
    ]
    assert verify(there) == []


def test_a_torn_file_is_refused_and_written_anew_at_any_address(
    address: str, tmp_path: Path
) -> None:
    history = History(address)
    history.add(night(tmp_path, 0))
    name = next(n for n in history.place.sizes() if n.startswith("data/"))
    history.place.put(name, b"PAR1")
    with pytest.raises(HistoryError, match="is torn: 4 of"):
        samples(history)
    assert rebuild(history, [tmp_path]) == [] and len(samples(history)) == 1


def test_runs_that_arrive_at_once_are_all_there(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_LOOSE", 3)
    nights = [night(tmp_path, n) for n in range(6)]
    faults: list[BaseException] = []

    def add(some: list[Path]) -> None:
        try:
            for run_dir in some:
                History(address).add(run_dir)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=add, args=(part,)) for part in (nights[:4], nights[2:])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = History(address)
    assert not faults and [run.run for run in history.runs()] == [d.name for d in nights]
    assert [s.run for s in samples(history)] == [d.name for d in nights]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "is no address"),
        ("a\0b", "is no address"),
        ("nonsense://x", "nonsense://x is no address of a history: Protocol not known"),
        ("s3://user:secret@nowhere/x", "s3://nowhere/x"),
    ],
)
def test_an_address_that_leads_nowhere_is_said_in_a_sentence(
    address: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(HistoryError) as refused:
        place_of(address).sizes()
    assert why in str(refused.value) and "secret" not in str(refused.value)
    (tmp_path / "plain").write_text("")
    with pytest.raises(HistoryError, match="is no folder"):
        History(str(tmp_path / "plain")).runs()
