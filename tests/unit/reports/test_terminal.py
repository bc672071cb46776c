# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The summary a person reads in a terminal when the run has ended."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bringup.harness.records.moves import Move
from bringup.harness.records.plans import nobody_ran
from bringup.harness.records.schema import Outcome, Status, TestRecord
from bringup.reports.build import build, load
from bringup.reports.terminal import pieces, print_summary
from tests.unit.reports.op_runs import (
    CPU,
    T5,
    VIT,
    WRONG,
    Ops,
    low,
    ops_run,
    summary_of,
    summary_text,
)
from tests.unit.run_builder import (
    identity,
    not_run,
    op_result,
    plan_of,
    record,
    write_run,
)


@pytest.fixture
def printed(tmp_path: Path) -> Any:
    def show(*records: TestRecord, width: int = 100, **run: Any) -> str:
        console = Console(file=io.StringIO(), width=width, force_terminal=True)
        for piece in pieces(load(write_run(tmp_path, records, **run))):
            console.print(piece)
        return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]

    return show


def plain(text: str) -> str:
    """Without rich's own colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\u00a0", " ")


def test_it_counts_by_device_and_names_what_needs_attention(printed: Any) -> None:
    text = plain(
        printed(
            record(identity("t5", "cpu")),
            record(identity("vit", "n150"), Outcome.FAILED, message="error: no\nmore"),
        )
    )
    assert "1 PASSED" in text
    assert "1 FAILED" in text
    assert "needs attention: 1" in text
    assert "vit[full-eval]  n150" in text
    assert "compile: error: no" in text
    assert "more" not in text


def test_what_is_missing_is_said_before_anything_else_is_listed(printed: Any) -> None:
    there, gone = identity("t5"), identity("vit")
    text = plain(
        printed(
            record(there, Outcome.FAILED),
            plan=plan_of([there, gone]),
            planned=3,
            missing=("shard 2 is gone",),
        )
    )
    assert "Planned minus reported: 2 of 3" in text
    assert "shard 2 is gone" in text
    assert text.index("Planned minus reported") < text.index("needs attention")


def test_a_name_is_never_cut_in_a_narrow_terminal(printed: Any) -> None:
    name = "a_model_with_a_name_" * 5
    text = plain(printed(record(identity(name), Outcome.FAILED), width=60))
    assert name in "".join(text.split())


def test_a_record_cannot_write_to_the_terminal(printed: Any) -> None:
    evil = "\x1b]0;title\x07\x1b[2J[bold red]markup[/bold red]\x9b31m\u202e"
    failed = record(identity(evil, evil), Outcome.FAILED, message=evil)
    text = printed(failed, moves=[Move(evil, evil, evil, evil, evil)], missing=(evil,), planned=9)
    assert "\x1b]" not in text
    assert "\x1b[2J" not in text
    assert "\x9b" not in text
    assert "\u202e" not in text
    assert "[bold red]markup[/bold red]" in plain(text)


def test_a_long_list_ends_with_how_many_more(printed: Any) -> None:
    text = plain(printed(*(not_run(identity(f"model_{i}")) for i in range(100))))
    assert "and 80 more, in the documents" in text


def test_a_run_of_nothing_is_printed(printed: Any) -> None:
    assert "nightly" in plain(printed())


def test_it_ends_with_where_to_read_on(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=40)
    print_summary(build(write_run(tmp_path / "a run", [record()])), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert str(tmp_path / "a run" / "index.html") in text
    assert str(tmp_path / "a run" / "models.xlsx") in text


def test_a_test_that_never_ran_is_named_once(printed: Any) -> None:
    there, unrun, silent = identity("t5"), identity("vit"), identity("bert")
    text = plain(
        printed(
            record(there, Outcome.FAILED),
            not_run(unrun),
            plan=plan_of([there, unrun, silent]),
            missing=("shard 2 of 2 never reported", nobody_ran([unrun.key, "gone[full-eval]@cpu"])),
            unrun=(unrun.key, "gone[full-eval]@cpu"),
        )
    )
    assert [text.count(f" {name}[full-eval]  n150") for name in ("t5", "vit", "bert")] == [1, 1, 1]
    assert text.count("nox -s run -- 'tests/models/t5/test_t5.py::") == 1
    assert "needs attention: 1\n" in text and "shard 2 of 2 never reported" in text


def test_a_test_is_called_by_the_mode_that_ran(printed: Any) -> None:
    trains = identity("t5", mode="train", filed_mode="eval")
    text = plain(printed(record(trains, Outcome.FAILED), plan=plan_of([trains.planned])))
    assert "t5[full-train]  n150" in text and "Planned minus reported" not in text


def test_ops_that_fail_alike_are_one_line_with_all_the_models_they_block(tmp_path: Path) -> None:
    many = [low(0, name="aten.fft"), low(1, name="aten.fft")]
    lost = op_result(2, Status.NOT_STARTED, Outcome.INFRA)
    wrong = op_result(3, Status.EXECUTED, Outcome.INCORRECT)
    run = summary_of(tmp_path, {T5: [*many, lost, wrong], VIT: [*many, low(7, name="aten.topk")]})
    first, *_, second = run.blockers
    assert (first.op.name, len(first.models), first.variants, first.nodes) == ("aten.fft", 2, 2, 12)
    assert (second.op.name, len(second.models)) == ("aten.topk", 1)
    console = Console(file=io.StringIO(), width=80)
    for piece in pieces(run):
        console.print(piece)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "ops by models they block: 3" in text
    assert "aten.fft" in text
    assert first.worst.verdict.fingerprint[:40] in text


def test_one_cause_on_three_devices_is_one_row_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    devices = ("cpu", "n150", "n300")
    ops: Ops = {
        identity("t5", device, flow="op_by_op_torch"): [
            low(i, name=f"aten.op_{i}", device=device) for i in range(8)
        ]
        for device in devices
    }
    run = load(ops_run(Path("results/a night with a name that is long " + 60 * "x"), ops))
    text = summary_text(run)
    assert "ops by models they block: 8" in text
    assert len(re.findall(r"cpu, n150, n300", text)) == 8
    commands = [line.strip() for line in text.splitlines() if "nox -s repro" in line]
    assert commands == [one.command for one in run.blockers]


def test_a_command_is_never_folded(tmp_path: Path) -> None:
    built = build(ops_run(tmp_path / (100 * "x"), {CPU: [WRONG]}))
    console = Console(file=io.StringIO(), width=60)
    print_summary(built, console)
    assert built.run.blockers[0].command in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_run_that_nothing_blocks_says_so_in_one_line(tmp_path: Path) -> None:
    ops = [op_result(i, device="cpu", hit=i < 2) for i in range(5)]
    text = summary_text(load(ops_run(tmp_path, {CPU: ops}, Outcome.PASSED)))
    assert "op by op: 5 unique ops, 2 cached, 5 executed; none blocks a model\n" in text
    assert "ops by models" not in text
