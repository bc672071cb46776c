# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops as JSON in tt-torch's field names: `models/NAME_unique_ops.json`, a file per test.

A file is an object by op key, in the order of the ops' indices, without a space too many: a large
night has hundreds of megabytes of them, indented half as much again. What a field's own
system knows and a record does not (buffer type, layout, grid shape) is null, never a guess.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.schema import Artifact, OpResult, StageResult, TensorType
from bringup.harness.storage.atomic import write_atomically
from bringup.reports.folder import folder_of, remove_others
from bringup.reports.model.op_results import command_of, seconds_of
from bringup.reports.model.ops import ModelOps
from bringup.reports.text.numbers import metric_cell, moment_text

FOLDER = "models"
_ENDING = "_unique_ops.json"
_SAFE_LETTERS = "[]@+=, "
_LONGEST = 230 - len(_ENDING)  # bytes: 255 at most, and a file is first written beside its name
_LARGEST = 64 << 20
"""Bytes of one artifact: beyond this it stays in blobs/ alone."""
_STABLEHLO_OP = re.compile(
    r"(?:^|(?<=[\s,(={}]))"  # `#stablehlo.gather<` is an attribute, `!stablehlo.token` a type
    r"(?:(?P<plain>(?:stablehlo|chlo)\.\w+)(?![\w.]*\s*=)"
    r'|"(?P<generic>(?:stablehlo|chlo)\.\w+)"(?=\s*\())'
)
_LEVELS = {
    "torch_ir_graph": ("torch_ir", "torch_backend_ir", "torch_fx"),
    "stable_hlo_graph": ("stablehlo",),
    "ttir_graph": ("ttir",),
    "ttnn_graph": ("ttnn",),
    "runtime_stack_dump": ("stack",),
    "compiled_json": ("compiled_json",),
    "stderr": ("stderr",),  # of our own; what a failing op said is in `runtime_stack_dump`
}


@dataclass(frozen=True)
class Exported:
    """What was written."""

    files: int
    losses: tuple[str, ...]
    """Sentences: artifacts that records name and the store does not have."""


def write_exports(run_dir: Path, models: Sequence[ModelOps]) -> Exported:
    """Write a file per test and remove those of earlier builds.

    Raises:
        RecordError: the disk is full or gone.
        ReportError: the folder is a link to somewhere else.
    """
    folder = folder_of(run_dir, FOLDER)
    artifacts = _Artifacts(ArtifactStore(run_dir))
    names = set()
    for model in models:
        if not model.ops:
            continue
        name = file_name(model)
        names.add(name)
        data = msgspec.json.encode(exported(model, artifacts))
        write_atomically(folder / name, data, sync=False)
    remove_others(folder, lambda name: name.endswith(_ENDING), names)
    return Exported(len(names), tuple(artifacts.losses.values()))


def file_name(model: ModelOps) -> str:
    """The test's whole name with its device; what no file name can hold is percent-encoded.

    A name longer than a file name can be keeps its beginning and a digest of all of it.
    """
    key = model.identity.key
    name = quote(key, safe=_SAFE_LETTERS, errors="replace").replace("~", "%7E")
    name = "%2E" + name[1:] if name.startswith(".") else name
    if len(name) > _LONGEST:
        digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
        name = f"{name[: _LONGEST - len(digest) - 1]}~{digest}"
    return name + _ENDING


class _Artifacts:
    """The text of artifacts, as long as it can be had; what is lost is a sentence."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store
        self.losses: dict[str, str] = {}

    def text_of(self, artifact: Artifact | None) -> str | None:
        if artifact is None or artifact.sha256 in self.losses:
            return None
        try:
            if artifact.size > _LARGEST:
                raise RecordError(f"a kept {artifact.level} text is too long for the JSON export")
            return self.store.get(artifact).decode("utf-8", "replace")
        except RecordError as error:
            self.losses[artifact.sha256] = str(error)
            return None


def exported(model: ModelOps, artifacts: _Artifacts) -> dict[str, dict[str, object]]:
    """One test's ops, by key."""
    return {op.verdict.op.key: _fields(model, op, artifacts) for op in model.ops}


def _fields(model: ModelOps, result: OpResult, artifacts: _Artifacts) -> dict[str, object]:
    verdict, record = result.verdict, model.source.record
    op, failure = verdict.op, verdict.failure
    by_level = {a.level: a for stage in verdict.stages for a in stage.artifacts}
    graphs = {
        field: artifacts.text_of(
            next((by_level[level] for level in levels if level in by_level), None)
        )
        for field, levels in _LEVELS.items()
    }
    if graphs["runtime_stack_dump"] is None and failure:
        graphs["runtime_stack_dump"] = artifacts.text_of(failure.diagnostic) or failure.message
    return {
        "framework_op_name": op.name,
        "torch_name": op.name if op.source == "torch" else result.node,
        "frontend": model.identity.framework,
        "backend": verdict.device,
        "model_name": model.name,
        "model_group": record.model_group,
        "global_op_idx": result.index,
        "input_shapes": [list(t.shape) for t in op.inputs],
        "input_tensors": [_tensor(t) for t in op.inputs],
        "output_shapes": [list(t.shape) for t in op.outputs],
        "output_tensors": [_tensor(t) for t in op.outputs],
        "num_ops": result.count,
        "compilation_status": int(verdict.status),
        **graphs,
        "stable_hlo_ops": _stablehlo_ops(graphs["stable_hlo_graph"]),
        "pcc": metric_cell(verdict.pcc),
        "atol": metric_cell(verdict.atol),
        # fields of our own
        "attributes": op.attributes,
        "outcome": verdict.outcome.value,
        "golden": verdict.golden,
        "uncompared": verdict.uncompared,
        "fingerprint": verdict.fingerprint,
        "reproducer": command_of(result, model.place, model.advice),
        "wall_s": seconds_of(result),
        "stages": [_stage(stage) for stage in verdict.stages],
        "cached": result.hit,
        "rechecked": result.rechecked,
        "contradicts": result.contradicts,
        "origin": verdict.origin,
        "computed": moment_text(verdict.computed or None),
        "test": model.identity.key,
    }


def _tensor(tensor: TensorType) -> dict[str, object]:
    return {
        "shape": list(tensor.shape),
        "data_type": tensor.dtype,
        "buffer_type": None,
        "layout": None,
        "grid_shape": None,
    }


def _stage(stage: StageResult) -> dict[str, object]:
    """What a stage cost: seconds, and bytes of the largest resident set."""
    return {
        "stage": stage.stage.value,
        "ok": stage.ok,
        "wall_s": stage.wall_s,
        "cpu_s": stage.cpu_s,
        "peak_rss": stage.peak_rss,
    }


def _stablehlo_ops(text: str | None) -> list[str]:
    """The ops that a text has, in order."""
    return [found["plain"] or found["generic"] for found in _STABLEHLO_OP.finditer(text or "")]
