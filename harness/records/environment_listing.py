# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the environment holds just now, against the table of variables; secrets are left out."""

import os
import re
from collections.abc import Mapping

import msgspec

from bringup.harness.errors import UsageError
from bringup.harness.records.environment import refuse_misspelled, variable_of
from bringup.harness.records.variable import Variable
from bringup.harness.records.variables import VARIABLES
from bringup.harness.records.variables_of_others import PREFIXED
from bringup.harness.storage.writable import writable

_ADDRESS = re.compile(r"\w[\w+.-]*://|[^\s/]+:\S*@")
"""What begins like an address, or like one without its scheme that has a login."""
HIDDEN = "(not shown)"


class ListedVariable(msgspec.Struct, frozen=True):
    """One variable of the table, or one that is set and like ours, and what it holds."""

    name: str
    says: str
    takes: str
    """The texts it may hold."""
    default: str
    """The text, or the words, for what holds where it is not set; empty for nothing."""
    is_set: bool
    value: str | None
    """Its text without logins in addresses; `(not shown)` for a secret, None where it is not set.
    """
    read_by: str
    """A room or module of the checkout; `others` for a library."""
    wrong: str = ""
    """One sentence, when it holds what it may not."""


def listed(environment: Mapping[str, str] | None = None) -> list[ListedVariable]:
    """All variables of the table in its order, then those that are set and begin like ours."""
    held = os.environ if environment is None else environment
    found = [_listed(variable, held) for variable in VARIABLES.values()]
    others = [key for key in sorted(held) if key not in VARIABLES]
    for prefix in PREFIXED:
        found.append(_listed(prefix, held, f"{prefix.name}NAME"))
        named = [key for key in others if key.startswith(prefix.name)]
        found += [_listed(v, held) for key in named if (v := variable_of(key))]
    for key in others:
        if variable_of(key) is None and (wrong := _misspelled(key)):
            value = shown(held[key])
            found.append(ListedVariable(writable(key), "", "", "", True, value, "nobody", wrong))
    return found


def shown(text: str) -> str:
    """A variable's text as it may be printed: without a login or a query in an address."""
    if not _ADDRESS.search(text):
        return writable(text)
    scheme, mark, rest = text.rpartition("://") if "://" in text else ("", "", text)
    login, at, place = rest.rpartition("@")
    place, asks, _ = place.partition("?")
    scheme = "..." if "@" in scheme else scheme
    return writable(f"{scheme}{mark}{'...' if login else ''}{at}{place}{'?...' if asks else ''}")


def _listed(
    variable: Variable, held: Mapping[str, str], called: str | None = None
) -> ListedVariable:
    text = held.get(variable.name)
    wrong = ""
    if text and (text.strip() or variable.of_tests):
        try:
            variable.value(text)
        except UsageError as error:
            wrong = str(error)
    value = None if text is None else HIDDEN if variable.secret else shown(text)
    return ListedVariable(
        name=called or variable.name,
        says=variable.says,
        takes=variable.values.takes,
        default=variable.default or variable.otherwise,
        is_set=text is not None,
        value=value,
        read_by=variable.read_by,
        wrong=wrong,
    )


def _misspelled(key: str) -> str:
    try:
        refuse_misspelled(key)
    except UsageError as error:
        return str(error)
    return ""
