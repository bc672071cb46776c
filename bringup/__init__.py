# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test of a model imports: `from bringup import ModelTester`.

In a checkout the three rooms beside this file are links to the folders of the same name at its top;
installed, they are folders. Names are imported on first use, as in `bringup.harness`.
"""

from typing import TYPE_CHECKING, Any

from bringup import harness

if TYPE_CHECKING:
    from bringup.harness import (
        CompileDepth,
        CompilerConfig,
        Executor,
        ModelTester,
        OnnxExecutor,
        OnnxModelTester,
        OpByOpBackend,
        OpByOpExecutor,
        StablehloExecutor,
        TorchExecutor,
        get_file,
    )

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
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(harness, name)
