# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""OnnxModelTester: the same flow for ONNX models; the golden is onnxruntime."""

from collections.abc import Iterator
from typing import Any

import onnx

from bringup.harness.device_host.client import Device
from bringup.harness.errors import UsageError
from bringup.harness.executor import Executor, OnnxExecutor
from bringup.harness.frontend import onnx_program
from bringup.harness.frontend.call import Call
from bringup.harness.frontend.lowering import Program
from bringup.harness.frontend.onnx_lowering import lower_onnx
from bringup.harness.recording.recorder import StageScope
from bringup.harness.tester.golden import Golden
from bringup.harness.tester.model_tester import ModelTester


class OnnxModelTester(ModelTester):
    """Tests one ONNX model on one device.

    `_load_model` returns an `onnx.ModelProto`, `_load_inputs` torch tensors: a mapping by input
    name, a sequence in the model's order, or one tensor. Outputs come back as a tuple in the
    model's order.
    """

    framework = "onnx"

    def _load_torch_inputs(self) -> Any:
        """The inputs, under tt-torch's name; a tester has this or `_load_inputs`."""
        return super()._load_inputs()

    def _load_inputs(self) -> Any:
        return self._load_torch_inputs()

    @property
    def torch_inputs(self) -> Any:
        """The loaded inputs."""
        return self.inputs

    def _set_mode(self, stage: StageScope) -> None:
        if self.mode != "eval":
            raise UsageError(f"{self.model_name}: ONNX models are tested in eval mode only")
        if not isinstance(self._model, onnx.ModelProto):
            raise UsageError(
                f"_load_model of {type(self).__name__} returned a {type(self._model).__name__}, "
                "not an onnx.ModelProto"
            )
        onnx_program.check(self._model)
        self._accept_inputs()

    def _accept_inputs(self) -> None:
        self._inputs = onnx_program.named_inputs(self._model, self._inputs)

    def _parameters(self) -> int | None:
        return onnx_program.parameter_count(self._model)

    def _call(self) -> Call:
        return (), dict(self._inputs)

    def _lower(self) -> Program:
        config = self._config_of_lowering()
        return lower_onnx(self._model, self._inputs, config, self.recorder)

    def _make_executor(self, program: Program, target: Device) -> Executor:
        return OnnxExecutor(program, self.compiler_config, target, self.recorder)

    def _golden(self) -> Any:
        return tuple(onnx_program.golden_outputs(self._model, self._inputs))

    def _reference(self) -> tuple[Golden, str]:
        """onnxruntime once more, node by node: what fusing rounds otherwise is rounding.

        No float64: onnxruntime has few kernels for it.
        """
        values = onnx_program.run_onnxruntime(self._model, self._inputs, fused=False)
        return Golden(tuple(values.values()), {}), "onnxruntime without fusion"

    def _samples(self) -> Iterator[Golden]:
        """None: there is no way into onnxruntime's ops."""
        return iter(())

    def _extract_outputs(self, outputs: Any) -> Any:
        """The outputs under their names in the model."""
        return dict(zip(onnx_program.result_names(self._model), outputs, strict=True))
