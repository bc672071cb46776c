# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ModelTester: load, golden, lower, compile, run, verify, record; raise only at the end.

Subclasses give `_load_model` and `_load_inputs`. `test_model()` runs the flow down to the depth
the config asks for and returns what the model would return; `finalize()` raises a mismatch, after
the record of it is safe on disk.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch

from bringup.harness.config import CompileDepth, CompilerConfig
from bringup.harness.device_host.client import Device
from bringup.harness.device_host.shared import device
from bringup.harness.devices.catalog import DEFAULT_DEVICE
from bringup.harness.did_you_mean import hint
from bringup.harness.errors import HarnessError, IncorrectResultError, UnverifiedError, UsageError
from bringup.harness.executor import Executor
from bringup.harness.frontend import training
from bringup.harness.frontend.call import Call
from bringup.harness.frontend.eager import (
    WithoutDropout,
    without_fast_paths,
)
from bringup.harness.frontend.lowering import Program, lower_torch, lower_training
from bringup.harness.frontend.torch_program import random_op
from bringup.harness.recording.current_test import open_test
from bringup.harness.recording.failures import (
    LOST_AT_EXPORT,
    NON_DETERMINISTIC,
    NOTHING_COMPARED,
    failure_of,
    outcome_of,
)
from bringup.harness.recording.recorder import TesterRecorder, TestRecorder
from bringup.harness.records.naming import MODES, identity_of
from bringup.harness.records.schema import Failure, Outcome, OutputCheck, Stage
from bringup.harness.reduce.request import SearchDone, requested
from bringup.harness.state import settings
from bringup.harness.state.copies import copied
from bringup.harness.storage.writable import said_by
from bringup.harness.tester.blame import BlamedRuns
from bringup.harness.tester.model_runs import SEED
from bringup.harness.tester.routing import executor_name
from bringup.harness.verify import Tolerances, mismatches, nothing_finite


class ModelTester(BlamedRuns):
    """Tests one PyTorch model on one device.

    Args:
        model_name: the name people read.
        mode: `eval`, or `train` for forward, loss and backward with every gradient compared.
        required_pcc: least correlation with the golden, per output; None for our own 0.99.
        required_atol: largest absolute difference, in the output's unit.
        relative_atol: largest absolute difference as a part of max|golden|. None for both: our
            own bounds on rows, slices and elements (`bringup.harness.verify.bounds`).
        compiler_config: depth and the rest; a fresh `CompilerConfig` by default.
        required_relative_l2: largest norm of the difference as a part of the golden's norm.
        assert_pcc, assert_atol, assert_allclose, assert_relative_l2: which metrics of float
            outputs decide; all of them are recorded. assert_exact does it for integers, bools
            and strings, assert_tokens for token ids.
        record_property_handle: pytest's `record_property`, for the JUnit file.
        model_group: a label people sort by.
        is_token_output: outputs are token ids; compared exactly as text by `self.tokenizer`.
        device: overrides the device the run selected. A test whose id names that one is
            UNVERIFIED when none of its testers ran there.
        issue: address of the issue that tracks a disabled check; recorded.
    """

    __test__ = False
    framework = "torch"

    def __init__(
        self,
        model_name: str,
        mode: str = "eval",
        required_pcc: float | None = None,
        required_atol: float | None = None,
        relative_atol: float | None = None,
        compiler_config: CompilerConfig | None = None,
        assert_pcc: bool = True,
        assert_atol: bool = True,
        assert_allclose: bool = False,
        assert_relative_l2: bool = False,
        required_relative_l2: float | None = None,
        assert_exact: bool = True,
        assert_tokens: bool = True,
        record_property_handle: Callable[[str, object], None] | None = None,
        model_group: str = "generality",
        is_token_output: bool = False,
        device: str | None = None,
        issue: str | None = None,
        **unknown: object,
    ) -> None:
        if unknown:
            raise UsageError(_unknown_option(next(iter(unknown)), type(self).__name__))
        if mode not in MODES:
            raise UsageError(f"mode {mode!r} of {model_name}: expected eval or train")
        super().__init__(model_name, mode, compiler_config or CompilerConfig())
        self.model_group = model_group
        self.is_token_output = is_token_output
        self.issue = issue
        self.tolerances = Tolerances(
            required_pcc=required_pcc,
            required_atol=required_atol,
            relative_atol=relative_atol,
            assert_pcc=assert_pcc,
            assert_atol=assert_atol,
            assert_allclose=assert_allclose,
            assert_relative_l2=assert_relative_l2,
            required_relative_l2=required_relative_l2,
            assert_exact=assert_exact,
            assert_tokens=assert_tokens,
        )
        self.mismatches: list[str] = []
        """Of all its runs that `finalize` has not raised."""
        self._unverified = ""
        self._hints: list[str] = []
        self._record_property = record_property_handle
        self._device_name = device
        self.recorder = self._open_recorder()
        self._recorders = [self.recorder]
        alone = not self.recorder.nodeid  # no pytest puts back what the model sets
        self._settings = settings.read() if alone else None
        self._base = frozenset(vars(self)) - self._base | {"_given"}

    # --- what tests use ---------------------------------------------------------------------

    def test_model(self) -> Any:
        """Run the flow; returns the device's outputs in the model's own structure.

        In train mode that is a mapping with `loss` and a `grad.NAME` per parameter. Where the model
        was not executed as a whole (op by op, a depth above EXECUTE, a device that only compiles
        here) it returns the golden's outputs; None only where the model itself raises on the CPU.

        A run after the first, with other inputs perhaps, is recorded beside it.

        Raises:
            UsageError: depth and backend do not go together.
            HarnessError, and whatever the model raises: after it was recorded.
        """
        self._begin_record()
        try:
            return self._test_model()
        except (Exception, KeyboardInterrupt) as error:
            self.recorder.verdict = outcome_of(error)
            if self._draws_what_failed(error):
                return self._golden_for_body()
            if self.recorder.failure is None:
                self.recorder.failure = failure_of(error, None, self.recorder.run.blobs)
            if not isinstance(error, SearchDone):
                self._leave_reproducer()
            self._give_hints(error)
            raise
        finally:
            self._report_properties()
            if self._settings is not None:
                self.recorder.test.close_run()
                settings.write(self._settings)

    def finalize(self) -> None:
        """Raise what `test_model` recorded against this tester, if there was anything.

        Raises:
            IncorrectResultError: an asserted check did not hold.
            UnverifiedError: nothing could be compared, or the model differs from itself.
        """
        for recorder in self._recorders:
            recorder.unraised.clear()
        error = self._bad_news()
        if error is not None:
            self._give_hints(error)
            raise error

    def call(self) -> Call:
        """The inputs as the model is called with them."""
        return self._call()

    # --- the flow ---------------------------------------------------------------------------

    def _begin_record(self) -> None:
        """Another run takes nothing back of what the one before found, in the same test."""
        test = open_test(self._device_name) or self.recorder.test
        if test is not self.recorder.test:  # a tester of several tests
            self._recorders = []
        if not any(recorder.unraised for recorder in self._recorders):
            self.mismatches, self._unverified = [], ""
        if not self._recorders or self.recorder.verdict is not None:
            self.recorder = test.share(self.model_name, self._device_name)
            self._recorders.append(self.recorder)

    def _test_model(self) -> Any:
        config = self.compiler_config
        name = executor_name(self.framework, config.compile_depth, config.chosen_backend)
        self._describe()
        request = requested()
        if request is not None:
            from bringup.harness.reduce.model_search import search_now

            search_now(self, request)
        if config.compile_depth.op_by_op:
            self._op_by_op(name)
            return self._golden_for_body()
        target = device(self.device_name)
        if config.compile_depth.compiles:
            target.start()
        program = self._program()
        if not config.compile_depth.compiles:
            self.recorder.verdict = Outcome.REACHED
            return self._golden_for_body()
        target.open()  # a device that cannot be had is nobody's compile failure
        executor = self._make_executor(program, target)
        try:
            executor.compile()
            if config.compile_depth is not CompileDepth.EXECUTE or not target.executes():
                self.recorder.verdict = Outcome.REACHED
                return self._golden_for_body()
            return self._execute(executor)
        finally:
            executor.release()

    def _op_by_op(self, executor: str) -> None:
        """Every op alone. What fails is a finding in the record; the test itself passes."""
        from bringup.harness.op_by_op.executors import StablehloExecutor, TorchExecutor

        program = self._program()
        self.recorder.profiles_ops = self.compiler_config.profile_ops
        target, tolerances = device(self.device_name), self.device_tolerances
        given = (self.compiler_config, target, self.recorder, tolerances)
        walker: TorchExecutor | StablehloExecutor
        if executor == "TorchExecutor":
            assert program.graph is not None and program.signature is not None
            arguments = program.signature.bind(program.flatten(self._call()))
            walker = by_torch = TorchExecutor(*given)
            self.recorder.verdict = by_torch.run_gm_op_by_op(program.graph, arguments)
        else:
            walker = by_stablehlo = StablehloExecutor(*given)
            by_stablehlo.add_program(program)
            self.recorder.verdict = by_stablehlo.shlo_op_by_op()
        if not walker.results and self.recorder.verdict is Outcome.PASSED:
            self._note_unverified(NOTHING_COMPARED, "the model has no op to compare")

    def _golden_for_body(self) -> Any:
        """What a test's body gets where the device has no outputs to give.

        A model that raises on the CPU takes nothing from what was found of its ops.
        """
        try:
            self._compute_golden(twice=False)
        except Exception as error:
            self.recorder.no_golden, self.recorder.failure = self.recorder.failure, None
            self.recorder.warn(
                f"test_model() returns None, as the golden failed: {said_by(error)}"[:2000]
            )
            return None
        self.recorder.gave_golden = True
        return copied(self.golden)

    def _execute(self, executor: Executor) -> Any:
        self._compute_golden()
        with self._run(watched=False):
            args, kwargs = self._call()
            outputs = executor(*args, **kwargs)
        with self.recorder.stage(Stage.VERIFY) as stage:
            checks = self._verify(outputs, executor.mutated, stage.attributes)
            self.recorder.outputs_checked(checks)
            stage.attributes["outputs"] = str(len(checks))
            if self.compiler_config.enable_intermediate_verification:
                found = self._intermediates(executor)
                stage.attributes["intermediates"] = found
                self._hints.append(found)
            nothing = self._nothing_compared(outputs, executor) or nothing_finite(checks)
            lost = self._lost_at_export(executor, outputs, stage) if mismatches(checks) else ""
        graph = executor.program.graph
        self._judge(checks, nothing, random_op(graph) if graph is not None else None, lost)
        return outputs

    def _judge(
        self, checks: Sequence[OutputCheck], nothing: str, drawn: str | None, lost: str
    ) -> None:
        """The verdict on the device's outputs, on record and yet to be raised.

        `drawn` is the op by which outputs depend on random numbers, if there is one, and `lost`
        says why what is wrong is none of the device's faults.
        """
        assert self._golden_run is not None
        if self._golden_run.difference:
            self._note_unverified(NON_DETERMINISTIC, self._golden_run.difference)
            return
        found = mismatches(checks)
        if found and drawn:
            self._note_unverified(
                NON_DETERMINISTIC,
                f"the model draws random numbers ({drawn}), and a device draws others than"
                f" PyTorch: {found[0]}",
            )
            return
        if lost:
            self._note_unverified(LOST_AT_EXPORT, lost)
            return
        self.mismatches += found
        if found:
            self.recorder.unraised += [f"the outputs were wrong: {m}" for m in found]
            self.recorder.verdict = Outcome.INCORRECT
            blobs = self.recorder.run.blobs
            error = IncorrectResultError("; ".join(found[:5]))
            self.recorder.failure = failure_of(error, Stage.VERIFY, blobs)
            self._leave_reproducer()
        elif nothing:
            self._note_unverified(NOTHING_COMPARED, nothing)
        elif self._uncompared:
            self._note_unverified(
                NOTHING_COMPARED,
                f"forward leaves {self._uncompared[0]}, which no exported program can give and"
                " nothing was compared with",
            )
        else:
            self.recorder.verdict = Outcome.PASSED

    def _draws_what_failed(self, error: BaseException) -> bool:
        """Was it a model that differs from itself, since it draws, that could not go on?

        Then what it could not do blames nobody, and stays on the record of its stage.
        """
        failed = self.recorder.failure
        if (
            self.recorder.verdict is not Outcome.FAILED
            or isinstance(error, UsageError | SearchDone)
            or failed is None
            or failed.stage in (None, Stage.LOAD, Stage.GOLDEN, Stage.VERIFY)
        ):
            return False
        try:
            self._compute_golden()
        except Exception:  # the first failure is the one to be told of
            self.recorder.failure = failed
            return False
        golden = self._golden_run
        if golden is None or not golden.difference:
            return False
        if not golden.draws and not any("random" in r.attributes for r, _ in self.recorder.results):
            return False  # `random` says so of generators that the model made itself, too
        assert failed.stage is not None
        self._note_unverified(
            NON_DETERMINISTIC,
            f"{golden.difference}; {failed.stage.value} failed besides: {failed.message}",
        )
        return True

    def _note_unverified(self, kind: str, sentence: str) -> None:
        self._unverified = sentence
        self.recorder.unraised.append(sentence)
        self.recorder.verdict = Outcome.UNVERIFIED
        self.recorder.failure = Failure(None, kind, sentence)

    def _bad_news(self) -> HarnessError | None:
        if self.mismatches:
            return IncorrectResultError("; ".join(self.mismatches[:5]))
        return UnverifiedError(self._unverified) if self._unverified else None

    def _intermediates(self, executor: Executor) -> str:
        report = executor.intermediates or executor.run_intermediates(self._call())
        return report.render()

    def _lower(self) -> Program:
        if self.mode == "train":
            training.freeze(self._model, self.golden)
            return lower_training(
                self._model, self._call(), self._loss, self.compiler_config, self.recorder
            )
        with torch.no_grad():
            return lower_torch(
                self._model,
                self._call(),
                self.compiler_config,
                self.recorder,
                self._extract_outputs,
            )

    def _make_executor(self, program: Program, target: Device) -> Executor:
        return Executor(program, self.compiler_config, target, self.recorder)

    def _golden(self) -> Any:
        args, kwargs = self._call()
        if self.mode == "train":
            dropout = WithoutDropout()
            results = training.eager_step(self._model, (args, kwargs), self._loss, dropout)
            if dropout.calls:
                self._golden_notes["dropout"] = f"off in {dropout.calls} calls"
            return results
        with torch.no_grad(), without_fast_paths():
            return self._model(*args, **kwargs)

    def _leave_reproducer(self) -> None:
        """Leave what `nox -s repro` needs of a failure, and remember how to call it."""
        if not self.compiler_config.compile_depth.op_by_op:
            from bringup.harness.reduce.model_search import leave

            command = leave(self)
            if command:
                self._hints.append(f"find what is to blame: {command}")

    def _give_hints(self, error: BaseException) -> None:
        """Have the error say, below its own words, what else is known and how to go on."""
        for note in self._hints:
            error.add_note(note)

    # --- records ----------------------------------------------------------------------------

    def _open_recorder(self) -> TesterRecorder:
        current = open_test(self._device_name)
        if current is not None and not current.ended:
            return current.share(self.model_name, self._device_name)
        device_name = self._device_name or DEFAULT_DEVICE
        suffix = "_onnx" if self.framework == "onnx" else ""
        entry = f"{self.model_name}{suffix}[full-{self.mode}]"
        return TestRecorder(identity_of(entry, device_name), nodeid="").share(self.model_name)

    def _describe(self) -> None:
        self.recorder.describe(
            model_name=self.model_name,
            model_group=self.model_group,
            mode=self.mode,
            depth=self.compiler_config.compile_depth.name,
            parameters=None,
            seed=SEED,
            assertions=self.tolerances.spelled(),
            notes=(self.issue,) if self.issue else (),
        )

    def _report_properties(self) -> None:
        if self._record_property is None:
            return
        self._record_property("model_name", self.model_name)
        self._record_property("device", self.device_name)
        self._record_property("status", self.recorder.status.name)
        verdict = self.recorder.verdict
        self._record_property("outcome", verdict.value if verdict else "")


def _unknown_option(name: str, tester: str) -> str:
    known = [p for p in inspect.signature(ModelTester).parameters if p != "unknown"]
    meant = hint(name, known) or f"; it takes {', '.join(known)}"
    return f"{tester} has no option {name!r}{meant}"
