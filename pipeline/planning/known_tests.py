# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What history, lists and git say of tests, for `informative`: read once, when a run is planned."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bringup.harness.errors import RecordError
from bringup.harness.records.aliases import read_aliases
from bringup.harness.records.naming import identity_of_key
from bringup.harness.records.schema import PlannedTest
from bringup.harness.storage.writable import said_by
from bringup.pipeline.errors import ListError, PipelineError
from bringup.pipeline.history.samples import AT_THE_DESK, Sample
from bringup.pipeline.history.store.tables import NOWHERE, Run
from bringup.pipeline.lists.lists import Lists, read_lists
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions
from bringup.pipeline.planning.changed import touched
from bringup.pipeline.planning.informative import SAYS_SO, Known, pasts
from bringup.pipeline.planning.selection import Chosen
from bringup.pipeline.planning.tests_root import root_of
from bringup.pipeline.planning.work import Group, group_of
from bringup.pipeline.promotion.account import Account, Way, accounts_of
from bringup.pipeline.promotion.decision import situation_of
from bringup.pipeline.promotion.ladder import RANK
from bringup.pipeline.promotion.policy import Policy, policy_of

if TYPE_CHECKING:
    from bringup.pipeline.history.store.history import History

RUNS = 30
"""The newest runs that are looked at: about a month of nights."""


def known_tests(chosen: Chosen, options: RunOptions, say: Speaker) -> Known:
    """What is known of the tests that were chosen. What cannot be read is a warning: the order is a
    little worse, no more."""
    if options.history == NOWHERE:
        return Known()
    try:
        from bringup.pipeline.history.store.history import History  # with it comes the database

        return _known(History(options.history), chosen, options, say)
    except (PipelineError, RecordError) as error:
        say(f"warning: what tests would tell is not known: {said_by(error)}")
        return Known()


def _known(history: "History", chosen: Chosen, options: RunOptions, say: Speaker) -> Known:
    from bringup.pipeline.history.store.read import ops_of_tests, samples

    aliases = read_aliases(options.lists)
    runs = history.runs()[-RUNS:]
    if not runs:
        return Known()
    found = samples(history, runs, None, aliases)
    past = pasts(found)
    own = [test for test in chosen.tests if test.identity.key in past]
    commits = commits_of(found, runs)
    ops: dict[Group, set[str]] = defaultdict(set)
    for test, keys in ops_of_tests(history, runs, aliases).items():
        ops[group_of(identity_of_key(test))] |= keys
    nights = {run.run for run in runs if run.session not in AT_THE_DESK}
    return Known(
        past,
        frozenset(_changed(own, commits, options, say)),
        _near([s for s in found if s.run in nights], chosen, options, say),
        ops,
    )


def commits_of(samples: Iterable[Sample], runs: Iterable[Run]) -> dict[str, str]:
    """By key, the commit at which a test ran last, as far as anybody wrote it down."""
    versions = {run.run: run.versions for run in runs}
    found: dict[str, str] = {}
    for sample in sorted(samples, key=lambda s: (s.at, s.run)):
        made = versions.get(sample.run, {}).get(sample.versions)
        if sample.excluded in SAYS_SO and made and made.git_commit:
            found[sample.test] = made.git_commit
    return found


def _changed(
    tests: Sequence[PlannedTest], commits: Mapping[str, str], options: RunOptions, say: Speaker
) -> Iterator[str]:
    """Keys of tests of which a file differs from what it was when they ran last."""
    by_commit: dict[str, list[PlannedTest]] = defaultdict(list)
    for test in tests:
        if test.identity.key in commits:
            by_commit[commits[test.identity.key]].append(test)
    root = root_of(options.tests, Path.cwd())
    folder = (Path.cwd() / options.tests).resolve().relative_to(root.resolve())
    unknown = 0
    for commit, own in sorted(by_commit.items()):
        try:
            files = touched({_file(test) for test in own}, commit, folder, root)
        except PipelineError:  # a commit of another clone, a shallow one, or no git at all
            unknown += len(own)
        else:
            yield from (test.identity.key for test in own if _file(test) in files)
    if unknown:
        noun = "test" if unknown == 1 else "tests"
        say(f"whether the files of {unknown} {noun} have changed is not known: git has no answer")


def _file(test: PlannedTest) -> str:
    return test.nodeid.partition("::")[0]


def _near(
    samples: Sequence[Sample], chosen: Chosen, options: RunOptions, say: Speaker
) -> dict[str, str]:
    """By key, of full flows that a few attempts move, how many."""
    lists = chosen.lists or _lists_of(options.lists)
    if lists is None or not samples:
        return {}
    policy = policy_of(options.lists)
    s = situation_of(samples, lists, policy, chosen.collected.identify)
    known = set(s.columns.test.words)
    keys = sorted(k for t in chosen.tests if (k := t.identity.key) in known)
    accounts = accounts_of(s.columns, keys, s.places, policy, s.compile_only, s.ops_compile)
    return {one.test: said for one in accounts if (said := nearness(one, policy))}


def _lists_of(folder: Path) -> Lists | None:
    try:
        return read_lists(folder) if folder.is_dir() else None
    except ListError:  # whoever runs lists is told
        return None


def nearness(account: Account, policy: Policy) -> str:
    """How near a test is to another list, in one sentence; empty where one night more or less
    decides nothing."""
    if account.blocked:
        return ""
    near = (way for way in account.ways if _is_near(way, account, policy))
    way = next(near, None)
    return f"stands on {account.standing}; {way.says} to {way.to}" if way else ""


def _is_near(way: Way, account: Account, policy: Policy) -> bool:
    """Up: tonight's attempts may be enough. Down: it has begun to fail."""
    evidence = way.evidence
    if RANK[way.to] < RANK[account.standing]:
        return evidence.in_a_row > 0
    return (
        evidence.in_a_row > 0
        and evidence.more <= policy.promote.attempts
        and evidence.more_nights <= 1
    )
