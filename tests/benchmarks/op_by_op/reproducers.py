# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Does every failure leave a reproducer, and does it end the same way in a process of its own?"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bringup.harness.records.reproducible import REPRO_FOLDER, RUN_SCRIPT, folder_name
from bringup.harness.records.run_dir import OpLine
from bringup.harness.records.schema import Outcome
from tests.benchmarks.figures import Figure
from tests.benchmarks.op_by_op.nights import Night, child_environment, run_night

FAILING = "tests/benchmarks/op_by_op/failing"
GROUPS = {"cpu": ("unlowered", "endless", "wrong"), "n150": ("boards",), "iree-cpu": ("empty",)}
"""Groups of failing ops by the device they fail on."""
DEADLINE_S = 5.0
_GOOD = (Outcome.PASSED, Outcome.REACHED)


def measure(folder: Path, groups: Sequence[str]) -> list[Figure]:
    """`reproducers_share` and `same_fingerprint_share` over some groups of failing ops."""
    nights = [
        _night(folder / f"failing-{device}", device, [g for g in of if g in groups])
        for device, of in GROUPS.items()
        if set(of) & set(groups)
    ]
    failed = [(night, line) for night in nights for line in failures(night)]
    absent = [f"{n.directory}: {said(line)}" for n, line in failed if not folder_of(n, line)]
    runs = [path for n, line in failed if (path := folder_of(n, line))]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        ends = list(pool.map(_run, runs))
    for sentence in [*absent, *(text for code, text in ends if code)][:20]:
        print(f"reproducer: {sentence}")
    kinds = Counter(line.result.verdict.outcome.value for _, line in failed)
    text = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return [
        Figure(
            "reproducers_share",
            1 - len(absent) / len(failed),
            "",
            "== 1",
            f"{len(failed)} ops that really fail: {text} ({', '.join(groups)})",
        ),
        Figure(
            "same_fingerprint_share",
            sum(code == 0 for code, _ in ends) / len(ends),
            "",
            ">= 0.98",
            f"{len(ends)} reproducers ({text}), each run by its run.py in a process of its own",
        ),
    ]


def _night(directory: Path, device: str, groups: Sequence[str]) -> Night:
    test = f"{FAILING}/test_failing_ops.py::test_failing_ops"
    ids = [f"{test}[op_by_op_torch-{group}-eval]" for group in groups]
    given = [*ids, "--tests", FAILING, "--device", device]
    cache = directory.with_name(f"cache-{directory.name}")
    return run_night(directory, cache, given, BRINGUP_OP_DEADLINE=str(DEADLINE_S))


def failures(night: Night) -> list[OpLine]:
    """The ops of a night that did not come through."""
    return [line for line in night.ops if line.result.verdict.outcome not in _GOOD]


def folder_of(night: Night, line: OpLine) -> Path | None:
    """Where a failure's reproducer lies; None where it left none."""
    verdict = line.result.verdict
    path = night.directory / REPRO_FOLDER / folder_name(verdict.op.key, verdict.device)
    return path if (path / RUN_SCRIPT).is_file() else None


def said(line: OpLine) -> str:
    """A failure in a few words."""
    return f"{line.test}: {line.result.verdict.op.name}: {line.result.verdict.outcome}"


def _run(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(folder / RUN_SCRIPT)],
        env=child_environment(),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, f"{folder}: {(done.stdout + done.stderr).strip()[-1000:]}"
