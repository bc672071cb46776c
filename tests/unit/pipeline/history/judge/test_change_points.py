# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bringup.pipeline.history.judge.change_points import segments
from bringup.pipeline.history.judge.columns import columns_of
from bringup.pipeline.history.judge.series import Attempts, Series
from tests.unit.pipeline.history.judge.made_series import DAY, nights

BITS = st.lists(st.integers(0, 1), max_size=80)


def cut(bad: list[int], total: list[int] | None = None) -> list[int]:
    counts = np.array(total or [1] * len(bad), np.int64)
    return [s.start for s in segments(np.array(bad, np.int64), counts)][1:]


def series_of(letters: str, **fields: object) -> Series:
    columns = columns_of(nights(letters, **fields))
    return Series(columns, Attempts.of(columns), 0, len(columns))


@pytest.mark.parametrize(("good", "bad"), [(7, 3), (14, 2), (30, 2), (90, 2)])
def test_a_clean_series_breaks_after_as_many_bad_nights_as_the_evidence_says(
    good: int, bad: int
) -> None:
    assert cut([0] * good + [1] * bad) == [good]
    assert cut([0] * good + [1] * (bad - 1)) == []


def test_one_bad_night_is_never_a_segment_however_long_all_was_well() -> None:
    assert cut([0] * 300 + [1]) == cut([0] * 300 + [1] + [0] * 300) == []


def test_three_bad_attempts_of_one_night_are_three() -> None:
    assert cut([0] * 7 + [3], [1] * 7 + [3]) == [7]


def test_a_series_breaks_again_inside_its_parts() -> None:
    assert cut([0] * 30 + [1] * 9 + [0] * 30 + [1] * 5) == [30, 39, 69]


def test_a_bad_week_inside_good_months_has_both_its_ends() -> None:
    assert cut([0] * 60 + [1] * 6 + [0] * 60) == [60, 66]


@given(st.integers(0, 200), st.booleans(), st.integers(1, 3))
def test_a_constant_series_has_no_break(length: int, bad: bool, attempts: int) -> None:
    assert cut([attempts * bad] * length, [attempts] * length) == []


@given(BITS)
def test_segments_cover_the_series_and_hold_their_start(bits: list[int]) -> None:
    found = segments(np.array(bits, np.int64), np.ones(len(bits), np.int64))
    assert [s.start for s in found] == ([0, *(s.end for s in found)][:-1] if found else [])
    assert (found[-1].end if found else 0) == len(bits)
    assert sum(s.bad for s in found) == sum(bits)
    assert all(s.earliest <= s.start <= s.latest < s.end for s in found)


@given(st.text(".F", max_size=40), st.text("iMuc", max_size=15), st.randoms(use_true_random=False))
def test_where_what_is_no_evidence_stands_changes_nothing(evidence, excluded, random) -> None:  # type: ignore[no-untyped-def]
    mixed = list(evidence)
    for letter in excluded:
        mixed.insert(random.randint(0, len(mixed)), letter)
    assert series_of("".join(mixed)).segments == series_of(evidence).segments


def test_a_break_is_none_where_the_artifact_stayed_the_same() -> None:
    assert series_of("." * 20 + "F" * 5).since is not None
    assert series_of("." * 20 + "F" * 5, artifact_hash="a").since is None
    assert series_of("." * 20 + "F" * 5, artifact_hash="").since is not None


def test_a_threshold_that_was_raised_is_a_break_of_the_same_artifact() -> None:
    old = nights("." * 20, artifact_hash="a", ir_hash="0.98")
    new = nights(" " * 20 + "FFFFF", artifact_hash="a", ir_hash="0.99")
    columns = columns_of([*old, *new])
    assert Series(columns, Attempts.of(columns), 0, len(columns)).since is not None


def test_a_start_is_a_range_of_nights_never_one_date() -> None:
    since = series_of("." * 20 + "iii" + "F" * 6).since
    assert since is not None and since.after is not None
    assert since.after.at <= 19 * DAY < 23 * DAY <= since.until.at


def test_ranges_hold_the_true_night_in_seeded_series() -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(300):
        true = int(rng.integers(15, 60))
        letters = np.where(rng.random(75) < 0.02, "F", ".")
        letters[true:] = np.where(rng.random(75 - true) < 0.97, "F", ".")
        letters[rng.random(75) < 0.05] = "i"
        since = series_of("".join(letters)).since
        assert since is not None
        after = since.after.at if since.after else -1.0
        held += after < true * DAY <= since.until.at or letters[true] == "i"
    assert held >= 0.98 * 300


def test_a_run_that_came_out_both_ways_is_no_bad_night() -> None:
    assert series_of("." * 20 + "mmmm").since is None
    assert series_of("." * 20 + "C").since is not None
