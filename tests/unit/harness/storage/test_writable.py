# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Whatever an exception says, or cannot say, is text that can be written."""

import ast
import enum
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from bringup.harness.devices import wire
from bringup.harness.recording.failures import failure_of
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.journal import JournalWriter, read_journal
from bringup.harness.records.provenance import collect
from bringup.harness.records.reproducible import folder_name, reproducer_name
from bringup.harness.records.schema import Identity, Outcome, Stage, TestEnded, TestWarned
from bringup.harness.storage.file_names import LONGEST, fitted
from bringup.harness.storage.writable import (
    MESSAGE_LIMIT,
    encoded,
    plain,
    said_by,
    trace_of,
    writable,
)

BROKEN = b"mod\xe8le".decode("utf-8", "surrogateescape")


class Unset(Exception):
    def __str__(self) -> str:
        return f"line {self.line}"  # type: ignore[attr-defined]


class Skips(Exception):
    def __str__(self) -> str:
        pytest.skip("no exception of Python's: a BaseException")


class Recurses(Exception):
    def __str__(self) -> str:
        return str(self)


class Number(Exception):
    def __str__(self) -> str:
        return 3  # type: ignore[return-value]


class Unshown(Exception):
    def __str__(self) -> str:
        raise KeyError(self)

    __repr__ = __str__


class Foreign(Exception):
    kind = 3

    @property
    def diagnostic(self) -> str:
        raise ValueError


def noted() -> Exception:
    error = ValueError("x")
    error.add_note(BROKEN)
    return error


ERRORS = [
    *(Unset("bad op"), Skips(), Recurses("a"), Number("b"), Unshown(Unshown()), Foreign("c")),
    *(ValueError(BROKEN), ValueError("a\0b"), ValueError("\ud800" * 9), ValueError(""), noted()),
    *(ExceptionGroup(BROKEN, [Unset(), ValueError(BROKEN)]), ValueError("x" * 40_000_000)),
    *(SyntaxError(BROKEN, (BROKEN, 1, 1, BROKEN)), OSError(2, BROKEN, BROKEN), KeyError(BROKEN)),
    *(SystemExit(BROKEN), UnicodeDecodeError("utf-8", b"\xff", 0, 1, BROKEN)),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_any_exception_becomes_a_failure_that_is_read_again(
    tmp_path: Path, error: BaseException
) -> None:
    error.__cause__ = Unset("the cause")
    failure = failure_of(error, Stage.LOAD, ArtifactStore(tmp_path))
    assert failure.message.strip() and len(failure.message) <= MESSAGE_LIMIT
    assert isinstance(failure.kind, str)
    writer = JournalWriter(tmp_path, "run", collect(0))
    writer.append(TestEnded(time=1.0, key="k", outcome=Outcome.FAILED, failure=failure))
    events, losses = read_journal(writer.path)
    assert not losses and isinstance(events[-1], TestEnded) and events[-1].failure == failure
    assert failure.diagnostic is not None
    assert type(error).__name__ in ArtifactStore(tmp_path).get(failure.diagnostic).decode()


def test_the_words_are_kept_and_what_cannot_be_written_is_shown() -> None:
    assert said_by(ValueError(f"cannot load {BROKEN}")) == r"cannot load mod\udce8le"
    assert said_by(Unset("bad op")) == "Unset('bad op',) (its text cannot be had: AttributeError)"
    assert said_by(ValueError("")) == "ValueError"
    assert writable("naïve \U0001f600 \t\n") == "naïve \U0001f600 \t\n"
    assert r"mod\udce8le" in trace_of(ExceptionGroup("g", [ValueError(BROKEN)]))


def test_a_diagnostic_that_people_wrote_stays_as_it_is() -> None:
    for row in ('"%1" = stablehlo.add', "Ünïcode → ✓", "PCC=-0.43\nRequired: 0.99"):
        assert said_by(RuntimeError(row)) == row


def test_ctrl_c_is_no_text() -> None:
    class Stops(Exception):
        def __str__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        said_by(Stops())


def test_no_event_is_lost_whatever_is_in_it(tmp_path: Path) -> None:
    """Also where a text reached the journal without having been looked at."""
    writer = JournalWriter(tmp_path, "run", collect(0))
    writer.append(TestWarned(time=1.0, key=f"k{BROKEN}", warning=BROKEN))
    events, losses = read_journal(writer.path)
    assert not losses and isinstance(events[-1], TestWarned)
    assert events[-1].warning == r"mod\udce8le" and events[-1].key == r"kmod\udce8le"


def test_a_host_can_always_answer() -> None:
    message = wire.Refused("X", BROKEN, (wire.Level("ttir", BROKEN),))
    back = msgspec.msgpack.decode(wire._encoded(message), type=wire.Reply)
    assert isinstance(back, wire.Refused) and back.message == r"mod\udce8le"
    assert msgspec.msgpack.decode(wire._encoded(wire.Compile(b"\xff", {BROKEN: "a"})))


def test_what_a_test_recorded_is_plain_data() -> None:
    loop: list[Any] = []
    loop += [loop, loop]
    kind = enum.IntEnum("kind", "A")
    found = plain({"t": torch.ones(1), "l": loop, BROKEN: {"s": {BROKEN}}, "k": kind.A, "u": Unset})
    assert found[r"mod\udce8le"] == {"s": {r"mod\udce8le"}} and type(found["k"]) is int
    assert json.loads(encoded({"x": found["t"], "l": found["l"]}))["x"] == "tensor([1.])"


# --- names of files -------------------------------------------------------------------------


def test_names_that_begin_alike_stay_two_and_fit() -> None:
    for length in (LONGEST - 1, LONGEST, LONGEST + 1, 260, 40_000):
        names = {fitted("ü" * length + end) for end in "ab"}
        assert len(names) == 2 and all(len(n.encode()) <= LONGEST for n in names)
    assert fitted("short") == "short"


@pytest.mark.parametrize("letter", ["x", "ü", "/", "[", "\ud800", "..", "-", "\n"])
def test_a_reproducer_of_a_long_name_has_a_place(tmp_path: Path, letter: str) -> None:
    models = [
        Identity("net", variant=letter * 300 + end, device="pjrt:" + "d" * 300) for end in "ab"
    ]
    names = {reproducer_name(model) for model in models}
    names.add(folder_name("0" * 64, models[0].device))
    assert len(names) == 3
    for name in names:
        (tmp_path / name).mkdir()


# --- nobody forgets -------------------------------------------------------------------------

ROOT = Path(__file__).parents[4]
ANYTHING = {"Exception", "BaseException"}
ITSELF = "harness/storage/writable.py"


def asked_for_its_text(path: Path) -> Iterator[str]:
    """Where a handler of any exception takes the exception's text by itself."""
    for handler in ast.walk(ast.parse(path.read_text())):
        if not isinstance(handler, ast.ExceptHandler) or handler.name is None:
            continue
        caught = {ast.unparse(n) for n in ast.walk(handler.type) if isinstance(n, ast.Name)}
        if not caught & ANYTHING:
            continue
        for node in ast.walk(handler):
            is_call = isinstance(node, ast.Call) and ast.unparse(node.func) in ("str", "repr")
            value = node.args[0] if is_call and node.args else getattr(node, "value", None)
            is_text = is_call or isinstance(node, ast.FormattedValue)
            if is_text and isinstance(value, ast.Name) and value.id == handler.name:
                yield f"{path.relative_to(ROOT)}:{node.lineno}"


def test_who_catches_anything_asks_said_by_for_its_text() -> None:
    found = [
        where
        for room in ("harness", "pipeline", "reports")
        for path in sorted((ROOT / room).rglob("*.py"))
        if str(path.relative_to(ROOT)) != ITSELF
        for where in asked_for_its_text(path)
    ]
    assert not found
