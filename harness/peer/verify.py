# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`verify_module`: a model, inputs or their shapes, and one call that tests it."""

from collections.abc import Sequence
from typing import Any

import onnx
import torch

from bringup.harness.config import CompilerConfig
from bringup.harness.errors import UsageError
from bringup.harness.tester.model_tester import ModelTester
from bringup.harness.tester.onnx_tester import OnnxModelTester


class _Module(ModelTester):
    """A model and inputs that are there already."""

    def __init__(self, model: Any, given: Any, name: str, **options: Any) -> None:
        self.given = model, given
        super().__init__(name, "eval", **options)

    def _load_model(self) -> Any:
        return self.given[0]

    def _load_inputs(self) -> Any:
        return self.given[1]


class _OnnxModule(OnnxModelTester, _Module):
    pass


def verify_module(
    mod: Any,
    inputs: Sequence[Any] | None = None,
    input_shapes: Sequence[Sequence[int]] | None = None,
    input_data_types: Sequence[torch.dtype] | None = None,
    required_pcc: float = 0.99,
    required_atol: float = 1e-2,
    input_range: tuple[float, float] = (-0.5, 0.5),
    input_range_int: tuple[int, int] = (0, 1000),
    compiler_config: CompilerConfig | None = None,
    do_assert: bool = True,
    device: Any = None,
) -> Any:
    """Test a model on the selected device; what it gave there.

    Inputs that are not given are drawn: floats from `input_range`, integers from
    `input_range_int`, float32 where no type is said.

    Raises:
        UsageError: there are neither inputs nor shapes, or a device is named.
        IncorrectResultError: an output is wrong, and `do_assert` is set.
    """
    if device is not None:
        raise UsageError("verify_module(device=): a test runs on the device that --device names")
    config = compiler_config or CompilerConfig()
    drawn = _Drawn(input_shapes, input_data_types, input_range, input_range_int)
    is_onnx = isinstance(mod, onnx.ModelProto)
    tester = _OnnxModule if is_onnx else _Module
    made = tester(
        mod,
        tuple(inputs) if inputs is not None else drawn.inputs(mod if is_onnx else None),
        type(mod).__name__,
        compiler_config=config,
        required_pcc=required_pcc,
        required_atol=required_atol,
        assert_pcc=do_assert,
        assert_atol=do_assert,
    )
    outputs = made.test_model()
    made.finalize()
    return outputs


class _Drawn:
    """Inputs of given shapes and types."""

    def __init__(
        self,
        shapes: Sequence[Sequence[int]] | None,
        dtypes: Sequence[torch.dtype] | None,
        floats: tuple[float, float],
        integers: tuple[int, int],
    ) -> None:
        self.shapes, self.dtypes = shapes, dtypes
        self.floats, self.integers = floats, integers

    def inputs(self, model: onnx.ModelProto | None) -> tuple[torch.Tensor, ...]:
        """One for each shape; of an ONNX model, as it declares them."""
        shapes = self.shapes if model is None else _declared(model)
        if shapes is None:
            raise UsageError("verify_module takes inputs or input_shapes, and has neither")
        dtypes = self.dtypes or [torch.float32] * len(shapes)
        if len(dtypes) != len(shapes):
            raise UsageError(f"{len(shapes)} inputs have {len(dtypes)} input_data_types")
        generator = torch.Generator().manual_seed(0)
        return tuple(
            self._one(tuple(shape), dtype, generator)
            for shape, dtype in zip(shapes, dtypes, strict=True)
        )

    def _one(
        self, shape: tuple[int, ...], dtype: torch.dtype, generator: torch.Generator
    ) -> torch.Tensor:
        if dtype is torch.bool:
            return torch.randint(0, 2, shape, generator=generator).bool()
        if not dtype.is_floating_point:
            low, high = self.integers
            return torch.randint(low, high, shape, dtype=dtype, generator=generator)
        low_float, high_float = self.floats
        unit = torch.rand(shape, generator=generator)
        return (low_float + (high_float - low_float) * unit).to(dtype)


def _declared(model: onnx.ModelProto) -> list[tuple[int, ...]]:
    weights = {w.name for w in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in weights]
    return [tuple(d.dim_value or 1 for d in i.type.tensor_type.shape.dim) for i in inputs]
