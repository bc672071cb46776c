# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Twenty-five nights that a careful maintainer judged, each with the history it is the end of."""

import pytest

from bringup.harness.records.schema import Outcome, Stage, Status
from bringup.pipeline.history.samples import Excluded, Sample
from bringup.pipeline.lists.lists import Lists
from tests.unit.pipeline.promotion.made_nights import (
    E2E,
    FULL,
    IN_FULL,
    IN_OPS,
    OPS,
    T5,
    T5_OPS,
    WEEKLY,
    lists,
    moves,
    nights,
    probed,
    sample,
)

GOOD = nights(30, list_name=FULL)
"""A long resident of nightly full."""
UP = {("add", FULL, T5), ("add", WEEKLY, T5_OPS), ("remove", OPS, T5_OPS)}
DOWN = {("add", OPS, T5_OPS), ("remove", FULL, T5), ("remove", WEEKLY, T5_OPS)}
PARTIAL = {"excluded": Excluded.PARTIAL}
WALKED = sample(0, entry=T5_OPS)
COMPILES = sample(0, "reached", entry=T5_OPS)
RENAMED = T5.replace("test_t5[", "test_t5b[")
RENAMED_OPS = T5_OPS.replace("test_t5[", "test_t5b[")
TINY = sample(0).test.replace("]@", "]:tiny@")

STAYS: dict[str, tuple[list[Sample], Lists]] = {
    "1 a resident fails once in COMPILE": ([*GOOD, sample(30, "failed")], lists(*IN_FULL)),
    "1 the same without a history": ([sample(0, "failed")], lists(*IN_FULL)),
    "2 one lucky pass": ([sample(0)], lists(*IN_OPS)),
    "3 fails, then passes": ([sample(0, failed=1)], lists(*IN_OPS)),
    "4 passes, then fails": ([sample(0, "failed", passed=1)], lists(*IN_FULL)),
    "5 one failure of the device": (
        [sample(0, "failed", stage=Stage.EXECUTE, message="device lost")],
        lists(*IN_FULL),
    ),
    "6 the machine": (
        nights(5, outcome=Outcome.INFRA, passed=0, excluded=Excluded.MACHINE),
        lists(*IN_FULL),
    ),
    "7 a hang": (
        nights(5, "failed", outcome=Outcome.TIMEOUT, excluded=Excluded.SUSPECT_DEVICE),
        lists(*IN_FULL),
    ),
    "8 a crash": ([sample(0, "crashed")], lists(*IN_FULL)),
    "10 out of memory": (
        nights(5, "failed", kind="MemoryError", message="cannot allocate"),
        lists(*IN_FULL),
    ),
    "11 incorrect, its check still on": (
        nights(20, "incorrect", list_name="probe"),
        lists(*IN_OPS),
    ),
    "12 incorrect, on full": ([*GOOD, *nights(9, "incorrect", start=30)], lists(*IN_FULL)),
    "14 nothing compared": (
        nights(5, passed=10, excluded=Excluded.UNCOMPARED),
        lists(*IN_OPS),
    ),
    "15 a rehearsal": (nights(5, passed=10, test=TINY), lists(*IN_OPS)),
    "17 walked op by op alone": ([WALKED], lists(*IN_OPS)),
    "19 one op that was asked for": ([sample(0, entry=T5_OPS, **PARTIAL)], lists()),
    "20 a walk that was killed": (
        [sample(0, entry=T5_OPS, outcome=Outcome.KILLED, excluded=Excluded.MACHINE)],
        lists(),
    ),
    "21 one op compiles": (
        [
            sample(0, "failed", stage=Stage.EXECUTE),
            sample(0, "reached", entry=T5_OPS, **PARTIAL),
        ],
        lists(*IN_OPS),
    ),
    "22 the harness declines": (
        nights(9, "failed", kind="ExportRefusal", stage=Stage.DECOMPOSE),
        lists(*IN_FULL),
    ),
    "23 stopped early on purpose": (
        nights(9, "reached", status=Status.CONVERTED_TO_STABLE_HLO),
        lists(*IN_FULL),
    ),
    "24 a night without its driver": ([*GOOD, sample(30, "reached")], lists(*IN_FULL)),
    "24 the same without a history": (nights(3, "reached"), lists(*IN_FULL)),
}

MOVES: dict[str, tuple[list[Sample], Lists, set[tuple[str, str, str]]]] = {
    "1 failed in each of its four attempts": (
        [*GOOD, sample(30, "failed", failed=4)],
        lists(*IN_FULL),
        DOWN,
    ),
    "8b crashed at both attempts": ([sample(0, "crashed", failed=2)], lists(*IN_FULL), DOWN),
    "9 a crash of a new test": ([sample(0, "crashed")], lists(), {("add", OPS, T5_OPS)}),
    "13 passes, its checks off": ([probed(0), probed(1)], lists(*IN_OPS), UP),
    "16 renamed": (
        [*GOOD, sample(30, entry=RENAMED)],
        lists(*IN_FULL),
        {("add", OPS, RENAMED_OPS)},
    ),
    "18 every op compiles": (
        [sample(0, "failed"), sample(1, "reached", entry=T5_OPS)],
        lists(*IN_OPS),
        {("add", E2E, T5)},
    ),
}


@pytest.mark.parametrize("history", STAYS)
def test_nothing_moves(history: str) -> None:
    assert moves(*STAYS[history]) == set()


@pytest.mark.parametrize("history", MOVES)
def test_it_moves(history: str) -> None:
    samples, given, wanted = MOVES[history]
    assert moves(samples, given) == wanted
