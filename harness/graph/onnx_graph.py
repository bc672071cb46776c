# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""An ONNX graph as a search takes it: units are its nodes, golden values onnxruntime's."""

import math
from collections.abc import Collection, Mapping, Sequence

import onnx
import torch

from bringup.harness.frontend import onnx_program
from bringup.harness.frontend.onnx_checks import STANDARD
from bringup.harness.graph.golden_values import KEPT_BYTES, GoldenError, GoldenValues
from bringup.harness.graph.onnx_index import Cone, OnnxIndex
from bringup.harness.graph.onnx_part import OnnxPart, is_static, program, shape_of
from bringup.harness.graph.op_graph import Unit
from bringup.harness.reference.references import Source
from bringup.harness.storage.writable import said_by

_FLOATS = frozenset(
    {
        *(onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE),
        *(onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16),
    }
)


class OnnxGraph:
    """A prepared ONNX model and the arguments of one call; see `op_graph.OpGraph`.

    What depends on no input, like the shape that a Reshape takes, stays a constant wherever the
    graph is cut: it could not be lowered as an argument.
    """

    reference = "onnxruntime"
    source = Source.ONNXRUNTIME
    preparation = f"the conversion to opset {onnx_program.OPSET}"

    def __init__(
        self,
        model: onnx.ModelProto,
        arguments: Sequence[torch.Tensor],
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        """`arguments` has one tensor for each input that is no initialiser, in order."""
        self._index = OnnxIndex(model)
        given = dict(zip(self._index.inputs, arguments, strict=True))
        self.values = GoldenValues(given, self._computed, kept_bytes)
        self._index.opaque = self._opaque()
        self.units = tuple(
            Unit(place, _op_name(node), self._index.given(place))
            for place, node in enumerate(self._index.nodes)
            if self._index.is_op(place)
        )
        self.results = self._index.results

    def cut(
        self,
        chosen: Collection[Unit],
        outputs: Sequence[str] | None = None,
        fed: Collection[str] = (),
    ) -> OnnxPart:
        """Cut units out, as a model of their own."""
        places = {unit.place for unit in chosen}
        wanted = self._index.open_ends(places) if outputs is None else list(outputs)
        cone = self._index.cone(wanted, places, fed)
        frozen = [name for name in cone.fed if name in self._index.settled]
        values = self._known(frozen, cone, wanted)
        model = program(
            self._index, cone, wanted, values, [name for name in frozen if name in values]
        )
        inside = set(cone.nodes)
        return OnnxPart(model, tuple(unit for unit in self.units if unit.place in inside))

    def golden(self, names: Sequence[str]) -> list[torch.Tensor]:
        """What onnxruntime computes for values.

        Raises:
            GoldenError: it refuses a node that they depend on.
        """
        return self.values.of(names)

    def size(self, name: str) -> int:
        """Bytes of a value whose type is known; else 0."""
        known = self._index.types.get(name)
        if known is None or not is_static(known):
            return 0
        dtype = onnx_program.torch_dtype(known.tensor_type.elem_type)
        return math.prod(shape_of(known)) * (dtype.itemsize if dtype else 1)

    def is_float(self, name: str) -> bool:
        """Is a value of floats?"""
        known = self._index.types.get(name)
        if known is not None:
            return known.tensor_type.elem_type in _FLOATS
        return self.golden([name])[0].is_floating_point()

    def _known(
        self, frozen: Sequence[str], cone: Cone, wanted: Sequence[str]
    ) -> dict[str, torch.Tensor]:
        """Golden values that a part has inside, or whose type nobody knows otherwise."""
        untyped = [n for n in (*cone.fed, *wanted) if not is_static(self._index.types.get(n))]
        names = list(dict.fromkeys([*frozen, *untyped]))
        try:
            return dict(zip(names, self.golden(names), strict=True))
        except GoldenError:
            return {name: value for name in names for value in self._perhaps(name)}

    def _perhaps(self, name: str) -> list[torch.Tensor]:
        try:
            return self.golden([name])
        except GoldenError:
            return []  # the part says less of it, as the whole model does

    def _opaque(self) -> frozenset[str]:
        """Values of unknown type that onnxruntime does not compute, and what comes of them."""
        found: set[str] = set()
        for node, needs in zip(self._index.nodes, self._index.needs, strict=True):
            for name in filter(None, node.output):
                if name not in self._index.types and (
                    not found.isdisjoint(needs) or not self._perhaps(name)
                ):
                    found.add(name)
        return frozenset(found)

    def _computed(
        self, missing: Sequence[str], known: Mapping[str, torch.Tensor]
    ) -> Sequence[torch.Tensor]:
        cone = self._index.cone(missing, range(len(self._index.nodes)), known.keys())
        model = program(self._index, cone, missing, known)
        feeds = {name: known[name] for name in cone.fed}
        try:
            found = onnx_program.run_onnxruntime(model, feeds, fused=False)
        except Exception as error:  # onnxruntime's errors have no base class of their own
            said = said_by(error).splitlines()[0]
            raise GoldenError(f"onnxruntime does not compute {missing[0]}: {said}") from error
        return [found[name] for name in missing]


def _op_name(node: onnx.NodeProto) -> str:
    """As the importer calls it, with the domain of one that is not ONNX's own."""
    own = node.domain in STANDARD
    return f"onnx.{node.op_type}" if own else f"{node.domain}.{node.op_type}"
