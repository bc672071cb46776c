# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The environment against the table of variables (`variables`).

`check` is called once, when a command or a test session starts: nonsense in a variable is refused
there by name, before anything runs, and so is a name that begins like ours and is none of them.
Whoever reads a variable later may rely on that, or parse it by `Variable.read`.

Some variables change what a test does. A plan and a reproducer keep those of their test, and they
may come from anywhere, so `of_a_test` takes these from them and refuses every other one: a
library to preload, a plugin to load, a folder to write to.
"""

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from pathlib import Path

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.records.variable import Variable
from bringup.harness.records.variable_values import SHOWN, paths
from bringup.harness.records.variables import VARIABLES
from bringup.harness.records.variables_of_others import PREFIXED
from bringup.harness.storage.writable import writable

_PREFIXES = ("BRINGUP_", "TT_TORCH_", "RUN_GLOBAL_OP_", "RTI_PCC_")


def check(environment: MutableMapping[str, str] | None = None) -> None:
    """Refuse nonsense; make paths absolute, so that they mean the same wherever a test goes.

    Raises:
        UsageError: a variable of ours holds what it cannot, or there is none of its name.
    """
    environment = os.environ if environment is None else environment
    for key in sorted(environment):
        known = variable_of(key)
        if known is None:
            refuse_misspelled(key)
        elif known.of_tests or environment[key].strip() or key not in VARIABLES:
            known.value(environment[key])
            if known.is_path:
                environment[key] = _absolute(known, environment[key])


def _absolute(variable: Variable, text: str) -> str:
    parts = text.split(os.pathsep) if variable.values is paths else [text]
    return os.pathsep.join(str(Path(part).absolute()) for part in parts if part.strip())


def variable_of(key: str) -> Variable | None:
    """What the table says of a name; None where it is no variable that we read."""
    known = VARIABLES.get(key)
    prefixes = (v for v in PREFIXED if key.startswith(v.name))
    return known or next((replace(v, name=key) for v in prefixes), None)


def of_a_test(variables: Mapping[str, str], where: object) -> dict[str, str]:
    """Variables that a plan or a reproducer wants set for its test.

    Raises:
        UsageError: one is not among those that change what a test does, or holds nonsense.
    """
    for key, text in variables.items():
        known = VARIABLES.get(key)
        if known is None or not known.of_tests:
            raise UsageError(
                f"{writable(str(where))} sets {writable(key)[:SHOWN]!r}, which no test needs: only"
                " settings of tests (TT_TORCH_...) are taken from a run or a reproducer"
            )
        known.value(text)
    return dict(variables)


def refuse_misspelled(key: str) -> None:
    """Refuse a name that is like ours, and read by nobody.

    Raises:
        UsageError: it is one.
    """
    if not key.startswith(_PREFIXES):
        return
    meant = hint(key, VARIABLES, cutoff=0.85)
    if meant or key.startswith("BRINGUP_"):
        raise UsageError(f"there is no variable {writable(key)[:SHOWN]}{meant}")
