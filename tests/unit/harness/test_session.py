# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A session owns what outlives a test: one of each class, closed at its end, nobody else's."""

import subprocess
import sys
import threading
import time

import pytest

from bringup.harness.session import Session, begin, current
from tests.rooms import ROOT


class Log:
    """What was closed, in order; a session holds the log, too."""

    def __init__(self) -> None:
        self.lines: list[str] = []


class First:
    def __init__(self) -> None:
        self.log = current().get(Log)

    def close(self) -> None:
        self.log.lines.append(type(self).__name__)


class Second(First):
    """Uses the first."""


class Late(First):
    """Asks for another while it is closed."""

    def close(self) -> None:
        super().close()
        current().get(First)


class Slow(First):
    made = 0

    def __init__(self) -> None:
        super().__init__()
        time.sleep(0.05)
        Slow.made += 1


class Broken(First):
    def close(self) -> None:
        super().close()
        raise ValueError("it cannot be closed")


def test_a_session_has_one_of_each_and_closes_what_was_made_last_first() -> None:
    with begin() as session:
        log = session.get(Log)
        assert session.get(First) is session.get(First)
        assert isinstance(session.get(Second), Second)
        assert session.find(Late) is None, "looking for a thing makes none"
    assert log.lines == ["Second", "First"]
    assert session.find(First) is None


def test_one_within_another_has_its_own_and_finds_what_is_around_it() -> None:
    with begin() as outer:
        held = outer.hold(First())
        with begin() as inner:
            assert current() is inner and inner.find(First) is held
            assert inner.get(First) is not held and inner.find(First) is inner.get(First)
        assert held.log.lines == [], "the outer one's is not the inner one's to close"
        assert current() is outer and outer.get(First) is held
    assert held.log.lines == ["First"]


def test_what_is_asked_for_while_a_session_ends_is_closed_with_it() -> None:
    with begin() as session:
        log = session.get(Log)
        session.get(Late)
    assert log.lines == ["Late", "First"] and session.find(First) is None


def test_one_that_cannot_be_closed_costs_no_other() -> None:
    session = begin()
    log = session.get(First).log
    session.get(Broken)
    with pytest.raises(ValueError, match="cannot be closed"):
        session.end()
    assert log.lines == ["Broken", "First"] and current() is not session


def test_one_that_ends_early_ends_those_within_it_first() -> None:
    outer = begin()
    log = outer.get(First).log
    inner = begin()
    inner.hold(log)
    inner.get(Second)
    outer.end()
    assert log.lines == ["Second", "First"] and current() not in (outer, inner)
    inner.end()
    assert log.lines == ["Second", "First"], "a second end is none"


def test_many_threads_that_ask_for_a_thing_get_one() -> None:
    with begin() as session:
        found: list[Slow] = []
        threads = [
            threading.Thread(target=lambda: found.append(session.get(Slow))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(map(id, found))) == 1 and Slow.made == 1


def test_a_test_of_pytest_is_in_pytests_session() -> None:
    process = current()
    while process._outer is not None:
        process = process._outer
    assert current() is not process and isinstance(process, Session)


SCRIPT = """
import os, sys
from bringup.harness.session import begin, current

class Thing:
    def __init__(self):
        self.name = name
    def close(self):
        print("closed", self.name, "by", "parent" if os.getpid() == parent else "child", flush=True)

parent, name = os.getpid(), "first"
first = current().get(Thing)
name = "second"
second = begin().get(Thing)
"""
FORK = """
pid = {fork}
if pid == 0:
    assert current().find(Thing) is None
    name = "third"
    current().get(Thing)
    sys.exit()
os.waitpid(pid, 0)
assert current().get(Thing) is second
"""
BY_FORK = "os.fork()"
BY_MULTIPROCESSING = """
import multiprocessing
def work():
    global name
    assert current().find(Thing) is None
    name = "third"
    with current():
        current().get(Thing)
process = multiprocessing.get_context("fork").Process(target=work)
process.start()
process.join()
assert process.exitcode == 0 and current().get(Thing) is second
"""


@pytest.mark.parametrize(
    ("rest", "in_child"),
    [
        ("", []),
        (FORK.format(fork=BY_FORK), ["closed third by child"]),
        (BY_MULTIPROCESSING, ["closed third by child"]),
        ("begin().end()", []),
    ],
    ids=["alone", "fork", "multiprocessing", "another"],
)
def test_without_pytest_a_process_closes_its_own_when_it_ends(
    rest: str, in_child: list[str]
) -> None:
    """And a process that was forked off has its own, and leaves its parent's alone."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + rest], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said = done.stdout.splitlines()
    assert said == [*in_child, "closed second by parent", "closed first by parent"], done.stderr
