# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Nights of one test, and lists that it stands on."""

from pathlib import Path
from typing import Any

import msgspec

from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.schema import Outcome, Stage, Status
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.lists.lists import Entry, Lists
from bringup.pipeline.lists.specs import (
    NIGHTLY_E2E_COMPILE,
    NIGHTLY_FULL,
    NIGHTLY_OP_BY_OP,
    PROBE,
    WEEKLY_OP_BY_OP,
    list_specs,
)
from bringup.pipeline.promotion.decision import Decision, decide, situation_of
from bringup.pipeline.promotion.policy import Policy, default_policy

FULL, WEEKLY = NIGHTLY_FULL.name, WEEKLY_OP_BY_OP.name
OPS, E2E = NIGHTLY_OP_BY_OP.name, NIGHTLY_E2E_COMPILE.name
T5 = "tests/models/t5/test_t5.py::test_t5[full-t5-large-eval]"
T5_OPS = "tests/models/t5/test_t5.py::test_t5[op_by_op_torch-t5-large-eval]"
T5_SHLO = "tests/models/t5/test_t5.py::test_t5[op_by_op_stablehlo-t5-large-eval]"
YOLO = "tests/models/yolo/test_yolo_onnx.py::test_yolo_onnx[full-eval]"
YOLO_OPS = "tests/models/yolo/test_yolo_onnx.py::test_yolo_onnx[op_by_op_stablehlo-eval]"
IN_FULL = ((FULL, T5), (WEEKLY, T5_OPS))
IN_OPS = ((OPS, T5_OPS),)
AS: dict[str, dict[str, Any]] = {
    "passed": {"outcome": Outcome.PASSED, "status": Status.EXECUTED, "passed": 1},
    "failed": {
        "outcome": Outcome.FAILED,
        "stage": Stage.COMPILE,
        "status": Status.CONVERTED_TO_STABLE_HLO,
        "failed": 1,
        "message": "failed to legalize operation",
    },
    "crashed": {"outcome": Outcome.CRASHED, "stage": Stage.COMPILE, "failed": 1},
    "incorrect": {"outcome": Outcome.INCORRECT, "status": Status.EXECUTED, "failed": 1},
    "reached": {"outcome": Outcome.REACHED, "status": Status.CONVERTED_TO_TTNN, "passed": 1},
}


def sample(night: float, how: str = "passed", entry: str = T5, **fields: Any) -> Sample:
    """One night of a test; `how` of `AS`."""
    device = fields.pop("device", "cpu")
    made: dict[str, Any] = {
        "run": f"n{night}",
        "at": float(night),
        "test": identity_of(entry, device).key,
        "device": device,
        "nodeid": nodeid_on(entry, device),
        **AS[how],
    }
    return Sample(**(made | fields))


def nights(count: int, how: str = "passed", start: int = 0, **fields: Any) -> list[Sample]:
    return [sample(start + i, how, **fields) for i in range(count)]


def probed(night: int, attempts: int = 12, **fields: Any) -> Sample:
    """A night with as many good attempts as the policy asks for."""
    return sample(night, **{"list_name": PROBE, "passed": attempts, **fields})


def lists(*entries: tuple[str, str], device: str = "cpu") -> Lists:
    specs = list_specs()
    return Lists(
        Path("lists"),
        tuple(Entry(specs[name], device, test, i + 1) for i, (name, test) in enumerate(entries)),
    )


def decided(samples: list[Sample], given: Lists, **fields: Any) -> Decision:
    policy = fields.pop("policy", default_policy())
    return decide(situation_of(samples, given, policy), **fields)


def moves(samples: list[Sample], given: Lists, **fields: Any) -> set[tuple[str, str, str]]:
    return {(m.move, m.list, m.test) for m in decided(samples, given, **fields).moves}


def with_policy(**sections: dict[str, Any]) -> Policy:
    policy = default_policy()
    return msgspec.structs.replace(
        policy,
        **{n: msgspec.structs.replace(getattr(policy, n), **v) for n, v in sections.items()},
    )
