# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A made night of any size with its verdict, its past and its ops: the same for the same size.

Numbers are like a night's: seconds differ by a few percent from night to night, memory hardly,
PCC does not but where something changed; ops repeat over models, failures over ops.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bringup.harness.records.night import (
    NIGHT_SCHEMA,
    Change,
    Cluster,
    Fix,
    FixList,
    Judgement,
    Moment,
    NightVerdict,
    TestVerdict,
    write_night,
)
from bringup.harness.records.schema import (
    GOOD,
    Artifact,
    Failure,
    Identity,
    OpResult,
    OpVerdict,
    Outcome,
    Stage,
    StageResult,
    Status,
    TestRecord,
)
from bringup.harness.records.trends import NO_EVIDENCE, TRENDS_SCHEMA, Trends, write_trends
from tests.unit.run_builder import (
    RUN_ID,
    STARTED,
    keep,
    nodeid,
    op_result,
    output,
    record,
    stages,
    write_run,
)

DEVICES = ("cpu", "iree-cpu", "n150", "n300", "p150", "p300", "t3k", "xla-cpu", "gpu", "galaxy")
FAMILIES = (
    *("bert", "vit", "t5", "resnet", "gpt2", "llama", "mamba", "unet", "whisper", "yolo"),
    *("clip", "detr", "falcon", "swin", "segformer", "albert", "beit", "dpt", "phi", "qwen"),
)
CAUSES = (
    ("stablehlo.scatter refused by the device's compiler", "scatter", Stage.COMPILE, "", ""),
    ("aten.fft_rfft is not lowered", "aten.fft_rfft", Stage.TORCH_BACKEND_IR, "#412", "frontend"),
    ("PCC of bfloat16 softmax is below its limit", "", Stage.VERIFY, "#377", "numerics"),
    ("out of L1 while placing a convolution", "", Stage.COMPILE, "", "kernels"),
)
MESSAGES = (
    "failed to legalize operation 'stablehlo.scatter'",
    "aten.fft_rfft is not lowered: no pattern matched",
    "PCC 0.71 is below 0.99",
    "Not enough space to allocate 1843200 B L1 buffer across 56 banks",
)
DAY = 86400.0


@dataclass(frozen=True)
class Size:
    """How large a made night is."""

    models: int
    devices: int = 6
    nights: int = 30
    failing: float = 0.1
    """Share of tests that are bad tonight."""
    ops: int = 0
    """Op rows over all tests; each test that has some has 100."""


def write_made_run(run_dir: Path, size: Size) -> Path:
    """A merged run directory with `night.json` and `trends.json.zst`."""
    chance = random.Random(7)
    tests = list(_tests(size))
    walked = [test for test in tests if test.flow != "full"][: size.ops // 100]
    ops = {test: _ops(test, at, 100) for at, test in enumerate(walked)}
    blocked = {t for t, found in ops.items() if any(o.verdict.outcome not in GOOD for o in found)}
    bad = [chance.random() < size.failing for _ in tests]
    kinds = [chance.randrange(len(CAUSES)) if is_bad else -1 for is_bad in bad]
    kinds = [1 if test in blocked else kind for test, kind in zip(tests, kinds, strict=True)]
    kept = keep(run_dir, _stack(), "diagnostic")
    records = [
        _record(test, kind, at, chance, kept)
        for at, (test, kind) in enumerate(zip(tests, kinds, strict=True))
    ]
    write_run(run_dir, records, ops=ops or None)
    nights = _nights(size.nights)
    write_trends(run_dir, _trends(tests, kinds, nights, chance))
    write_night(run_dir, _verdict(tests, kinds, nights))
    return run_dir


def _tests(size: Size) -> Iterator[Identity]:
    for at in range(size.models):
        family, variant = FAMILIES[at % len(FAMILIES)], at // len(FAMILIES)
        flow = "op_by_op_torch" if size.ops and at % 5 == 4 else "full"
        for device in DEVICES[: size.devices]:
            yield Identity(family, f"{family}-{variant}" if variant else "", flow, device=device)


def _nights(count: int) -> tuple[Moment, ...]:
    before = [
        Moment(f"nightly-{at:03}", STARTED - DAY * (count - 1 - at)) for at in range(count - 1)
    ]
    return (*before, Moment(RUN_ID, STARTED))


def _stack() -> str:
    return (
        "Fatal Python error: Segmentation fault\n\nCurrent thread (most recent call first):\n"
        '  File "/site-packages/torch/nn/modules/linear.py", line 134 in forward\n'
        '  File "tests/models/vit/test_vit.py", line 31 in _load_model\n'
    )


def _record(
    test: Identity, kind: int, at: int, chance: random.Random, kept: Artifact
) -> TestRecord:
    start = STARTED + at * 1.7
    base = 4 + 60 * chance.random()
    spent: dict[str, Any] = {"started": start, "ended": start + base * chance.uniform(0.97, 1.03)}
    if kind < 0:
        good_stages = tuple(_with(stage, base, chance) for stage in stages(Stage.VERIFY))
        pcc = 1 - 10 ** chance.uniform(-7, -3)
        return record(test, stages=good_stages, outputs=(output(pcc),), **spent)
    _, _, stage, _, _ = CAUSES[kind]
    if stage is Stage.VERIFY:
        wrong = (output(0.71, ok=False),)
        return record(
            test, Outcome.INCORRECT, outputs=wrong, message=MESSAGES[kind], stage=stage, **spent
        )
    outcome = Outcome.CRASHED if chance.random() < 0.1 else Outcome.FAILED
    status = Status.CONVERTED_TO_STABLE_HLO if kind == 0 else Status.CONVERTED_TO_TTIR
    found = record(test, outcome, status, message=MESSAGES[kind], stage=stage, **spent)
    if outcome is not Outcome.CRASHED:
        return found
    failure = Failure(stage, "SIGSEGV", MESSAGES[kind], kept)
    return msgspec.structs.replace(found, failure=failure)


def _with(stage: StageResult, base: float, chance: random.Random) -> StageResult:
    wall = base * chance.uniform(0.02, 0.2)
    return msgspec.structs.replace(
        stage, wall_s=wall, cpu_s=wall * 1.6, peak_rss=int(chance.uniform(0.4, 4) * (1 << 30))
    )


def _ops(test: Identity, at: int, count: int) -> list[OpResult]:
    """Ops that many models share, one in fifty of them bad; a device has one verdict on each."""
    kinds = [(at * 31 + index * 7) % 3000 for index in range(count)]
    return [
        OpResult(
            index=index,
            count=1 + kind % 9,
            node=f"node_{index}",
            verdict=_op_verdict(kind, test.device),
            hit=kind % 3 > 0,
        )
        for index, kind in enumerate(kinds)
    ]


@cache
def _op_verdict(kind: int, device: str) -> OpVerdict:
    names = ("aten.add.Tensor", "aten.mm.default", "aten._softmax.default", "aten.gelu.default")
    name = names[kind % len(names)]
    if kind % 50:
        pcc = 1 - 10.0 ** (-3 - kind % 41 / 10)
        return op_result(kind, name=name, device=device, pcc=pcc).verdict
    bad, message = (Status.CONVERTED_TO_TTIR, Outcome.FAILED), MESSAGES[kind % len(MESSAGES)]
    return op_result(kind, *bad, name=name, message=message, device=device).verdict


def _trends(
    tests: list[Identity], kinds: list[int], nights: tuple[Moment, ...], chance: random.Random
) -> Trends:
    noise = np.random.default_rng(7)
    shape = (len(tests), len(nights))
    codes = {outcome: at + 1 for at, outcome in enumerate(Outcome)}
    outcome = np.full(shape, codes[Outcome.PASSED], np.uint8)
    status = np.full(shape, int(Status.EXECUTED), np.uint8)
    pcc = np.repeat(1 - 10 ** noise.uniform(-7, -3, (len(tests), 1)), len(nights), axis=1)
    for row, kind in enumerate(kinds):
        if kind >= 0:
            since = _since(row, kind, len(nights))
            word = Outcome.INCORRECT if CAUSES[kind][2] is Stage.VERIFY else Outcome.FAILED
            outcome[row, since:] = codes[word]
            if word is Outcome.INCORRECT:
                pcc[row, since:] = 0.71
            else:
                status[row, since:], pcc[row, since:] = int(Status.CONVERTED_TO_TTIR), np.nan
        elif chance.random() < 0.02:
            outcome[row, chance.randrange(len(nights))] = codes[Outcome.INFRA] + NO_EVIDENCE
    seconds = noise.uniform(4, 64, (len(tests), 1)) * noise.normal(1, 0.03, shape)
    memory = noise.uniform(400, 4000, (len(tests), 1)) * noise.normal(1, 0.004, shape)
    order = sorted(range(len(tests)), key=lambda at: tests[at].key)
    return Trends(
        schema=TRENDS_SCHEMA,
        run=RUN_ID,
        nights=nights,
        tests=tuple(tests[at].key for at in order),
        outcomes=tuple(Outcome),
        outcome=outcome[order].tobytes(),
        status=status[order].tobytes(),
        pcc=pcc[order].astype("<f4").tobytes(),
        seconds=seconds[order].astype("<f4").tobytes(),
        memory=memory[order].astype("<f4").tobytes(),
    )


def _verdict(tests: list[Identity], kinds: list[int], nights: tuple[Moment, ...]) -> NightVerdict:
    baseline = nights[-2] if len(nights) > 1 else None
    told, hit = [], {kind: list[Identity]() for kind in range(len(CAUSES))}
    for row, (test, kind) in enumerate(zip(tests, kinds, strict=True)):
        if kind >= 0:
            hit[kind].append(test)
            told.append(_told(test, row, kind, nights, baseline))
    good = len(tests) - len(told)
    counts = {Judgement.GOOD: good} if good else {}
    for one in told:
        counts[one.judgement] = counts.get(one.judgement, 0) + 1
    clusters = tuple(_cluster(kind, hit[kind], nights) for kind in hit if hit[kind])
    first = Fix(causes=(clusters[0].id,), advances=clusters[0].tests, frees=3) if clusters else None
    return NightVerdict(
        schema=NIGHT_SCHEMA,
        run=RUN_ID,
        at=STARTED,
        session="nightly",
        baseline=baseline,
        head="made",
        counts=counts,
        nights=nights,
        tests=tuple(told),
        clusters=clusters,
        fix_first=(FixList(fixes=(first,)),) if first else (),
    )


def _since(row: int, kind: int, nights: int) -> int:
    """The night that a test is bad from."""
    return nights - 1 if kind == 0 else row * 7 % max(nights - 6, 1)


def _told(
    test: Identity, row: int, kind: int, nights: tuple[Moment, ...], baseline: Moment | None
) -> TestVerdict:
    new = kind == 0 and baseline is not None
    return TestVerdict(
        test=test.key,
        device=test.device,
        judgement=Judgement.REGRESSION if new else Judgement.KNOWN,
        outcome=Outcome.FAILED,
        baseline=Outcome.PASSED if new else Outcome.FAILED,
        settled=new,
        first_bad=nights[_since(row, kind, len(nights))],
        last_good=nights[_since(row, kind, len(nights)) - 1]
        if _since(row, kind, len(nights))
        else None,
        streak=len(nights) - _since(row, kind, len(nights)),
        changes=(Change("packages", "torch-mlir", "20261001", "20261008"),) if new else (),
        cluster=f"c{kind}",
        command=f"nox -s run -- {nodeid(test)}",
    )


def _cluster(kind: int, tests: list[Identity], nights: tuple[Moment, ...]) -> Cluster:
    name, op, stage, issue, owner = CAUSES[kind]
    return Cluster(
        id=f"c{kind}",
        name=name,
        stage=stage.value,
        op=op,
        tests=tuple(test.key for test in tests),
        models=tuple(sorted({f"{t.model}-{t.variant}" for t in tests})),
        devices=tuple(sorted({test.device for test in tests})),
        first_seen=nights[-1] if kind == 0 else nights[0],
        example=MESSAGES[kind],
        command="nox -s repro -- 1fff325d",
        issue=issue,
        owner=owner,
    )
