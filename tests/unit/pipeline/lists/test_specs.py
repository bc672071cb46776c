# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Lists by name; one of somebody else's is read, run and promised like the shipped ones."""

from pathlib import Path

import pytest

from bringup.harness.errors import UsageError
from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.schema import GOOD, Outcome
from bringup.pipeline.errors import ListError
from bringup.pipeline.lists.expectations import promised
from bringup.pipeline.lists.lists import read_lists
from bringup.pipeline.lists.specs import (
    NIGHTLY_E2E_COMPILE,
    NIGHTLY_FULL,
    NIGHTLY_OP_BY_OP,
    SESSIONS,
    SHIPPED,
    WEEKLY_FULL,
    WEEKLY_OP_BY_OP,
    list_specs,
    lists_of,
)
from bringup.pipeline.planning.plan import from_lists

SMOKE = """
from bringup.harness.records.schema import Outcome
from bringup.pipeline.lists.specs import ListSpec

LISTS = [
    ListSpec(
        "smoke",
        "runs before anything else",
        ("full",),
        ("weekly",),
        lambda state: frozenset({Outcome.INCORRECT}),
        {"SMOKE": "1"},
    )
]
"""
T5 = "tests/models/test_t5.py::test_t5[full-eval]"


@pytest.fixture
def smoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"lists_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(SMOKE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("BRINGUP_LIST_SPECS", name)
    return name


def test_each_session_runs_its_lists_in_their_order() -> None:
    assert {session: lists_of(session) for session in SESSIONS} == {
        "nightly": (NIGHTLY_FULL, NIGHTLY_E2E_COMPILE, NIGHTLY_OP_BY_OP),
        "weekly": (WEEKLY_OP_BY_OP, WEEKLY_FULL),
        "e2e_compile": (NIGHTLY_E2E_COMPILE,),
        "op_by_op": (NIGHTLY_OP_BY_OP,),
    }
    assert lists_of("run") == ()


def test_what_the_shipped_lists_promise() -> None:
    promises = {
        (spec.name.removeprefix("nightly_"), state): promised(spec.name, state)
        for spec in SHIPPED
        for state in (DeviceState.EXECUTES, DeviceState.COMPILES)
    }
    passed, reached = frozenset({Outcome.PASSED}), frozenset({Outcome.REACHED})
    assert promises == {
        ("full_model_execute", DeviceState.EXECUTES): passed,
        ("full_model_execute", DeviceState.COMPILES): GOOD,
        ("e2e_compile", DeviceState.EXECUTES): reached,
        ("e2e_compile", DeviceState.COMPILES): reached,
        ("op_by_op", DeviceState.EXECUTES): GOOD,
        ("op_by_op", DeviceState.COMPILES): GOOD,
        ("weekly_op_by_op", DeviceState.EXECUTES): GOOD,
        ("weekly_op_by_op", DeviceState.COMPILES): GOOD,
        ("weekly_full_model_execute", DeviceState.EXECUTES): passed,
        ("weekly_full_model_execute", DeviceState.COMPILES): GOOD,
    }


def test_a_list_of_somebody_elses(smoke: str, tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    folder.mkdir()
    for spec in SHIPPED:
        (folder / spec.file_name).write_text("")
    with pytest.raises(ListError, match=r"smoke\.toml"):  # absent, it would run nothing
        read_lists(folder)
    (folder / "smoke.toml").write_text(f'[cpu]\ntests = ["{T5}"]\n')
    weekly = lists_of("weekly")
    assert [str(spec) for spec in weekly] == [
        "weekly_op_by_op",
        "weekly_full_model_execute",
        "smoke",
    ]
    (test,) = from_lists(read_lists(folder), weekly, ["cpu"], lambda _: None)
    assert (test.list_name, test.environment) == ("smoke", {"SMOKE": "1"})
    assert promised("smoke", DeviceState.EXECUTES) == {Outcome.INCORRECT}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"smoke"', '"weekly_op_by_op"', "there is a list called weekly_op_by_op already"),
        ('"smoke"', '"../smoke"', "'../smoke' is no name of a list; it is its file's stem"),
        ('("full",)', '("half",)', "the list smoke names the flow 'half', which there is not"),
        ('("weekly",)', '("noon",)', "the list smoke names the session 'noon', which there is not"),
        ("LISTS =", "OTHER =", "gives no ListSpec, but a module without LISTS"),
    ],
)
def test_a_spec_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: str
) -> None:
    name = f"wrong_lists_{abs(hash(said))}"
    (tmp_path / f"{name}.py").write_text(SMOKE.replace(old, new))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("BRINGUP_LIST_SPECS", name)
    with pytest.raises(UsageError) as refused:
        list_specs()
    source, _, why = str(refused.value).partition(name)
    assert (source, why.removeprefix(":").strip()) == ("BRINGUP_LIST_SPECS: ", said)
