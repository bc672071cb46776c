# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The front end of ONNX models: one in, a program that any device can compile out."""

from collections.abc import Mapping

import onnx
import torch

from bringup.harness.config import CompileDepth, CompilerConfig
from bringup.harness.frontend import onnx_program
from bringup.harness.frontend.lowering import Program, keep_level, lower_module
from bringup.harness.frontend.lowering_cache import CachedLowering, onnx_content
from bringup.harness.mlir import TorchMlir, text_of
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.schema import Stage, Status

LARGE_CONSTANTS = 4 << 20
"""Bytes of constants inside the IR above which its kept text leaves them out."""


def lower_onnx(
    model: "onnx.ModelProto",
    inputs: Mapping[str, torch.Tensor],
    config: CompilerConfig,
    recorder: TestRecorder,
) -> Program:
    """Take an ONNX model down; its own graph takes the place of the FX graph."""
    with recorder.stage(Stage.EXPORT) as stage:
        prepared = onnx_program.prepare(model, inputs)
        keep_level(stage, config, "onnx", onnx_program.readable(prepared))
        stage.attributes["nodes"] = str(len(prepared.graph.node))
        random = onnx_program.random_op(model)
        if random is not None:
            stage.attributes["random"] = random
        stage.reached(Status.CREATED_GRAPH)
    if config.compile_depth is CompileDepth.TORCH_FX:
        return Program()
    weights = {} if config.inline_parameters else onnx_program.lift_weights(prepared)
    program = Program(
        signature=onnx_program.signature_of(prepared, inputs, weights),
        onnx=prepared,
        flatten=lambda call: list(onnx_program.named_inputs(model, call[1] or call[0]).values()),
        restore=tuple,
    )
    if config.stops_at_graph:
        return program
    assert program.signature is not None
    content = onnx_content(prepared, program.signature, config)
    kept = CachedLowering(content, recorder) if content is not None else None
    before = kept.take() if kept is not None else None
    if before is not None:
        program.artifact = before[0].artifact
        return program
    done = len(recorder.results)
    mlir = TorchMlir(trace=config.ir_log_level == "DEBUG")
    with recorder.stage(Stage.TORCH_IR) as stage:
        stage.attributes |= kept.audited() if kept is not None else {}
        whole = onnx_program.constant_bytes(prepared) < LARGE_CONSTANTS
        module = onnx_program.import_model(mlir, prepared)
        keep_level(stage, config, "torch_ir", text_of(module, whole=whole))
        stage.reached(Status.CONVERTED_TO_TORCH_IR)
    program.artifact = lower_module(mlir, module, whole, config, recorder)
    if kept is not None:
        kept.keep(program.artifact, program.signature, None, recorder.results[done:])
    return program
