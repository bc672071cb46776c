# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Was it the device? Not where PyTorch computes the exported program as the device did.

Only asked where outputs are wrong, so that a good night pays nothing. A model that computes
something else where it is told that it is being compiled has said itself what the device is to be
given, and a test that lowers its model by itself has too: what differs then is the device's.
"""

from collections.abc import Mapping
from typing import Any

import torch

from bringup.harness.executor import Executor
from bringup.harness.frontend import training
from bringup.harness.frontend.custom_gradients import custom_gradients
from bringup.harness.frontend.eager import compiled_parts_in_eager, told_it_is_compiled
from bringup.harness.frontend.lowering import Program
from bringup.harness.recording.recorder import StageScope
from bringup.harness.storage.writable import said_by
from bringup.harness.tester.golden import Golden, difference
from bringup.harness.tester.model_runs import SEED
from bringup.harness.tester.trained_runs import TrainedRuns
from bringup.harness.verify import compare, compare_training, mismatches


class BlamedRuns(TrainedRuns):
    """A tester that tells the device's faults from those of the front end."""

    def _lost_at_export(self, executor: Executor, outputs: Any, stage: StageScope) -> str:
        """Why a device's wrong outputs are none of its faults, a sentence; empty where they are.

        `stage` is that of the comparison.
        """
        ours = type(self)._lower.__module__.startswith("bringup.")
        if not ours or self._golden_run is None or self._golden_run.difference:
            return ""
        try:
            exported = self._as_exported(executor.program)
            if not self._agrees(exported, outputs, executor.mutated):
                return ""
            lost = self.mismatches_of(exported.outputs, exported.mutated)
            if not lost or self._differs_where_compiled():
                return ""
            causes = self._causes() if self.mode == "train" else []
        except Exception as error:  # whatever an op, or a model, raises in another setting
            stage.attributes["exported"] = (
                f"not computed: {type(error).__name__}: {said_by(error)}"[:500]
            )
            return ""
        stage.attributes["exported"] = "as wrong as the device"
        return (
            f"lost at export: {' and '.join(causes) or 'something of the model'}; computed on the"
            f" host, the exported program gives what the device gives, and not what the model"
            f" gives: {lost[0]}"
        )

    def _as_exported(self, program: Program) -> Golden:
        """What PyTorch, or onnxruntime, computes of the graph that the program was made from."""
        from bringup.harness.graph.program_graph import graph_of  # it imports what lowers

        assert program.signature is not None
        with self._run(watched=False):
            graph = graph_of(program, program.flatten(self._call()))
            values = graph.golden(graph.results)
        outputs = program.restore(program.signature.collect(values))
        return Golden(outputs, program.signature.mutated(values))

    def _agrees(self, exported: Golden, outputs: Any, mutated: Mapping[str, torch.Tensor]) -> bool:
        """Did the device give what PyTorch gives of the same program?"""
        assert self._golden_run is not None
        tolerances, natural = self.device_tolerances, self._golden_run.natural
        if self.mode == "train":
            checks = compare_training(
                exported.outputs, outputs, tolerances, training.GRADIENT, natural
            )
        else:
            pair = self._extracted_of(exported.outputs), self._extracted_of(outputs)
            checks = compare(*pair, tolerances, natural=natural)
        for path, value in exported.mutated.items():
            checks += compare(value, mutated[path], tolerances, path, natural)
        return not mismatches(checks)

    def _differs_where_compiled(self) -> bool:
        """Does the model compute something else where it is told that it is being compiled?"""
        assert self._golden_run is not None
        torch.manual_seed(SEED)
        with self._run() as run, compiled_parts_in_eager(), told_it_is_compiled():
            outputs = run.outliving(self._golden())
        return bool(difference(self._golden_run, Golden(outputs, run.mutated)))

    def _causes(self) -> list[str]:
        torch.manual_seed(SEED)
        with self._run():
            return custom_gradients(self._model, self._call(), self._loss)
