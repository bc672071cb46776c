# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`explain` asks the other tests of a device before it blames one of them."""

from pathlib import Path

import msgspec

from bringup.harness.records.moves import Move
from bringup.harness.records.naming import entry_of
from bringup.harness.records.schema import Outcome, Status
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import samples
from bringup.pipeline.lists.lists import apply
from bringup.pipeline.lists.specs import NIGHTLY_FULL, SHIPPED
from bringup.pipeline.results.explain_standing import standing_of
from tests.unit import run_builder as made

T5, BERT = made.identity(flow="full"), made.identity("bert", flow="full")


def night(folder: Path, number: int, broken: bool) -> Path:
    records = [
        made.record(T5, Outcome.FAILED, Status.CONVERTED_TO_STABLE_HLO)
        if broken
        else made.record(T5),
        made.record(BERT),
    ]
    plan = msgspec.structs.replace(made.plan_of([T5, BERT]), run_id=f"20261122-03120{number}-7f3a")
    created = made.STARTED + number * 86_400.0
    return made.write_run(folder / str(number), records, plan=plan, created=created)


def test_of_two_that_share_a_device_the_other_says_how_likely_it_is_the_device(
    tmp_path: Path,
) -> None:
    lists, history = tmp_path / "lists", History(str(tmp_path / "history"))
    lists.mkdir()
    for spec in SHIPPED:
        (lists / spec.file_name).write_text("")
    for test in (T5, BERT):
        entry = entry_of(made.nodeid(test), test.device)
        apply(lists, [Move(entry, test.device, "add", NIGHTLY_FULL.name, "given")])
    (lists / "policy.toml").write_text("[demote]\nerror_rate = 0.1\n")
    for number in range(5):
        history.add(night(tmp_path, number, broken=number > 1))
    found = samples(history, None, [T5.key])
    said = "\n".join(standing_of(history, lists, T5.key, found))
    assert "down        to op by op: 3 bad attempts one after another are enough" in said, said
    assert "blocked by  it failed often enough to go down, and with a chance of 0." in said, said
    (lists / "policy.toml").write_text("[demote]\nerror_rate = 0.1\ndoubt = 0.5\n")
    said = "\n".join(standing_of(history, lists, T5.key, found))
    assert "blocked by  nothing" in said, said
