# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The harness: one model, one device, one verdict.

    from bringup import ModelTester, CompilerConfig, CompileDepth, OpByOpBackend, get_file

Names are imported on first use, so that device hosts and small tools do without torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bringup.harness.config import CompileDepth, CompilerConfig, OpByOpBackend
    from bringup.harness.executor import Executor, OnnxExecutor
    from bringup.harness.files import get_file
    from bringup.harness.op_by_op.executors import StablehloExecutor, TorchExecutor
    from bringup.harness.op_by_op.walk import OpByOpExecutor
    from bringup.harness.tester.cached_tester import CachedTester
    from bringup.harness.tester.model_test import Variant, model_test
    from bringup.harness.tester.model_tester import ModelTester
    from bringup.harness.tester.onnx_tester import OnnxModelTester

_HOMES = {
    "CompileDepth": "config",
    "CompilerConfig": "config",
    "OpByOpBackend": "config",
    "Executor": "executor",
    "OpByOpExecutor": "op_by_op.walk",
    "StablehloExecutor": "op_by_op.executors",
    "TorchExecutor": "op_by_op.executors",
    "OnnxExecutor": "executor",
    "CachedTester": "tester.cached_tester",
    "ModelTester": "tester.model_tester",
    "Variant": "tester.model_test",
    "model_test": "tester.model_test",
    "OnnxModelTester": "tester.onnx_tester",
    "get_file": "files",
}

__all__ = [
    "CachedTester",
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
    "Variant",
    "get_file",
    "model_test",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


if __name__ == "harness":  # as `import harness` finds it at the top of a checkout
    from bringup.harness import checkout_name

    checkout_name.install()
