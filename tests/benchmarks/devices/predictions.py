# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Predictions held against what became of models whose ops nobody had tried.

Models of the fleet are walked op by op, and run whole, or compiled where nothing executes. Each is
then predicted from what became of the others' ops alone, as if it had come to the fleet that night.
Tiny ones: what counts are kinds of ops and not how many.
"""

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bringup.harness.devices.catalog import kind_of
from bringup.harness.op_by_op.stage_memory import StageMemory
from bringup.harness.predict.answer import predict
from bringup.harness.records.predictions import Predicted, Prediction
from bringup.harness.records.run_dir import load_journals, load_ops
from bringup.harness.records.schema import OpVerdict, Outcome, Status, TestRecord
from bringup.harness.records.variable_names import CACHE_VARIABLE
from tests.benchmarks.figures import Figure
from tests.benchmarks.op_by_op.nights import ROOT, child_environment

MODELS = (
    *("albert", "alexnet", "autoencoder_conv", "bart", "bert", "convnext", "deit", "densenet"),
    *("dinov2", "distilbert", "electra", "falcon", "googlenet", "gpt2", "gpt_neo", "llama"),
    *("mistral", "mlp_mixer", "mnasnet", "mobilenet_v2", "mobilevit", "opt", "phi", "pythia"),
    *("qwen2", "qwen3", "regnet", "resnet", "resnext", "roberta", "segformer", "shufflenet_v2"),
    *("squeezenet", "swin", "t5", "unet", "vgg", "vit"),
)
_SHARED = (
    *("--all", "--size", "tiny", "--mode", "eval", "--variant", ""),
    *("--workers", "1", "--history", "none"),
)
_ASKED = "tests/models/bert/test_bert.py"
_MACHINES = (Outcome.INFRA, Outcome.NOT_RUN, Outcome.KILLED, Outcome.SKIPPED)
"""Ends that say nothing of model and device."""


@dataclass
class _InMemory:
    """Verdicts of one device's ops by key, as the cache has them."""

    verdicts: dict[str, OpVerdict] = field(default_factory=dict)

    def get(self, key: str) -> OpVerdict | None:
        return self.verdicts.get(key)

    def put(self, key: str, verdict: OpVerdict) -> None:
        self.verdicts[key] = verdict


def measure(work: Path, devices: Sequence[str]) -> list[Figure]:
    """`predict_right`, how many of the held-out models anything was predicted of, and the seconds.

    Runs that lie in `work` unfinished are gone on with.
    """
    cache = work / "cache"
    where = ("--device", ",".join(devices))
    _run("op_by_op", cache, work / "tried", *where, *_models())
    _run("run", cache, work / "whole", "--flow", "full", *where, *_models())
    return [*judged(work / "tried", work / "whole"), *_seconds(cache, devices)]


def judged(tried: Path, whole: Path) -> list[Figure]:
    """The figures of two runs: one that walked over ops, one over whole models."""
    ends = {_who(record): record for record in load_journals(whole)[0]}
    told, unknown, wrong = 0, 0, 0
    models: dict[str, list[bool]] = defaultdict(list)
    for who, one in _held_out(tried):
        record = ends.get(who)
        if record is None or record.outcome in _MACHINES:
            continue
        if one.status is None:
            unknown += 1
            print(f"{who[0]} on {one.device}: {one.said()}")
            continue
        told += 1
        right = one.status is record.status
        models[who[0]].append(right)
        wrong += not right
        if not right:
            why = record.failure.message.partition("\n")[0][:160] if record.failure else ""
            print(
                f"{who[0]} on {one.device}: {one.said()}; it ended at {record.status.name}: {why}"
            )
    asked = told + unknown
    text = f"{asked} models on a device ({len(models)} models told), each predicted from the others"
    return [
        Figure("predict_right", (told - wrong) / (told or 1), "", ">= 0.95", text),
        Figure("predict_told", told / (asked or 1), "", "", f"{text}; the others unknown"),
        Figure("predict_models", len(models), "", ">= 20", "different models told"),
    ]


def _held_out(tried: Path) -> Iterator[tuple[tuple[str, str], Prediction]]:
    """Every model on every device, predicted from the ops of the other models on it."""
    records = {r.identity.key: r for r in load_journals(tried)[0]}
    ops: dict[str, dict[str, list[OpVerdict]]] = defaultdict(lambda: defaultdict(list))
    for line in load_ops(tried):
        record = records.get(line.test)
        if record is not None and record.outcome not in _MACHINES:
            ops[record.identity.device][_who(record)[0]].append(line.result.verdict)
    for device, models in ops.items():
        executes = any(v.status is Status.EXECUTED for one in models.values() for v in one)
        for name, verdicts in models.items():
            kept = _InMemory()
            memory = StageMemory(kept, device, {}, executes=executes)
            for other, theirs in models.items():
                for verdict in theirs if other != name else ():
                    memory.note(verdict)
            found = [verdict.op for verdict in verdicts]
            yield (name, device), predict(found, device, kept, {}, executes=executes)


def _who(record: TestRecord) -> tuple[str, str]:
    named = record.identity
    return f"{named.model} {named.variant}".strip(), named.device


def _models() -> Iterator[str]:
    for name in MODELS:
        yield from ("--model", name)


def _run(session: str, cache: Path, output: Path, *words: str) -> None:
    asked = (*_SHARED, *words, "--output", str(output))
    going_on = (output / "plan.json").exists()
    command = [sys.executable, "-m", "bringup", session]
    command += ["--resume", str(output)] if going_on else asked
    environment = child_environment(**{CACHE_VARIABLE: os.fspath(cache)})
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{session} ended with {done.returncode}: {done.stderr[-500:]!r}")


def _seconds(cache: Path, devices: Sequence[str]) -> list[Figure]:
    """What one model costs to predict, once it is exported, on each device and on all of them."""
    state = {
        d: "executes" if kind_of(d).name in ("cpu", "iree-cpu") else "compiles" for d in devices
    }
    words = [_ASKED, "--size=tiny", "-k", "full and eval"]
    words += ["--on", *(f"{d}={how}" for d, how in state.items())]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bringup.harness.predict", *words],
        cwd=ROOT,
        env=child_environment(**{CACHE_VARIABLE: os.fspath(cache)}),
        capture_output=True,
        check=True,
    )
    took = time.perf_counter() - began
    answer = msgspec.json.decode(done.stdout.splitlines()[0], type=Predicted)
    slowest = max(one.seconds for one in answer.on)
    text = f"{answer.model} tiny on {len(answer.on)} devices; with its export {took:.1f} s"
    return [Figure("predict_seconds", slowest, "s", "<= 2", f"{text}; the slowest device")]
