# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Kept texts (IR of every level, stacks, diagnostics): whose columns they stand in."""

import re
from collections.abc import Mapping, Sequence

from bringup.harness.records.schema import Artifact, OpVerdict, TestRecord

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "Torch IR": ("torch_ir", "torch_backend_ir", "torch_fx"),
    "Raw SHLO": ("stablehlo",),
    "TTIR": ("ttir",),
    "TTNNIR": ("ttnn",),
    "Trace dump": ("stack", "diagnostic", "stderr"),
    "Compiled JSON": ("compiled_json",),
}
"""What spreadsheets of tt-torch call them, to the levels that stand there, the best first."""


def page_name(artifact: Artifact) -> str:
    """A file name made of safe characters only, whatever the record says."""
    level = re.sub(r"[^A-Za-z0-9_.]", "_", artifact.level)[:40] or "text"
    return f"{artifact.sha256[:16]}-{level}.html"


def texts_of(of: TestRecord | OpVerdict) -> Sequence[Artifact]:
    """The texts that a test or an op left, stage by stage, its diagnostic last."""
    found = [artifact for stage in of.stages for artifact in stage.artifacts]
    if of.failure is not None and of.failure.diagnostic is not None:
        found.append(of.failure.diagnostic)
    return found
