# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A decision as a change of the lists: what goes with it, its pull request, its commit."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bringup.harness.records.expected import Expectation
from bringup.harness.records.moves import Move
from bringup.harness.records.night import Moment
from bringup.harness.records.outcomes import latest
from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import Outcome
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.lists.expectations import end_of
from bringup.pipeline.lists.lists import Lists, diff, edited_texts
from bringup.pipeline.messages import Speaker
from bringup.pipeline.promotion.decision import Situation
from bringup.pipeline.results.incidents import FOLDER as INCIDENTS
from bringup.pipeline.results.list_commits import (
    commit_moves,
    suggested_pins,
    uncommitted,
    undone,
)
from bringup.pipeline.results.pull_request import (
    pull_request,
    recent_nights,
    write_pull_request,
)


def checks_off(run_dir: Path | None, issues: Mapping[str, str]) -> dict[str, Expectation]:
    """By key, the checks of a run's incorrect tests that can be disabled, since an issue is known.

    Args:
        run_dir: A merged run; None: nobody knows which checks failed.
        issues: By key, the address of what tracks a test.

    Raises:
        RecordError: it is no merged run.
    """
    records = latest(read_merged(run_dir)[1]) if run_dir is not None and issues else []
    return {
        record.identity.key: Expectation(
            disabled=", ".join(failing), issue=issues[record.identity.key]
        )
        for record in records
        if record.outcome is Outcome.INCORRECT
        and record.identity.key in issues
        and (failing := sorted(end_of(record).failing or ()))
    }


def tell_undone(root: Path, lists: Lists, situation: Situation, say: Speaker) -> list[str]:
    """Say which moves somebody took back, and the pins that would hold their tests; the sentences.

    A checkout without git has none.
    """
    keys = {(e.test, e.device): one.key for one in situation.listed.values() for e in one.entries}
    keys |= {(one.test, one.device): one.key for one in situation.listed.values()}
    pinned = [key for key in keys.values() if situation.policy.pin_of(key)]
    said = suggested_pins(undone(root, lists), keys, pinned)
    for sentence in said:
        say(sentence)
    return said


def prepare(
    run_dir: Path,
    folder: Path,
    moves: Sequence[Move],
    samples: Iterable[Sample],
    remarks: Sequence[str],
    commit: bool,
    say: Speaker,
) -> None:
    """Write the pull request of some moves below a run's directory, and commit it when asked; with
    the incidents beside the lists that are not committed yet. Without either there is none.

    Raises:
        PipelineError: the lists cannot be edited, or git cannot commit.
        RecordError: the disk is full or gone.
    """
    incidents = uncommitted(Path.cwd(), folder / INCIDENTS)
    if not moves and not incidents:
        return
    texts = edited_texts(folder, moves)
    if commit:
        _refuse_to_take_along(texts, folder)
    header = read_merged(run_dir)[0]
    recent = recent_nights(samples, {move.key for move in moves})
    night = Moment(header.run_id, header.created)
    named = {path.name: text for path, text in incidents.items()}
    request = pull_request(moves, night, recent, remarks, named)
    for path in write_pull_request(run_dir, request, diff(folder, moves)):
        say(f"wrote {path}")
    if commit:
        along = texts | incidents
        made = commit_moves(Path.cwd(), request.branch, request.title, moves, along)
        say(f"branch {request.branch} is {made[:10]}; the work tree stays as it is")


def _refuse_to_take_along(texts: Iterable[Path], folder: Path) -> None:
    """A commit of moves is nothing but moves: whoever edits a list has to commit that first.

    Raises:
        PipelineError: a list that the moves edit is not as HEAD has it.
    """
    dirty = {path.resolve() for path in uncommitted(Path.cwd(), folder)}
    if mixed := [path for path in texts if path.resolve() in dirty]:
        raise PipelineError(
            f"{mixed[0]} has changes that are not committed, and they would go along with the "
            "moves; commit them, or take them back"
        )
