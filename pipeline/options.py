# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every option of every verb, declared once.

A field is the option: its name, type and default; beside it stand its flag, its help, which verbs
take it, which environment variable stands for it, and whether a plan keeps it. The parser, each
verb's help, what `--plan` and `--resume` hold against, and `--dry-run` are made of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bringup.harness.errors import UsageError
from bringup.harness.options.option import Kept, Source, Takes, option
from bringup.harness.records import variable_names as variables
from bringup.harness.records.naming import SIZES
from bringup.harness.records.verdicts.recheck import parse_share
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.history.store.tables import DEFAULT_ADDRESS
from bringup.pipeline.lists.specs import SESSIONS

OP_BY_OP = "op_by_op"
RUNS = (*SESSIONS, "run")
"""The verbs that run tests."""
_CHOOSE = (*RUNS, "plan")
MOST_JOBS = 256
"""Of one matrix, says GitHub's page on limits."""


class Shard(NamedTuple):
    """The i-th of n parts, 1-based."""

    i: int
    n: int

    def __str__(self) -> str:
        return f"{self.i}/{self.n}"


def parse_shard(text: str) -> Shard:
    """Read `2/5`, the second of five shards.

    Raises:
        PipelineError: not of that form, or outside 1 to n.
    """
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not match:
        raise PipelineError(f"`{text}` is no shard; write i/n, e.g. 2/5 for the second of five")
    shard = Shard(int(match[1]), int(match[2]))
    if not 1 <= shard.i <= shard.n:
        raise PipelineError(f"there is no shard {shard.i} of {shard.n}; i runs from 1 to n")
    return shard


def names_of(text: str) -> tuple[str, ...]:
    """The devices of `--device NAME,NAME`.

    Raises:
        PipelineError: there is none.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise PipelineError(f"--device {text!r} names no device")
    return names


def _count(what: str) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isdecimal() and text.isascii() and 0 < len(text) < 8 and int(text)):
            raise PipelineError(f"`{text}` is no number of {what}")
        return int(text)

    return parse


def _shards(text: str) -> int:
    n = _count("shards")(text)
    if n > MOST_JOBS:
        raise PipelineError(
            f"--shards {n}: a matrix of GitHub Actions takes {MOST_JOBS} jobs at most"
        )
    return n


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise PipelineError(f"`{text}` is no number of seconds")
    return number


def _span(text: str) -> float:
    """`10m`, `90s`, `1h` or a number of seconds."""
    match = re.fullmatch(r"(\d{1,7}(?:\.\d{1,3})?)([smh]?)", text)
    if not match:
        raise PipelineError(f"`{text}` is no time; write 90s, 10m or 1h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def _share(text: str) -> str:
    parse_share(text)
    return text


def _folder(text: str) -> str:
    if not text:
        raise UsageError("--tests needs a folder")
    return text


@dataclass(frozen=True)
class RunOptions:
    """The options of every verb; each says which verbs take it."""

    session: str = option(
        "nightly",
        "--session",
        "what the plan is of",
        choices=RUNS,
        metavar="SESSION",
        verbs=["plan"],
    )
    """The session that is planned; for a verb that runs, the verb itself."""

    # what is run: a plan keeps it
    ids: tuple[str, ...] = option(
        (),
        "ID",
        "a test by its pytest id without size and device, or all of a function, class, file or "
        "folder",
        metavar="ID",
        verbs=["run", OP_BY_OP, "plan"],
        kept=Kept.ALWAYS,
    )
    models: tuple[str, ...] = option(
        (),
        "--model",
        "only tests of the model NAME or, if no model is called exactly that, of those with it in "
        "their name; repeat for more",
        metavar="NAME",
        verbs=_CHOOSE,
        kept=Kept.ALWAYS,
    )
    changed: str = option(
        "",
        "--changed",
        "only tests that a change touches: whose files, or what those import below --tests, differ "
        "from where HEAD and the commit parted",
        metavar="COMMIT",
        verbs=_CHOOSE,
        kept=Kept.LATER,
    )
    flows: tuple[str, ...] = option(
        (),
        "--flow",
        "only tests of this flow, e.g. full or op_by_op_torch, or a part of its name; repeat for "
        "more",
        metavar="NAME",
        verbs=_CHOOSE,
        kept=Kept.LATER,
    )
    modes: tuple[str, ...] = option(
        (),
        "--mode",
        "only tests of this mode, eval or train; repeat for more",
        metavar="NAME",
        verbs=_CHOOSE,
        kept=Kept.LATER,
    )
    variants: tuple[str, ...] = option(
        (),
        "--variant",
        "only tests of this variant, or a part of its name ('' for tests that have none); repeat "
        "for more",
        metavar="NAME",
        verbs=_CHOOSE,
        kept=Kept.LATER,
    )
    frameworks: tuple[str, ...] = option(
        (),
        "--framework",
        "only tests of this framework, torch or onnx; repeat for more",
        metavar="NAME",
        verbs=_CHOOSE,
        kept=Kept.LATER,
    )
    devices: tuple[str, ...] = option(
        (),
        "--device",
        "only these devices; repeat for more",
        parse=names_of,
        metavar="NAME[,NAME]",
        verbs=_CHOOSE,
        variable=variables.DEVICE_VARIABLE,
        kept=Kept.ALWAYS,
        default_says="of lists all that are here; of tests chosen otherwise those that execute",
    )
    all: bool = option(
        False, "--all", "op by op: every model there is", verbs=[OP_BY_OP, "plan"], kept=Kept.LATER
    )
    split: str = option(
        "torch",
        "--split",
        "op by op: which graph to split; ONNX has only StableHLO; --flow says it, too",
        choices=("torch", "stablehlo"),
        verbs=[OP_BY_OP, "plan"],
        kept=Kept.ALWAYS,
        excludes="flows",
    )
    size: str = option(
        SIZES[0],
        "--size",
        "tiny: a few layers of each model, to rehearse",
        choices=SIZES,
        verbs=_CHOOSE,
        kept=Kept.ALWAYS,
    )
    lists: Path = option(
        Path("tests/lists"),
        "--lists",
        "the folder of the lists",
        parse=Path,
        metavar="DIR",
        verbs=[*_CHOOSE, "lists", "promote", "merge", "finish"],
        kept=Kept.ALWAYS,
    )
    tests: str = option(
        "tests/models",
        "--tests",
        "the folder of the tests",
        parse=_folder,
        metavar="DIR",
        verbs=[*_CHOOSE, "lists", "promote"],
        kept=Kept.ALWAYS,
    )
    loaders: tuple[str, ...] = option(
        (),
        "--models",
        "a repository of loaders like tt-forge-models: each is tests; repeat for more",
        metavar="DIR",
        verbs=[*_CHOOSE, "lists", "promote"],
        kept=Kept.LATER,
    )
    recheck: str = option(
        "",
        "--recheck",
        "op by op: compute a random share of the cached verdicts again, e.g. 2%; 0 for none",
        parse=_share,
        metavar="SHARE",
        verbs=_CHOOSE,
        variable=variables.RECHECK_VARIABLE,
        kept=Kept.LATER,
        default_says="2% in nightly and weekly, else none",
        excludes="no_cache",
    )
    no_cache: bool = option(
        False,
        "--no-cache",
        "op by op: compute every op, whatever is cached",
        verbs=_CHOOSE,
        variable=variables.NO_CACHE_VARIABLE,
        kept=Kept.LATER,
    )

    # how it is run, here and now
    run_id: str | None = option(
        None, "--run-id", "the same for all shards of a run", metavar="NAME", verbs=_CHOOSE
    )
    durations: Path = option(
        Path("results/durations.json"),
        "--durations",
        "how long tests took; learned from every run",
        parse=Path,
        metavar="FILE",
        verbs=_CHOOSE,
    )
    history: str = option(
        DEFAULT_ADDRESS,
        "--history",
        "where runs are remembered: a folder or an address; none: nowhere",
        metavar="ADDRESS",
        verbs=[*_CHOOSE, "merge", "finish", "promote"],
        variable=variables.HISTORY_VARIABLE,
    )
    devices_from: Path | None = option(
        None,
        "--devices-from",
        "what `nox -s devices -- --json` printed, instead of asking it now",
        parse=Path,
        metavar="FILE",
        verbs=[*_CHOOSE, "lists"],
    )
    fleet: Path | None = option(
        None,
        "--fleet",
        "the runners there are, a TOML file; without it, this machine",
        parse=Path,
        metavar="FILE",
        verbs=_CHOOSE,
    )
    dry_run: bool = option(
        False,
        "--dry-run",
        "print the tests, and where each option's value comes from, and run nothing",
        verbs=_CHOOSE,
    )
    shard: Shard = option(
        Shard(1, 1),
        "--shard",
        "only the I-th of N parts",
        parse=parse_shard,
        metavar="I/N",
        verbs=RUNS,
    )
    engine: str = option(
        "local",
        "--engine",
        "what runs the tests",
        metavar="NAME[://ADDRESS]",
        verbs=RUNS,
        variable=variables.ENGINE_VARIABLE,
    )
    workers: int | None = option(
        None,
        "--workers",
        "tests at a time",
        parse=_count("workers"),
        metavar="N",
        verbs=RUNS,
        variable=variables.WORKERS_VARIABLE,
        default_says="by cores, memory and tests",
    )
    confirm_s: float | None = option(
        None,
        "--confirm",
        "run what newly fails again at once, between runs of a test that was good, within so long: "
        "10m, 90s; 0 for no",
        parse=_span,
        metavar="TIME",
        verbs=RUNS,
        default_says="10m in nightly, else 0",
    )
    timeout_s: float | None = option(
        None,
        "--timeout",
        "for each test",
        parse=_seconds,
        metavar="SECONDS",
        verbs=RUNS,
        variable=variables.TIMEOUT_VARIABLE,
        default_says="900, or three times a test's estimate if that is longer",
    )
    output: Path | None = option(
        None,
        "--output",
        "the run directory",
        parse=Path,
        metavar="DIR",
        verbs=RUNS,
        default_says="results/SESSION-TIME",
    )
    plan: Path | None = option(
        None,
        "--plan",
        "the plan of all shards, by `nox -s plan`: it says which tests run, and a merge by it "
        "which are missing",
        parse=Path,
        metavar="FILE",
        verbs=[*RUNS, "merge"],
    )
    resume: str | None = option(
        None,
        "--resume",
        "go on with a run that was stopped or killed",
        takes=Takes.MAYBE,
        metavar="RUN_DIR",
        verbs=RUNS,
        default_says="with no RUN_DIR: the newest unfinished one",
        excludes="plan",
    )

    # of the other verbs
    shards: int = option(
        0,
        "--shards",
        "how many shards, where no fleet says it",
        parse=_shards,
        metavar="N",
        verbs=["plan"],
    )
    planner: str = option(
        "affinity",
        "--planner",
        "how the tests are dealt out to the shards",
        metavar="NAME",
        verbs=["plan"],
    )
    target: Path = option(
        Path("results/plan.json"),
        "--output",
        "where the plan is written",
        parse=Path,
        metavar="FILE",
        verbs=["plan"],
    )
    run_dirs: tuple[Path, ...] = option(
        (),
        "DIR",
        "a run directory; of a merge a shard's, or a folder of them",
        parse=Path,
        metavar="DIR",
        verbs=["merge", "finish"],
        required=True,
    )
    into: Path = option(
        Path(),
        "--into",
        "the whole run",
        parse=Path,
        metavar="DIR",
        verbs=["merge"],
        required=True,
    )
    run_dir: Path | None = option(
        None,
        "RUN",
        "a merged run",
        parse=Path,
        metavar="RUN",
        verbs=["promote"],
        default_says="all nights of the history; without one the newest run below results/",
    )
    write: bool = option(False, "--write", "make the moves", verbs=["promote"])
    pr: bool = option(
        False,
        "--pr",
        "write the moves as a pull request (branch, title, body) below the run, in pull_request/",
        verbs=["promote"],
    )
    commit: bool = option(
        False,
        "--commit",
        "with --pr: commit them on that branch, and leave the work tree as it is",
        verbs=["promote"],
    )
    preview: int | None = option(
        None,
        "--preview",
        "tell what the last N nights would have moved, and write results/preview.json",
        parse=_count("nights"),
        metavar="N",
        verbs=["promote"],
        excludes="write",
    )
    policy: Path | None = option(
        None,
        "--policy",
        "when lists move; --preview shows what another one would do",
        parse=Path,
        metavar="FILE",
        verbs=["promote"],
        default_says="policy.toml beside the lists, if there is one",
    )

    sources: Mapping[str, Source] = field(default_factory=dict)
    """Where the values came from that are not their options' defaults."""

    @property
    def given(self) -> frozenset[str]:
        """The names of the options that somebody gave on the command line."""
        return frozenset(n for n, s in self.sources.items() if s is Source.COMMAND_LINE)
