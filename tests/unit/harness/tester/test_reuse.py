# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What one device's test may take over from another's: the same lowering, and only that."""

from pathlib import Path
from typing import Any

import pytest

from bringup import CompileDepth, CompilerConfig
from bringup.harness.records.naming import identity_of
from bringup.harness.tester import reuse

FRONT_END_SETTINGS = ["enable_consteval", "consteval_parameters", "inline_parameters"]


def key(depth: CompileDepth = CompileDepth.EXECUTE, **changes: Any) -> reuse.Key:
    config = CompilerConfig()
    config.compile_depth = depth
    for name in set(changes) & set(FRONT_END_SETTINGS):
        setattr(config, name, changes[name])
    identity = identity_of(
        changes.get("entry", "x.py::test_x[full-eval]"), changes.get("device", "cpu")
    )
    directory = changes.get("directory", Path("a"))
    return reuse.key_of((identity.name, directory, changes.get("model_name", "x")), config)


def test_another_device_takes_it_over() -> None:
    assert key(device="n150") == key(device="cpu")


def test_stopping_after_the_compiler_takes_it_over_and_stopping_earlier_does_not() -> None:
    assert key(CompileDepth.TTNN_IR) == key(CompileDepth.EXECUTE)
    earlier = {key(depth) for depth in CompileDepth if not depth.compiles}
    assert len(earlier) == 4 and key(CompileDepth.EXECUTE) not in earlier


@pytest.mark.parametrize(
    "change",
    [
        *({name: True} for name in FRONT_END_SETTINGS),
        {"entry": "x.py::test_x[full-large-eval]"},
        {"entry": "x.py::test_x[full-train]"},
        {"model_name": "y"},
        {"directory": Path("b")},
    ],
    ids=str,
)
def test_anything_else_lowers_its_own(change: dict[str, Any]) -> None:
    assert key(**change) != key()
