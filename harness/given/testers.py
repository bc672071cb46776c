# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Testers of a model that is given as a file, a folder or a Python name."""

from pathlib import Path
from typing import Any

import onnx
import torch

from bringup.harness.given import onnx_file, torch_model
from bringup.harness.given.input_spec import read_specs
from bringup.harness.tester.model_tester import ModelTester
from bringup.harness.tester.onnx_tester import OnnxModelTester


class GivenTorchTester(ModelTester):
    """Tests the PyTorch model that `source` is (`torch_model.load`).

    Args:
        source: `package.module:NAME`, a `.pt2` file or a folder that transformers saved.
        inputs: its inputs as `--input` takes them; empty: as it says itself.
        others: of `ModelTester`.
    """

    def __init__(
        self, model_name: str, mode: str, source: str, inputs: tuple[str, ...] = (), **others: Any
    ) -> None:
        self.source, self.specs = source, read_specs(inputs)
        super().__init__(model_name, mode, **others)

    def _load_model(self) -> Any:
        return torch_model.load(self.source)

    def _load_inputs(self) -> Any:
        return torch_model.inputs_of(self.source, self._model, self.specs)


class GivenOnnxTester(OnnxModelTester):
    """Tests the ONNX model in a file.

    Args:
        source: the file.
        inputs: its inputs as `--input` takes them; empty: drawn, as the model declares them.
        others: of `ModelTester`.
    """

    def __init__(
        self, model_name: str, mode: str, source: str, inputs: tuple[str, ...] = (), **others: Any
    ) -> None:
        self.source, self.specs = Path(source), read_specs(inputs)
        super().__init__(model_name, mode, **others)

    def _load_model(self) -> onnx.ModelProto:
        model = onnx_file.read(self.source)
        inputs = onnx_file.inputs_of(model, self.specs)
        return onnx_file.static(model, {name: tuple(v.shape) for name, v in inputs.items()})

    def _load_inputs(self) -> Any:
        return onnx_file.inputs_of(self._model, self.specs)


class HeldTester(ModelTester):
    """Tests a model that somebody holds in this process, with inputs they give.

    Args:
        model: a module, or a function of tensors.
        inputs: a tensor, a tuple (arguments) or a dict (keyword arguments).
        others: of `ModelTester`.
    """

    def __init__(self, model_name: str, mode: str, model: Any, inputs: Any, **others: Any) -> None:
        self.held, self.held_inputs = model, inputs
        super().__init__(model_name, mode, **others)

    def _load_model(self) -> Any:
        is_model = isinstance(self.held, torch.nn.Module)
        return self.held if is_model else torch_model.FunctionModel(self.held)

    def _load_inputs(self) -> Any:
        return self.held_inputs
