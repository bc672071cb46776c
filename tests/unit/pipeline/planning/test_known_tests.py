# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What history and git say of tests before they are run, and that it costs nothing where they do
not."""

import io
import subprocess
from pathlib import Path

import pytest

from bringup.harness.records.device_listing import DeviceState, ListedDevice
from bringup.harness.records.moves import Evidence
from bringup.harness.records.schema import Outcome, PlannedTest
from bringup.pipeline.history.store.history import History
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions
from bringup.pipeline.planning.collect import Collected
from bringup.pipeline.planning.known_tests import known_tests, nearness
from bringup.pipeline.planning.selection import Chosen
from bringup.pipeline.promotion.account import Account, Way
from bringup.pipeline.promotion.ladder import Standing
from bringup.pipeline.promotion.policy import default_policy
from tests.unit import run_builder as made
from tests.unit.pipeline.history.store.made_runs import OP_TEST, night, op_night

DEVICES = {"n150": ListedDevice("n150", DeviceState.EXECUTES)}


def chosen(*tests: PlannedTest) -> Chosen:
    return Chosen(list(tests), len(tests), DEVICES, Collected((), Path.cwd()), None)


def planned(model: str = "t5") -> PlannedTest:
    return PlannedTest(made.identity(model), f"tests/models/{model}/test_{model}.py::test_{model}")


def options(tmp_path: Path) -> RunOptions:
    return RunOptions("nightly", history=str(tmp_path / "history"), lists=tmp_path / "no lists")


def test_pasts_and_ops_come_from_the_history(tmp_path: Path) -> None:
    history = History(str(tmp_path / "history"))
    for n, outcome in enumerate((Outcome.PASSED, Outcome.FAILED, Outcome.PASSED)):
        history.add(night(tmp_path, n, [made.record(outcome=outcome)]))
    history.add(op_night(tmp_path, 3, [made.op_result(name="aten.fft_fft.default")]))
    said = io.StringIO()
    known = known_tests(chosen(planned(), planned("new")), options(tmp_path), Speaker(said))
    past = known.past[planned().identity.key]
    assert (past.good, past.in_a_row, past.breaks) == (True, 2, 1)
    assert planned("new").identity.key not in known.past
    assert [len(ops) for group, ops in known.ops.items() if group.model == OP_TEST.model] == [1]
    assert "has changed is not known" in said.getvalue().replace("have", "has"), (
        "its commit is of no clone of this"
    )


@pytest.mark.parametrize("address", ["none", "nothing here"])
def test_without_a_history_nothing_is_known_and_nothing_said(tmp_path: Path, address: str) -> None:
    said = io.StringIO()
    found = known_tests(
        chosen(planned()), RunOptions("nightly", history=str(tmp_path / address)), Speaker(said)
    )
    assert not found.past and not said.getvalue()


def test_a_history_that_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "history").write_text("no folder")
    said = io.StringIO()
    assert not known_tests(chosen(planned()), options(tmp_path), Speaker(said)).past
    assert said.getvalue().startswith("warning: what tests would tell is not known: ")


def test_files_are_held_against_the_commit_of_the_last_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*words: str) -> str:
        words = ("-c", "user.name=a", "-c", "user.email=a@b", *words)
        done = subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
        return done.stdout.decode().strip()

    for model in ("t5", "vit"):
        path = tmp_path / f"tests/models/{model}/test_{model}.py"
        path.parent.mkdir(parents=True)
        path.write_text("import math\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    provenance = made.PROVENANCE.__class__(
        **{f: getattr(made.PROVENANCE, f) for f in made.PROVENANCE.__struct_fields__}
        | {"git_commit": git("rev-parse", "HEAD")}
    )
    records = [made.record(made.identity(model)) for model in ("t5", "vit")]
    history = History(str(tmp_path / "history"))
    history.add(night(tmp_path / "runs", 0, records, provenance=provenance))
    (tmp_path / "tests/models/vit/test_vit.py").write_text("import cmath\n")
    monkeypatch.chdir(tmp_path)
    said = io.StringIO()
    found = known_tests(chosen(planned("t5"), planned("vit")), options(tmp_path), Speaker(said))
    assert found.changed == {planned("vit").identity.key} and not said.getvalue()


@pytest.mark.parametrize(
    ("to", "evidence", "near"),
    [
        (Standing.FULL, Evidence(in_a_row=20, needed=24, nights=2, nights_needed=2), True),
        (Standing.FULL, Evidence(in_a_row=2, needed=24, nights=1, nights_needed=2), False),
        (Standing.FULL, Evidence(in_a_row=0, needed=1, nights_needed=1), False),
        (Standing.FULL, Evidence(in_a_row=24, needed=24, nights=1, nights_needed=4), False),
        (Standing.NEW, Evidence(in_a_row=1, needed=4), True),
        (Standing.NEW, Evidence(in_a_row=0, needed=4), False),
    ],
)
def test_what_is_near_a_move(to: Standing, evidence: Evidence, near: bool) -> None:
    """Up where a night's attempts may be enough; down once it has begun to fail."""
    account = Account(
        test="t5[full-eval]@cpu",
        device="cpu",
        standing=Standing.OP_BY_OP,
        lists=(),
        since=None,
        seen="",
        ways=(Way(to, evidence, "so many more attempts"),),
        blocked=(),
    )
    found = nearness(account, default_policy())
    assert bool(found) is near
    assert not near or found == f"stands on {Standing.OP_BY_OP}; so many more attempts to {to}"
    blocked = Account(**{**{f: getattr(account, f) for f in account.__struct_fields__},
                         "blocked": ("it is pinned",)})  # fmt: skip
    assert nearness(blocked, default_policy()) == ""
