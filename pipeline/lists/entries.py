# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What an entry of a list may say beside its test, and what belongs together.

===========  ===============================================================================
field        holds
===========  ===============================================================================
expect       `pass` (where it is left out), `xfail`, `skip` or `exclude`
stage        of `xfail`: where the test ends
fingerprint  of `xfail`: the failure, as history knows it; `explain` prints it
disabled     of `pass`: the checks that do not count, between commas; the issue says why
reason       why, in a sentence; all but `pass` need one
issue        the address of what tracks it; `skip` and `disabled` need one
owner        whom to ask
===========  ===============================================================================
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from bringup.harness.did_you_mean import hint
from bringup.harness.records.door import command
from bringup.harness.records.expected import Expect, Expectation
from bringup.harness.records.fingerprint import parts
from bringup.harness.records.metrics import METRICS
from bringup.harness.records.values import Stage
from bringup.pipeline.errors import ListError

FIELDS = Expectation.__struct_fields__
_WORDS: dict[str, tuple[str, ...]] = {
    "expect": tuple(Expect),
    "stage": tuple(Stage),
}
_CHECKS = tuple(kind.name for kind in METRICS.values() if not kind.fact)
_ONLY = {"stage": Expect.XFAIL, "fingerprint": Expect.XFAIL, "disabled": Expect.PASS}
_NEEDS = {
    Expect.PASS: (),
    Expect.XFAIL: ("fingerprint", "reason"),
    Expect.SKIP: ("reason", "issue"),
    Expect.EXCLUDE: ("reason",),
}
_FORM = re.compile(r"\d+\|[^|]*\|[^|]*\|.+")
_ADDRESS = re.compile(r"https?://[^\s<>\"'`]+")


def expectation_of(fields: Mapping[str, Any], where: str) -> Expectation | None:
    """What an entry expects; None of one that says nothing but its test.

    Raises:
        ListError: a field is none, or does not go with the others; `where` begins the sentence.
    """
    if not fields:
        return None
    for name, value in fields.items():
        if name not in FIELDS:
            raise ListError(f"{where}: there is no field `{name}`{hint(name, FIELDS)}")
        if why := _why_not(name, value):
            raise ListError(f"{where}: {name} = {value!r}: {why}")
    found = msgspec.convert(dict(fields), Expectation)
    if why := _unfit(found, fields):
        raise ListError(f"{where}: {why}")
    return found


def fields_of(expectation: Expectation | None) -> dict[str, str]:
    """As a list's entry says it; empty where it says nothing."""
    said = {} if expectation is None else msgspec.to_builtins(expectation)
    return {name: str(said[name]) for name in FIELDS if name in said}


def checks(disabled: str) -> list[str]:
    """The checks that `Expectation.disabled` names."""
    return [word.strip() for word in disabled.split(",")]


def _why_not(name: str, value: object) -> str:
    """Why a field cannot hold this; empty when it can."""
    if not isinstance(value, str):
        return "it is a text"
    if not value.strip() or not value.isprintable():
        return "it is one line of text"
    words = _WORDS.get(name)
    if words and value not in words:
        return f"it is one of {', '.join(words)}{hint(value, words)}"
    if name == "disabled":
        wrong = [word for word in checks(value) if word not in _CHECKS]
        near = hint(wrong[0], _CHECKS) if wrong else ""
        return (
            f"there is no check `{wrong[0]}`; checks are {', '.join(_CHECKS)}{near}"
            if wrong
            else ""
        )
    if name == "issue" and not _ADDRESS.fullmatch(value):
        return "it is an address, https://..."
    if name == "fingerprint" and not _FORM.fullmatch(value):
        return f"it is VERSION|stage|op|text; `{command('explain', 'TEST')}` prints it"
    return ""


def _unfit(found: Expectation, fields: Mapping[str, Any]) -> str:
    """What is missing, or does not belong here; empty when all is well."""
    for name, expect in _ONLY.items():
        if name in fields and found.expect is not expect:
            return f'`{name}` goes with expect = "{expect}", and it says "{found.expect}"'
    stage = parts(found.fingerprint)[0] if found.fingerprint else "?"
    missing = [name for name in _NEEDS[found.expect] if name not in fields]
    if found.expect is Expect.XFAIL and found.stage is None and stage:
        missing.insert(0, "stage")
    if missing:
        prints = f"; `{command('explain', 'TEST')}` prints it"
        whence = prints if missing[0] == "fingerprint" else ""
        return f'expect = "{found.expect}" needs `{missing[0]}`{whence}'
    if found.disabled and not found.issue:
        return "`disabled` needs `issue`, the address of what tracks the check"
    if found.expect is Expect.XFAIL and stage != (found.stage or ""):
        return f"stage = '{found.stage}', and the fingerprint says '{stage}'"
    return ""
