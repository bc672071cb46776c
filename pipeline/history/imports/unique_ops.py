# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""tt-torch's `MODEL_unique_ops.json`, and ours, as a run of tests that went op by op."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from bringup.harness.records.naming import identity_of_key
from bringup.harness.records.schema import Identity, Outcome, Stage, Status
from bringup.harness.storage.decoding import Json, read_bytes
from bringup.harness.storage.writable import MESSAGE_LIMIT, writable
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.samples import Excluded
from bringup.pipeline.history.store.rows import Kept, finished
from bringup.pipeline.history.store.tables import AttemptRow, OpRow, Run

ENDING = "_unique_ops.json"
_KEY = re.compile(r"[0-9a-f]{64}")
_STAGES = {
    Status.NOT_STARTED: Stage.EXPORT,
    Status.CREATED_GRAPH: Stage.TORCH_IR,
    Status.CONVERTED_TO_TORCH_IR: Stage.TORCH_BACKEND_IR,
    Status.CONVERTED_TO_TORCH_BACKEND_IR: Stage.STABLEHLO,
    Status.CONVERTED_TO_STABLE_HLO: Stage.COMPILE,
    Status.CONVERTED_TO_TTIR: Stage.COMPILE,
    Status.CONVERTED_TO_TTNN: Stage.EXECUTE,
}
"""Where an op stopped that has a status: in the stage behind it."""
_REQUIRED_PCC = 0.99
"""What tt-torch holds an executed op to."""


class _Op(msgspec.Struct, frozen=True, kw_only=True):
    framework_op_name: str = ""
    torch_name: str = ""
    model_name: str = ""
    frontend: str | None = None
    global_op_idx: int | None = 0
    input_shapes: Any = None
    output_shapes: Any = None
    num_ops: int | None = 1
    compilation_status: Annotated[int, msgspec.Meta(ge=0, le=7)]
    runtime_stack_dump: str | None = ""
    pcc: float | str | None = None
    outcome: str = ""
    cached: bool = False
    test: str = ""


_FILE: Json[dict[str, _Op]] = Json(dict[str, _Op], "a file of unique ops")


def unique_ops_run(paths: Sequence[Path], device: str, *, created: float | None = None) -> Kept:
    """Read files of one night as a run; its id is of their content.

    Of whose time nobody says, the newest file's counts.

    Raises:
        RecordError: a file cannot be read, or is none of unique ops.
        HistoryError: there is no file, or no op in any.
    """
    digest = hashlib.sha256()
    attempts: list[AttemptRow] = []
    ops: list[OpRow] = []
    for path in sorted(paths, key=lambda p: p.name):
        data = read_bytes(path)
        digest.update(data)
        rows = _FILE.decode(data, path)
        if not rows:
            continue
        found = [_row(_key(path, rows, device), key, op) for key, op in rows.items()]
        attempts.append(_attempt(found, next(iter(rows.values())).model_name))
        ops += found
    if not ops:
        raise HistoryError("there is no op in the files of unique ops that were named")
    doubled = {row.test for row in attempts}
    if len(doubled) < len(attempts):
        raise HistoryError("two files of unique ops are of the same test; import them one by one")
    newest = max(path.stat().st_mtime for path in paths)
    run = Run(
        run=f"unique-ops-{digest.hexdigest()[:16]}",
        state="",
        session="unique_ops",
        created=newest if created is None else created,
        planned=len(attempts),
        reported=len(attempts),
        source="unique_ops",
    )
    return finished(run, attempts, ops)


def _key(path: Path, rows: dict[str, _Op], device: str) -> str:
    """Ours says which test it is; else the file's name does, whole."""
    first = next(iter(rows.values()))
    if first.test and identity_of_key(first.test).device:
        return writable(first.test)
    model = path.name.removesuffix(ENDING)
    framework = "onnx" if first.frontend == "onnx" else "torch"
    return writable(Identity(model, flow="op_by_op_torch", device=device, framework=framework).key)


def _row(test: str, key: str, op: _Op) -> OpRow:
    status = Status(op.compilation_status)
    pcc = op.pcc if isinstance(op.pcc, float | int) else None
    outcome = _outcome(op, status, pcc)
    bad = outcome is not Outcome.PASSED
    return OpRow(
        test=test,
        op_key=key
        if _KEY.fullmatch(key)
        else hashlib.sha256(key.encode("utf-8", "replace")).hexdigest(),
        name=writable(op.framework_op_name or op.torch_name or key[:80]),
        index=min(max(op.global_op_idx or 0, 0), 2**31),
        count=min(max(op.num_ops or 1, 1), 2**31),
        status=status,
        outcome=outcome,
        stage=(_STAGES.get(status, Stage.VERIFY) if bad else None),
        message=writable(op.runtime_stack_dump or "")[:MESSAGE_LIMIT] if bad else "",
        pcc_state="value" if pcc is not None else None,
        pcc=None if pcc is None else float(pcc),
        hit=op.cached,
    )


def _outcome(op: _Op, status: Status, pcc: float | int | None) -> Outcome:
    if op.outcome in Outcome.__members__:
        return Outcome(op.outcome)
    if status is not Status.EXECUTED:
        return Outcome.FAILED
    return Outcome.INCORRECT if pcc is not None and pcc < _REQUIRED_PCC else Outcome.PASSED


def _attempt(ops: Sequence[OpRow], model_name: str) -> AttemptRow:
    """A walk through all of its ops passes; it is shown with the worst of them."""
    bad = [op for op in ops if op.outcome not in (Outcome.PASSED, Outcome.REACHED)]
    worst = min(bad, key=lambda op: (op.status, op.name)) if bad else None
    cached = all(op.hit for op in ops)
    return AttemptRow(
        test=ops[0].test,
        device=ops[0].test.rpartition("@")[2],
        attempt=1,
        last=True,
        planned=False,
        outcome=Outcome.PASSED,
        shown=worst.outcome if worst else Outcome.PASSED,
        excluded=Excluded.CACHED if cached else "",
        status=min(op.status for op in ops),
        stage=worst.stage if worst else None,
        failed_op=worst.name if worst else "",
        message=worst.message if worst else "",
        passed=0 if cached else 1,
        ops=len(ops),
        model_name=writable(model_name),
    )
