# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A lowered program's graph as a search and a walk over values take it, whatever its source."""

from collections.abc import Sequence
from typing import Any

from bringup.harness.errors import UsageError
from bringup.harness.frontend.lowering import Program
from bringup.harness.graph.fx_graph import FxGraph
from bringup.harness.graph.op_graph import OpGraph


def graph_of(program: Program, leaves: Sequence[Any]) -> OpGraph:
    """The graph of a program with the flattened inputs of one call.

    Raises:
        UsageError: the program stops above its graph.
        SignatureError: the inputs do not fit.
    """
    if program.signature is None:
        raise UsageError("the depth stops above the graph, so there is none to look into")
    arguments = program.signature.bind(leaves)
    if program.graph is not None:
        return FxGraph(program.graph, arguments)
    from bringup.harness.graph.onnx_graph import OnnxGraph  # PyTorch models do without onnx

    assert program.onnx is not None, "a program has one graph or the other"
    return OnnxGraph(program.onnx, arguments)
