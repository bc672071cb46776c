# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From what a person asked for to the tests that are meant, or to a sentence why not."""

import random
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from bringup.harness.records.aliases import ALIASES_NAME, read_aliases
from bringup.harness.records.device_listing import DeviceState, ListedDevice
from bringup.harness.records.door import command
from bringup.harness.records.naming import (
    SIZES,
    identity_of_key,
    is_loaders,
    is_op_by_op,
    listed_as,
)
from bringup.harness.records.schema import Expect, Identity, Outcome, PlannedTest
from bringup.harness.records.verdicts.recheck import parse_share
from bringup.pipeline import devices as machine
from bringup.pipeline.errors import ListError, NothingToDo, PipelineError
from bringup.pipeline.lists.lists import Entry, Lists, problems, read_lists
from bringup.pipeline.lists.specs import PROBE, lists_of
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import OP_BY_OP, OP_SWEEP, RunOptions
from bringup.pipeline.planning.changed import touched
from bringup.pipeline.planning.collect import Collected, collect_tests
from bringup.pipeline.planning.durations import Estimator, read_durations
from bringup.pipeline.planning.filters import narrowed, says_which, spoken
from bringup.pipeline.planning.fleet import on_fleet, read_fleet, refuse_unmet, this_machine, unmet
from bringup.pipeline.planning.ids import ids_meant
from bringup.pipeline.planning.plan import (
    at_size,
    expecting,
    from_entries,
    from_lists,
    is_excluded,
    planned,
    with_memory,
    with_needs,
    with_phases,
)
from bringup.pipeline.planning.remembered import with_history
from bringup.pipeline.planning.sweep import limited
from bringup.pipeline.planning.tests_root import root_of
from bringup.pipeline.planning.verdict_cache import nothing_kept
from bringup.pipeline.planning.work import Runner
from bringup.pipeline.promotion.policy import policy_of
from bringup.pipeline.promotion.probes import DAY_S, candidates, planned_before, probes
from bringup.pipeline.promotion.standings import listed_tests

SOON_S = 1.0
"""A name that is refused is refused by then."""
COLLECTING = "pytest to collect the tests"
LOOKING_AROUND = f"{COLLECTING}, and for the devices to answer"
NIGHTLY = "nightly"
"""The session whose plan has probes."""


@dataclass(frozen=True)
class Chosen:
    """What was asked for, understood."""

    tests: list[PlannedTest]
    """Those to be run: all that were chosen, or a shard's."""
    total: int
    """Of all shards."""
    devices: dict[str, ListedDevice]
    collected: Collected
    lists: Lists | None
    runners: tuple[Runner, ...] = ()
    """Of the fleet; none where no file names it."""


def choose(
    options: RunOptions, say: Speaker, planned_keys: Collection[str] | None = None
) -> Chosen:
    """Understand the options.

    `planned_keys` are those of a plan that is taken up again: its probes are probes again.

    Raises:
        PipelineError: something asked for does not exist, or the lists are wrong.
    """
    _refuse_nothing(options)
    aliases = read_aliases(options.lists)
    known_s = with_history(read_durations(options.durations), options.history, aliases, say)
    estimate = Estimator(known_s, aliases, cold=nothing_kept(options))
    lists = read_lists(options.lists) if by_list(options) else None
    known, collected = look_around(options, say, _devices_of(lists, options))
    for sentence in collected.broken.values():
        say(f"warning: {sentence}")
    if lists is not None:
        specs = lists_of(options.session)
        wanted = _entries(options, lists, collected, known)
        chosen = _chosen_devices(options, known, {e.device for e in wanted})
        _say_left_out(Counter(e.device for e in wanted), known, chosen, say)
        tests = from_lists(lists, specs, chosen, estimate, collected.identify)
        _say_excluded((e for e in wanted if e.device in chosen and is_excluded(e)), say)
        if options.session == NIGHTLY and options.size == SIZES[0]:
            tests = _with_probes(tests, options, lists, chosen, collected, estimate, planned_keys)
    else:
        default = {d.name for d in known if d.state is DeviceState.EXECUTES}
        chosen = _chosen_devices(options, known, default)
        ids = _named_ids(options, collected)
        if options.session == OP_BY_OP:
            known_as = collected.identify
            ids = [i for i in ids if _goes_op_by_op(known_as(i, ""), options)]
        tests = from_entries(ids, chosen, estimate, collected.identify)
        tests, gone = expecting(tests, _lists_beside(options, say), collected.identify)
        _say_excluded(gone, say)
    tests = narrowed(tests, options, collected.identities.values(), say)
    tests = _expected_by_loaders(tests, collected, say)
    if options.changed:
        tests = _touched(tests, options)
    if options.limit is not None:
        tests = limited(tests, options.limit)
    if options.size != SIZES[0]:
        tests = at_size(tests, options.size, estimate)
    tests = with_phases(with_memory(tests, estimate.memory), estimate.on_device, estimate.front)
    tests = with_needs(tests, collected.needs)
    runners = read_fleet(options.fleet) if options.fleet else []
    if options.fleet and not options.devices:
        tests, left_out = on_fleet(tests, runners)
        for device, n in left_out.items():
            say(f"left out: {n} {_tests(n)} on {device}: no runner of {options.fleet} has it")
    if not tests:
        raise PipelineError(_nothing_to_run(options, chosen, lists))
    if options.fleet:
        refuse_unmet(tests, runners, options.fleet)
    used = {t.identity.device for t in tests}
    devices = {name: device for name, device in chosen.items() if name in used}
    return Chosen(tests, len(tests), devices, collected, lists, tuple(runners))


def _touched(tests: list[PlannedTest], options: RunOptions) -> list[PlannedTest]:
    """Those that `--changed` lets through.

    Raises:
        NothingToDo: it lets none through.
        PipelineError: git cannot be asked.
    """
    file_of = {test.identity.key: test.nodeid.partition("::")[0] for test in tests}
    root = root_of(options.tests, Path.cwd())
    folder = (Path.cwd() / options.tests).resolve().relative_to(root.resolve())
    files = touched(set(file_of.values()), options.changed, folder, root)
    found = [test for test in tests if file_of[test.identity.key] in files]
    if tests and not found:
        these = "this test needs" if len(tests) == 1 else f"these {len(tests)} tests need"
        raise NothingToDo(f"nothing that {these} differs from {options.changed}")
    return found


def _lists_beside(options: RunOptions, say: Speaker) -> Lists:
    """The lists, of a run that does not run them: what they expect of its tests. There need not be
    any, and what is wrong with them is for others to mend."""
    if not options.lists.is_dir():
        return Lists(options.lists, ())
    try:
        return read_lists(options.lists)
    except ListError as error:
        say(f"warning: {error}; what lists expect of these tests is not known")
        return Lists(options.lists, ())


def _say_excluded(entries: Iterable[Entry], say: Speaker) -> None:
    for entry in entries:
        assert entry.expectation is not None
        say(f"excluded: {entry.test} on {entry.device}: {entry.expectation.why}")


def _expected_by_loaders(
    tests: list[PlannedTest], collected: Collected, say: Speaker
) -> list[PlannedTest]:
    """Tests with what their repositories expect, where no list says it, and without those that are
    to be left out."""
    kept = []
    for test in tests:
        entry, device = listed_as(test), test.identity.device
        expected = test.expectation or collected.expects(entry, device)
        if expected is not None and expected.expect is Expect.EXCLUDE:
            say(f"excluded: {entry} on {device}: {expected.why}")
        else:
            kept.append(msgspec.structs.replace(test, expectation=expected))
    return kept


def _with_probes(
    tests: list[PlannedTest],
    options: RunOptions,
    lists: Lists,
    chosen: Mapping[str, ListedDevice],
    collected: Collected,
    estimate: Estimator,
    planned_keys: Collection[str] | None,
) -> list[PlannedTest]:
    """A night's tests and probes; a probe takes the place of the test that only compiles."""
    policy, known_as, ids = policy_of(options.lists), collected.identify, frozenset(collected.ids)
    states = {d.name: d.state for d in chosen.values()}
    found = [
        one
        for one in candidates(listed_tests(lists, known_as).values(), states, policy)
        if one.test in ids
    ]
    if planned_keys is None:
        tonight = probes(
            found,
            int(time.time() / DAY_S),
            lambda key: estimate(identity_of_key(key)),
            policy,
        )
    else:
        tonight = planned_before(found, planned_keys)
    keys = {one.key for one in tonight}
    kept = [t for t in tests if t.identity.key not in keys]
    looked_at = [
        planned(one.test, one.device, estimate, PROBE, identify=known_as) for one in tonight
    ]
    return [*kept, *looked_at]


def by_list(options: RunOptions) -> bool:
    """Does the session run lists? Op by op does, unless somebody says which models."""
    if options.session == OP_BY_OP:
        return not (options.all or options.ids or options.models)
    return bool(lists_of(options.session))


def _goes_op_by_op(identity: Identity, options: RunOptions) -> bool:
    """Is it a test of the graph that is to be split? ONNX has only StableHLO; where flows are named
    the filter says which."""
    if options.flows:
        return is_op_by_op(identity)
    split = "stablehlo" if identity.framework == "onnx" else options.split
    return identity.flow == f"op_by_op_{split}"


def collected_for(options: RunOptions) -> Collected:
    """The tests there are; those of an earlier command, where nothing of them has changed.

    A share of what is kept is asked of pytest again, as `--recheck` says.
    """
    share = parse_share(options.recheck) if options.recheck else 0.0
    cached = not options.no_cache and random.random() >= share
    return collect_tests(options.tests, Path.cwd(), loaders=options.loaders, cached=cached)


def _devices_of(lists: Lists | None, options: RunOptions) -> set[str]:
    """The devices that the session's lists name; all others are none of its business."""
    entries = lists.entries if lists is not None else ()
    return {entry.device for entry in entries if options.session in entry.list.sessions}


def look_around(
    options: RunOptions, say: Speaker, only: Collection[str] = ()
) -> tuple[tuple[ListedDevice, ...], Collected]:
    """The devices that are here and the tests there are; each asks a child, both at once. Of
    devices that `only` does not name, if it names any, nothing but their names is asked."""
    if options.devices_from:
        listed = machine.read(options.devices_from)  # first: it may be refused
        with say.waiting_for(COLLECTING):
            return listed, collected_for(options)
    with say.waiting_for(LOOKING_AROUND), ThreadPoolExecutor(max_workers=1) as pool:
        asked = pool.submit(machine.probe, Path.cwd(), options.devices, only)
        if options.devices and wait([asked], timeout=SOON_S).done:
            asked.result()  # a misspelled name is refused at once, before anything is imported
        collected = collected_for(options)
        return asked.result(), collected


def _chosen_devices(
    options: RunOptions, known: Sequence[ListedDevice], default: Collection[str]
) -> dict[str, ListedDevice]:
    """Those the user named, whatever their state; else those of `default` that are here."""
    if options.devices:
        return {d.name: d for d in machine.named(known, options.devices)}
    return {d.name: d for d in known if d.name in default and d.state is not DeviceState.MISSING}


def _entries(
    options: RunOptions, lists: Lists, collected: Collected, known: Sequence[ListedDevice]
) -> list[Entry]:
    """The entries this session is about, once nothing is wrong with them."""
    devices = {d.name for d in machine.named(known, options.devices)}
    entries = [
        e
        for e in lists.entries
        if options.session in e.list.sessions and (not devices or e.device in devices)
    ]
    if wrong := list_problems(lists, entries, collected, known):
        rest = f" (and {len(wrong) - 1} more; see `{command('lists')}`)" if wrong[1:] else ""
        raise PipelineError(wrong[0] + rest)
    return entries


def _say_left_out(
    listed: Mapping[str, int], known: Iterable[ListedDevice], chosen: Collection[str], say: Speaker
) -> None:
    for device in known:
        if listed.get(device.name) and device.name not in chosen:
            n = listed[device.name]
            say(f"left out: {n} {_tests(n)} on {device.name}: {device.reason}")


def _tests(n: int) -> str:
    return "test" if n == 1 else "tests"


def list_problems(
    lists: Lists, entries: Collection[Entry], collected: Collected, known: Iterable[ListedDevice]
) -> list[str]:
    """What is wrong with `entries`; those of files that cannot be collected are not to blame."""
    judged = Lists(lists.folder, tuple(entries))
    unseen = [e.test for e in judged.entries if e.test.partition("::")[0] in collected.broken]
    names = [d.name for d in known]
    return problems(judged, [*collected.ids, *unseen], names, collected.root, collected.identify)


def alias_problems(aliases: Mapping[str, str], collected: Collected, where: Path) -> list[str]:
    """What is wrong with the aliases: one from a test that there is would hide its history."""
    names = {identity.name for identity in collected.identities.values()}
    return [
        f"{where / ALIASES_NAME}: `{old}` is what a test is called today; an alias names one that "
        "is gone"
        for old in aliases
        if (old if "@" not in old else old.rpartition("@")[0]) in names
    ]


def _named_ids(options: RunOptions, collected: Collected) -> list[str]:
    """The collected ids that the command line means; all of them where only filters choose."""
    if options.ids:
        return list(dict.fromkeys(i for text in options.ids for i in ids_meant(text, collected)))
    if options.loaders and not (says_which(options) or options.session == OP_SWEEP):
        return [i for i in collected.ids if is_loaders(i)]
    return list(collected.ids)


def _refuse_nothing(options: RunOptions) -> None:
    """Refuse a `run` that says nothing, before anything is collected for it."""
    if options.session == "run" and not (says_which(options) or options.loaders):
        raise PipelineError(
            "`run` needs ids of tests, --model or another filter, or --tests DIR for all of a"
            " folder; `nightly` runs the lists"
        )


def _nothing_to_run(options: RunOptions, chosen: Collection[str], lists: Lists | None) -> str:
    where = f"on {', '.join(chosen)}" if chosen else "on any device that is here"
    if filters := spoken(options):
        return f"there is nothing to run: no test of {options.session} {where} is of {filters}"
    if lists is None:
        return f"there is nothing to run: no test of {options.session} {where}"
    return _nothing_listed(options, lists, where)


def _nothing_listed(options: RunOptions, lists: Lists, where: str) -> str:
    """Why a session that runs lists has nothing to run, and what runs without them."""
    specs = lists_of(options.session)
    files = ", ".join(str(options.lists / spec.file_name) for spec in specs)
    if any(lists.of(spec) for spec in specs):
        said = f"there is nothing to run: no test of {options.session} is listed {where}"
    else:
        said = f"there is nothing to run: {files} {'is' if len(specs) == 1 else 'are'} empty"
    if options.session == OP_BY_OP:
        return f"{said}; choose models with --model NAME, or --all"
    return f"{said}; `{command('run', '--model', 'NAME')}` runs a model that is on no list"


class Refusal(NamedTuple):
    """Why a planned test is not even tried."""

    outcome: Outcome
    """NOT_RUN, INFRA, or SKIPPED where the list says so."""
    reason: str


def refusals(chosen: Chosen, slots: int | None) -> dict[str, Refusal]:
    """Tests that cannot even be tried, by key; `slots` tests are run here at a time, None: they are
    run elsewhere, where their needs are met."""
    refused = {}
    here = this_machine(chosen.devices.values(), slots) if slots is not None else None
    for test in chosen.tests:
        said = test.expectation
        device = chosen.devices[test.identity.device]
        broken = chosen.collected.broken.get(test.nodeid.partition("::")[0])
        if said is not None and said.expect is Expect.SKIP:
            reason = said.why + (f"; {said.owner} knows more" if said.owner else "")
            refused[test.identity.key] = Refusal(Outcome.SKIPPED, reason)
        elif device.state is DeviceState.MISSING:
            reason = f"{device.name} is not here: {device.reason}"
            refused[test.identity.key] = Refusal(Outcome.INFRA, reason)
        elif broken:
            refused[test.identity.key] = Refusal(Outcome.NOT_RUN, broken)
        elif here is not None and (why := unmet(test, [here])):
            refused[test.identity.key] = Refusal(Outcome.NOT_RUN, why)
    return refused
