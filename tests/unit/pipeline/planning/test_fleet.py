# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A fleet by its file, and what of a test's needs it meets."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bringup.harness.records.device_listing import DeviceState, ListedDevice
from bringup.harness.records.schema import DeclaredNeeds, Identity, PlannedTest
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.fleet import (
    on_fleet,
    read_fleet,
    refuse_unmet,
    this_machine,
    unmet,
)
from bringup.pipeline.planning.planners import AFFINITY
from bringup.pipeline.planning.work import units_of

EXAMPLES = sorted((Path(__file__).parents[4] / "docs" / "fleets").glob("*.toml"))
HOST = '[[runner]]\nname = "host"\ndevices = { cpu = 4, n150 = 2 }\nmemory_gib = 64\nslots = 4\n'


def a_fleet(folder: Path, text: str) -> Path:
    path = folder / "fleet.toml"
    path.write_text(text)
    return path


def a_test(device: str = "n150", **needs: object) -> PlannedTest:
    declared = DeclaredNeeds(**needs)  # type: ignore[arg-type]
    return PlannedTest(Identity(model="m", flow="full", device=device), "x", needs=declared)


@pytest.mark.parametrize("path", EXAMPLES, ids=[p.stem for p in EXAMPLES])
def test_every_example_is_a_fleet_on_which_a_test_of_each_kind_runs(path: Path) -> None:
    runners = read_fleet(path)
    kinds = {kind for r in runners for kind in r.kinds or ()}
    tests = [a_test(kind) for kind in sorted(kinds)]
    refuse_unmet(tests, runners, path)
    shards = AFFINITY.plan(units_of(tests), runners)
    assert sum(map(len, shards)) == len(kinds)


def test_runners_that_are_alike_are_numbered_and_absent_ones_left_out(tmp_path: Path) -> None:
    text = HOST + 'count = 2\nlabels = ["own"]\n' + HOST.replace('"host"', '"ill"')
    runners = read_fleet(a_fleet(tmp_path, text + "available = false\n"))
    assert [r.name for r in runners] == ["host-1", "host-2"]
    assert {(r.slots, r.memory, r.labels) for r in runners} == {(4, 64 << 30, ("own",))}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing required field `runner`"),
        ("runner = []", "length >= 1"),
        (HOST.replace("slots = 4", "slots = 0"), "$.runner[0].slots"),
        (HOST.replace("n150 = 2", "n150 = -2"), "$.runner[0].devices"),
        (HOST + "colour = 1\n", "unknown field `colour`"),
        (HOST.replace("memory_gib = 64", "memory_gib = nan"), "memory"),
        (HOST.replace('"host"', '"../host"'), "$.runner[0].name"),
        (HOST + HOST, "two runners are called host"),
        (HOST + "available = false", "no runner is available"),
        ("[[runner]", "is not TOML"),
    ],
)
def test_what_is_no_fleet_is_refused_with_file_and_field(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(PipelineError) as refused:
        read_fleet(a_fleet(tmp_path, text))
    assert said in str(refused.value) and "fleet.toml" in str(refused.value)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"none\.toml"):
        read_fleet(tmp_path / "none.toml")


@settings(deadline=None)  # files are written
@given(st.binary(max_size=200))
def test_whatever_the_file_holds_one_sentence_says_so(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(data)
    with pytest.raises(PipelineError, match=r"any\.toml"):
        read_fleet(path)


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (a_test(), ""),
        (a_test(chips=2, memory_gib=64, exclusive=True), ""),
        (a_test(kinds=("n300", "n150")), ""),
        (a_test("cpu", kinds=("n150", "n300")), "it needs n150 or n300, and is planned on cpu"),
        (a_test(chips=4), "no runner has 4 of n150; the most is 2"),
        (a_test(chips=2, memory_gib=65), "no runner with 2 of n150 has 65.0 GiB of memory"),
        (a_test("p150"), "no runner has p150; there are cpu, n150"),
    ],
)
def test_needs_that_nothing_meets_are_said(tmp_path: Path, test: PlannedTest, said: str) -> None:
    runners = read_fleet(a_fleet(tmp_path, HOST))
    assert unmet(test, runners) == said
    if said:
        with pytest.raises(PipelineError) as refused:
            refuse_unmet([test], runners, "fleet.toml")
        assert f"fleet.toml cannot run 1 of the tests: {test.identity.key}: {said}" == str(
            refused.value
        )


def test_a_large_estimate_is_a_guess_and_forbids_nothing(tmp_path: Path) -> None:
    large = PlannedTest(Identity(model="m", device="n150"), "x", estimate_bytes=900 << 30)
    assert unmet(large, read_fleet(a_fleet(tmp_path, HOST))) == ""


def test_tests_on_devices_that_no_runner_has_are_left_out(tmp_path: Path) -> None:
    kept, left_out = on_fleet(
        [a_test(), a_test("p150"), a_test("cpu")], read_fleet(a_fleet(tmp_path, HOST))
    )
    assert [t.identity.device for t in kept] == ["n150", "cpu"] and left_out == {"p150": 1}


def test_this_machine_is_a_runner_of_what_is_here() -> None:
    listed = [
        ListedDevice("cpu", DeviceState.EXECUTES),
        ListedDevice("n150", DeviceState.EXECUTES, capacity=1),
        ListedDevice("p150", DeviceState.MISSING),
    ]
    here = this_machine(listed, 4)
    assert here.kinds == {"cpu": 4, "n150": 1} and here.memory
    assert unmet(a_test(chips=2), [here]) == "no runner has 2 of n150; the most is 1"
