# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which executor serves a framework at a depth, and which pairs are refused.

| framework | depth | allowed backend | executor |
|---|---|---|---|
| torch | op by op | TORCH | TorchExecutor |
| torch | op by op | STABLEHLO | StablehloExecutor |
| torch | any other | TORCH | Executor |
| onnx | op by op | STABLEHLO | StablehloExecutor |
| onnx | any other | STABLEHLO | OnnxExecutor |

A backend nobody chose is the allowed one.
"""

from bringup.harness.config import CompileDepth, OpByOpBackend
from bringup.harness.errors import UsageError

_EXECUTORS = {
    ("torch", True, OpByOpBackend.TORCH): "TorchExecutor",
    ("torch", True, OpByOpBackend.STABLEHLO): "StablehloExecutor",
    ("torch", False, OpByOpBackend.TORCH): "Executor",
    ("onnx", True, OpByOpBackend.STABLEHLO): "StablehloExecutor",
    ("onnx", False, OpByOpBackend.STABLEHLO): "OnnxExecutor",
}


def executor_name(framework: str, depth: CompileDepth, chosen: OpByOpBackend | None) -> str:
    """The executor's class name.

    Raises:
        UsageError: the pair is forbidden; the message names the allowed ones.
    """
    allowed = [
        backend
        for (frame, op_by_op, backend) in _EXECUTORS
        if frame == framework and op_by_op is depth.op_by_op
    ]
    backend = chosen or allowed[0]
    if backend not in allowed:
        names = " or ".join(f"OpByOpBackend.{a.name}" for a in allowed)
        raise UsageError(
            f"{framework} models at CompileDepth.{depth.name} take {names}, "
            f"not OpByOpBackend.{backend.name}"
        )
    return _EXECUTORS[(framework, depth.op_by_op, backend)]
