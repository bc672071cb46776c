# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The text of one list file: read with line numbers, edited without touching a comment.

A list is TOML of one shape, one table per device and one entry per line::

    # --- vision
    [cpu]
    tests = [
      "tests/models/resnet/test_resnet.py::test_resnet50[full-eval]",  # a note on this entry
      { test = "tests/models/bert/test_bert.py::test_bert[full-eval]", expect = "skip", ... },
    ]

An entry is an id, or an inline table with more to say of it
(:mod:`bringup.pipeline.lists.entries`).

An edit works on lines and not on a TOML document, so that a new entry stays in its group. An entry
leaves with the note on its own line; every other comment and blank line stays where it is.
Arrays nobody edits keep their bytes; an array with several entries on a line is spread out
when it is edited.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import RecordError
from bringup.harness.storage.decoding import decode_toml
from bringup.pipeline.errors import ListError

_STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_TABLE = rf"""(?:\{{(?:{_STRING}|[^{{}}"'\n#])*\}})"""
_ENTRY = rf"(?:{_STRING}|{_TABLE})"
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t\r]*(?:#[^\n]*)?(?:\n|\Z)")
_HEADER = re.compile(rf"[ \t]*\[[ \t]*([A-Za-z0-9_-]+|{_STRING})[ \t]*\]")
_OPEN = re.compile(r"[ \t]*tests[ \t]*=[ \t]*\[")
_TOKEN = re.compile(rf"(?P<test>{_ENTRY})|(?P<comment>#[^\n]*)|(?P<close>\])|,|\s+")
_ENTRY_LINE = re.compile(rf"(?P<indent>\s*)(?P<test>{_ENTRY})\s*(?P<comma>,?)\s*(?P<comment>#.*)?")


@dataclass
class Row:
    """One line of an array: an entry with its note, or a comment, or nothing."""

    text: str
    """The line without its line feed."""
    test: str | None
    line: int
    """1-based, in the file as it was read."""
    comment: str = ""
    """The note behind the entry, from its `#` on."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What an entry says beside its test, as TOML has it."""

    def with_comma(self) -> str:
        """The line as it has to be when another entry follows."""
        match = _ENTRY_LINE.fullmatch(self.text)
        if match is None or match["comma"]:
            return self.text
        return f"{match['indent']}{match['test']},{_behind(self.comment)}"


@dataclass
class Table:
    """One device's array; the tables' texts and the file's tail make up the file."""

    device: str
    before: str
    """Text since the previous array's closing bracket, this one's opening bracket included."""
    head: str
    """The comment behind the opening bracket."""
    body: str
    """Text from there to the closing bracket."""
    rows: list[Row]
    edited: bool = False

    @property
    def tests(self) -> list[str]:
        """The entries, in order."""
        return [row.test for row in self.rows if row.test is not None]

    @property
    def values(self) -> list[object]:
        """The entries as TOML has them."""
        return [
            {"test": row.test, **row.fields} if row.text.lstrip().startswith("{") else row.test
            for row in self.rows
            if row.test is not None
        ]

    def render(self) -> str:
        """The text up to the closing bracket, as it was when nobody edited it."""
        if not self.edited:
            return self.before + self.head + self.body
        if not self.rows and not self.head:
            return self.before
        last = max((i for i, row in enumerate(self.rows) if row.test is not None), default=0)
        lines = [row.with_comma() if i < last else row.text for i, row in enumerate(self.rows)]
        return "\n".join([self.before + self.head, *(line.rstrip() for line in lines), ""])

    def remove(self, test: str) -> str:
        """Take an entry out, everywhere it stands; returns the note it carried."""
        note = self.note_of(test)
        self.rows = [row for row in self.rows if row.test != test]
        self.edited = True
        return note

    def note_of(self, test: str) -> str:
        """The note that an entry carries."""
        return next((row.comment for row in self.rows if row.test == test and row.comment), "")

    def add(self, test: str, comment: str = "", fields: Mapping[str, str] | None = None) -> None:
        """Put an entry beside its nearest relatives, in order of their ids."""
        sample = next((row.text for row in self.rows if row.test is not None), "  ")
        indent = sample[: len(sample) - len(sample.lstrip())] or "  "
        text = f"{indent}{_written(test, fields or {})},{_behind(comment)}"
        self.rows.insert(self._place(test), Row(text, test, 0, comment, fields or {}))
        self.edited = True

    def change(self, test: str, fields: Mapping[str, str]) -> None:
        """Let an entry say something else of its test; it stays where it is, with its note."""
        for row in self.rows:
            if row.test == test and dict(row.fields) != dict(fields):
                match = _ENTRY_LINE.fullmatch(row.text)
                assert match is not None, "each entry has a line of its own once it is read"
                row.text = row.text.replace(match["test"], _written(test, fields), 1)
                row.fields = fields
                self.edited = True

    def said_of(self, test: str) -> Mapping[str, Any] | None:
        """What an entry says beside its test; None where there is no such entry."""
        return next((row.fields for row in self.rows if row.test == test), None)

    def _place(self, test: str) -> int:
        """Behind the last relative that sorts before `test`, or before the first relative.

        Relatives share the function; if there are none the file, the folder, or just the
        list. So groups made by hand stay together and a sorted list stays sorted.
        """
        known = [(i, row.test) for i, row in enumerate(self.rows) if row.test is not None]
        if not known:
            return len(self.rows)
        for prefix in (*_prefixes(test), ""):
            relatives = [(i, other) for i, other in known if other.startswith(prefix)]
            if relatives:
                below = [i for i, other in relatives if other < test]
                return below[-1] + 1 if below else relatives[0][0]
        raise AssertionError("every entry starts with the empty prefix")


def _quoted(text: str) -> str:
    """A TOML string of printable text: JSON's, whose escapes TOML has too."""
    return json.dumps(text, ensure_ascii=False)


def _written(test: str, fields: Mapping[str, str]) -> str:
    """An entry: a string where there is nothing but the test."""
    if not fields:
        return _quoted(test)
    said = {"test": test, **fields}
    return f"{{ {', '.join(f'{name} = {_quoted(text)}' for name, text in said.items())} }}"


def _behind(comment: str) -> str:
    return f"  {comment}" if comment else ""


def _prefixes(test: str) -> Iterator[str]:
    path, _, function = test.partition("::")
    yield f"{path}::{function.partition('[')[0]}["
    yield f"{path}::"
    yield f"{path.rpartition('/')[0]}/"


@dataclass
class ListText:
    """A whole file: the tables of its devices, and the text after the last of them."""

    tables: list[Table]
    tail: str

    def render(self) -> str:
        """The file's text."""
        return "".join(table.render() for table in self.tables) + self.tail

    def existing(self, device: str) -> Table | None:
        """A device's table, when the file has one."""
        return next((table for table in self.tables if table.device == device), None)

    def table(self, device: str) -> Table:
        """A device's table; a new one at the end of the file when there is none."""
        if found := self.existing(device):
            return found
        gap = self.tail.rstrip("\n") + "\n\n" if self.tables or self.tail.strip() else ""
        key = device if _BARE.fullmatch(device) else _quoted(device)
        table = Table(device, f"{gap}[{key}]\ntests = [", "", "", [])
        self.tables.append(table)
        self.tail = "]\n"
        return table


def parse(text: str, name: str) -> ListText:
    """Read the text of the list file called `name`.

    Raises:
        ListError: not TOML, or not a list; the sentence gives file, line and field.
    """
    try:
        values = decode_toml(text, name)
    except RecordError as error:
        raise ListError(str(error)) from error
    found = _scan(text, name)
    if values != {table.device: {"tests": table.values} for table in found.tables}:
        raise ListError(
            f"{name} is TOML but not a list: below each [device], `tests = [...]` holds pytest "
            'ids as one-line strings, or { test = "ID", ... }, and nothing else'
        )
    return found


def _scan(text: str, name: str) -> ListText:
    """Split valid TOML into tables, refusing whatever a list does not hold."""
    tables: list[Table] = []
    device, start, at = "", 0, 0
    while at < len(text):
        if match := _BLANK.match(text, at):
            at = match.end()
        elif not device and (match := _HEADER.match(text, at)):
            device, at = _value(match[1]), match.end()
        elif device and (match := _OPEN.match(text, at)):
            table, end = _array(text, match.end(), device, name)
            table.before = text[start : match.end()]
            tables.append(table)
            device, start, at = "", end, end + 1
        else:
            what = text[at:].lstrip().partition("\n")[0][:80]
            wanted = f"`tests = [...]` of [{device}]" if device else "a [device]"
            _refuse(text, at, name, f"`{what}` stands where {wanted} should")
    if device:
        _refuse(text, at, name, f"[{device}] ends without `tests = [...]`")
    return ListText(tables, text[start:])


def _array(text: str, start: int, device: str, name: str) -> tuple[Table, int]:
    """The table whose array opens before `start`, and where its closing bracket stands."""
    count, at = 0, start
    while match := _TOKEN.match(text, at):
        if match["close"]:
            return _table(text, start, at, device), at
        if match["test"]:
            _refuse_nameless(text, at, match["test"], f"{name}", f"[{device}] tests[{count}]")
            count += 1
        at = match.end()
    what = text[at:].partition("\n")[0].rstrip(", \r")[:80]
    _refuse(text, at, name, f"[{device}] tests[{count}] is `{what}`, not a pytest id")


def _refuse_nameless(text: str, at: int, token: str, name: str, where: str) -> None:
    """Every table names its test; what else it says is for others to judge."""
    value = _entry(token)
    if isinstance(value, str):
        return
    if "test" not in value:
        _refuse(text, at, name, f"{where} names no test{hint('test', value)}")
    if not isinstance(value["test"], str):
        _refuse(text, at, name, f"{where}.test is {value['test']!r}, not a pytest id")


def _table(text: str, start: int, end: int, device: str) -> Table:
    body = text[start:end]
    first, *others = body.split("\n")
    line = text.count("\n", 0, start) + 1
    head = first.rstrip() if first.lstrip().startswith("#") else ""
    rows = [] if head else list(_rows(first, line))
    if others:
        last = others.pop()
        for number, other in enumerate(others, start=line + 1):
            rows += _rows(other, number) or [Row("", None, number)]
        rows += _rows(last, line + len(others) + 1)
    return Table(device, "", head, body[len(head) :], rows)


def _rows(line: str, number: int) -> list[Row]:
    """One physical line as rows: itself, or one row per entry when it has to be spread out."""
    if match := _ENTRY_LINE.fullmatch(line):
        return [_row(line, match["test"], number, (match["comment"] or "").rstrip())]
    indent = line[: len(line) - len(line.lstrip())] or "  "
    rows: list[Row] = []
    for token in _TOKEN.finditer(line):
        if token["test"]:
            rows.append(_row(f"{indent}{token['test']},", token["test"], number))
        elif token["comment"] and rows:
            rows[-1].comment = token["comment"].rstrip()
            rows[-1].text += _behind(rows[-1].comment)
        elif token["comment"]:
            rows.append(Row(f"{indent}{token['comment']}", None, number))
    return rows


def _row(line: str, token: str, number: int, comment: str = "") -> Row:
    value = _entry(token)
    if isinstance(value, str):
        return Row(line, value, number, comment)
    return Row(line, value.pop("test"), number, comment, value)


def _entry(token: str) -> str | dict[str, Any]:
    """A string's value, or a table's."""
    if not token.startswith("{"):
        return _value(token)
    value: dict[str, Any] = tomllib.loads(f"value = {token}")["value"]
    return value


def _value(token: str) -> str:
    """A quoted TOML string's value; a bare key is its own."""
    if token[0] not in "\"'":
        return token
    if "\\" not in token:
        return token[1:-1]
    return str(tomllib.loads(f"value = {token}")["value"])


def _refuse(text: str, at: int, name: str, what: str) -> NoReturn:
    line = text.count("\n", 0, at) + 1
    raise ListError(f"{name}:{line}: {what}")
