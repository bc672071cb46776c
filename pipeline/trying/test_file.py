# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A test file for models that nobody wrote one for; it is kept, to be copied beside others."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bringup.harness.storage.atomic import write_atomically
from bringup.pipeline.errors import PipelineError

FLOWS = {"torch": "op_by_op_torch", "onnx": "op_by_op_stablehlo"}
"""By framework the flow of those of its tests that take a model apart."""
_BODY = """\
# Made by `bringup try`. Copy it to your tests to run it every night.
import pytest

from bringup import CompileDepth, CompilerConfig, OpByOpBackend
from bringup.harness.given import {tester}

MODELS = {models}
INPUTS = {inputs!r}


@pytest.mark.parametrize("mode", ["eval"])
{variants}@pytest.mark.parametrize(
    "op_by_op",
    [OpByOpBackend.{backend}, None],
    ids=["{flow}", "full"],
)
def test_{name}(record_property, op_by_op, {argument}mode):
    cc = CompilerConfig()
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        cc.op_by_op_backend = op_by_op
    tester = {tester}(
        {model_name},
        mode,
        MODELS[{model_name}],
        INPUTS,
        compiler_config=cc,
        record_property_handle=record_property,
    )
    tester.test_model()
    tester.finalize()
"""
HELD_BODY = """\
# Made by bringup.try_model, which hands it the model: it does not run by itself.
import pytest

from bringup import CompileDepth, CompilerConfig, OpByOpBackend
from bringup.harness.given import HeldTester


@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("op_by_op", [OpByOpBackend.TORCH, None], ids=["{flow}", "full"])
def test_{name}(record_property, held, op_by_op, mode):
    cc = CompilerConfig()
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        cc.op_by_op_backend = op_by_op
    tester = HeldTester(
        "{name}", mode, *held, compiler_config=cc, record_property_handle=record_property
    )
    tester.test_model()
    tester.finalize()
"""
"""The test of a model that somebody holds; `held` is a fixture."""
_EXPORTED, _ONNX, _CONFIG = ".pt2", ".onnx", "config.json"


class Given(NamedTuple):
    """What was asked to be tried."""

    name: str
    """As a test is called."""
    framework: str
    """`torch` or `onnx`."""
    models: Mapping[str, str]
    """What to load, by name."""
    inputs: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Tells models of one name apart: a test that was written is never one of another model."""
        said = repr((sorted(self.models.items()), self.inputs))
        return hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:8]


def understood(model: str, inputs: tuple[str, ...] = ()) -> Given:
    """What MODEL means.

    Raises:
        PipelineError: it is no file, folder or name that can be tried.
    """
    path = Path(model)
    if path.is_dir():
        return _of_folder(path.absolute(), inputs)
    if path.suffix in (_EXPORTED, _ONNX):
        if not path.is_file():
            raise PipelineError(f"there is no file {model}")
        framework = "onnx" if path.suffix == _ONNX else "torch"
        name = identifier(path.stem)
        return Given(name, framework, {name: str(path.absolute())}, inputs)
    if is_name(model):
        name = identifier(model.rpartition(":")[2].rpartition(".")[2])
        return Given(name, "torch", {name: model}, inputs)
    raise PipelineError(f"{model!r} is no .onnx or .pt2 file, no folder and no package.module:NAME")


def is_name(model: str) -> bool:
    """Is it written as `package.module:NAME` is?"""
    return re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", model) is not None


def _of_folder(folder: Path, inputs: tuple[str, ...]) -> Given:
    name = identifier(folder.name)
    if (folder / _CONFIG).is_file():
        return Given(name, "torch", {name: str(folder)}, inputs)
    files = sorted(folder.rglob(f"*{_ONNX}"))
    if not files:
        raise PipelineError(f"{folder} holds no .onnx file and no {_CONFIG}")
    models: dict[str, str] = {}
    for file in files:
        name_of_file = _variant(file.relative_to(folder).with_suffix("").as_posix())
        number = sum(other.partition("~")[0] == name_of_file for other in models)
        models[f"{name_of_file}~{number + 1}" if number else name_of_file] = str(file)
    return Given(name, "onnx", models, inputs)


def write_test(given: Given, folder: Path) -> Path:
    """Write the test file into the folder; what it holds is the same for the same models.

    Raises:
        RecordError: the disk is full or gone.
    """
    onnx = given.framework == "onnx"
    name = f"{given.name}_onnx" if onnx else given.name
    several = len(given.models) > 1 or given.name not in given.models
    text = _BODY.format(
        tester="GivenOnnxTester" if onnx else "GivenTorchTester",
        models="{\n" + "".join(f"    {n!r}: {s!r},\n" for n, s in given.models.items()) + "}",
        inputs=given.inputs,
        flow=FLOWS[given.framework],
        backend="STABLEHLO" if onnx else "TORCH",
        name=name,
        variants='@pytest.mark.parametrize("model_name", MODELS)\n' if several else "",
        argument="model_name, " if several else "",
        model_name="model_name" if several else repr(given.name),
    )
    folder.mkdir(parents=True, exist_ok=True)
    return write_atomically(folder / f"test_{name}.py", text.encode("utf-8"))


def identifier(text: str) -> str:
    """A name that may stand in a function's."""
    return re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower()[:80] or "model"


def _variant(text: str) -> str:
    """A name that may stand in a test's id."""
    return re.sub(r"[^\w.]+", "_", text, flags=re.ASCII).strip("_.")[:120] or "model"
