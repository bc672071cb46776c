# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Run directories for the tests of the store."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bringup.harness.records.schema import Identity, OpResult, TestRecord
from tests.unit import run_builder as made

DAY = 86400.0


def night(
    folder: Path, n: int, records: Sequence[TestRecord] | None = None, **fields: object
) -> Path:
    """A merged night, `n` days after the first."""
    records = [made.record()] if records is None else records
    run_id = f"nightly-{n:03}"
    plan = made.plan_of(dict.fromkeys(r.identity.planned for r in records))
    plan = msgspec.structs.replace(plan, run_id=run_id)
    created = made.STARTED + n * DAY
    return made.write_run(folder / run_id, records, plan=plan, created=created, **fields)  # type: ignore[arg-type]


OP_TEST = Identity(model="vit", flow="op_by_op_torch", device="n150")


def op_night(folder: Path, n: int, results: Sequence[OpResult]) -> Path:
    """A night of one test that goes op by op, besides another test."""
    record = made.record(OP_TEST, ops_found=len(results), outputs=())
    return night(folder, n, [made.record(), record], ops={OP_TEST: results})
