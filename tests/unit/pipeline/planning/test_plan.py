# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From lists and names to planned tests."""

from pathlib import Path

import pytest

from bringup.harness.records.schema import Identity, PlannedTest
from bringup.pipeline.lists.lists import Entry, Lists
from bringup.pipeline.lists.specs import (
    NIGHTLY_E2E_COMPILE,
    NIGHTLY_FULL,
    WEEKLY_OP_BY_OP,
    ListSpec,
)
from bringup.pipeline.planning.plan import (
    deadline,
    files_of,
    from_entries,
    from_lists,
)
from bringup.pipeline.planning.shard import partition

RESNET = "tests/models/resnet/test_resnet.py::test_resnet50[full-eval]"
T5 = "tests/models/t5/test_t5.py::test_t5[full-t5-base-eval]"


def nothing_known(_: Identity) -> None:
    return None


def lists_of(*entries: tuple[ListSpec, str, str]) -> Lists:
    found = tuple(Entry(name, device, test, 1) for name, device, test in entries)
    return Lists(Path("tests/lists"), found)


def test_an_entry_becomes_a_test_on_its_device() -> None:
    lists = lists_of((NIGHTLY_FULL, "n150", T5))
    [test] = from_lists(lists, [NIGHTLY_FULL], ["n150"], lambda _: 12.5)
    assert test.identity.key == "t5[full-t5-base-eval]@n150"
    assert test.nodeid == "tests/models/t5/test_t5.py::test_t5[full-t5-base-eval-n150]"
    assert test.list_name == "nightly_full_model_execute"
    assert test.estimate_s == 12.5
    assert test.environment == {}


def test_the_e2e_compile_list_stops_its_tests_before_they_execute() -> None:
    lists = lists_of((NIGHTLY_E2E_COMPILE, "n150", T5))
    [test] = from_lists(lists, [NIGHTLY_E2E_COMPILE], ["n150"], nothing_known)
    assert test.environment == {"TT_TORCH_COMPILE_DEPTH": "TTNN_IR"}


def test_a_test_on_two_lists_runs_once_for_the_first() -> None:
    lists = lists_of((NIGHTLY_E2E_COMPILE, "n150", T5), (NIGHTLY_FULL, "n150", T5))
    names = [NIGHTLY_FULL, NIGHTLY_E2E_COMPILE]
    [test] = from_lists(lists, names, ["n150"], nothing_known)
    assert test.list_name == NIGHTLY_FULL.name


def test_only_the_devices_and_lists_asked_for() -> None:
    lists = lists_of(
        (NIGHTLY_FULL, "cpu", RESNET),
        (NIGHTLY_FULL, "n150", RESNET),
        (WEEKLY_OP_BY_OP, "cpu", T5),
    )
    found = from_lists(lists, [NIGHTLY_FULL], {"cpu", "iree"}, nothing_known)
    assert [t.identity.key for t in found] == ["resnet50[full-eval]@cpu"]


def test_named_tests_run_on_every_named_device() -> None:
    found = from_entries([RESNET, T5], ["cpu", "n150"], nothing_known)
    assert len(found) == 4
    assert all(t.list_name == "" for t in found)
    assert files_of(found) == ["tests/models/resnet/test_resnet.py", "tests/models/t5/test_t5.py"]


@pytest.mark.parametrize(
    ("estimate", "timeout", "seconds"),
    [
        (None, None, 900),
        (10.0, None, 900),
        (600.0, None, 1800),
        (None, 60.0, 60),
        (600.0, 60.0, 60),
    ],
)
def test_a_deadline_is_the_timeout_or_generous(
    estimate: float | None, timeout: float | None, seconds: float
) -> None:
    assert deadline(estimate, timeout) == seconds


@pytest.mark.parametrize("n", range(1, 8))
def test_the_shards_of_a_plan_are_the_plan(n: int) -> None:
    entries = [f"tests/models/m/test_m.py::test_m{i % 5}[full-v{i}-eval]" for i in range(23)]
    plan = from_entries(entries, ["cpu", "n150"], lambda i: len(i.variant) * 10.0)
    shards = partition(plan, n)
    dealt: list[PlannedTest] = [test for shard in shards for test in shard]
    assert sorted(t.nodeid for t in dealt) == sorted(t.nodeid for t in plan)
