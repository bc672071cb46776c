# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ModelTester: load, golden, lower, compile, run, verify, record; raise only at the end.

Subclasses give `_load_model` and `_load_inputs`. `test_model()` runs the flow down to the depth
the config asks for and returns what the model would return; `finalize()` raises a mismatch, after
the record of it is safe on disk.
"""

import dataclasses
import difflib
import inspect
import time
from collections.abc import Callable
from typing import Any

import torch

from harness import recording, reuse
from harness.config import CompileDepth, CompilerConfig
from harness.devices.catalog import DEFAULT_DEVICE, kind_of
from harness.devices.client import Device
from harness.devices.shared import device
from harness.errors import IncorrectResultError, UsageError
from harness.executor import Executor
from harness.frontend import training
from harness.frontend.torch_program import Call, call_of, parameter_count
from harness.lowering import Program, lower_torch, lower_training
from harness.recording import TestRecorder
from harness.records.naming import identity_of
from harness.records.schema import Outcome, OutputCheck, Stage
from harness.reduce import request
from harness.reduce.request import SearchDone
from harness.routing import executor_name
from harness.verify import (
    Float64,
    Natural,
    Tolerances,
    compare,
    compare_tokens,
    compare_training,
    mismatches,
    natural_errors,
    settled,
)

MODES = ("eval", "train")
SEED = 0


class ModelTester:
    """Tests one PyTorch model on one device.

    Args:
        model_name: the name people read.
        mode: `eval`, or `train` for forward, loss and backward with every gradient compared.
        required_pcc: least correlation with the golden, per output; None for our own 0.99.
        required_atol: largest absolute difference, in the output's unit.
        relative_atol: largest absolute difference as a part of max|golden|. None for both: our
            own bounds on rows, slices and elements (`harness.verify.bounds`).
        compiler_config: depth and the rest; a fresh `CompilerConfig` by default.
        required_relative_l2: largest norm of the difference as a part of the golden's norm.
        assert_pcc, assert_atol, assert_allclose, assert_relative_l2: which metrics of float
            outputs decide; all of them are recorded. assert_exact does it for integers, bools
            and strings, assert_tokens for token ids.
        record_property_handle: pytest's `record_property`, for the JUnit file.
        model_group: a label people sort by.
        is_token_output: outputs are token ids; compared exactly as text by `self.tokenizer`.
        device: overrides the device the run selected.
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
        self.model_name = model_name
        self.mode = mode
        self.model_group = model_group
        self.compiler_config = compiler_config or CompilerConfig()
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
        self.golden: Any = None
        self.mismatches: list[str] = []
        self._hints: list[str] = []
        self._record_property = record_property_handle
        self._device_name = device
        self._model: Any = None
        self._inputs: Any = None
        self._loaded = False
        self.recorder = self._open_recorder()

    # --- what subclasses give ---------------------------------------------------------------

    def _load_model(self) -> Any:
        """Return the model to test."""
        raise NotImplementedError(f"{type(self).__name__} must define _load_model")

    def _load_inputs(self) -> Any:
        """Return the inputs: a mapping (keyword arguments), a sequence, or one tensor."""
        raise NotImplementedError(f"{type(self).__name__} must define _load_inputs")

    def _extract_outputs(self, outputs: Any) -> Any:
        """Return the tensors to compare, for outputs the harness cannot flatten itself."""
        return outputs

    def _loss(self, outputs: Any) -> torch.Tensor:
        """Return the scalar to train on; the model's own `loss` by default."""
        return training.default_loss(outputs)

    # --- what tests use ---------------------------------------------------------------------

    @property
    def framework_model(self) -> Any:
        """The loaded model."""
        self._load()
        return self._model

    @property
    def inputs(self) -> Any:
        """The loaded inputs."""
        self._load()
        return self._inputs

    def test_model(self) -> Any:
        """Run the flow; returns the device's outputs in the model's own structure.

        In train mode that is a mapping with `loss` and a `grad.NAME` per parameter. Returns None
        where nothing was executed: a depth above EXECUTE, or a device that only compiles here.

        Raises:
            UsageError: depth and backend do not go together.
            HarnessError, and whatever the model raises: after it was recorded.
        """
        try:
            return self._test_model()
        except (Exception, KeyboardInterrupt) as error:
            self.recorder.verdict = recording.outcome_of(error)
            if self.recorder.failure is None:
                self.recorder.failure = recording.failure_of(error, None, self.recorder.run.blobs)
            if not isinstance(error, SearchDone):
                self._leave_reproducer()
            self._give_hints(error)
            raise
        finally:
            self._report_properties()

    def finalize(self) -> None:
        """Raise the mismatch that `test_model` recorded, if there was one."""
        self.recorder.unraised.clear()
        if self.mismatches:
            error = self._incorrect()
            self._give_hints(error)
            raise error

    def lowered(self) -> Program:
        """The model at the level its config asks for, as `harness.reduce` takes it."""
        self._load()
        if self.mode == "train":
            self._compute_golden()  # finds the parameters that get no gradient
        return self._lower()

    def call(self) -> Call:
        """The inputs as the model is called with them."""
        return self._call()

    def mismatches_of(self, outputs: Any) -> list[str]:
        """A sentence for each check that outputs, in the model's own structure, do not pass."""
        self._compute_golden()
        return mismatches(self._verify(outputs))

    # --- the flow ---------------------------------------------------------------------------

    def _test_model(self) -> Any:
        config = self.compiler_config
        name = executor_name(self.framework, config.compile_depth, config.chosen_backend)
        self._describe()
        if request.current is not None:
            from harness.reduce.session import search_now

            search_now(self, request.current)
        if config.compile_depth.op_by_op:
            self._op_by_op(name)
            return None
        target = device(self.device_name)
        if config.compile_depth.compiles:
            target.start()
        program = self._program()
        if not config.compile_depth.compiles:
            self.recorder.verdict = Outcome.REACHED
            return None
        target.open()  # a device that cannot be had is nobody's compile failure
        executor = self._make_executor(program, target)
        try:
            executor.compile()
            if config.compile_depth is not CompileDepth.EXECUTE or not target.open().executes:
                self.recorder.verdict = Outcome.REACHED
                return None
            return self._execute(executor)
        finally:
            executor.release()

    def _op_by_op(self, executor: str) -> None:
        """Every op alone. What fails is a finding in the record; the test itself passes."""
        from harness.op_by_op.executors import StablehloExecutor, TorchExecutor

        program = self._program()
        self.recorder.profiles_ops = self.compiler_config.profile_ops
        given = (
            self.compiler_config,
            device(self.device_name),
            self.recorder,
            self.device_tolerances,
        )
        if executor == "TorchExecutor":
            assert program.graph is not None and program.signature is not None
            arguments = program.signature.bind(program.flatten(self._call()))
            self.recorder.verdict = TorchExecutor(*given).run_gm_op_by_op(program.graph, arguments)
        else:
            walker = StablehloExecutor(*given)
            walker.add_program(program)
            self.recorder.verdict = walker.shlo_op_by_op()

    def _execute(self, executor: Executor) -> Any:
        args, kwargs = self._call()
        self._compute_golden()
        outputs = executor(*args, **kwargs)
        with self.recorder.stage(Stage.VERIFY) as stage:
            checks = self._verify(outputs, stage.attributes)
            self.recorder.outputs_checked(checks)
            stage.attributes["outputs"] = str(len(checks))
            if self.compiler_config.enable_intermediate_verification:
                found = self._intermediates(executor)
                stage.attributes["intermediates"] = found
                self._hints.append(found)
        self.mismatches = mismatches(checks)
        self.recorder.unraised += self.mismatches
        self.recorder.verdict = Outcome.INCORRECT if self.mismatches else Outcome.PASSED
        if self.mismatches:
            blobs = self.recorder.run.blobs
            self.recorder.failure = recording.failure_of(self._incorrect(), Stage.VERIFY, blobs)
            self._leave_reproducer()
        return outputs

    def _incorrect(self) -> IncorrectResultError:
        return IncorrectResultError("; ".join(self.mismatches[:5]))

    def _intermediates(self, executor: Executor) -> str:
        report = executor.intermediates or executor.run_intermediates(self._call())
        return report.render()

    def _program(self) -> Program:
        """Load and lower; or take what the same test did on another device of this process."""
        kept = reuse.take(self._reuse_key())
        if kept is not None:
            self._model, self._inputs, self.golden = kept.model, kept.inputs, kept.golden
            self._loaded = True
            self.recorder.reuse(kept.results, kept.source)
            return kept.program
        program = self.lowered()
        reuse.keep(
            reuse.Kept(
                key=self._reuse_key(),
                source=self.recorder.key,
                model=self._model,
                inputs=self._inputs,
                golden=self.golden,
                program=program,
                results=reuse.front_end_results(self.recorder.results),
            )
        )
        return program

    def _reuse_key(self) -> reuse.Key:
        owner = f"{type(self).__module__}.{type(self).__qualname__}"
        run = self.recorder.run.directory
        test = (self.recorder.identity.name, run, owner, self.model_name)
        return reuse.key_of(test, self.compiler_config)

    def _load(self) -> None:
        if self._loaded:
            return
        with self.recorder.stage(Stage.LOAD) as stage:
            torch.manual_seed(SEED)
            self._model = self._load_model()
            self._inputs = self._load_inputs()
            self._set_mode()
            self._loaded = True
            count = self._parameters()
            if count is not None:
                stage.attributes["parameters"] = str(count)

    def _set_mode(self) -> None:
        if not isinstance(self._model, torch.nn.Module):
            raise UsageError(
                f"_load_model of {type(self).__name__} returned a {type(self._model).__name__}, "
                "not a torch.nn.Module"
            )
        self._model.train(self.mode == "train")

    def _parameters(self) -> int | None:
        return parameter_count(self._model)

    def _call(self) -> Call:
        return call_of(self._inputs)

    def _lower(self) -> Program:
        if self.mode == "train":
            return lower_training(
                self._model, self._call(), self._loss, self.compiler_config, self.recorder
            )
        with torch.no_grad():
            return lower_torch(self._model, self._call(), self.compiler_config, self.recorder)

    def _make_executor(self, program: Program, target: Device) -> Executor:
        return Executor(program, self.compiler_config, target, self.recorder)

    def _compute_golden(self) -> None:
        if self.golden is not None:
            return
        with self.recorder.stage(Stage.GOLDEN):
            torch.manual_seed(SEED)
            self.golden = self._golden()
            reuse.add_golden(self._reuse_key(), self.golden)

    def _golden(self) -> Any:
        args, kwargs = self._call()
        if self.mode == "train":
            return training.eager_step(self._model, (args, kwargs), self._loss)
        with torch.no_grad():
            return self._model(*args, **kwargs)

    def _verify(
        self, outputs: Any, attributes: dict[str, str] | None = None
    ) -> tuple[OutputCheck, ...]:
        """Compare; how golden's own rounding was found, if it had to be, goes into `attributes`."""
        said = {} if attributes is None else attributes
        checks, asked = settled(
            lambda natural: self._compare(outputs, natural), lambda: self._natural(said)
        )
        if not asked:
            said["reference"] = "not needed"
        return checks

    def _compare(self, outputs: Any, natural: Natural | None) -> tuple[OutputCheck, ...]:
        golden, actual, tolerances = self.golden, outputs, self.device_tolerances
        if self.mode == "train":
            return compare_training(golden, actual, tolerances, training.GRADIENT, natural)
        golden, actual = self._extract_outputs(golden), self._extract_outputs(actual)
        if self.is_token_output:
            return compare_tokens(golden, actual, self._tokenizer(), tolerances)
        return compare(golden, actual, tolerances, natural=natural)

    def _natural(self, attributes: dict[str, str]) -> Natural | None:
        """Golden's own rounding; None where no reference can be had, and the record says why."""
        started = time.perf_counter()
        try:
            torch.manual_seed(SEED)
            reference, attributes["reference"] = self._reference()
            attributes["reference_s"] = f"{time.perf_counter() - started:.3f}"
            if self.mode == "train":
                return natural_errors(self.golden, reference)
            return natural_errors(
                self._extract_outputs(self.golden), self._extract_outputs(reference)
            )
        except Exception as error:  # whatever a model raises that is given other dtypes
            attributes["reference"] = f"none: {type(error).__name__}: {error}"[:500]
            return None

    def _reference(self) -> tuple[Any, str]:
        """The golden computed with less rounding, and how."""
        with Float64() as mode:
            outputs = self._golden()
        narrow = f", but for {', '.join(sorted(mode.narrow))}" if mode.narrow else ""
        return outputs, f"float64{narrow}"

    @property
    def device_tolerances(self) -> Tolerances:
        """What is required, in units of the device's arithmetic."""
        return dataclasses.replace(self.tolerances, arithmetic=kind_of(self.device_name).coarsest)

    def _tokenizer(self) -> Any:
        tokenizer = getattr(self, "tokenizer", None)
        if tokenizer is None:
            raise UsageError(
                f"{type(self).__name__} has token outputs and no self.tokenizer; "
                "set it in _load_model"
            )
        return tokenizer

    def _leave_reproducer(self) -> None:
        """Leave what `nox -s repro` needs of a failure, and remember how to call it."""
        if not self.compiler_config.compile_depth.op_by_op:
            from harness.reduce.session import leave

            command = leave(self)
            if command:
                self._hints.append(f"find what is to blame: {command}")

    def _give_hints(self, error: BaseException) -> None:
        """Have the error say, below its own words, what else is known and how to go on."""
        for hint in self._hints:
            error.add_note(hint)

    # --- records ----------------------------------------------------------------------------

    @property
    def device_name(self) -> str:
        """The device this test runs on."""
        return self._device_name or self.recorder.identity.device

    def _open_recorder(self) -> TestRecorder:
        current = recording.open_test()
        if current is not None and not current.ended:
            return current
        device_name = self._device_name or DEFAULT_DEVICE
        suffix = "_onnx" if self.framework == "onnx" else ""
        entry = f"{self.model_name}{suffix}[full-{self.mode}]"
        return TestRecorder(identity_of(entry, device_name), nodeid="")

    def _describe(self) -> None:
        self.recorder.describe(
            model_name=self.model_name,
            model_group=self.model_group,
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
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known)}"
    return f"{tester} has no option {name!r}: {hint}"
