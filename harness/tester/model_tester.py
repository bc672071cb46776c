# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ModelTester: load, golden, lower, compile, run, verify, record; raise only at the end.

Subclasses give `_load_model` and `_load_inputs`. `test_model()` runs the flow down to the depth
the config asks for and returns what the model would return; `finalize()` raises a mismatch, after
the record of it is safe on disk.
"""

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import torch

from bringup.harness.builds.opened_before import opened_before
from bringup.harness.config import BACKENDS, CompileDepth, CompilerConfig
from bringup.harness.device_host.client import Device
from bringup.harness.device_host.shared import device
from bringup.harness.devices.lease import capacity
from bringup.harness.devices.wire import Placed
from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.executor import Executor
from bringup.harness.frontend import training
from bringup.harness.frontend.call import Call
from bringup.harness.frontend.eager import without_fast_paths
from bringup.harness.frontend.export_cache import StaleExportError
from bringup.harness.frontend.lowering import Program, lower_torch, lower_training
from bringup.harness.predict.question import asked
from bringup.harness.recording.failures import (
    NOTHING_COMPARED,
    failure_of,
    outcome_of,
)
from bringup.harness.records.naming import MODES
from bringup.harness.records.schema import Outcome, Stage
from bringup.harness.reduce.request import SearchDone, requested
from bringup.harness.state import settings
from bringup.harness.state.copies import copied
from bringup.harness.storage.writable import said_by
from bringup.harness.tester import reuse
from bringup.harness.tester.eager_runs import EagerRuns
from bringup.harness.tester.op_walk import walk_ops
from bringup.harness.tester.routing import executor_name
from bringup.harness.tester.several_devices import (
    TensorParallel,
    chips_of,
    hold_to_devices,
    mesh_of,
    parallelism,
    the_chip,
)
from bringup.harness.tester.shards import shards_of
from bringup.harness.verify import Tolerances, mismatches, nothing_finite


class ModelTester(EagerRuns, TensorParallel):
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
        loader: gives model and inputs by `load_model()` and `load_inputs()`, where the subclass
            does not say otherwise.
        model_info: of such a loader; its name and group are the tester's.
        run_generate: call `generate` of the model, with every graph of it on the device.
        model_name_suffix: ends the name on record.
        data_parallel_mode: the program on every device there is, or on `devices`, each checked;
            `test_model` returns a list then.
        tensor_parallel_mode: one program over every chip there is, weights divided as
            `load_shard_spec` says over the mesh of `get_mesh_config`.
        backend: tt-torch's word for its way to compile; recorded, and there is one way here.
        forge_models_test: recorded, in the tags of the JUnit file.
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
        loader: Any = None,
        model_info: Any = None,
        run_generate: bool = False,
        model_name_suffix: str = "",
        devices: Sequence[Any] | None = None,
        data_parallel_mode: bool = False,
        tensor_parallel_mode: bool | None = None,
        backend: str = BACKENDS[0],
        forge_models_test: bool = False,
        **unknown: object,
    ) -> None:
        if unknown:
            raise UsageError(_unknown_option(next(iter(unknown)), type(self).__name__))
        if mode not in MODES:
            raise UsageError(f"mode {mode!r} of {model_name}: expected eval or train")
        if backend not in BACKENDS:
            raise UsageError(f"backend {backend!r} of {model_name}: one of {', '.join(BACKENDS)}")
        if model_info is not None:
            model_name, model_group = model_info.name, model_info.group
        name = f"{model_name}{model_name_suffix}"
        super().__init__(name, mode, compiler_config or CompilerConfig())
        self.model_group = str(getattr(model_group, "value", model_group))
        self.loader = self.loader if loader is None else loader
        self.model_info = model_info
        self.run_generate, self.backend = run_generate, backend
        self.devices, self.data_parallel_mode = devices, data_parallel_mode
        if tensor_parallel_mode is not None:
            self.tensor_parallel_mode = tensor_parallel_mode
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
        self.record_tag_cache = {
            "model_name": name,
            "backend": backend,
            "required_pcc": required_pcc,
            "required_atol": relative_atol if required_atol is None else required_atol,
            "is_asserting_pcc": assert_pcc,
            "is_asserting_atol": assert_atol,
            "forge_models_test": forge_models_test,
        }
        self.mismatches, self._unverified = [], ""
        self._hints: list[str] = []
        self._record_property = record_property_handle
        self._device_name = device
        self.recorder = self._open_recorder()
        self._recorders = [self.recorder]
        alone = not self.recorder.nodeid  # no pytest puts back what the model sets
        self._settings = settings.read() if alone else None
        self._base = frozenset(vars(self)) - self._base | {"_given"}

    # --- what tests use ---------------------------------------------------------------------

    def test_model(self, on_device: bool = True, assert_eval_token_mismatch: bool = True) -> Any:
        """Run the flow; returns the device's outputs in the model's own structure.

        `on_device=False` runs the model on the CPU alone, which says nothing of a device;
        `assert_eval_token_mismatch=False` has the text of token outputs recorded and not asserted.

        In train mode that is a mapping with `loss` and a `grad.NAME` per parameter. Where the model
        was not executed as a whole (op by op, a depth above EXECUTE, a device that only compiles
        here) it returns the golden's outputs; None only where the model itself raises on the CPU.

        A run after the first, with other inputs perhaps, is recorded beside it.

        Raises:
            UsageError: depth and backend do not go together.
            HarnessError, and whatever the model raises: after it was recorded.
        """
        self._begin_record()
        asserted = self.tolerances
        if not assert_eval_token_mismatch:
            self.tolerances = dataclasses.replace(asserted, assert_tokens=False)
        try:
            return self._test_model() if on_device else self._on_cpu()
        except (Exception, KeyboardInterrupt) as error:
            self.recorder.outcome = outcome_of(error)
            if self._draws_what_failed(error):
                return self._golden_for_body()
            if self.recorder.failure is None:
                self.recorder.failure = failure_of(error, None, self.recorder.run.artifacts)
            if not isinstance(error, SearchDone):
                self._leave_reproducer()
            self._give_hints(error)
            raise
        finally:
            self.tolerances = asserted
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
        self._report_tags()
        error = self._bad_news()
        if error is not None:
            self._give_hints(error)
            raise error

    def call(self) -> Call:
        """The inputs as the model is called with them."""
        return self._call()

    # --- the flow ---------------------------------------------------------------------------

    def _test_model(self) -> Any:
        """Run the flow; anew where it ends badly with an export that is none of this model."""
        try:
            try:
                return self._flow()
            except StaleExportError:
                raise
            except Exception:
                self._confirm_export()
                raise
        except StaleExportError as error:
            self._export_anew(error)
        return self._flow()

    def _flow(self) -> Any:
        config = self.compiler_config
        name = executor_name(self.framework, config.compile_depth, config.chosen_backend)
        self._describe()
        request = requested()
        if request is not None:
            from bringup.harness.reduce.model_search import search_now

            search_now(self, request)
        question = asked()
        if question is not None:
            from bringup.harness.predict.answer import answer_now

            answer_now(self, question)
        target = device(self.device_name)
        self.record_tag_cache["parallelism"] = parallelism(
            self.data_parallel_mode, config.automatic_parallelization, self.tensor_parallel_mode
        )
        hold_to_devices(
            config,
            self.devices,
            self.data_parallel_mode,
            target,
            self.recorder,
            tensor_parallel=self.tensor_parallel_mode,
        )
        if self.steered:
            return self._steered_run(target)
        if config.compile_depth.op_by_op:
            self._op_by_op(name)
            return self._golden_for_body()
        if config.compile_depth.compiles and not opened_before(target.name, self.recorder):
            target.start()
        program = self._program()
        if not config.compile_depth.compiles:
            self.recorder.outcome = Outcome.REACHED
            return self._golden_for_body()
        if config.compile_depth is CompileDepth.EXECUTE and capacity(target.name):
            self._compute_golden()  # others have the board meanwhile
        with ExitStack() as held:  # of the board, which verification does not need
            held.enter_context(target.leased(self.recorder.uncounted))
            if self.data_parallel_mode:
                target.open()
                return self._on_every_chip(program, target)
            executor = self._make_executor(program, target)
            if self.tensor_parallel_mode:
                assert program.signature is not None
                mesh, spec = mesh_of(self, target), self.load_shard_spec(self._model)
                shards = shards_of(program.signature, self._model, mesh, spec)
                executor.placed = executor.over(mesh, shards)
            elif config.mesh_devices > 1:
                executor.placed = executor.over((("batch", config.mesh_devices),))
            elif chip := the_chip(self.devices):
                executor.placed = Placed((chip,))
            if not executor.finds_compiled():
                target.open()  # a device that cannot be had is nobody's compile failure
            return self._on_device(executor, target, held.close)

    def _on_device(
        self, executor: Executor, target: Device, give_back: Callable[[], None] = lambda: None
    ) -> Any:
        try:
            executor.compile()
            executes = (
                self.compiler_config.compile_depth is CompileDepth.EXECUTE and executor.executes()
            )
            if not executes:
                give_back()
                self.recorder.outcome = Outcome.REACHED
                return self._golden_for_body()
            return self._execute(executor, give_back)
        finally:
            executor.release()

    def _on_every_chip(self, program: Program, target: Device) -> list[Any]:
        """The program on one chip after another, each with a record of what it gave there."""
        outputs = []
        for number, chip in enumerate(chips_of(self.devices, target)):
            if number:
                self.recorder = self.recorder.test.share(self.model_name, self._device_name)
                self._recorders.append(self.recorder)
                self._describe()
            executor = self._make_executor(program, target)
            executor.placed = Placed((chip,)) if chip else None
            outputs.append(self._on_device(executor, target))
        return outputs

    def _on_cpu(self) -> Any:
        self._describe()
        self._load()
        self._begin_runs()
        self._note_unverified(NOTHING_COMPARED, "the test asked for no device: on_device=False")
        return self._golden_for_body()

    def _op_by_op(self, executor: str) -> None:
        """Every op alone. What fails is a finding in the record; the test itself passes."""
        program = self._program()
        self.recorder.profiles_ops = self.compiler_config.profile_ops
        target, tolerances = device(self.device_name), self.device_tolerances
        given = (self.compiler_config, target, self.recorder, tolerances)
        self.recorder.outcome, walked = walk_ops(executor, program, self._call(), given)
        reuse.last_test().add_results(self._key, self.recorder.results)
        if not walked and self.recorder.outcome is Outcome.PASSED:
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

    def _execute(self, executor: Executor, give_back: Callable[[], None]) -> Any:
        self._compute_golden()
        with self._run(watched=False):
            args, kwargs = self._call()
            outputs = executor(*args, **kwargs)
        give_back()
        with self.recorder.stage(Stage.VERIFY) as stage:
            checks = self._verify(outputs, executor.mutated, stage.attributes)
            self.recorder.outputs_checked(checks)
            self._tag_checks(checks)
            stage.attributes["outputs"] = str(len(checks))
            if self.compiler_config.enable_intermediate_verification:
                taken = executor.intermediates or executor.run_intermediates(self._call())
                found = taken.render()
                stage.attributes["intermediates"] = found
                self._hints.append(found)
            nothing = self._nothing_compared(outputs, executor) or nothing_finite(checks)
            lost = self._lost_at_export(executor, outputs, stage) if mismatches(checks) else ""
        self._judge(checks, nothing, executor.program.random, lost)
        return self._results_of_step(outputs) if self.mode == "train" else outputs

    def _lower(self) -> Program:
        if self.mode == "train":
            training.freeze(self._model, self.golden)
            return lower_training(
                self._model,
                self._call(),
                self._loss,
                self._config_of_lowering(),
                self.recorder,
                self._has_graph,
                self._loading(),
            )
        with torch.no_grad():
            return lower_torch(
                self._model,
                self._call(),
                self._config_of_lowering(),
                self.recorder,
                self._extract_outputs,
                self._has_graph,
                self._loading(),
            )

    def _make_executor(self, program: Program, target: Device) -> Executor:
        return Executor(program, self.compiler_config, target, self.recorder)

    def _golden(self) -> Any:
        if self.steered:
            with torch.no_grad():
                return self.run_model(self._model, self._inputs)
        if self.mode == "train":
            return self._golden_step()
        args, kwargs = self._call()
        with torch.no_grad(), without_fast_paths():
            return self._model(*args, **kwargs)

    def _leave_reproducer(self) -> None:
        """Leave what `nox -s repro` needs of a failure, and remember how to call it."""
        if not self.compiler_config.compile_depth.op_by_op:
            from bringup.harness.reduce.model_search import leave

            command = leave(self)
            if command:
                self._hints.append(f"find what is to blame: {command}")


def _unknown_option(name: str, tester: str) -> str:
    known = [p for p in inspect.signature(ModelTester).parameters if p != "unknown"]
    meant = hint(name, known) or f"; it takes {', '.join(known)}"
    return f"{tester} has no option {name!r}{meant}"
