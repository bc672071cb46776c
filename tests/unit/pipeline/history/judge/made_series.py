# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Series of nights written as one letter a night."""

from typing import Any

import msgspec

from bringup.harness.records.values import Outcome, Stage
from bringup.pipeline.history.samples import Excluded, Sample

DAY = 86400.0
TEST = "bert[full-eval]@n150"
LETTERS: dict[str, dict[str, Any]] = {
    ".": {"outcome": Outcome.PASSED, "status": 7},
    "F": {"outcome": Outcome.FAILED, "stage": Stage.COMPILE, "status": 4},
    "C": {"outcome": Outcome.FAILED, "stage": Stage.COMPILE, "status": 4, "failed": 3},
    "m": {"outcome": Outcome.FAILED, "status": 7, "failed": 1, "passed": 2},
    "i": {"outcome": Outcome.INFRA, "excluded": Excluded.MACHINE},
    "M": {"outcome": Outcome.FAILED, "excluded": Excluded.MASS_FAILURE},
    "u": {"outcome": Outcome.UNVERIFIED, "excluded": Excluded.UNCOMPARED},
    "c": {"outcome": Outcome.PASSED, "excluded": Excluded.CACHED, "status": 7},
    "n": {"outcome": Outcome.NOT_RUN, "excluded": Excluded.MACHINE},
}
"""`.` good, `F` failed, `C` failed three times of three, `m` failed once of three, and what is no
evidence; a blank is a night without the test."""


def nights(letters: str, test: str = TEST, **fields: Any) -> list[Sample]:
    """One sample a letter; run `n7` is that of position 7."""
    return [
        msgspec.structs.replace(
            Sample(
                run=f"n{i}",
                at=i * DAY,
                test=test,
                device=test.rpartition("@")[2],
                nodeid=f"tests/models/m/test_m.py::test_{test.partition('@')[0]}",
                **LETTERS[letter],
            ),
            **fields,
        )
        for i, letter in enumerate(letters)
        if letter != " "
    ]
