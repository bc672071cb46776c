# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`injections_found`: wrong results put into every op of real models, and what the night says.

Each round is a whole op-by-op run whose hosts give another wrong result for every op
(`bringup.harness.device_host.faults.WrongResult`). Only what changed at least one value counts, and
only ops that are good without a fault: what is wrong anyway shows nothing.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bringup.harness.device_host.faults import Fault, WrongResult
from bringup.harness.records.schema import Outcome
from bringup.harness.records.variable_names import FAULTS_VARIABLE
from tests.benchmarks.figures import Figure
from tests.benchmarks.op_by_op.nights import run_night


def measure(folder: Path, models: Sequence[str], size: str, device: str) -> list[Figure]:
    """Every kind of wrong result in every op of `models` on one device."""
    given = [*models, "--device", device, "--size", size]
    sound = run_night(folder / "sound", folder / "cache-sound", given)
    good = {
        line.result.verdict.op.key
        for line in sound.ops
        if line.result.verdict.outcome is Outcome.PASSED
    }
    bad = [
        f"{line.test}: {line.result.verdict.op.name}: {line.result.verdict.failure}"
        for line in sound.ops
        if line.result.verdict.outcome is Outcome.INCORRECT
    ]
    struck: Counter[str] = Counter()
    missed: list[str] = []
    for kind in WrongResult:
        name = kind.name.lower()
        plan = folder / f"{name}.plan"
        plan.write_bytes(msgspec.json.encode({key: Fault(result=kind) for key in good}))
        environment = {FAULTS_VARIABLE: str(plan)}
        night = run_night(folder / name, folder / f"cache-{name}", given, **environment)
        hit = {line.split(maxsplit=2)[1] for line in _lines(Path(f"{plan}.struck"))}
        if not hit:
            raise RuntimeError(f"no host gave a wrong result of the {len(good)} of {plan}")
        struck[kind.value] = len(hit & good)
        seen = {line.result.verdict.op.key: line.result.verdict for line in night.ops}
        missed += [
            f"{kind}: {seen[key].op.name} {[o.shape for o in seen[key].op.outputs]}"
            for key in sorted(hit & good)
            if seen[key].outcome is not Outcome.INCORRECT
        ]
    for title, sentences in (("missed", missed), ("INCORRECT without a fault", bad)):
        for sentence in sentences[:20]:
            print(f"{title}: {sentence}")
    total = sum(struck.values())
    kinds = ", ".join(f"{count} {kind}" for kind, count in struck.items())
    text = f"{total} wrong results ({kinds}) in ops of {len(models)} models, {size}, on {device}"
    return [
        Figure("injections_found", 1 - len(missed) / max(total, 1), "", ">= 0.995", text),
        Figure(
            "op_false_fail",
            len(bad),
            "",
            "== 0",
            f"{len(sound.ops)} ops of {len(models)} models without a fault, {size}, on {device}",
        ),
    ]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
