# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A test's standing in ten lines for who does not know the lists: where, since when, on what
evidence, what would move it, what blocks it, whose it is."""

from datetime import UTC, datetime

from bringup.harness.records.expected import Expect, Expectation
from bringup.harness.records.night import Cluster, Moment, TestVerdict
from bringup.pipeline.promotion.account import Account, Way
from bringup.pipeline.promotion.ladder import RANK, Standing

SAYS = {
    Standing.NEW: "on no list: nothing is proven yet",
    Standing.OP_BY_OP: "does not run end to end yet; its ops are tracked one by one",
    Standing.OP_BY_OP_COMPILE: "does not run end to end; every op of it compiles",
    Standing.COMPILE: "compiles end to end, and is not executed",
    Standing.QUARANTINE: "runs, but not every time: it is watched and holds nobody up",
    Standing.INCORRECT: "runs end to end, with a check disabled",
    Standing.FULL: "runs end to end and is correct; a failure is an alarm",
    Standing.SKIPPED: "is not run: somebody said so",
}
_DAY_S = 86_400.0


def told(
    account: Account,
    now: Moment,
    verdict: TestVerdict | None = None,
    cluster: Cluster | None = None,
    expectation: Expectation | None = None,
    issue: str = "",
) -> list[str]:
    """Ten lines on one test.

    Args:
        now: The newest run that knows it.
        verdict: What it was in that run; None: as it should be, and nothing to say of it.
        cluster: Its cause, where it fails.
        expectation: What its list's entry says.
        issue: The address of what tracks its cause, where the cause itself names none.
    """
    return [
        f"{account.test}: {_head(account, expectation)}",
        f"stands      {account.standing}{_lists(account)}",
        f"since       {_since(account, now)}",
        f"expected    {_expected(account, expectation)}",
        f"last night  {_last(verdict, now)}",
        f"evidence    {account.seen}",
        f"up          {_way(account, up=True)}",
        f"down        {_way(account, up=False)}",
        f"blocked by  {'; '.join(account.blocked) or 'nothing'}",
        f"whose       {_whose(account, cluster, expectation, issue)}",
    ]


def _head(account: Account, expectation: Expectation | None) -> str:
    if expectation is not None and expectation.expect is Expect.XFAIL:
        return "is expected to fail where it is listed, and alarms nobody by that"
    return SAYS[account.standing]


def _lists(account: Account) -> str:
    return f" ({', '.join(account.lists)})" if account.lists else ""


def _since(account: Account, now: Moment) -> str:
    if account.since is None:
        return "as long as the history goes back"
    days = int(max(now.at - account.since, 0.0) // _DAY_S)
    ago = "" if not days else ", 1 day ago" if days == 1 else f", {days} days ago"
    return f"{datetime.fromtimestamp(account.since, UTC):%Y-%m-%d}{ago}"


def _expected(account: Account, expectation: Expectation | None) -> str:
    if expectation is None:
        return "what its list promises" if account.lists else "nothing"
    if expectation.expect is Expect.PASS:
        off = f"its list's promise, without {expectation.disabled}" if expectation.disabled else ""
        return f"{off or 'what its list promises'}{_why(expectation)}"
    at = f" in {expectation.stage}" if expectation.stage else ""
    words = {
        Expect.XFAIL: f"to fail{at}",
        Expect.SKIP: "not to be run",
        Expect.EXCLUDE: "not to be planned",
    }
    return f"{words[expectation.expect]}{_why(expectation)}"


def _why(expectation: Expectation) -> str:
    return f": {expectation.why}" if expectation.why else ""


def _last(verdict: TestVerdict | None, now: Moment) -> str:
    when = f"{datetime.fromtimestamp(now.at, UTC):%Y-%m-%d} ({now.run})"
    if verdict is None:
        return f"as it should be, {when}"
    stage = f" in {verdict.stage}" if verdict.stage else ""
    return f"{verdict.judgement}: {verdict.outcome or 'nobody ran it'}{stage}, {when}"


def _way(account: Account, *, up: bool) -> str:
    here = RANK[account.standing]
    found = [way for way in account.ways if (RANK[way.to] > here) is up]
    if found:
        return "; ".join(_one_way(way) for way in found)
    if not up:
        return (
            "nothing further down" if here <= RANK[Standing.OP_BY_OP] else "nothing speaks for it"
        )
    return "it is at the top" if account.standing is Standing.FULL else "nothing speaks for it yet"


def _one_way(way: Way) -> str:
    return f"to {way.to}: {way.says}"


def _whose(
    account: Account, cluster: Cluster | None, expectation: Expectation | None, issue: str
) -> str:
    owner = (cluster.owner if cluster else "") or (expectation.owner if expectation else "")
    tracked = (cluster.issue if cluster else "") or issue
    parts = [owner or account.owner or "nobody's, by the lists"]
    if cluster is not None:
        others = len(cluster.tests) - 1
        shared = f", shared with {others} more" if others > 0 else ""
        parts.append(f"cause: {cluster.name}{shared}")
        parts.append(tracked or "no issue yet")
    return "; ".join(parts)
