# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What `bringup` and `bringup --help` say."""

from bringup.command.catalog import VERBS, Group, shown
from bringup.harness.options.exit_codes import describe

_FIRST = """\
Bring-up: how far each model gets on each device, what broke, and what to blame.

first:
  bringup doctor            what is missing here, and how to get it
  bringup try model.onnx    how far one model gets on this machine, with no test written
  bringup init              make this folder a project: a sample test, lists, a workflow
  bringup nightly           run the lists; ends with a dashboard, results/.../index.html

`bringup --help` lists every verb, `bringup VERB --help` has its options and examples."""


def first_words() -> str:
    """What to do first."""
    return _FIRST


def overview() -> str:
    """Every verb in a line, by what it is for, and the exit codes."""
    wide = max(map(len, VERBS))
    parts = ["usage: bringup VERB ...", _FIRST.partition("\n")[0]]
    for group in Group:
        verbs = {name: verb for name, verb in VERBS.items() if verb.group is group}
        lines = [f"  {shown(name):<{wide}}  {verb.says}" for name, verb in verbs.items()]
        parts.append("\n".join([f"{group}:", *lines]))
    return "\n\n".join(
        [*parts, "`bringup VERB --help` has a verb's options and examples.", describe()]
    )
