# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The verdict cache is pruned now and then, and what to recheck is said in one way or another."""

import os
import re
import sqlite3
import sys
import time
from pathlib import Path

import msgspec
import pytest
from filelock import FileLock

from bringup.harness.errors import UsageError
from bringup.harness.options.option import declared
from bringup.harness.records.schema import Metric, Outcome, Status
from bringup.harness.records.verdicts.cache import DAY, VerdictCache
from bringup.harness.records.verdicts.recheck import (
    Recheck,
    parse_share,
)
from bringup.harness.records.verdicts.rules import chosen_for_recheck, disagreement
from bringup.harness.records.verdicts.upkeep import Limits, builds_beside, prune_if_due
from bringup.harness.storage.file_cache import FileCache
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions
from bringup.pipeline.planning import verdict_cache
from tests.unit.run_builder import identity, op_result, plan_of

GOOD = msgspec.structs.replace(op_result().verdict, pcc=Metric.of(0.999), atol=Metric.of(1e-5))
LIMITS = Limits(age_s=90 * DAY, size=1 << 30)


def filled(tmp_path: Path) -> VerdictCache:
    """One fresh verdict and one that nobody has used for a year."""
    cache = VerdictCache(tmp_path / "v.sqlite")
    for key in ("new", "old"):
        assert cache.put(key, op_result().verdict)
    with sqlite3.connect(cache.path) as db:
        db.execute("UPDATE verdict SET used = used - ? WHERE key = 'old'", (365 * DAY,))
    return cache


def test_pruning_is_done_once_a_day(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    pruned = prune_if_due(cache, LIMITS)
    assert pruned is not None and (pruned.kept, pruned.removed) == (1, 1)
    assert prune_if_due(cache, LIMITS) is None
    yesterday = time.time() - 1.1 * DAY
    os.utime(tmp_path / "v.sqlite.pruned", (yesterday, yesterday))
    assert prune_if_due(cache, LIMITS) is not None


def test_one_prunes_at_a_time(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    with FileLock(f"{tmp_path / 'v.sqlite.pruned'}.lock"):
        assert prune_if_due(cache, LIMITS) is None
    assert prune_if_due(cache, LIMITS) is not None


def test_no_cache_is_made_to_be_pruned(tmp_path: Path) -> None:
    assert prune_if_due(VerdictCache(tmp_path / "none" / "v.sqlite"), LIMITS) is None
    assert list(tmp_path.iterdir()) == []


def test_the_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Limits.from_environment() == Limits(90 * DAY, 4 << 30)
    monkeypatch.setenv("BRINGUP_CACHE_DAYS", "7")
    monkeypatch.setenv("BRINGUP_CACHE_GIB", "0.5")
    assert Limits.from_environment() == Limits(7 * DAY, 1 << 29)
    monkeypatch.setenv("BRINGUP_CACHE_DAYS", "-1")
    with pytest.raises(UsageError, match="BRINGUP_CACHE_DAYS='-1': expected a number of days"):
        Limits.from_environment()


@pytest.mark.parametrize(
    ("text", "share"), [("2%", 0.02), ("0.02", 0.02), ("100%", 1.0), (".5", 0.5), ("0", 0.0)]
)
def test_a_share_is_a_percentage_or_a_part(text: str, share: float) -> None:
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["2", "101%", "two", "-1%", "", "nan"])
def test_what_is_no_share_is_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="is no share of the cached verdicts; write 2%"):
        parse_share(text)


@pytest.mark.parametrize("text", ["2%", "0.02", "100%", ".5", "0", "2", "101%", "two", "-1%", ""])
def test_the_command_line_takes_the_shares_that_the_harness_takes(text: str) -> None:
    recheck = declared(RunOptions)["recheck"]
    try:
        parse_share(text)
    except UsageError as refused:
        with pytest.raises(UsageError, match=re.escape(str(refused))):
            recheck.read(text)
    else:
        assert recheck.read(text) == text


def test_a_run_says_what_was_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = filled(tmp_path)
    monkeypatch.setenv("BRINGUP_CACHE", str(cache.path))
    test = identity("t5", flow="op_by_op_torch")
    say = Speaker(sys.stdout)
    verdict_cache.prune(plan_of([]), say)
    assert capsys.readouterr().out == ""
    verdict_cache.prune(plan_of([test]), say)
    assert "1 cached verdicts pruned, 1 are left" in capsys.readouterr().out
    monkeypatch.setenv("BRINGUP_CACHE_GIB", "much")
    verdict_cache.prune(plan_of([test]), say)
    assert "BRINGUP_CACHE_GIB='much': expected a number of GiB" in capsys.readouterr().out


def test_builds_are_pruned_with_the_verdicts_and_share_their_room(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    builds = FileCache(builds_beside(cache.path))
    key = "0" * 64
    builds.put(key, b"lowered")
    assert prune_if_due(cache, Limits(age_s=90 * DAY, size=1)) is not None
    assert builds.get(key) is None
    alone = VerdictCache(tmp_path / "other" / "verdicts.sqlite")
    kept = FileCache(builds_beside(alone.path))
    kept.put(key, b"lowered")
    assert prune_if_due(alone, Limits(age_s=90 * DAY, size=1 << 20)) is not None
    assert kept.get(key) == b"lowered"
    assert not alone.path.exists()


def test_every_run_rechecks_its_own_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRINGUP_RECHECK", "10%")
    keys = [str(n) for n in range(1000)]
    one, same, other = (Recheck.from_environment(name) for name in ("n1", "n1", "n2"))
    chosen = [key for key in keys if one.chooses(key)]
    assert 50 < len(chosen) < 150
    assert chosen == [key for key in keys if same.chooses(key)]
    assert chosen != [key for key in keys if other.chooses(key)]


# --- rechecking ------------------------------------------------------------------------------


def test_the_share_to_recheck_is_random_and_the_same_for_a_seed() -> None:
    keys = [f"{n}" for n in range(20_000)]
    chosen = [k for k in keys if chosen_for_recheck(k, 0.02, seed=7)]
    assert 300 < len(chosen) < 500
    assert chosen == [k for k in keys if chosen_for_recheck(k, 0.02, seed=7)]
    assert chosen != [k for k in keys if chosen_for_recheck(k, 0.02, seed=8)]
    assert all(chosen_for_recheck(k, 1.0, 0) for k in keys)
    assert not any(chosen_for_recheck(k, 0.0, 0) for k in keys)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({}, ""),
        ({"pcc": Metric.of(0.9985), "atol": Metric.of(1.2e-5)}, ""),
        ({"origin": "another run", "computed": 5.0}, ""),
        ({"status": Status.CONVERTED_TO_TTNN}, "status"),
        ({"outcome": Outcome.INCORRECT}, "outcome"),
        ({"fingerprint": "compile:x:y"}, "fingerprint"),
        ({"pcc": Metric.of(0.99)}, "pcc"),
        ({"pcc": Metric.of(float("nan"))}, "pcc"),
        ({"atol": Metric.of(2e-4)}, ""),
        ({"atol": Metric.of(4e-4)}, "atol"),
        ({"atol": Metric.of(1.0)}, "atol"),
        ({"atol": None}, "atol"),
    ],
)
def test_a_disagreement_is_one_sentence(changed: dict[str, object], word: str) -> None:
    sentence = disagreement(GOOD, msgspec.structs.replace(GOOD, **changed))  # type: ignore[arg-type]
    assert (word in sentence and sentence.endswith(".")) if word else sentence == ""
