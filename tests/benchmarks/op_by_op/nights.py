# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One run of op by op as a user starts it, and what its records say."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bringup.harness.records.journal import journals, read_journal
from bringup.harness.records.run_dir import OpLine, load_ops
from bringup.harness.records.schema import AnyEvent, Stage, StageEnded, TestEnded, TestStarted
from bringup.harness.records.variable_names import CACHE_VARIABLE, COMMON_FOLDER_VARIABLE

ROOT = Path(__file__).parents[3]
BASE_MODELS = (
    "tests/models/resnet/test_resnet.py::test_resnet[op_by_op_torch-eval]",
    "tests/models/bert/test_bert.py::test_bert[op_by_op_torch-eval]",
    "tests/models/gpt2/test_gpt2.py::test_gpt2[op_by_op_torch-eval]",
    "tests/models/vit/test_vit.py::test_vit[op_by_op_torch-eval]",
    "tests/models/whisper/test_whisper.py::test_whisper[op_by_op_torch-eval]",
    "tests/models/t5/test_t5.py::test_t5[op_by_op_torch-t5-base-eval]",
    "tests/models/llama/test_llama.py::test_llama[op_by_op_torch-eval]",
)
"""The issue's seven; our Llama has 134 million parameters."""
TINY_MODELS = BASE_MODELS[1:2] + BASE_MODELS[4:5]
_FRONT = (Stage.LOAD, Stage.EXPORT, Stage.DECOMPOSE)


@dataclass(frozen=True)
class Night:
    """A run that has ended."""

    directory: Path
    exit_code: int
    wall_s: float
    """From the command line to its exit."""
    front_s: float
    """Loading, exporting and decomposing, summed over the tests."""
    ops_s: float
    """All the rest of the tests, summed over them as if none had run beside another."""
    ops: list[OpLine]
    tests: int
    """Tests that have a terminal record."""


def run_night(directory: Path, cache: Path, arguments: Sequence[str], **environment: str) -> Night:
    """Run `pipeline op_by_op` with a verdict cache of one's own."""
    command = [sys.executable, "-m", "bringup.pipeline", "op_by_op", *arguments]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "--output", str(directory), "--durations", str(directory.with_suffix(".json"))],
        cwd=ROOT,
        env=child_environment(**{CACHE_VARIABLE: str(cache / "verdicts.sqlite")}, **environment),
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - started
    if done.returncode not in (0, 1, 3):
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    events = [event for path in journals(directory) for event in read_journal(path)[0]]
    tests, front = _seconds(events), _front_seconds(events)
    return Night(
        directory=directory,
        exit_code=done.returncode,
        wall_s=wall,
        front_s=front,
        ops_s=tests - front,
        ops=load_ops(directory),
        tests=sum(isinstance(event, TestEnded) for event in events),
    )


def child_environment(**added: str) -> dict[str, str]:
    """This environment for a child that imports this very tree."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    common = {COMMON_FOLDER_VARIABLE: tempfile.gettempdir(), "PYTHONPATH": path}
    return {**os.environ, **common, **added}


def _seconds(events: list[AnyEvent]) -> float:
    begun = {e.identity.key: e.time for e in events if isinstance(e, TestStarted)}
    return sum(e.time - begun[e.key] for e in events if isinstance(e, TestEnded))


def _front_seconds(events: list[AnyEvent]) -> float:
    ended = [e.result for e in events if isinstance(e, StageEnded)]
    return sum(result.wall_s or 0.0 for result in ended if result.stage in _FRONT)
