# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Faults by the hundred in real runs: who else is hurt, what is lost, what is left behind.

Each round is a whole `pipeline op_by_op` whose hosts do real faults to themselves on ops drawn at
random (`bringup.harness.device_host.faults`). What its records say of every op is held against a
run of the same ops without a fault.
"""

import random
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bringup.harness.device_host.faults import Fault, FaultKind
from bringup.harness.records.run_dir import OpLine
from bringup.harness.records.schema import OpVerdict, Outcome, Stage
from bringup.harness.records.variable_names import FAULTS_VARIABLE
from bringup.harness.records.verdicts.rules import disagreement
from tests.benchmarks.figures import Figure
from tests.benchmarks.op_by_op.nights import Night, run_night
from tests.benchmarks.op_by_op.reproducers import failures, folder_of, said

SEED = 5
SHARE = 0.45
"""Of the ops, in one round."""
DEADLINE_S = 5.0
_MARK = "BRINGUP_BENCHMARK_MARK"
_WEIGHTS = {
    FaultKind.SEGV: 26,
    FaultKind.ABORT: 26,
    FaultKind.OUT_OF_MEMORY: 19,
    FaultKind.GARBAGE: 19,
    FaultKind.HANG: 10,  # each costs its deadline
}
_ENDS = {
    FaultKind.SEGV: (Outcome.CRASHED, "SIGSEGV"),
    FaultKind.ABORT: (Outcome.CRASHED, "SIGABRT"),
    FaultKind.OUT_OF_MEMORY: (Outcome.FAILED, "OUT_OF_MEMORY"),
    FaultKind.HANG: (Outcome.TIMEOUT, "TIMEOUT"),
}


@dataclass
class Tally:
    """What the rounds came to."""

    struck: Counter[str] = field(default_factory=Counter)
    """Faults that hosts did, by kind."""
    neighbours: int = 0
    victims: list[str] = field(default_factory=list)
    mistaken: list[str] = field(default_factory=list)
    """Faulty ops whose record says something else."""
    lost: list[str] = field(default_factory=list)
    orphans: int = 0
    rounds: int = 0
    failures: int = 0
    without_reproducer: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """How many, of all kinds."""
        return sum(self.struck.values())


def measure(folder: Path, models: Sequence[str], size: str, faults: int) -> list[Figure]:
    """`bystanders`, `lost_records`, `orphans` over at least `faults` faults, on the CPU."""
    given = [*models, "--device", "cpu", "--size", size]
    sound = run_night(folder / "sound", folder / "cache-sound", given)
    expected = {(line.test, line.result.verdict.op.key): line for line in sound.ops}
    keys = sorted({key for _, key in expected})
    rng, tally = random.Random(SEED), Tally()
    while tally.faults < faults:
        tally.rounds += 1
        name = f"faulty-{tally.rounds}"
        plan = {key: _drawn(rng) for key in keys if rng.random() < SHARE}
        path = folder / f"{name}.plan"
        path.write_bytes(msgspec.json.encode(plan))
        mark = secrets.token_hex(8)
        environment = {
            FAULTS_VARIABLE: str(path),
            "BRINGUP_OP_DEADLINE": str(DEADLINE_S),
            _MARK: mark,
        }
        night = run_night(folder / name, folder / f"cache-{name}", given, **environment)
        tally.orphans += len(_alive(mark))
        before = tally.faults
        struck = Path(f"{path}.struck").read_text().splitlines()
        tally.struck.update(line.split(maxsplit=2)[2] for line in struck)
        _compare(tally, expected, night, plan)
        failed = failures(night)
        tally.failures += len(failed)
        tally.without_reproducer += [
            f"{name}: {said(n)}" for n in failed if not folder_of(night, n)
        ]
        tally.lost += [f"{name}: {sound.tests - night.tests} tests"] * (night.tests < sound.tests)
        if tally.faults == before:
            raise RuntimeError(f"no host did any of the {len(plan)} faults of {path}")
    return _figures(tally)


def _drawn(rng: random.Random) -> Fault:
    kind = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    return Fault(kind, rng.choice((Stage.TORCH_BACKEND_IR, Stage.STABLEHLO, Stage.COMPILE)))


def _compare(
    tally: Tally,
    expected: Mapping[tuple[str, str], OpLine],
    night: Night,
    plan: Mapping[str, Fault],
) -> None:
    found = {(line.test, line.result.verdict.op.key): line.result.verdict for line in night.ops}
    for place, line in expected.items():
        verdict, sound = found.get(place), line.result.verdict
        fault = plan.get(place[1])
        if verdict is None:
            tally.lost.append(f"{place[0]}: {sound.op.name}")
        elif fault is None or fault.kind not in _ENDS:
            tally.neighbours += 1
            said = disagreement(sound, verdict)
            if said:
                tally.victims.append(f"{place[0]}: {sound.op.name}: {said}")
        elif not _as_meant(verdict, fault, sound):
            tally.mistaken.append(f"{place[0]}: {sound.op.name}: {fault}: {verdict.failure}")


def _as_meant(verdict: OpVerdict, fault: Fault, sound: OpVerdict) -> bool:
    if sound.outcome is not Outcome.PASSED:  # it may fail before its fault's stage
        return True
    kind = verdict.failure.kind if verdict.failure else ""
    return fault.kind is not None and (verdict.outcome, kind) == _ENDS[fault.kind]


def _alive(mark: str) -> list[int]:
    """Processes that still carry a round's mark in their environment."""
    wanted = f"{_MARK}={mark}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def _figures(tally: Tally) -> list[Figure]:
    for kind, sentences in (
        ("victim", tally.victims),
        ("lost", tally.lost),
        ("not as its fault", tally.mistaken),
        ("without reproducer", tally.without_reproducer),
    ):
        for sentence in sentences[:10]:
            print(f"{kind}: {sentence}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.struck.items()))
    text = f"{tally.faults} real faults ({kinds}) in {tally.rounds} runs"
    return [
        Figure("faults", tally.faults, "", "", text),
        Figure(
            "bystanders",
            len(tally.victims),
            "",
            "== 0",
            f"{text}: verdicts of {tally.neighbours} neighbours that differ from a faultless run's",
        ),
        Figure(
            "mistaken_faults",
            len(tally.mistaken),
            "",
            "== 0",
            f"{text}: faulty ops whose record names another end than their fault's",
        ),
        Figure("lost_records", len(tally.lost), "", "== 0", f"{text}: ops and tests without one"),
        Figure(
            "faulty_reproducers_share",
            1 - len(tally.without_reproducer) / max(tally.failures, 1),
            "",
            "== 1",
            f"{text}: {tally.failures} failing ops",
        ),
        Figure("orphans", tally.orphans, "", "== 0", f"{text}: processes alive afterwards"),
    ]
