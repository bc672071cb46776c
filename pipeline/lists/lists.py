# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The lists: what should hold for which test on which device.

Each list is one TOML file (:mod:`bringup.pipeline.lists.list_file` gives its shape) whose entries
are pytest ids without a device, or tables that say more of them
(:mod:`bringup.pipeline.lists.entries`). A field that nobody reads is refused.
"""

import contextlib
import difflib
import fcntl
import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import RecordError
from bringup.harness.records.door import command
from bringup.harness.records.moves import Move
from bringup.harness.records.naming import (
    FLOWS,
    MODES,
    ONNX_SUFFIX,
    identity_of,
    is_loaders,
    parts_of,
    places_of,
)
from bringup.harness.records.schema import Expect, Expectation, Identity
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.decoding import read_bytes
from bringup.pipeline.errors import ListError
from bringup.pipeline.lists.entries import expectation_of, fields_of
from bringup.pipeline.lists.list_file import ListText, Table, parse
from bringup.pipeline.lists.specs import OP_BY_OP_FLOWS, ListSpec, list_specs


@dataclass(frozen=True)
class Entry:
    """One line of one list."""

    list: ListSpec
    device: str
    test: str
    """A pytest id without a device."""
    line: int
    """1-based, in the list's file."""
    expectation: Expectation | None = None
    """What it says beside its test."""

    @property
    def identity(self) -> Identity:
        """What the entry names, whatever file it lives in."""
        return identity_of(self.test, self.device)


@dataclass(frozen=True)
class Lists:
    """The lists as they were read, in the files' order."""

    folder: Path
    entries: tuple[Entry, ...]

    def of(self, spec: ListSpec, device: str | None = None) -> tuple[Entry, ...]:
        """A list's entries, of one device or of all."""
        return tuple(
            e for e in self.entries if e.list is spec and (device is None or e.device == device)
        )

    def where(self, entry: Entry) -> str:
        """`file:line`, as an editor takes it."""
        return f"{(self.folder / entry.list.file_name).as_posix()}:{entry.line}"


def read_lists(folder: Path) -> Lists:
    """Read all lists.

    Raises:
        ListError: a list is absent that may not be (it would run nothing and look green), or is
            not a list; the sentence gives file, line and field.
    """
    entries: list[Entry] = []
    for spec, path in _files(folder):
        entries += _entries(spec, parse(_text(path), path.as_posix()), path.as_posix())
    return Lists(folder, tuple(entries))


def _files(folder: Path) -> list[tuple[ListSpec, Path]]:
    """The lists and where they are, without those that may be absent and are."""
    files = [(spec, folder / spec.file_name) for spec in list_specs().values()]
    return [(s, p) for s, p in files if not (s.optional and folder.is_dir() and not p.exists())]


def _entries(spec: ListSpec, text: ListText, name: str) -> Iterator[Entry]:
    """A list's entries, once each says what it may.

    Raises:
        ListError: one does not.
    """
    for table in text.tables:
        listed = ((row, row.test) for row in table.rows if row.test is not None)
        for i, (row, test) in enumerate(listed):
            where = f"{name}:{row.line}: [{table.device}] tests[{i}]"
            yield Entry(spec, table.device, test, row.line, expectation_of(row.fields, where))


def _text(path: Path) -> str:
    try:
        text = read_bytes(path, "the list ").decode()
    except RecordError as error:
        begin = "" if path.parent.exists() else f"; `{command('init')}` begins a project"
        raise ListError(f"{error}{begin}") from error
    except UnicodeDecodeError as error:
        raise ListError(f"{path} is not UTF-8 text: {error.reason} at {error.start}") from error
    if text.startswith("\ufeff"):
        raise ListError(f"{path} begins with a byte order mark; save it as UTF-8 without one")
    return text


# --- edits ----------------------------------------------------------------------------------


def apply(folder: Path, moves: Iterable[Move]) -> list[Path]:
    """Make the moves and return the files that changed. Made twice, they change nothing more.

    Comments survive (:mod:`bringup.pipeline.lists.list_file`); an entry that goes from one list to
    another takes the note on its line along. What it expects does not go along: that was of the
    list it leaves. Of a test that is there already an `add` changes what is expected.

    Raises:
        ListError: a list cannot be read, a move names what no list could hold, or what comes out
            is not what was asked for; then no file was touched.
        RecordError: a file cannot be written.
    """
    asked = list(moves)
    with _alone(folder):
        changed = edited_texts(folder, asked)
        if len(changed) > 1:  # whoever is killed between two files leaves no test on no list
            for path, _, new in _edited(folder, asked, removing=False):
                if path in changed and new != changed[path]:
                    _write(path, new)
        for path, new in changed.items():
            _write(path, new)
    return list(changed)


def _write(path: Path, text: str) -> None:
    write_atomically(path.resolve(), text.encode())  # a link stays one


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else edits the lists of a folder meanwhile, or one edit would undo the other.

    Where a file system has no such locks there is none.
    """
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            held.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def edited_texts(folder: Path, moves: Iterable[Move]) -> dict[Path, str]:
    """What `apply` would write: the new text of each file that would change.

    Raises:
        ListError: as `apply`.
    """
    return {path: new for path, old, new in _edited(folder, moves) if new != old}


def diff(folder: Path, moves: Iterable[Move]) -> str:
    """What `apply` would change, as a unified diff; empty when nothing would."""
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for path, old, new in _edited(folder, moves)
        for line in difflib.unified_diff(
            _lines(old),
            _lines(new),
            f"a/{path.as_posix()}",
            f"b/{path.as_posix()}",
        )
    )


def _lines(text: str) -> list[str]:
    """As git has them: a comment may hold what Python takes for the end of a line as well."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _edited(
    folder: Path, moves: Iterable[Move], *, removing: bool = True
) -> list[tuple[Path, str, str]]:
    """(path, text before, text after) of every list; without `removing` entries are only added."""
    wanted: dict[str, list[Move]] = defaultdict(list)
    for move in moves:
        wanted[_list_of(move).name].append(move)
    paths = {spec.name: path for spec, path in _files(folder)}
    before = {name: _text(path) for name, path in paths.items()}
    ends = {name: "\r\n" if _ends_in_crlf(text) else "\n" for name, text in before.items()}
    files = {
        name: parse(before[name].replace(ends[name], "\n"), path.as_posix())
        for name, path in paths.items()
    }
    notes: dict[tuple[str, str], str] = {}
    for name, asked in wanted.items():
        for move in asked:
            table = files[name].existing(move.device)
            if move.move == "remove" and table and move.test in table.tests:
                notes[move.device, move.test] = (
                    table.remove(move.test) if removing else table.note_of(move.test)
                )
    for name, asked in wanted.items():
        for move in asked:
            if move.move == "add":
                note = notes.get((move.device, move.test), "")
                _put(files[name].table(move.device), move, note)
    for name, text in files.items():
        _entries_are(text, parse(text.render(), paths[name].as_posix()), name)
    return [
        (paths[name], before[name], files[name].render().replace("\n", ends[name]))
        for name in paths
    ]


def _ends_in_crlf(text: str) -> bool:
    """Does every line? An edit is then of lines that do; of a mixture each stays as it is."""
    return "\n" in text and text.count("\n") == text.count("\r\n")


def _put(table: Table, move: Move, note: str) -> None:
    """Make one `add`; of a test that is there only what is expected of it can change."""
    if table.said_of(move.test) is None:
        table.add(move.test, note, fields_of(move.expectation))
    elif move.expectation is not None:
        table.change(move.test, fields_of(move.expectation))


def _entries_are(meant: ListText, found: ListText, name: str) -> None:
    """Hold the text that is to be written to what was meant by it.

    Raises:
        ListError: it is something else.
    """
    for table in meant.tables:
        again = found.existing(table.device)
        if again is None or again.values != table.values:
            raise ListError(f"the edit of {name} would not hold what it is to hold; nothing done")
    list(_entries(list_specs()[name], found, name))


def _list_of(move: Move) -> ListSpec:
    """The list a move is about, once the move is known to make sense."""
    specs = list_specs()
    if move.list not in specs:
        raise ListError(f"a move names the list `{move.list}`{hint(move.list, specs)}")
    if move.move not in ("add", "remove"):
        raise ListError(f"a move of {move.test} says `{move.move}`, neither `add` nor `remove`")
    if not (move.test.isprintable() and "::" in move.test and move.device.isprintable()):
        raise ListError(f"a move names {move.test!r} on {move.device!r}, which is no pytest id")
    return specs[move.list]


# --- checks ---------------------------------------------------------------------------------


def problems(
    lists: Lists,
    collected: Collection[str],
    devices: Collection[str],
    root: Path = Path(),
    identify: Callable[[str, str], Identity] = identity_of,
) -> list[str]:
    """What is wrong with the lists, one sentence each, in the files' order.

    `collected` are the ids that pytest collects, without a device, and `devices` the names of
    known devices. An id's file is looked up below `root`; `identify` says what an entry is on a
    device.
    """
    first: dict[tuple[str, str], Entry] = {}
    same: dict[Identity, Entry] = {}
    files = frozenset(test.partition("::")[0] for test in collected)
    known = frozenset(collected)
    found = []
    for entry in lists.entries:
        said: list[str] = []
        identity = identify(entry.test, entry.device)
        if entry.device not in devices:
            said.append(f"there is no device `{entry.device}`{hint(entry.device, devices)}")
        if entry.test not in known:
            said.append(_not_collected(entry.test, collected, files, root))
        if earlier := first.get((entry.device, entry.test)):
            said.append(f"on {entry.device} it is already at {lists.where(earlier)}")
        elif (twin := same.get(identity)) and twin.test != entry.test:
            said.append(
                f"it is the same test as {twin.test} at {lists.where(twin)}: both are "
                f"{identity.key}, so their histories would mix; rename one"
            )
        said += naming_problems(entry.test)
        if not said and identity.flow not in entry.list.flows:
            said.append(_wrong_list(identity))
        if not said and _is_xfail(entry) and identity.flow in OP_BY_OP_FLOWS:
            said.append("op by op a failure is a finding and the test is good: no xfail goes here")
        first.setdefault((entry.device, entry.test), entry)
        same.setdefault(identity, entry)
        found += [f"{lists.where(entry)}: {entry.test}: {sentence}" for sentence in said]
    return found


def _is_xfail(entry: Entry) -> bool:
    return entry.expectation is not None and entry.expectation.expect is Expect.XFAIL


def naming_problems(test: str) -> list[str]:
    """Where an id breaks the naming rule, whether a list names it or not.

    ONNX tests end in `_onnx`, file and function alike, and every id carries its flow and mode. A
    loader's file is called as its repository has it.
    """
    parts = parts_of(test)
    stem = parts.path.rpartition("/")[2].removesuffix(".py")
    name, places = parts.function, places_of(parts.words)
    said = []
    if not is_loaders(test) and name.endswith(ONNX_SUFFIX) != stem.endswith(ONNX_SUFFIX):
        onnx, other = (name, stem) if name.endswith(ONNX_SUFFIX) else (stem, name)
        said.append(
            f"`{onnx}` says ONNX and `{other}` does not; file and function of an ONNX test both "
            f"end in `{ONNX_SUFFIX}`"
        )
    if places.flow is None:
        said.append(f"its id carries no flow ({', '.join(FLOWS)})")
    if places.mode is None:
        said.append(f"its id carries no mode ({', '.join(MODES)})")
    if name.endswith(ONNX_SUFFIX) and identity_of(test, "").flow == "op_by_op_torch":
        said.append("an ONNX model goes op by op through StableHLO only (op_by_op_stablehlo)")
    return said


def _not_collected(
    test: str, collected: Collection[str], files: Collection[str], root: Path
) -> str:
    path = test.partition("::")[0]
    if path in files:
        there = f"{path} holds no such test"
    elif (root / path).exists():
        there = f"{path} exists and pytest collects nothing from it"
    else:
        there = f"the file {path} does not exist"
    near = [c for c in collected if c.startswith(f"{path}::")] or collected
    return f"does not collect: {there}{hint(test, near)}"


def _wrong_list(identity: Identity) -> str:
    homes = " or ".join(s.name for s in list_specs().values() if identity.flow in s.flows)
    return f"a test of the flow {identity.flow} belongs in {homes}"
