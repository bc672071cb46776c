# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Predictions held against what became of models whose ops nobody had tried.

Some models of the fleet go op by op into a verdict cache; others are predicted from it alone, and
then compiled whole. Tiny ones: what counts are kinds of ops and not how many.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from bringup.harness.records.predictions import Predicted, Prediction
from bringup.harness.records.run_dir import load_journals
from bringup.harness.records.schema import Status, TestRecord
from bringup.harness.records.variable_names import CACHE_VARIABLE
from tests.benchmarks.figures import Figure
from tests.benchmarks.op_by_op.nights import ROOT, child_environment

TRIED = (
    "resnet",
    "bert",
    "gpt2",
    "vit",
    "llama",
    "mobilenet_v2",
    "densenet",
    "phi",
    "qwen2",
    "vgg",
)
HELD_OUT = (
    *("roberta", "pythia", "deit", "regnet", "resnext", "distilbert", "qwen3", "squeezenet"),
    *("alexnet", "electra"),
)
_SHARED = (
    *("--all", "--size", "tiny", "--mode", "eval", "--variant", ""),
    *("--workers", "1", "--history", "none"),
)


def measure(folder: Path, devices: Sequence[str]) -> list[Figure]:
    """`predict_right`, and how many of the held-out models anything was predicted of.

    `devices` are only compiled for: where ops are executed a night takes longer and says no more of
    stages.
    """
    cache = folder / "cache"
    where = ("--device", ",".join(devices))
    _run("op_by_op", cache, folder / "tried", *where, *_models(TRIED))
    predictions = list(_predicted(cache, devices))
    _run("run", cache, folder / "whole", "--flow", "full", *where, *_models(HELD_OUT))
    ended = {r.identity.key: r for r in load_journals(folder / "whole")[0]}
    told: list[bool] = []
    unknown = 0
    for model, one in predictions:
        record = _of(ended.values(), model, one.device)
        if record is None:
            continue
        if one.status is None:
            unknown += 1
            continue
        told.append(one.status is record.status)
        if not told[-1]:
            print(f"{model} on {one.device}: {one.said()}; it ended at {record.status.name}")
    models = len(told) + unknown
    text = f"{models} models on a device, {len(TRIED)} others tried op by op, on {len(devices)}"
    slowest = max((one.seconds for _, one in predictions), default=0.0)
    return [
        Figure("predict_right", sum(told) / (len(told) or 1), "", ">= 0.95", text),
        Figure("predict_told", len(told) / (models or 1), "", "", f"{text}; the others unknown"),
        Figure("predict_seconds", slowest, "s", "<= 2", f"{text}; a model on a device"),
    ]


def _models(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield from ("--model", name)


def _run(session: str, cache: Path, output: Path, *words: str) -> None:
    command = [sys.executable, "-m", "bringup", session, *_SHARED, *words, "--output", str(output)]
    environment = child_environment(**{CACHE_VARIABLE: os.fspath(cache)})
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{session} ended with {done.returncode}: {done.stderr[-500:]!r}")


def _predicted(cache: Path, devices: Sequence[str]) -> Iterator[tuple[str, Prediction]]:
    tests = [f"tests/models/{name}/test_{name}.py" for name in HELD_OUT]
    words = [
        *tests,
        "--size=tiny",
        "-k",
        "full and eval",
        "--on",
        *(f"{d}=compiles" for d in devices),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "bringup.harness.predict", *words],
        cwd=ROOT,
        env=child_environment(**{CACHE_VARIABLE: os.fspath(cache)}),
        capture_output=True,
        check=True,
    )
    for line in done.stdout.splitlines():
        answer = msgspec.json.decode(line, type=Predicted)
        for one in answer.on:
            yield answer.model, one


def _of(records: Iterable[TestRecord], model: str, device: str) -> TestRecord | None:
    for record in records:
        named = record.identity
        if f"{named.model} {named.variant}".strip() == model and named.device == device:
            return None if record.status is Status.NOT_STARTED else record
    return None
