# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The verbs of the pipeline: arguments in, exit code out. What each takes is in `options`."""

import signal
import sys
from collections.abc import Sequence
from dataclasses import replace

from bringup.harness.did_you_mean import hint
from bringup.harness.options.command_line import read, run
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.option import declared
from bringup.harness.records.door import command
from bringup.harness.session import begin
from bringup.pipeline.early_python import EarlyPython
from bringup.pipeline.errors import NothingToDo, PipelineError
from bringup.pipeline.history_options import OF_HISTORY, HistoryOptions
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import OP_SWEEP, RUNS, RunOptions
from bringup.pipeline.planning.filters import says_which
from bringup.pipeline.planning.sweep import SWEEP_TESTS, list_cases
from bringup.pipeline.trying.options import TryOptions
from bringup.pipeline.verb_help import VERBS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    if arguments is None:  # until a run has handlers of its own
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        arguments = sys.argv[1:]
    words = list(arguments)
    return run("bringup", lambda: _main(words))


def _main(words: Sequence[str]) -> int:
    there = ", ".join(VERBS)
    if not words or words[0] in ("-h", "--help"):
        raise PipelineError(f"say which VERB: {there}")
    verb, *rest = words
    if verb not in VERBS:
        raise PipelineError(f"there is no verb `{verb}`{hint(verb, VERBS)}; there are {there}")
    return start(verb, rest, Speaker(sys.stdout))


def start(verb: str, words: Sequence[str], say: Speaker) -> int:
    """Carry out a verb and return its exit code; `say` is told of runs that can be reported.

    Raises:
        HarnessError: what is asked for is wrong; one sentence.
    """
    if verb in OF_HISTORY:
        return _ask_history(verb, history_options_of(verb, words), say)
    if verb == "try":
        return _try(words, say)
    try:
        return _carry_out(verb, options_of(verb, words), say)
    except NothingToDo as nothing:
        say(str(nothing))
        return ExitCode.KEPT


def _try(words: Sequence[str], say: Speaker) -> int:
    from bringup.pipeline.trying.try_model import try_model

    given = read(VERBS["try"], TryOptions, words)
    return try_model(TryOptions(**given.values, sources=given.sources), say)


def options_type_of(verb: str) -> type[RunOptions] | type[HistoryOptions] | type[TryOptions]:
    """What declares a verb's options."""
    if verb == "try":
        return TryOptions
    return HistoryOptions if verb in OF_HISTORY else RunOptions


def options_of(verb: str, words: Sequence[str]) -> RunOptions:
    """The options of a verb, from its words and the environment.

    Raises:
        UsageError: the verb takes no such word, or an option's value is none.
        PipelineError: a plan is asked for with what its session does not take.
    """
    given = read(VERBS[verb], RunOptions, words)
    values = given.values | ({"session": verb} if verb in RUNS else {})
    if values.get("session") == OP_SWEEP:
        values = {"tests": SWEEP_TESTS, **values}
    options = RunOptions(**values, sources=given.sources)
    taken_up = options.resume is not None or options.plan
    named = options.session == "run" and "tests" in options.given
    if named and not (taken_up or says_which(options)):
        options = replace(options, all=True)  # said by its plan, too: whoever resumes means these
    if verb == "plan":
        _refuse_what_the_session_does_not_take(options)
    return options


def history_options_of(verb: str, words: Sequence[str]) -> HistoryOptions:
    """The options of a verb that is about history.

    Raises:
        UsageError: the verb takes no such word, or an option's value is none.
    """
    given = read(VERBS[verb], HistoryOptions, words)
    return HistoryOptions(**given.values, sources_of=given.sources)


def _ask_history(verb: str, options: HistoryOptions, say: Speaker) -> int:
    from bringup.pipeline import (  # and with it the database: only who asks waits
        history_commands,
        issue_command,
    )

    if verb == "why":
        return history_commands.why(options, say)
    if verb == "explain":
        return history_commands.explain_test(options, say)
    if verb == "compare":
        return history_commands.compare(options, say)
    if verb == "issues":
        return issue_command.issues(options, say)
    return history_commands.keep(options, say)


def _refuse_what_the_session_does_not_take(options: RunOptions) -> None:
    for name, made in declared(RunOptions, "plan").items():
        if name in options.given and made.verbs != {"plan"} and not made.taken_by(options.session):
            raise PipelineError(
                f"{options.session} takes no {made.flag}: "
                f"`{command(options.session, '--help')}` shows what it takes"
            )


def _carry_out(verb: str, options: RunOptions, say: Speaker) -> int:
    with begin() as session:
        if verb in RUNS and not (options.dry_run or options.list_cases):
            session.hold(EarlyPython(options.tests))  # it imports while everything below does
        return _carried_out(verb, options, say)


def _carried_out(verb: str, options: RunOptions, say: Speaker) -> int:
    from bringup.pipeline import (  # a help does not wait for them
        commands,
        lists_command,
        merge_command,
        plan_command,
        promote_command,
    )

    others = {
        "merge": merge_command.merge_runs,
        "finish": merge_command.finish,
        "promote": promote_command.promote,
        "lists": lists_command.check_lists,
        "plan": plan_command.make_plan,
    }
    if options.list_cases:
        return list_cases(options.swept, say)
    return others.get(verb, commands.run)(options, say)
