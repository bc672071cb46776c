# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A night of a few models, run twice with one cache: what an unchanged night costs."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil

from bringup.harness.records.run_dir import load_journals
from bringup.harness.records.schema import TestRecord
from bringup.harness.records.values import CACHED_FROM
from bringup.harness.records.variable_names import CACHE_VARIABLE

MODELS = ("minilm", "mobilenet_v2", "gpt2", "whisper", "light")
"""Encoder, convolutions, decoder, sound, ONNX."""
_SETTINGS = ("--workers=2", "--history=none", "--recheck=0", "--confirm=0")
_ROOT = Path(__file__).parents[3]
_LONGEST_S = 3600.0
_LOOK_S = 0.1
_IMPORTS = "import torch; from transformers import BertModel; from bringup import ModelTester"


class Ran(NamedTuple):
    """A night that was run."""

    seconds: float
    """Of the whole command."""
    first: float
    """Until the first test began."""
    processor: float
    """Seconds of processor time that all its processes had taken when that was seen."""
    records: list[TestRecord]

    @property
    def hits(self) -> int:
        """Stages that were not done again."""
        stages = (stage for record in self.records for stage in record.stages)
        return sum(CACHED_FROM in stage.attributes for stage in stages)


def two_nights(quick: bool) -> tuple[Ran, Ran]:
    """The nightly lists of `MODELS`, with an empty cache and then with what that left.

    Raises:
        RuntimeError: a night ended otherwise than with all tests as promised, or some not.
    """
    with TemporaryDirectory(prefix="bench-nights-") as folder:
        first, second = (_night(Path(folder), name, quick) for name in ("first", "second"))
    return first, second


def _night(folder: Path, name: str, quick: bool) -> Ran:
    chosen = MODELS[:1] if quick else MODELS
    command = [
        *(sys.executable, "-m", "bringup", "nightly"),
        *(word for model in chosen for word in ("--model", model)),
        *_SETTINGS,
        f"--size={'tiny' if quick else 'base'}",
        f"--durations={folder / 'durations.json'}",
        f"--output={folder / name}",
    ]
    began, since = time.monotonic(), time.time()
    said = folder / f"{name}.txt"
    with said.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=_ROOT,
            env={**os.environ, CACHE_VARIABLE: str(folder / "cache")},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        while process.poll() is None and not _has_begun(folder / name):
            time.sleep(_LOOK_S)
        processor = processor_seconds(process.pid)
        code = process.wait(_LONGEST_S)
    seconds = time.monotonic() - began
    if code not in (0, 1):
        told = said.read_text("utf-8", "replace")
        raise RuntimeError(f"{' '.join(command)} ended with {code}:\n{told}")
    records, _, _ = load_journals(folder / name)
    begun = min(record.started for record in records if record.started is not None)
    return Ran(seconds, begun - since, processor, records)


def _has_begun(run_dir: Path) -> bool:
    """Does a journal say that a test has started?"""
    return any(b"test_started" in path.read_bytes() for path in run_dir.glob("journal/*"))


def processor_seconds(pid: int) -> float:
    """What a process, all that live below it, and their children that ended have taken."""
    total = 0.0
    with contextlib.suppress(psutil.Error):
        whole = psutil.Process(pid)
        for process in (whole, *whole.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += sum(process.cpu_times()[:4])
    return total


def bare_imports() -> float:
    """Seconds that a Python takes which only imports what the tests' files do, and nothing else."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", _IMPORTS], cwd=_ROOT, check=True)
    return time.monotonic() - began
