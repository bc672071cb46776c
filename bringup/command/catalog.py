# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every verb of the command line: what it is for, what declares its options, what carries it out.

What carries a verb out is imported when it runs, so a light one never waits for a heavy one and
none imports torch. What a verb's words mean is declared where the verb is.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bringup.harness.options.command_line import Command


class Group(enum.StrEnum):
    """What a verb is for, as the overview has it."""

    BEGIN = "to begin"
    RUN = "to run models"
    READ = "to read what came of it"
    KEEP = "to keep lists and history"
    MACHINE = "this machine"


class Declared(NamedTuple):
    """What a verb's parser is made of."""

    command: Command
    options: type


@dataclass(frozen=True)
class Verb:
    """One verb."""

    group: Group
    says: str
    """In a few words, for the overview."""
    declared: Callable[[], Declared]
    start: Callable[[list[str]], int]
    """Its words in, its exit code out; raises what `harness.options.command_line.run` catches."""


def _pipeline(name: str) -> Callable[[], Declared]:
    def declared() -> Declared:
        from bringup.pipeline.cli import options_type_of
        from bringup.pipeline.verb_help import VERBS as declarations

        return Declared(declarations[name], options_type_of(name))

    return declared


def _reports(name: str) -> Callable[[], Declared]:
    def declared() -> Declared:
        from bringup.reports import cli

        return Declared(cli.commands()[name], cli.Options)

    return declared


def _repro() -> Declared:
    from bringup.harness import repro

    return Declared(repro.COMMAND, repro.Options)


def _devices() -> Declared:
    from bringup.harness import list_devices

    return Declared(list_devices.COMMAND, list_devices.Options)


def _help_env() -> Declared:
    from bringup.harness import help_env

    return Declared(help_env.COMMAND, help_env.Options)


def _of_pipeline(name: str, group: Group, says: str) -> Verb:
    def start(words: list[str]) -> int:
        from bringup.command.reporting import run_and_report

        return run_and_report(name, words)

    return Verb(group, says, _pipeline(name), start)


def _report(words: list[str]) -> int:
    from bringup.command.reporting import report

    return report(words)


def _ops(words: list[str]) -> int:
    from bringup.reports import cli

    return cli.start(["ops", *words])


def _init() -> Declared:
    from bringup.command import init

    return init.command_line()


def _start_init(words: list[str]) -> int:
    from bringup.command import init

    return init.start(words)


def _doctor() -> Declared:
    from bringup.command import doctor

    return doctor.command_line()


def _start_doctor(words: list[str]) -> int:
    from bringup.command import doctor

    return doctor.start(words)


def _completion() -> Declared:
    from bringup.command import completion

    return completion.command_line()


def _start_completion(words: list[str]) -> int:
    from bringup.command import completion

    return completion.start(words)


def _start_repro(words: list[str]) -> int:
    from bringup.harness import repro

    return repro.start(words)


def _start_devices(words: list[str]) -> int:
    from bringup.harness import list_devices

    return list_devices.start(words)


def _start_help_env(words: list[str]) -> int:
    from bringup.harness import help_env

    return help_env.start(words)


VERBS: dict[str, Verb] = {
    "doctor": Verb(Group.BEGIN, "what is missing here, and how to get it", _doctor, _start_doctor),
    "init": Verb(Group.BEGIN, "make this folder a project that runs", _init, _start_init),
    "try": _of_pipeline("try", Group.BEGIN, "how far one model gets, with no test written"),
    "devices": Verb(
        Group.BEGIN, "the devices of this machine, each really opened", _devices, _start_devices
    ),
    "run": _of_pipeline("run", Group.RUN, "any tests, by id, file or filter"),
    "nightly": _of_pipeline("nightly", Group.RUN, "the nightly lists, and the dashboard"),
    "weekly": _of_pipeline("weekly", Group.RUN, "the weekly op-by-op list"),
    "e2e_compile": _of_pipeline("e2e_compile", Group.RUN, "the end-to-end compile list"),
    "op_by_op": _of_pipeline("op_by_op", Group.RUN, "every op of a model alone"),
    "op_sweep": _of_pipeline("op_sweep", Group.RUN, "generated cases of single ops"),
    "plan": _of_pipeline("plan", Group.RUN, "choose a run's tests once, for all its shards"),
    "merge": _of_pipeline("merge", Group.RUN, "one run of many shards"),
    "report": Verb(Group.READ, "a run's documents, again", _reports("build"), _report),
    "why": _of_pipeline("why", Group.READ, "what a night came to beside the ones before"),
    "explain": _of_pipeline("explain", Group.READ, "where one test stands, and its story"),
    "compare": _of_pipeline("compare", Group.READ, "one run against another"),
    "repro": Verb(Group.READ, "run a failure's reproducer, or reduce it", _repro, _start_repro),
    "issues": _of_pipeline("issues", Group.READ, "the causes of what is broken"),
    "ops": Verb(Group.READ, "all models op by op, over all runs", _reports("ops"), _ops),
    "promote": _of_pipeline("promote", Group.KEEP, "the list moves that nights support"),
    "lists": _of_pipeline("lists", Group.KEEP, "everything that is wrong with the lists"),
    "history": _of_pipeline("history", Group.KEEP, "what is remembered of runs"),
    "finish": _of_pipeline("finish", Group.KEEP, "merge what a kill or plain pytest left"),
    "help_env": Verb(
        Group.MACHINE, "every environment variable, and what it holds", _help_env, _start_help_env
    ),
    "completion": Verb(
        Group.MACHINE, "what makes a shell complete all this", _completion, _start_completion
    ),
}
"""By name, as nox calls its session; `op-by-op` and `op_by_op` are one."""


def name_of(word: str) -> str:
    """A verb's name from the word that a person gave."""
    return word.replace("-", "_")


def shown(name: str) -> str:
    """A verb as the command line calls it."""
    return name.replace("_", "-")
