# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Testers of a loader: its model and inputs in a dtype, whatever of its hooks it has."""

import inspect
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from bringup.harness.loaders.importing import LoaderError, loader_class, variant_of
from bringup.harness.loaders.repository import LoaderFile, Repository
from bringup.harness.loaders.ways import BATCH, SEQUENCE, Way
from bringup.harness.storage.writable import said_by
from bringup.harness.tester.model_tester import ModelTester
from bringup.harness.tester.onnx_tester import OnnxModelTester
from bringup.harness.tester.shards import Spec
from bringup.harness.verify.structure import map_tensors

_OVERRIDE = "dtype_override"


class LoaderTester(ModelTester):
    """Tests what a PyTorch loader gives.

    Args:
        model_name: the name people read.
        mode: `eval` or `train`; a step of training is on `unpack_forward_output`, where the loader
            has it.
        repository, place: the loader.
        variant: as `ModelVariant` spells it; empty: the loader has none.
        dtype: of the model and of the inputs that are floats. A loader that takes `dtype_override`
            makes them so itself; what another gives is cast.
        way: whole, in a phase of generating, or with its weights divided over the chips.
        why_not: why the loader cannot be imported, where that is known.
        others: of `ModelTester`.
    """

    def __init__(
        self,
        model_name: str,
        mode: str,
        repository: Repository,
        place: LoaderFile,
        variant: str,
        dtype: torch.dtype,
        way: Way = Way.WHOLE,
        why_not: str = "",
        **others: Any,
    ) -> None:
        self.repository, self.place = repository, place
        self.variant, self.model_dtype, self.why_not = variant, dtype, why_not
        self.way = way
        divided = way is Way.TENSOR_PARALLEL
        super().__init__(model_name, mode, tensor_parallel_mode=divided, **others)

    def _load_model(self) -> Any:
        self.loader = self._made()
        model, taken = _given(self.loader.load_model, {_OVERRIDE: self.model_dtype})
        if _OVERRIDE not in taken and isinstance(model, torch.nn.Module):
            model = model.to(self.model_dtype)
        return model

    def _load_inputs(self) -> Any:
        offered: dict[str, Any] = {_OVERRIDE: self.model_dtype}
        load = self.loader.load_inputs
        if self.way in (Way.PREFILL, Way.DECODE):
            load = getattr(self.loader, self.way.method)
            offered |= {"batch_size": BATCH, "seq_len": SEQUENCE}
        inputs, taken = _given(load, offered)
        return inputs if _OVERRIDE in taken else _cast(inputs, self.model_dtype)

    def _made(self) -> Any:
        """The loader for the variant; what it says of itself goes on record.

        Raises:
            LoaderError: it cannot be imported or made.
        """
        if self.why_not:
            raise LoaderError(f"{self.place.inside}/{self.place.path.name}: {self.why_not}")
        cls = loader_class(self.repository, self.place)
        variant = variant_of(cls, self.variant)
        made = cls() if variant is None else cls(variant)
        self._note_info(made, variant)
        return made

    def _note_info(self, loader: Any, variant: Any) -> None:
        if not hasattr(loader, "get_model_info"):
            return
        try:
            group = getattr(loader.get_model_info(variant), "group", None)
        except Exception as error:  # it is for dashboards: the model can be tested without it
            self.recorder.warn(f"get_model_info raises {type(error).__name__}: {said_by(error)}")
            return
        if group is not None:
            self.model_group = str(getattr(group, "value", group))
            self._describe()

    def get_mesh_config(self, num_devices: int) -> tuple[Sequence[int], Sequence[str]]:
        """The loader's mesh, or all chips for the weights; where it has none for the variant, the
        test is skipped."""
        said = getattr(self.loader, "get_mesh_config", super().get_mesh_config)
        shape, names = said(num_devices)
        if not shape or not names:
            pytest.skip(f"get_mesh_config has no mesh for {self.variant or 'this model'}")
        return shape, names

    def load_shard_spec(self, model: Any) -> Spec:
        """The loader's."""
        return self.loader.load_shard_spec(model) or {}

    def append_fake_loss_function(self, outputs: Any) -> torch.Tensor:
        """The loss of what `unpack_forward_output` takes out of the outputs."""
        unpack = getattr(self.loader, "unpack_forward_output", None)
        own = isinstance(getattr(outputs, "loss", None), torch.Tensor)
        return super().append_fake_loss_function(
            outputs if unpack is None or own else unpack(outputs)
        )

    def note_decoded(self, outputs: Any) -> None:
        """Put what `decode_output` makes of the outputs into the JUnit file; where it raises, a
        warning on record says so, and nothing else comes of it."""
        decode = getattr(self.loader, "decode_output", None)
        if decode is None or self._record_property is None or self.mode == "train":
            return
        try:
            required = [p for p in _parameters(decode).values() if _is_required(p)]
            if len(required) <= 1:
                self._record_property("decoded", said_by(Exception(decode(outputs)))[:2000])
        except Exception as error:
            self.recorder.warn(f"decode_output raises {type(error).__name__}: {said_by(error)}")


class OnnxLoaderTester(LoaderTester, OnnxModelTester):
    """Tests what an ONNX loader gives, in the dtypes that its model has."""

    def _load_model(self) -> Any:
        self.loader = self._made()
        with tempfile.TemporaryDirectory(prefix="bringup-onnx-") as folder:
            model, _ = _given(self.loader.load_model, {"onnx_tmp_path": folder})
            return model

    def _load_inputs(self) -> Any:
        return _tensors(_given(self.loader.load_inputs, {})[0])

    append_fake_loss_function = OnnxModelTester.append_fake_loss_function


def _given(call: Callable[..., Any], offered: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What a call gives, with those of the arguments that it names itself or passes on."""
    known = _parameters(call)
    passes_on = any(p.kind is p.VAR_KEYWORD for p in known.values())
    taken = {
        n: v for n, v in offered.items() if n in known or (passes_on and _is_mentioned(call, n))
    }
    return call(**taken), taken


def _parameters(call: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(call).parameters)
    except (TypeError, ValueError):
        return {}


def _is_required(parameter: inspect.Parameter) -> bool:
    plain = parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    return plain and parameter.default is parameter.empty


def _is_mentioned(call: Callable[..., Any], name: str) -> bool:
    """Does a function that takes any keyword argument do anything with this one? Passing it on to
    another may raise there."""
    code = getattr(inspect.unwrap(getattr(call, "__func__", call)), "__code__", None)
    return code is not None and name in code.co_consts


def _cast(inputs: Any, dtype: torch.dtype) -> Any:
    def cast(path: str, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(dtype) if tensor.is_floating_point() else tensor

    return map_tensors(inputs, cast, "", whole=True)


def _tensors(inputs: Any) -> Any:
    """numpy's arrays as torch's."""
    if isinstance(inputs, np.ndarray):
        return torch.from_numpy(inputs)
    if isinstance(inputs, dict):
        return {name: _tensors(value) for name, value in inputs.items()}
    if isinstance(inputs, list | tuple):
        return [_tensors(value) for value in inputs]
    return inputs
