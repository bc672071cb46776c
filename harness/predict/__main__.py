# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup.harness.predict ID... --on NAME=executes|compiles...`: a line of JSON a model.

`bringup try --predict` starts it: tests are loaded by pytest, and asked in place of being run.
"""

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bringup.harness.inner_process import refuse_person
from bringup.harness.predict.question import Question
from bringup.harness.records.variable_names import RUN_DIR_VARIABLE
from bringup.harness.reduce.request import SearchDone
from bringup.harness.session import begin
from bringup.harness.storage.scratch import Scratch
from bringup.harness.storage.writable import encoded, said_by

_QUIET = ("-o", "addopts=", *("-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:xdist"))
_ON, _EXECUTES = "--on", "executes"


class _Watch:
    """Sees why a test did not come as far as its model."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def pytest_exception_interact(self, call: pytest.CallInfo[None]) -> None:
        """A test, or its collection, raised."""
        if call.excinfo is not None and not isinstance(call.excinfo.value, SearchDone):
            self.errors.append(said_by(call.excinfo.value).partition("\n")[0])


def main(words: Sequence[str]) -> int:
    """Ask; returns the exit code."""
    if _ON not in words:
        refuse_person()
    place = list(words).index(_ON)
    tests, named = list(words[:place]), [word.rpartition("=") for word in words[place + 1 :]]
    question = Question({name: state == _EXECUTES for name, _, state in named})
    watch = _Watch()
    out = os.dup(1)
    with Scratch("predict") as scratch, contextlib.redirect_stdout(sys.stderr):
        os.environ[RUN_DIR_VARIABLE] = str(scratch.path)
        device = f"--device={next(iter(question.devices))}"
        with begin() as session:
            session.hold(question)
            pytest.main([*tests, device, f"--rootdir={Path.cwd()}", *_QUIET], plugins=[watch])
    for answer in question.answers:
        os.write(out, encoded(answer) + b"\n")
    if not question.answers:
        print(watch.errors[0] if watch.errors else "no such test", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
