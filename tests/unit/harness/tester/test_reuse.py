# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test may take over from another device's or flow's: the same model, and only that."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bringup import CompileDepth, CompilerConfig
from bringup.harness.records.naming import identity_of
from bringup.harness.tester import reuse

FRONT_END_SETTINGS = ["enable_consteval", "consteval_parameters", "inline_parameters"]
SETTINGS = [*FRONT_END_SETTINGS, "save_mlir"]


def key(depth: CompileDepth = CompileDepth.EXECUTE, **changes: Any) -> reuse.Key:
    config = CompilerConfig()
    config.compile_depth = depth
    for name in set(changes) & set(SETTINGS):
        setattr(config, name, changes[name])
    identity = identity_of(
        changes.get("entry", "x.py::test_x[full-eval]"), changes.get("device", "cpu")
    )
    identity = msgspec.structs.replace(identity, flow="")
    directory = changes.get("directory", Path("a"))
    return reuse.key_of((identity.name, directory, changes.get("model_name", "x")), config)


def test_another_device_takes_it_over() -> None:
    assert key(device="n150") == key(device="cpu")


def test_every_flow_takes_it_over() -> None:
    assert len({key(depth) for depth in CompileDepth}) == 1


@pytest.mark.parametrize("setting", [{"inline_parameters": True}, {"save_mlir": ("STABLEHLO",)}])
def test_what_a_lowering_leaves_besides_its_program_is_each_flows(setting: dict[str, Any]) -> None:
    keys = {key(depth, **setting) for depth in CompileDepth}
    assert len(keys) == len(CompileDepth) - 1, "what stops after the compiler is lowered as far"


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
