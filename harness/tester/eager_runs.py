# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A model that Python steers while it runs: its graphs on the device, the rest as it is.

Three kinds of tests have one: those with `run_generate`, those that say themselves how the model is
run or compiled (`run_model`, `compile_model`), and bodies that call these. The names and what they
give are tt-torch's.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from bringup.harness.config import CompilerConfig
from bringup.harness.device_host.client import Device
from bringup.harness.device_host.shared import device
from bringup.harness.errors import IncorrectResultError, UsageError
from bringup.harness.frontend.call import call_of
from bringup.harness.frontend.lowering import Program
from bringup.harness.recording.failures import NOTHING_COMPARED, failure_of
from bringup.harness.recording.recorder import TesterRecorder
from bringup.harness.records.fold import model_status
from bringup.harness.records.schema import Outcome, OutputCheck, Stage
from bringup.harness.tester import reuse
from bringup.harness.tester.compiled_graphs import CompiledGraphs
from bringup.harness.tester.recorded_runs import RecordedRuns
from bringup.harness.tester.several_devices import parallelism, the_chip
from bringup.harness.verify import Tolerances, compare, mismatches
from bringup.harness.verify.natural import Natural, Passed

NO_GRAPH = "nothing of the model was compiled: the device computed nothing that was compared"


class EagerRuns(RecordedRuns):
    """A model of which only the graphs go to the device."""

    run_generate: bool
    devices: Sequence[Any] | None
    data_parallel_mode: bool
    tensor_parallel_mode: bool
    backend: str
    loader: Any
    record_tag_cache: dict[str, Any]
    """What goes to the JUnit file as `tags`, by tt-torch's names of it."""
    _graphs: CompiledGraphs | None = None

    # --- what tests use, and may say otherwise ------------------------------------------------

    def get_framework_model(self) -> Any:
        """The loaded model, in eval mode; a tester that says otherwise has what it gives tested.

        Raises:
            UsageError: `run_generate` of a model that does not generate.
        """
        model = self.framework_model
        if self.run_generate and not hasattr(model, "generate"):
            raise UsageError(f"{type(model).__name__} has no generate(), and run_generate is set")
        return model.eval() if hasattr(model, "eval") and self.mode == "eval" else model

    def run_model(self, model: Any, inputs: Any) -> Any:
        """Call a model, or its `generate`, with a tester's inputs."""
        args, kwargs = call_of(inputs)
        return (model.generate if self.run_generate else model)(*args, **kwargs)

    def get_golden_outputs(self, model: Any, inputs: Any) -> Any:
        """What the model gives on the CPU; computed once."""
        if self._golden_run is None:
            with torch.no_grad():
                return self.run_model(model, inputs)
        return self.golden

    def compile_model(
        self,
        model: Any,
        compiler_config: CompilerConfig | None = None,
        data_parallel_mode: bool = False,
        device_override: Any = None,
    ) -> Any:
        """The model with every graph of it on the device.

        By a test's body it may be called alone: then what each graph gives first is compared with
        eager PyTorch's, and `finalize` raises what is wrong.
        """
        if device_override is not None or data_parallel_mode:
            raise UsageError(
                "compile_model takes no device of its own: give the tester data_parallel_mode=True,"
                " or say --device"
            )
        graphs = self._graphs or self._graphs_for_body(compiler_config or self.compiler_config)
        if self.run_generate:
            model.forward = graphs.compile(model.forward)
            return model
        return graphs.compile(model)

    @staticmethod
    def print_outputs(
        results: Any, data_parallel_mode: bool, print_fn: Callable[[Any], None]
    ) -> None:
        """Print what each device gave.

        Raises:
            UsageError: data parallel results that are no list.
        """
        if not data_parallel_mode:
            print_fn(results)
            return
        if not isinstance(results, list):
            raise UsageError("print_outputs: data parallel results are a list, one for each device")
        for number, result in enumerate(results):
            print(f"Results for device {number}:")
            print_fn(result)

    @staticmethod
    def GenerateCustomTestReport(
        record_property: Callable[[str, object], None],
        model_name: str,
        compiler_config: CompilerConfig,
        test_pcc: Sequence[float | None],
        test_atol: Sequence[float | None],
        model_group: str = "generality",
        required_pcc: float = 0.99,
        required_atol: float | None = None,
        relative_atol: float | None = None,
        assert_pcc: bool = True,
        assert_atol: bool = True,
        data_parallel_mode: bool = False,
        automatic_parallelization: bool = False,
    ) -> None:
        """Put into the JUnit file what a test without a tester found."""
        pccs, atols = _numbers(test_pcc), _numbers(test_atol)
        right = bool(pccs) and all(pcc >= required_pcc for pcc in pccs)
        tags = _tags(pccs, atols) | {
            "model_name": model_name,
            "required_pcc": required_pcc,
            "required_atol": relative_atol if required_atol is None else required_atol,
            "is_asserting_pcc": assert_pcc,
            "is_asserting_atol": assert_atol,
            "parallelism": parallelism(data_parallel_mode, automatic_parallelization),
            "bringup_status": "PASSED" if right else "INCORRECT_RESULT",
        }
        record_property("model_name", model_name)
        record_property("group", str(model_group))
        config = json.dumps(compiler_config.to_dict(), default=str)
        record_property("config", config)
        record_property("tags", json.dumps(tags, default=str))

    # --- the flow -----------------------------------------------------------------------------

    @property
    def makes_model(self) -> bool:
        """Is `get_framework_model` one of the tester's own?"""
        return type(self).get_framework_model is not EagerRuns.get_framework_model

    @property
    def steered(self) -> bool:
        """Does Python steer this model, so that it is no one program?"""
        cls = type(self)
        said = (cls.run_model, cls.compile_model, cls.get_golden_outputs)
        return self.run_generate or said != (
            EagerRuns.run_model,
            EagerRuns.compile_model,
            EagerRuns.get_golden_outputs,
        )

    def _steered_run(self, target: Device) -> Any:
        """Run a steered model with its graphs on the device; what it gives, or the golden."""
        if self.mode == "train":
            raise UsageError(
                f"{self.model_name}: a model that Python steers (run_generate, run_model,"
                " compile_model) is tested in eval mode only"
            )
        several = self.data_parallel_mode or self.tensor_parallel_mode
        if self.compiler_config.mesh_devices > 1 or several:
            raise UsageError(
                f"{self.model_name}: a model that Python steers runs on one device; leave out"
                " data_parallel_mode, tensor_parallel_mode and automatic_parallelization"
            )
        before, kept = self._graphs_of_before(target), False
        with self.compiler_config.asked_for_flow() as asked:
            graphs = self._graphs = before or self._graphs_of_loaded(target)
            loaded = [*self.recorder.results]
            try:
                outputs = self._run_graphs(graphs)
                self._differs_by_flow |= asked()
                if before is None:
                    kept = self._keep(Program(), loaded, graphs)
                else:
                    kept = not self._differs_by_flow
            finally:
                self._graphs = None
                if not kept:
                    reuse.last_test().drop()
                    graphs.release()
        graphs.free()
        self._steered_verdict(graphs, outputs)
        return outputs if graphs.executes else self._golden_for_body()

    def _run_graphs(self, graphs: CompiledGraphs) -> Any:
        own = self._model.__dict__.get("forward") if hasattr(self._model, "__dict__") else None
        try:
            with (
                graphs.target.leased(self.recorder.uncounted),  # graphs live in its host
                graphs.running(),
                self._run(watched=False),
                torch.no_grad(),
            ):
                model = self._model if self.makes_model else self.get_framework_model()
                model = self.compile_model(model, graphs.config)
                return self.run_model(model, self._inputs)
        finally:
            if self.run_generate:  # an attribute that hides the class's own forward
                self._model.__dict__.pop("forward", None)
                if own is not None:
                    self._model.forward = own

    def _graphs_of_before(self, target: Device) -> CompiledGraphs | None:
        """What dynamo has traced of the model in another flow, or for another device.

        None of one that more than `generate` steers.
        """
        shared = self.run_generate and type(self).compile_model is EagerRuns.compile_model
        kept = self._from_before() if shared else None
        if kept is None or kept.graphs is None:
            return None
        kept.graphs.serve(*self._given_to_graphs(target))
        return kept.graphs

    def _graphs_of_loaded(self, target: Device) -> CompiledGraphs:
        self._load()
        self._begin_runs()
        return CompiledGraphs(*self._given_to_graphs(target))

    def _given_to_graphs(
        self, target: Device
    ) -> tuple[CompilerConfig, Device, Callable[[], TesterRecorder], Tolerances, int]:
        return (
            self._config_of_lowering(),
            target,
            self._share_for_graph,
            self.device_tolerances,
            the_chip(self.devices),
        )

    def _steered_verdict(self, graphs: CompiledGraphs, outputs: Any) -> None:
        if self.compiler_config.compile_depth.op_by_op:
            if not graphs.count:
                self.recorder.outcome = None
                self._note_unverified(NOTHING_COMPARED, NO_GRAPH)
            return
        if not graphs.executes:
            self.recorder.outcome = Outcome.REACHED
            if not graphs.count:
                self._note_unverified(NOTHING_COMPARED, NO_GRAPH)
            return
        self._compute_golden()
        with self.recorder.stage(Stage.VERIFY) as stage:
            checks = self._verify(outputs, {}, stage.attributes)
            self.recorder.outputs_checked(checks)
            stage.attributes["outputs"] = str(len(checks))
            stage.attributes["graphs"] = str(graphs.count)
        self._tag_checks(checks)
        self._judge(checks, "", None, "")

    def _share_for_graph(self) -> TesterRecorder:
        """Where a graph is recorded: op by op each has a share, as its ops are counted alone."""
        assert self._graphs is not None
        if self._graphs.config.compile_depth.op_by_op:
            self.recorder = self.recorder.test.share(self.model_name, self._device_name)
        return self.recorder

    def _graphs_for_body(self, config: CompilerConfig) -> CompiledGraphs:
        """A backend for a body that compiles the model itself."""
        self._load()
        target = device(self.device_name)
        graphs = CompiledGraphs(
            config,
            target,
            lambda: self.recorder,
            self.device_tolerances,
            the_chip(self.devices),
            self._graph_compared,
        )
        self.recorder.outcome = Outcome.REACHED
        return graphs

    def _graph_compared(self, golden: Any, actual: Any) -> None:
        checks = compare(golden, actual, self.device_tolerances)
        self.recorder.outputs_checked(checks)
        self._tag_checks(checks)
        found = mismatches(checks)
        self.mismatches += found
        if found:
            self.recorder.unraised += [f"the outputs were wrong: {m}" for m in found]
            self.recorder.outcome = Outcome.INCORRECT
            error = IncorrectResultError("; ".join(found[:5]))
            self.recorder.failure = failure_of(error, Stage.VERIFY, self.recorder.run.artifacts)
        elif self.recorder.outcome is Outcome.REACHED:
            self.recorder.outcome = Outcome.PASSED

    def _verify_mutated(
        self, mutated: Mapping[str, torch.Tensor], natural: Natural | None, passed: Passed
    ) -> tuple[OutputCheck, ...]:
        """Of a steered model nothing: what it writes to is Python's, on either side."""
        return () if self.steered else super()._verify_mutated(mutated, natural, passed)

    # --- tags ---------------------------------------------------------------------------------

    def _tag_checks(self, checks: Sequence[OutputCheck]) -> None:
        """Remember PCC and largest difference of every output for the JUnit file."""
        found: dict[str, list[float | None]] = {"pcc": [], "atol": []}
        for output in checks:
            by_metric = {check.metric: check.measured.value for check in output.checks}
            for metric, values in found.items():
                values.append(by_metric.get(metric))
        self.record_tag_cache |= {"pccs": found["pcc"], "atols": found["atol"]}
        self.record_tag_cache |= _tags(_numbers(found["pcc"]), _numbers(found["atol"]))

    def _report_tags(self) -> None:
        if self._record_property is None:
            return
        recorder = self.recorder
        outcome = recorder.outcome or Outcome.UNVERIFIED
        status = model_status(outcome, recorder.status, recorder.failure)
        self.record_tag_cache["bringup_status"] = status.value
        self._record_property("tags", json.dumps(self.record_tag_cache, default=str))


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if isinstance(value, int | float)]


def _tags(pccs: Sequence[float], atols: Sequence[float]) -> dict[str, Any]:
    """Smallest PCC and largest difference; NaN where one is, since `min` would hide it."""
    worst_pcc = next((p for p in pccs if p != p), min(pccs, default=None))
    worst_atol = next((a for a in atols if a != a), max(atols, default=None))
    return {"pcc": worst_pcc, "atol": worst_atol}
