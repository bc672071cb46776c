# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Any list keeps what nobody edits, whatever is added and removed."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from bringup.pipeline.lists.list_file import parse

WORDS = st.text("abcxyz-_ é'\\\"#[]{}=,", min_size=1, max_size=8)
TESTS = st.builds(lambda folder, name: f"tests/{folder}.py::test_{name}", WORDS, WORDS)
NOTES = st.just("") | st.builds(lambda word: f"# {word}", WORDS)
DEVICES = st.sampled_from(("cpu", "n150", "pjrt:odd", 'a "quoted" one'))
ENTRIES = st.lists(st.tuples(TESTS, NOTES), max_size=6, unique_by=lambda entry: entry[0])
EDITS = st.lists(st.tuples(st.booleans(), DEVICES, TESTS, NOTES), max_size=8)


def written(tables: dict[str, list[tuple[str, str]]], head: str) -> str:
    """A list as people write them: a comment at its head, a note behind entries."""
    parsed = parse(head, "a list")
    for device, entries in tables.items():
        for test, note in entries:
            parsed.table(device).add(test, note)
    return parsed.render()


def entries(text: str) -> dict[str, list[str]]:
    return {device: table["tests"] for device, table in tomllib.loads(text).items()}


@given(st.dictionaries(DEVICES, ENTRIES, max_size=3), st.sampled_from(("", "# head\n\n")))
def test_what_is_written_is_read(tables: dict[str, list[tuple[str, str]]], head: str) -> None:
    text = written(tables, head)
    assert {d: sorted(tests) for d, tests in entries(text).items()} == {
        device: sorted(test for test, _ in found) for device, found in tables.items() if found
    }
    assert parse(text, "a list").render() == text  # nobody edited it
    assert text.startswith(head)
    assert all(note.rstrip() in text for found in tables.values() for _, note in found)


@given(st.dictionaries(DEVICES, ENTRIES, max_size=3), EDITS)
def test_edits_change_what_they_name_and_nothing_else(
    tables: dict[str, list[tuple[str, str]]], edits: list[tuple[bool, str, str, str]]
) -> None:
    before = written(tables, "# head\n")
    parsed = parse(before, "a list")
    wanted = {device: set(tests) for device, tests in entries(before).items()}
    for adds, device, test, note in edits:
        held = wanted.setdefault(device, set()) if adds else wanted.get(device, set())
        if adds and test not in held:
            parsed.table(device).add(test, note)
            held.add(test)
        elif not adds and test in held:
            table = parsed.existing(device)
            assert table is not None
            table.remove(test)
            held.remove(test)
    after = parsed.render()
    assert {device: set(tests) for device, tests in entries(after).items()} == wanted
    assert all(len(tests) == len(set(tests)) for tests in entries(after).values())
    touched = {test for _, _, test, _ in edits}
    kept = [note for found in tables.values() for test, note in found if test not in touched]
    assert after.startswith("# head\n") and all(note.rstrip() in after for note in kept)


@given(st.dictionaries(DEVICES, ENTRIES, min_size=1, max_size=2), TESTS, DEVICES)
def test_what_is_added_and_taken_out_again_leaves_no_trace(
    tables: dict[str, list[tuple[str, str]]], test: str, device: str
) -> None:
    before = written(tables, "")
    if test in entries(before).get(device, []) or not entries(before).get(device):
        return
    once = parse(before, "a list")
    once.table(device).add(test)
    again = parse(once.render(), "a list")
    again.table(device).remove(test)
    assert entries(again.render()) == entries(before)
    assert again.render() == before


SAID = st.dictionaries(st.sampled_from(("expect", "reason", "issue")), WORDS, max_size=3)


@given(st.lists(st.tuples(TESTS, SAID, NOTES), min_size=1, max_size=5, unique_by=lambda e: e[0]))
def test_what_an_entry_says_is_read_changed_and_taken_back(
    given_entries: list[tuple[str, dict[str, str], str]],
) -> None:
    parsed = parse("", "a list")
    for test, said, note in given_entries:
        parsed.table("cpu").add(test, note, said)
    first = parsed.render()
    again = parse(first, "a list")
    table = again.table("cpu")
    assert again.render() == first
    assert {t: dict(table.said_of(t) or {}) for t in table.tests} == {
        test: said for test, said, _ in given_entries
    }
    test, said, _ = given_entries[0]
    table.change(test, {"owner": "{ a = 'b' } # c"})
    changed = parse(again.render(), "a list")
    assert changed.table("cpu").said_of(test) == {"owner": "{ a = 'b' } # c"}
    changed.table("cpu").change(test, said)
    assert changed.render() == first
