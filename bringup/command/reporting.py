# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Verbs of the pipeline, and after them the documents on the runs that they tell of."""

import contextlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from bringup.harness.options.exit_codes import ExitCode
from bringup.pipeline import cli as pipeline
from bringup.pipeline.messages import Speaker

_REPORTED = (ExitCode.KEPT, ExitCode.BROKEN, ExitCode.INFRASTRUCTURE)
"""Exit codes that leave records: all well, a promise broken, the machine at fault or tests lost."""
_FORMATS = {"compare": ("--format", "html")}
"""Of the verbs whose runs have their other documents already."""
_ANSWERS = "try"
"""The verb that has told all that a summary would: its answer stands last, then the page."""


def run_and_report(verb: str, words: Sequence[str]) -> int:
    """Run a verb, report the runs that it tells of, and end as the verb did.

    Raises:
        HarnessError: what is asked for is wrong; one sentence.
    """
    say = Speaker(sys.stdout)
    code = pipeline.start(verb, words, say)
    if code not in _REPORTED:
        return code
    reported = [_documents(run, verb) for run in say.told]
    return code or max(reported, default=0)


def _documents(run_dir: Path, verb: str) -> int:
    from bringup.reports import cli as reports

    words = ["build", str(run_dir), *_FORMATS.get(verb, ())]
    if verb != _ANSWERS:
        return reports.start(words)
    with contextlib.redirect_stdout(io.StringIO()) as told:
        code = reports.start(words)
    for line in told.getvalue().splitlines():
        if code or line.startswith("page "):
            print(line)
    return code


def report(words: Sequence[str]) -> int:
    """Write a run's documents; a run that nobody has merged yet is merged first.

    One that is served may still run, and stays as it is.

    Raises:
        HarnessError: what is asked for is wrong; one sentence.
    """
    from bringup.reports import cli as reports

    runs = [word for word in words if (Path(word) / "journal").is_dir()]
    if runs and "--serve" not in words and not {"-h", "--help"} & set(words):
        pipeline.start("finish", runs, Speaker(sys.stdout))
    return reports.start(["build", *words])
