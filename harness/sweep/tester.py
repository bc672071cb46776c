# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The tester of a swept op: its cases, each alone, in the workers and by the judge of op by op."""

import functools
from typing import Any

from bringup.harness.device_host.op_run import OpJob
from bringup.harness.device_host.shared import device
from bringup.harness.frontend.fx_import import import_graph
from bringup.harness.mlir import LoweringError, TorchMlir, text_of
from bringup.harness.op_by_op.walk import Candidate, OpByOpExecutor
from bringup.harness.ops.fx_json import dumps, loads
from bringup.harness.ops.operand_values import fingerprint
from bringup.harness.ops.torch_ops import rounding_of
from bringup.harness.records.schema import Outcome
from bringup.harness.reference.references import Golden, Source
from bringup.harness.storage.writable import said_by
from bringup.harness.sweep.cases import Case, cases_of
from bringup.harness.sweep.catalog import calls_of
from bringup.harness.tester.model_tester import ModelTester
from bringup.harness.verify import Natural


class CaseExecutor(OpByOpExecutor):
    """Cases of an op, each against its PyTorch golden."""

    def run_cases(self, cases: list[Case]) -> Outcome:
        """Give each case its verdict."""
        mlir = TorchMlir()
        self._known.origins = {
            case.op.key: " ".join(map(fingerprint, case.inputs)) for case in cases
        }
        drawn = (self._candidate(index, case, mlir) for index, case in enumerate(cases))
        return self.walk(drawn, len(cases))

    def _candidate(self, index: int, case: Case, mlir: TorchMlir) -> Candidate:
        written = dumps(case.graph)

        @functools.cache
        def job() -> OpJob:
            text = _imported(case, mlir)
            options = self._options()
            return OpJob(torch_ir=text, options=options, inputs=case.inputs, execute=True)

        def natural() -> Natural | None:
            return rounding_of(loads(written), case.inputs, case.golden)

        golden = Golden(list(case.golden), Source.TORCH, natural=natural)
        text = str(case.graph)
        return Candidate(case.op, index, 1, case.name, job, lambda: golden, text, written)


def _imported(case: Case, mlir: TorchMlir) -> bytes:
    """A case in the torch dialect.

    Raises:
        LoweringError: a decomposition or the importer gave up.
    """
    try:
        graph = case.lowered()
    except Exception as error:  # whatever a decomposition raises
        said = f"{case.name} cannot be traced: {said_by(error)}"
        raise LoweringError(said.partition("\n")[0], said) from error
    return text_of(import_graph(mlir, graph)).encode()


class OpTester(ModelTester):
    """Tests the cases of one op; what fails is a finding, and the test passes.

    Args:
        op: as the sweep's table calls it, `add.Tensor`.
        others: of `ModelTester`.
    """

    def __init__(self, op: str, mode: str = "eval", **others: Any) -> None:
        self.op = op
        super().__init__(f"aten.{op}", mode, **others)

    def _test_model(self) -> None:
        self._describe()
        self.recorder.profiles_ops = self.compiler_config.profile_ops
        target = device(self.device_name)
        target.start()
        cases, _ = cases_of(self.op, calls_of(self.op))
        given = (self.compiler_config, target, self.recorder, self.device_tolerances)
        self.recorder.outcome = CaseExecutor(*given).run_cases(cases)
