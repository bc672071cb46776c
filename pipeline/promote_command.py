# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`promote`: the moves that nights support, told, made, or proposed as a change."""

from collections.abc import Sequence
from pathlib import Path

from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.moves import write_moves
from bringup.harness.records.run_dir import (
    HEADER_NAME,
)
from bringup.harness.records.schema import Expect
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.history.store.tables import NOWHERE
from bringup.pipeline.lists.lists import apply, diff, read_lists
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions
from bringup.pipeline.planning.collect import collect_tests
from bringup.pipeline.planning.selection import COLLECTING
from bringup.pipeline.promotion.decision import decide, situation_of
from bringup.pipeline.promotion.policy import policy_of, read_policy
from bringup.pipeline.promotion.preview import lines_of, preview, write_preview
from bringup.pipeline.promotion.standings import listed_tests, tracked_in
from bringup.pipeline.promotion.thresholds import told
from bringup.pipeline.results.incidents import issues_of_tests
from bringup.pipeline.results.list_change import checks_off, prepare, tell_undone
from bringup.pipeline.results.promote_run import Asked, samples_of, tell, thresholds_of


def promote(options: RunOptions, say: Speaker) -> ExitCode:
    """Propose the list moves that nights support, and make them when asked.

    With a run they are those after it, by it and by the history before; without one those of the
    whole history, or of the newest run below `results/` where there is no history yet.
    """
    if options.commit and not options.pr:
        raise PipelineError("--commit goes with --pr, which says on which branch")
    asked = Asked(options.lists, options.history, options.run_dir or _run_without_history(options))
    policy = read_policy(options.policy) if options.policy else policy_of(options.lists)
    lists = read_lists(options.lists)
    listed = listed_tests(lists)
    found = samples_of(asked, policy.evidence.window, options.preview, listed)
    with say.waiting_for(COLLECTING):
        collected = collect_tests(options.tests, Path.cwd(), loaders=options.loaders)
    situation = situation_of(found, lists, policy, collected.identify)
    if options.preview:
        shown = preview(situation, options.preview)
        for line in lines_of(shown):
            say(line)
        say(f"wrote {write_preview(shown, Path('results'))}")
        return ExitCode.KEPT
    newest = asked.run_dir or _newest_of(found)
    issues = issues_of_tests(options.lists)
    off = checks_off(newest, issues)
    decision = decide(situation, collected.ids, off)
    if asked.run_dir is not None:
        say(f"proposals in {write_moves(asked.run_dir, decision.moves)}")
    tell(decision, say)
    xfailed = [key for key, one in situation.listed.items() if one.says(Expect.XFAIL)]
    tracked = issues | tracked_in(situation.listed)
    for line in told(thresholds_of(asked, policy, xfailed, tracked)):
        say(line)
    taken_back = tell_undone(Path.cwd(), lists, situation, say)
    moves = decision.moves
    if moves:
        say(diff(options.lists, moves).rstrip("\n"))
    if options.pr:
        if newest is None:
            raise PipelineError("--pr writes below a run, and the newest is not here; name one")
        prepare(newest, options.lists, moves, found, taken_back, options.commit, say)
    if moves and options.write:
        for path in apply(options.lists, moves):
            say(f"wrote {path}")
    elif moves and not options.pr:
        say("nothing was changed; add --write to make these moves")
    return ExitCode.KEPT


def _newest_of(found: Sequence[Sample]) -> Path | None:
    """The directory of the newest run that has samples, where it is still here."""
    run = max(found, key=lambda s: (s.at, s.run)).run if found else ""
    path = Path("results") / run
    return path if run and (path / HEADER_NAME).exists() else None


def _run_without_history(options: RunOptions) -> Path | None:
    """The newest run, where the history has none."""
    from bringup.pipeline.history.store.history import History  # with it comes the database

    if options.history != NOWHERE and History(options.history).runs():
        return None
    return _newest_run(Path("results"))


def _newest_run(results: Path) -> Path:
    found = sorted(results.glob(f"*/{HEADER_NAME}"), key=lambda p: p.stat().st_mtime)
    if not found:
        raise PipelineError(f"there is no merged run below {results}; name one")
    return found[-1].parent
