# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`lists`: everything that is wrong with them."""

from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.aliases import read_aliases
from bringup.pipeline.lists.lists import read_lists
from bringup.pipeline.lists.specs import list_specs
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions
from bringup.pipeline.planning.selection import (
    alias_problems,
    list_problems,
    look_around,
)


def check_lists(options: RunOptions, say: Speaker) -> ExitCode:
    """Say everything that is wrong with the lists."""
    lists = read_lists(options.lists)
    known, collected = look_around(options, say)
    said = [
        *list_problems(lists, lists.entries, collected, known),
        *alias_problems(read_aliases(options.lists), collected, options.lists),
        *collected.broken.values(),
    ]
    for sentence in said:
        say(sentence)
    entries, problems = len(lists.entries), len(said)
    there = sum((lists.folder / spec.file_name).exists() for spec in list_specs().values())
    say(
        f"{entries} {'entry' if entries == 1 else 'entries'} on {there} lists, "
        f"{problems} problem{'' if problems == 1 else 's'}"
    )
    return ExitCode.USAGE if said else ExitCode.KEPT
