# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The harness: one model, one device, one verdict.

    from harness import ModelTester, CompilerConfig, CompileDepth, OpByOpBackend, get_file

Names are imported on first use, so that device hosts and small tools do without torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.config import CompileDepth, CompilerConfig, OpByOpBackend
    from harness.executor import Executor, OnnxExecutor
    from harness.files import get_file
    from harness.onnx_tester import OnnxModelTester
    from harness.op_by_op.executors import StablehloExecutor, TorchExecutor
    from harness.op_by_op.walk import OpByOpExecutor
    from harness.tester import ModelTester

_HOMES = {
    "CompileDepth": "config",
    "CompilerConfig": "config",
    "OpByOpBackend": "config",
    "Executor": "executor",
    "OpByOpExecutor": "op_by_op.walk",
    "StablehloExecutor": "op_by_op.executors",
    "TorchExecutor": "op_by_op.executors",
    "OnnxExecutor": "executor",
    "ModelTester": "tester",
    "OnnxModelTester": "onnx_tester",
    "get_file": "files",
}

__all__ = [
    "CompileDepth",
    "CompilerConfig",
    "Executor",
    "ModelTester",
    "OnnxExecutor",
    "OnnxModelTester",
    "OpByOpBackend",
    "OpByOpExecutor",
    "StablehloExecutor",
    "TorchExecutor",
    "get_file",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(importlib.import_module(f"harness.{_HOMES[name]}"), name)
