# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup.harness.repro KEY|TEST|DIR`: run the reproducer of an op or of a model.

What it names is run in a process of its own, with a deadline: whatever becomes of that, the command
says how it ended.
It ends with KEPT when the reproducer ended with the same fingerprint, BROKEN when with another.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bringup.harness.device_host.op_run import OpRun
from bringup.harness.errors import UsageError
from bringup.harness.options.command_line import Command, parser_of, read, run, say
from bringup.harness.options.device_names import device_named
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.option import option
from bringup.harness.records.naming import SIZES
from bringup.harness.records.reproducible import EXPECTED
from bringup.harness.records.variable_names import MODELS_VARIABLE
from bringup.harness.records.variable_values import SECONDS as POSITIVE_SECONDS
from bringup.harness.reduce import child_process as apart
from bringup.harness.reduce.model_reproducer import (
    ModelExpected,
    find_model,
    named_folders,
    read_model,
    refuse_untrusted,
)
from bringup.harness.reduce.request import PART_DEADLINE, SECONDS, is_test_id
from bringup.harness.reproduce.lookup import find
from bringup.harness.reproduce.reproducer import Expected, read_expected

_TRUSTED = (
    "--trust: the reproducer may run any code, with your rights: a test file, a library to preload,"
    " an operator, a compiler's option of whoever wrote it"
)


COMMAND = Command(
    name="repro",
    prog="",
    says="Run the reproducer of an op, or of a model and reduce that to the ops that are to blame, "
    "and say whether it ends with the same fingerprint.",
    examples=(
        ("3f2a", "the op whose key begins so, of the newest run that has it"),
        ("3f2a91c05b7de846-n150", "on one device"),
        (
            "'tests/models/bert/test_bert.py::test_bert[full-eval]' --device cpu",
            "a failing model, down to the ops that are to blame",
        ),
        ("results/night/repro/3f2a91c05b7de846-n150 --verbose", "by its place, with all it says"),
        ("3f2a --versions iree", "the first release of IREE with which it ends so"),
    ),
    notes="""\
WHICH is the path of a reproducer's directory, if there is one; else the first digits of an op's
key, KEY-DEVICE, a model test's key or its pytest id. Where several are meant they are named and
none is run.""",
)


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    which: str = option(
        "", "WHICH", "the reproducer; see below", metavar="KEY|TEST|DIR", required=True
    )
    device: str | None = option(
        None,
        "--device",
        "of an op or a model test that failed on several",
        parse=device_named,
        metavar="NAME",
    )
    size: str = option(SIZES[0], "--size", "of a model test", choices=SIZES)
    seconds: float = option(
        SECONDS, "--seconds", "to reduce a model", parse=POSITIVE_SECONDS, metavar="SECONDS"
    )
    deadline: float = option(
        PART_DEADLINE,
        "--deadline",
        "for one part of a model",
        parse=POSITIVE_SECONDS,
        metavar="SECONDS",
    )
    results: Path = option(
        Path("results"),
        "--results",
        "the folder of run directories, or the one, to look in",
        parse=Path,
        metavar="DIR",
    )
    loaders: tuple[str, ...] = option(
        (),
        "--models",
        "the repository of loaders that a model test is of; repeat for more",
        metavar="DIR",
        project="models",
    )
    trust: bool = option(
        False,
        "--trust",
        "run whatever the reproducer names: tests that are not of this checkout, variables, "
        "compiler options and operators that are not PyTorch's; only if you know who wrote it",
    )
    versions: str = option(
        "",
        "--versions",
        "name the release of a compiler that an op's failure came with, e.g. jaxlib or"
        " 'jaxlib>=0.9': releases are tried one after another beside the environment",
        metavar="COMPILER",
    )
    verbose: bool = option(False, "--verbose", "print the whole diagnostic")


def command_line() -> argparse.ArgumentParser:
    """The parser, as documentation reads it."""
    return parser_of(COMMAND, Options)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one reproducer; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return run("", lambda: start(words))


def start(words: Sequence[str]) -> int:
    """Look for it, and have it run in a process of its own (`harness/reduce/child_process.py`).

    Raises:
        HarnessError: there is none, or it cannot be run; one sentence.
    """
    options = Options(**read(COMMAND, Options, words).values)
    if options.loaders:  # pytest, in the process that runs it, finds them there
        os.environ[MODELS_VARIABLE] = os.pathsep.join(map(str, named_folders(options.loaders)))
    inner = apart.is_inner()
    if options.trust and not inner:
        print(_TRUSTED, file=sys.stderr)
    folder = find_model(options.which, options.results, options.device)
    if options.versions:
        return _version(options, folder)
    if folder is not None or is_test_id(options.which):
        if inner:
            return _model(options, folder)
        model = read_model(folder) if folder is not None else None
        if model is not None and not options.trust:
            loaders = named_folders(options.loaders)
            refuse_untrusted(model, f"{folder}/{EXPECTED}", loaders, options.which)
        end = apart.run("bringup.harness.repro", words)
        return _model_ended(model, end.run) if end.run else end.code or 0
    if not (options.results.is_dir() or Path(options.which).is_dir()):
        raise UsageError(f"there is no folder of runs {options.results}")
    found = find(options.which, options.results, options.device)
    expected = read_expected(found.folder)
    if inner:
        return _op(found.folder, expected, trust=options.trust, verbose=options.verbose)
    say(f"{found.folder}: {expected.op.name} on {expected.device}")
    if found.older:
        say(f"(the newest of {len(found.older) + 1}; before it {found.older[0]})")
    end = apart.run("bringup.harness.repro", words)
    return _op_ended(expected, end.run) if end.run else end.code or 0


def _version(options: Options, model: Path | None) -> int:
    """Look for the release to blame; of a model with the part that it was reduced to."""
    from bringup.harness.reduce.version_blame import name_the_version

    if model is None and is_test_id(options.which):
        raise UsageError("--versions takes an op's reproducer, or a model's that was reduced")
    if model is not None:
        known = read_model(model)
        reduced = known.reduced if known is not None else None
        if reduced is None:
            raise UsageError(f"{model} was not reduced to a part yet: run it without --versions")
        folder = model.parent / reduced.directory
    else:
        folder = find(options.which, options.results, options.device).folder
    expected = read_expected(folder)
    say(f"{folder}: {expected.op.name} on {expected.device}")
    found, sentence = name_the_version(
        folder, expected, options.versions, trust=options.trust, say=_said_at_once
    )
    say(sentence)
    return ExitCode.KEPT if found else ExitCode.BROKEN


def _said_at_once(line: str) -> None:
    say(f"  {line}")
    sys.stdout.flush()


def _model(options: Options, folder: Path | None) -> int:
    from bringup.harness.reduce.run_model import reproduce_model  # brings pytest along

    return reproduce_model(
        options.which,
        folder,
        options.results,
        device=options.device,
        size=options.size,
        seconds=options.seconds,
        deadline_s=options.deadline,
        trust=options.trust,
        loaders=named_folders(options.loaders),
    )


def _op(folder: Path, expected: Expected, *, trust: bool, verbose: bool) -> int:
    from bringup.harness.reduce.run_op import compared, reproduce

    found = reproduce(folder, expected, trust=trust)
    if verbose and found.diagnostic:
        say(found.diagnostic)
    same, sentence = compared(expected, found)
    say(sentence)
    return ExitCode.KEPT if same else ExitCode.BROKEN


def _op_ended(expected: Expected, run: OpRun) -> int:
    """An op whose process did not come to its end."""
    from bringup.harness.reduce.run_op import compared, outcome_of_run

    same, sentence = compared(expected, outcome_of_run(run))
    say(f"{_why(run)}\n{sentence}")
    return ExitCode.KEPT if same else ExitCode.BROKEN


def _model_ended(expected: ModelExpected | None, run: OpRun) -> int:
    """A model whose process did not come to its end."""
    from bringup.harness.reduce.run_model import how_it_ended
    from bringup.harness.reduce.run_op import outcome_of_run
    from bringup.harness.reduce.search import ModelOutcome

    end = outcome_of_run(run)
    same, sentence = how_it_ended(expected, ModelOutcome(end.outcome, end.failure, end.status))
    say(f"{_why(run)}\n{sentence}\nIt ends its own process, so there is nothing to reduce.")
    return ExitCode.KEPT if same else ExitCode.BROKEN


def _why(run: OpRun) -> str:
    failure = run.failure
    assert failure is not None
    where = f" in stage {failure.stage}" if failure.stage else ""
    return f"It did not come to its end{where}: {failure.message}."


if __name__ == "__main__":
    sys.exit(apart.close_run(main()))
