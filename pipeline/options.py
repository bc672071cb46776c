# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every option of every verb, declared once.

A field is the option: its name, type and default; beside it stand its flag, its help, which verbs
take it, which environment variable stands for it, and whether a plan keeps it. The parser, each
verb's help, what `--plan` and `--resume` hold against, and `--dry-run` are made of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bringup.harness.options import project
from bringup.harness.options.option import Kept, Source, Takes, option
from bringup.harness.records import variable_names as variables
from bringup.harness.records.naming import SIZES
from bringup.pipeline.history.store.tables import DEFAULT_ADDRESS
from bringup.pipeline.lists.specs import SESSIONS
from bringup.pipeline.option_values import (
    Shard,
    Span,
    checked_share,
    count_of,
    names_of,
    parse_budget,
    parse_folder,
    parse_seconds,
    parse_shard,
    parse_shards,
    parse_span,
)

OP_BY_OP, OP_SWEEP = "op_by_op", "op_sweep"
RUNS = (*SESSIONS, "run", OP_SWEEP)
"""The verbs that run tests."""
_CHOOSE = (*RUNS, "plan")


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
        project="device",
    )
    all: bool = option(
        False,
        "--all",
        "everything, without a budget; `run`: every test; op by op: every model",
        verbs=[*SESSIONS, "run", "plan"],
        kept=Kept.LATER,
        excludes="budget_s",
    )
    swept: tuple[str, ...] = option(
        (),
        "--op",
        "sweep: only cases of the ATen op NAME, or of those with it in their name; repeat for more",
        metavar="NAME",
        verbs=[OP_SWEEP, "plan"],
        kept=Kept.LATER,
    )
    limit: int | None = option(
        None,
        "--limit",
        "sweep: at most N cases, spread over the ops",
        parse=count_of("cases"),
        metavar="N",
        verbs=[OP_SWEEP, "plan"],
        kept=Kept.LATER,
        default_says="all",
    )
    list_cases: bool = option(
        False, "--list", "sweep: print the cases, and run nothing", verbs=[OP_SWEEP]
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
        project="size",
    )
    lists: Path = option(
        Path(project.LISTS),
        "--lists",
        "the folder of the lists",
        parse=Path,
        metavar="DIR",
        verbs=[*_CHOOSE, "lists", "promote", "merge", "finish"],
        kept=Kept.ALWAYS,
        project="lists",
    )
    tests: str = option(
        project.TESTS,
        "--tests",
        "the folder of the tests",
        parse=parse_folder,
        metavar="DIR",
        verbs=[*_CHOOSE, "lists", "promote"],
        kept=Kept.ALWAYS,
        project="tests",
    )
    loaders: tuple[str, ...] = option(
        (),
        "--models",
        "a repository of `loader.py` files: each is tests; repeat for more",
        metavar="DIR",
        verbs=[*_CHOOSE, "lists", "promote"],
        kept=Kept.LATER,
        project="models",
    )
    recheck: str = option(
        "",
        "--recheck",
        "compute a random share of the cached verdicts and builds again, e.g. 2%; 0 for none",
        parse=checked_share,
        metavar="SHARE",
        verbs=_CHOOSE,
        variable=variables.RECHECK_VARIABLE,
        kept=Kept.LATER,
        default_says="2% in nightly and weekly, else none",
        excludes="no_cache",
        project="recheck",
    )
    no_cache: bool = option(
        False,
        "--no-cache",
        "compute every op, lower and compile every model, whatever is cached",
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
        project="history",
    )
    devices_from: Path | None = option(
        None,
        "--devices-from",
        "what `devices` prints with --json, instead of asking it now",
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
        project="fleet",
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
        project="engine",
    )
    workers: int | None = option(
        None,
        "--workers",
        "tests at a time",
        parse=count_of("workers"),
        metavar="N",
        verbs=RUNS,
        variable=variables.WORKERS_VARIABLE,
        default_says="by cores, memory and tests",
        project="workers",
    )
    confirm_s: float | None = option(
        None,
        "--confirm",
        "run what newly fails again at once, between good tests, within so long: 10m, 90s; 0: no",
        parse=parse_span,
        metavar="TIME",
        verbs=RUNS,
        default_says="10m in nightly, else 0",
        project="confirm",
    )
    budget_s: Span | None = option(
        None,
        "--budget",
        "run those that tell most and fit into 15m, 90s, 1h; each shard has as much",
        parse=parse_budget,
        metavar="TIME",
        verbs=_CHOOSE,
        default_says="no limit",
        project="budget",
    )
    timeout_s: float | None = option(
        None,
        "--timeout",
        "for each test",
        parse=parse_seconds,
        metavar="SECONDS",
        verbs=RUNS,
        variable=variables.TIMEOUT_VARIABLE,
        default_says="900, or three times a test's estimate if that is longer",
        project="timeout",
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
        "the plan of all shards, by `plan`: it says which tests run, and a merge by it "
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
        parse=parse_shards,
        metavar="N",
        verbs=["plan"],
    )
    planner: str = option(
        "affinity",
        "--planner",
        "how the tests are dealt out to the shards",
        metavar="NAME",
        verbs=["plan"],
        project="planner",
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
        parse=count_of("nights"),
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
        project="policy",
    )

    sources: Mapping[str, Source] = field(default_factory=dict)
    """Where the values came from that are not their options' defaults."""

    @property
    def given(self) -> frozenset[str]:
        """The names of the options that somebody gave on the command line."""
        return frozenset(n for n, s in self.sources.items() if s is Source.COMMAND_LINE)
