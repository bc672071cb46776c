# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where one test stands, brought together from the lists, the policy and the history."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from bringup.harness.records.aliases import read_aliases
from bringup.harness.records.expected import Expectation
from bringup.harness.records.naming import FLOWS, identity_of_key
from bringup.harness.records.night import Cluster, Moment, TestVerdict
from bringup.harness.records.schema import Outcome
from bringup.harness.storage.writable import said_by
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.history.judge.columns import columns_of
from bringup.pipeline.history.samples import AT_THE_DESK, Sample
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import samples
from bringup.pipeline.lists.lists import read_lists
from bringup.pipeline.promotion.account import Account
from bringup.pipeline.promotion.decision import Situation, situation_of
from bringup.pipeline.promotion.ladder import RANK
from bringup.pipeline.promotion.policy import policy_of
from bringup.pipeline.promotion.standings import key_of
from bringup.pipeline.promotion.told import told
from bringup.pipeline.results.incidents import issues_of_tests

NEWEST_RUNS = 3
"""Read whole: they say which devices execute."""


def standing_of(
    history: History,
    lists: Path,
    test: str,
    found: Sequence[Sample],
    verdict: TestVerdict | None = None,
    cluster: Cluster | None = None,
) -> list[str]:
    """Ten lines on a test by the key of any of its flows; none of one at another size.

    Lists that cannot be read are one line: what history knows can be told all the same.

    Args:
        found: The test's samples in all runs.
        verdict: What it was in the newest; None: there is nothing to say of it.
        cluster: Its cause, where it fails.

    Raises:
        HistoryError: the history cannot be read.
    """
    key = key_of(test)
    nights = [s for s in found if not s.missing]
    if not key or not nights:
        return []
    try:
        situation = _situation(history, lists, key, found)
        if _may_be_its_device(situation.account(key)):
            situation = _situation(history, lists, key, found, whole=True)
        issue = issues_of_tests(lists).get(test, "")
    except PipelineError as error:
        return [f"{test}: where it stands is not known: {said_by(error)}"]
    now = max(nights, key=lambda s: (s.at, s.run))
    account = situation.account(key)
    if listed := situation.listed.get(key):
        names = dict.fromkeys(entry.list.name for entry in listed.entries)
        account = msgspec.structs.replace(account, lists=tuple(names))
    said = _expectation(situation, key)
    return told(account, Moment(now.run, now.at), verdict, cluster, said, issue)


def _may_be_its_device(account: Account) -> bool:
    """It failed often enough to go down: then the other tests of its device are asked."""
    here = RANK[account.standing]
    return any(RANK[way.to] < here and not way.evidence.more for way in account.ways)


def _situation(
    history: History, lists: Path, key: str, found: Sequence[Sample], *, whole: bool = False
) -> Situation:
    """Of this test alone, for all others take longer to read than all else here, or of the `whole`
    window. Where it never executed, the newest runs' other tests say whether its device does."""
    aliases, listed, policy = read_aliases(lists), read_lists(lists), policy_of(lists)
    identity = identity_of_key(key)
    flows = {msgspec.structs.replace(identity, flow=flow).key for flow in FLOWS}
    every = [*found, *samples(history, None, sorted(flows - {s.test for s in found}), aliases)]
    nights = [run for run in history.runs() if run.session not in AT_THE_DESK]
    if whole:
        every += samples(history, nights[-policy.evidence.window :], None, aliases)
    elif any(s.outcome is Outcome.REACHED for s in every):
        every += samples(history, nights[-NEWEST_RUNS:], None, aliases)
    known = {run.run for run in nights}
    distinct = {(s.run, s.test): s for s in every if s.run in known}
    situation = situation_of(list(distinct.values()), listed, policy)
    if whole:
        return situation
    mine = [s for s in distinct.values() if s.test == key]
    return replace(situation, columns=columns_of(mine))


def _expectation(situation: Situation, key: str) -> Expectation | None:
    """What the first of its entries says that says anything."""
    listed = situation.listed.get(key)
    said = (entry.expectation for entry in listed.entries) if listed else ()
    return next((one for one in said if one is not None), None)
