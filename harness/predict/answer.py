# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From a model's ops to how far it will get: each looked up, the one that gets least far decides.

A compiler may refuse ops together that it takes alone, and fuse away one that it refuses: a
prediction is by the ops alone, and says so.
"""

import time
from collections.abc import Iterable, Mapping
from typing import NoReturn

from bringup.harness.devices.catalog import kind_of
from bringup.harness.frontend.lowering import Program
from bringup.harness.mlir import TorchMlir
from bringup.harness.op_by_op.stage_memory import Kept, StageMemory, got_through
from bringup.harness.ops.stablehlo_ops import split
from bringup.harness.ops.torch_ops import ops_of
from bringup.harness.predict.question import Question
from bringup.harness.records.predictions import By, OpInTheWay, Predicted, Prediction
from bringup.harness.records.schema import Op, Outcome, Status
from bringup.harness.records.verdicts.cache import VerdictCache
from bringup.harness.reduce.model_search import GraphOnly, Tested
from bringup.harness.reduce.request import SearchDone
from bringup.harness.storage.writable import said_by

_LINE = 160


def answer_now(tester: Tested, question: Question) -> NoReturn:
    """Answer in place of the test.

    Raises:
        SearchDone: always, when it is done; `question` holds the answer.
    """
    recorder, config = tester.recorder, tester.compiler_config
    model = f"{recorder.identity.model} {recorder.identity.variant}".strip()
    if recorder.identity.framework != "onnx":
        tester.compiler_config = GraphOnly(config)
    try:
        ops = _ops(tester.lowered())
    except Exception as error:  # whatever a model or its export raises is its end
        why = said_by(error).partition("\n")[0][:_LINE]
        question.answers.append(Predicted(model, ended=recorder.status, why=why))
        raise SearchDone from None
    finally:
        tester.compiler_config = config
    cache = VerdictCache(complain=recorder.warn)
    optimizes = config.enable_optimizer
    found = []
    for device, executes in question.devices.items():
        options = kind_of(device).optimizer_options if optimizes else {}
        found.append(predict(ops, device, cache, options, executes=executes))
    cache.close()
    question.answers.append(Predicted(model, tuple(found)))
    raise SearchDone


def _ops(program: Program) -> list[Op]:
    if program.graph is not None:
        return ops_of(program.graph)
    assert program.artifact is not None
    return [found.op for found in split(program.artifact, TorchMlir())]


def predict(
    ops: Iterable[Op],
    device: str,
    cache: Kept,
    options: Mapping[str, str],
    *,
    executes: bool,
) -> Prediction:
    """What is to be expected of a model of these ops on a device.

    Args:
        ops: the unique ones.
        device: its name.
        cache: where verdicts on ops are kept.
        options: of the device's compiler, as a walk over ops gives them.
        executes: does the device on this machine?
    """
    began = time.perf_counter()
    memory = StageMemory(cache, device, options, executes=executes)
    by = dict.fromkeys(By, 0)
    in_the_way: list[OpInTheWay] = []
    wrong: dict[str, None] = {}
    never: dict[str, None] = {}
    every = list(ops)
    for op in every:
        expected = memory.expected(op)
        if expected is None:
            never[op.name] = None
            continue
        by[expected.by] += 1
        verdict = expected.verdict
        if verdict.outcome is Outcome.INCORRECT and expected.by is By.ITSELF:
            wrong[op.name] = None
        if not got_through(verdict):
            failure = verdict.failure
            why = failure.message.strip().partition("\n")[0][:_LINE] if failure else ""
            one = OpInTheWay(op.name, verdict.outcome, verdict.status, why, expected.by)
            in_the_way.append(one)
    top = Status.EXECUTED if executes else Status.CONVERTED_TO_TTNN
    return Prediction(
        device=device,
        ops=len(every),
        known=by[By.ITSELF],
        kin=by[By.KIN],
        named=by[By.NAME],
        top=top,
        in_the_way=tuple(sorted(in_the_way, key=lambda one: one.status)),
        wrong=tuple(wrong),
        never_tried=tuple(never),
        seconds=round(time.perf_counter() - began, 4),
    )
