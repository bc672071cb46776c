# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The options of the verbs that ask history or take care of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bringup.harness.options import project
from bringup.harness.options.option import Source, option
from bringup.harness.records.variable_names import HISTORY_VARIABLE
from bringup.pipeline.history.store.tables import DEFAULT_ADDRESS

ACTIONS = ("add", "rebuild", "verify", "prune", "renames")
ASKING = ("why", "explain", "compare", "issues")
"""The verbs that ask, and leave the history as it is."""
OF_HISTORY = ("history", *ASKING)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError("expected a number above 0")
    return number


@dataclass(frozen=True)
class HistoryOptions:
    """The options; each says which verbs take it."""

    action: str = option(
        "", "ACTION", "what to do", choices=ACTIONS, verbs=["history"], required=True
    )
    sources: tuple[str, ...] = option(
        (),
        "SOURCE",
        "add: a run directory, a JUnit XML file, *_unique_ops.json files, "
        "github:OWNER/NAME/RUN_ID; rebuild: folders of runs",
        metavar="SOURCE",
        verbs=["history"],
    )
    run: str = option(
        "",
        "RUN",
        "a run's directory, or its id in the history",
        metavar="RUN",
        verbs=["why", "issues"],
        default_says="the newest in the history",
    )
    test: str = option(
        "",
        "TEST",
        "a test's key, such as bert[full-eval]@cpu, or a part of it that only one has",
        metavar="TEST",
        verbs=["explain"],
        required=True,
    )
    run_a: str = option(
        "",
        "RUN_A",
        "what to compare with: a run's directory, or its id in the history",
        metavar="RUN_A",
        verbs=["compare"],
        required=True,
    )
    run_b: str = option(
        "", "RUN_B", "the run that is compared", metavar="RUN_B", verbs=["compare"], required=True
    )
    html: bool = option(
        False, "--html", "also write the page of RUN_B beside RUN_A", verbs=["compare"]
    )
    against: str = option(
        "",
        "--against",
        "the run to compare with",
        metavar="RUN",
        verbs=["why"],
        default_says="the newest run of the same session before it that is full enough",
    )
    history: str = option(
        DEFAULT_ADDRESS,
        "--history",
        "where runs are remembered: a folder, or an address such as s3://bucket/folder",
        metavar="ADDRESS",
        verbs=["history", *ASKING],
        variable=HISTORY_VARIABLE,
        project="history",
    )
    device: str = option(
        "",
        "--device",
        "add: the device of imported tests that name none; explain: the test's",
        metavar="NAME",
        verbs=["history", "explain"],
    )
    forget: bool = option(
        False, "--forget", "rebuild: give up runs that are nowhere whole", verbs=["history"]
    )
    days: float | None = option(
        None,
        "--days",
        "prune: forget runs that are older",
        parse=_positive,
        metavar="N",
        verbs=["history"],
    )
    gib: float | None = option(
        None,
        "--gib",
        "prune: forget the oldest above so much",
        parse=_positive,
        metavar="N",
        verbs=["history"],
    )
    lists: Path = option(
        Path(project.LISTS),
        "--lists",
        "the folder of the lists, of aliases.toml and of causes.txt",
        parse=Path,
        metavar="DIR",
        verbs=["history", *ASKING],
        project="lists",
    )

    write: bool = option(
        False,
        "--write",
        "write the incidents beside the lists, and the texts below the run",
        verbs=["issues"],
    )
    opened: str = option(
        "",
        "--opened",
        "write back where the issue of a cause is",
        metavar="CAUSE=ADDRESS",
        verbs=["issues"],
    )

    sources_of: Mapping[str, Source] = field(default_factory=dict)
    """Where the values came from that are not their options' defaults."""
