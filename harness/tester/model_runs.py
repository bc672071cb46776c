# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A tester's model: loaded once, then run and lowered on the values it was loaded with.

Nothing here knows of verdicts. A golden is run twice, the second time with whatever random numbers
come next: a model that differs from itself cannot be compared with anything.
"""

import contextlib
import copy
import dataclasses
import enum
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import msgspec
import torch

from bringup.harness.config import CompilerConfig
from bringup.harness.errors import UsageError
from bringup.harness.frontend.call import Call, refuse_inputs
from bringup.harness.frontend.callable_model import as_module, set_mode
from bringup.harness.frontend.eager import compiled_parts_in_eager, keep_all_branches
from bringup.harness.frontend.export_cache import Loading, StaleExportError, key_of_model
from bringup.harness.frontend.exported_digest import UnwrittenError
from bringup.harness.frontend.lowering import Program, lower_on
from bringup.harness.frontend.model_digest import digest_of_model
from bringup.harness.frontend.torch_program import parameter_count
from bringup.harness.recording.recorder import StageScope, TesterRecorder
from bringup.harness.records.schema import Stage, StageResult, Status
from bringup.harness.state import settings
from bringup.harness.state.fingerprint import fingerprint
from bringup.harness.state.loaded import Loaded, Run
from bringup.harness.state.surroundings import of_any_process, of_process, variables_of
from bringup.harness.tester import reuse
from bringup.harness.tester.cached_checks import SeenGolden
from bringup.harness.tester.compiled_graphs import CompiledGraphs
from bringup.harness.tester.golden import Golden, difference
from bringup.harness.verify.structure import map_tensors

SEED = 0


class _Progress(enum.Enum):
    """How far a tester is with its model."""

    NEW = enum.auto()
    LOADING = enum.auto()
    LOADED = enum.auto()
    """And nothing was run yet: whoever asked for it may have changed it."""
    RUN = enum.auto()


class ModelRuns:
    """A model, its inputs, and what becomes of them; the base of every tester."""

    recorder: TesterRecorder
    _given: tuple[tuple[Any, ...], dict[str, Any]]
    """What it was made with."""

    loader: Any = None
    """Gives model and inputs to a tester that does not load them itself."""
    variant: str = ""
    """Which of a test's variants this is, for `_load_model` to read; `model_test` sets it."""
    dtype: torch.dtype | None = None
    """What the loaded model and its floating inputs are brought to; None: as they are."""
    _device_name: str | None
    """The device that a tester was made for; None for the one the run selected."""

    def __init__(self, model_name: str, mode: str, compiler_config: CompilerConfig) -> None:
        self._base = frozenset(vars(self))  # what a subclass set before: not ours
        self.model_name = model_name
        self.mode = mode
        self.compiler_config = compiler_config
        self._model: Any = None
        self._inputs: Any = None
        self._inputs_set = self._model_set = False  # before anything was loaded?
        self._made_of: Any = None  # what `_model` was made of, where a tester says how
        self._progress = _Progress.NEW
        self._as_loaded: Loaded | None = None
        self._golden_run: Golden | None = None
        self._key: reuse.Key | None = None
        self._graph_alone: Program | None = None  # of a lowering that is under way, or failed
        self._differs_by_device = False  # did loading ask for the device?
        self._differs_by_flow = False
        self._made_from: tuple[object, ...] = ()  # which tester of which test, on any night
        self._taken: Program | None = None  # the program of the run
        self._export_key = ""  # of the loaded model; empty where nobody knows it
        self._asked: Callable[[], bool] = lambda: False  # has the model asked which flow this is?
        self._golden_notes: dict[str, str] = {}  # for the record of the GOLDEN stage
        self._extracted = False  # does the program give what `_extract_outputs` gives?
        self._uncompared: Sequence[
            str
        ] = ()  # what the program does not give of what forward leaves

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Remember what a tester is made of, a subclass's own arguments included."""
        made = super().__new__(cls)
        made._given = (args, kwargs)
        return made

    def _load_model(self) -> Any:
        """Return the model to test; by default that of the loader, if there is one."""
        if self.loader is not None:
            return self.loader.load_model()
        raise NotImplementedError(f"{type(self).__name__} must define _load_model")

    def _load_inputs(self) -> Any:
        """Return the inputs: a mapping (keyword arguments), a sequence, or one tensor.

        By default those of the loader, if there is one.
        """
        if self.loader is not None:
            return self.loader.load_inputs()
        raise NotImplementedError(f"{type(self).__name__} must define _load_inputs")

    @property
    def makes_model(self) -> bool:
        """Does the tester say itself, by `get_framework_model`, what of the loaded model runs?"""
        return False

    def get_framework_model(self) -> Any:
        """Return the model to run."""
        raise NotImplementedError

    def set_inputs_train(self, inputs: Any) -> Any:
        """Return the inputs to train with."""
        raise NotImplementedError

    def _lower(self) -> Program:
        """The model at the level its config asks for."""
        raise NotImplementedError

    def _config_of_lowering(self) -> CompilerConfig:
        """A copy: who asks the tester's which flow this is, while it is lowered, is the model."""
        return copy.copy(self.compiler_config)

    def _call(self) -> Call:
        """The inputs as the model is called with them."""
        raise NotImplementedError

    def _golden(self) -> Any:
        """The model's outputs on `self._inputs`, which are a copy of its own for this run."""
        raise NotImplementedError

    @property
    def framework_model(self) -> Any:
        """The loaded model; whoever sets another before it was loaded gives the model to test."""
        self._load()
        return self._model if self._made_of is None else self._made_of

    @framework_model.setter
    def framework_model(self, model: Any) -> None:
        self._model, self._made_of = model, None
        self._model_set |= self._progress is _Progress.NEW and model is not None

    @property
    def inputs(self) -> Any:
        """The loaded inputs."""
        self._load()
        return self._inputs

    @inputs.setter
    def inputs(self, inputs: Any) -> None:
        self._inputs = inputs
        self._inputs_set |= self._progress is _Progress.NEW and inputs is not None

    @property
    def golden(self) -> Any:
        """The golden's outputs, once they were computed."""
        return self._golden_run.outputs if self._golden_run is not None else None

    @property
    def device_name(self) -> str:
        """The device this test runs on."""
        self._differs_by_device |= self._progress is _Progress.LOADING
        return self._device_name or self.recorder.identity.device

    def lowered(self) -> Program:
        """The model at the level its config asks for, as `bringup.harness.reduce` takes it."""
        with self.compiler_config.asked_for_flow() as asked:
            self._asked = asked
            self._load()
            self._begin_runs()
            if self.mode == "train":
                self._compute_golden(twice=False)  # finds the parameters that get no gradient
            try:
                with self._run(watched=False):
                    program = self._lower()
            finally:
                self._differs_by_flow |= asked()
        self._extracted, self._uncompared = program.extracted, program.uncompared
        return program

    def _program(self) -> Program:
        """Load and lower; or take what the same test did in this process, on another device or in
        another flow."""
        config = self.compiler_config
        kept = self._from_before()
        if kept is not None:
            known = {result.stage for result, _ in kept.results}
            lower_on(kept.program, config, self.recorder, known)
            reuse.last_test().add_results(self._key, self.recorder.results)
            self._taken = kept.program
            return kept.program
        self._graph_alone = None
        try:
            program = self._graph_alone = self.lowered()
        finally:  # what a compiler refuses has a graph all the same
            if self._graph_alone is not None:
                self._taken = self._graph_alone
                self._keep(self._graph_alone, self.recorder.results)
        return program

    def _from_before(self) -> reuse.Kept | None:
        """What the same test did in this process, with the model that it loaded."""
        set_by_hand = self._inputs_set or self._model_set
        as_made = self._progress is _Progress.NEW and not set_by_hand
        self._key = self._reuse_key() if as_made and not self.makes_model else None
        config = self.compiler_config
        kept = reuse.last_test().take(self._key, config)
        if kept is not None:
            self._model, self._golden_run, self._as_loaded = kept.model, kept.golden, kept.loaded
            self._inputs = kept.loaded.inputs
            self._progress, self._extracted = _Progress.RUN, kept.program.extracted
            self._uncompared, self._export_key = kept.program.uncompared, kept.export_key
            self.recorder.reuse(kept.results_for(config), kept.source)
        return kept

    def _confirm_export(self) -> None:
        """Before something bad is said: is an earlier night's export, if it was taken, the model's?

        Raises:
            StaleExportError: it is not.
        """
        if self._taken is not None:
            self._taken.confirm()

    def _export_anew(self, error: StaleExportError) -> None:
        """Have the next flow export the model, whatever this one took."""
        reuse.last_test().drop()
        self._taken, self._export_key = None, ""
        self.recorder.outcome = self.recorder.failure = None
        self.recorder.warn(str(error))

    def _has_graph(self, program: Program) -> None:
        """Remember a program whose lowering may fail yet."""
        self._graph_alone = program

    def _keep(
        self,
        program: Program,
        results: list[tuple[StageResult, Status]],
        graphs: CompiledGraphs | None = None,
    ) -> bool:
        """Have the test's other flows and devices find a program, and these stages, or what dynamo
        traced.

        Returns:
            Whether they can share it.
        """
        if self._key is None or self._differs_by_device:
            return False
        assert self._as_loaded is not None
        reuse.last_test().keep(
            reuse.Kept(
                key=self._key,
                source=self.recorder.key,
                model=self._model,
                loaded=self._as_loaded,
                golden=self._golden_run,
                program=program,
                export_key=self._export_key,
                results=reuse.front_end_results(results),
                flow=reuse.flow_of(self.compiler_config) if self._differs_by_flow else None,
                graphs=graphs,
            )
        )
        return True

    def _reuse_key(self) -> reuse.Key | None:
        """Which place of which test this is, and what decides what it loads; None: nobody knows."""
        arguments = reuse.loading_arguments(type(self), *self._given)
        ours = next(c for c in type(self).__mro__ if c.__module__.startswith("bringup."))
        values = {**arguments, **self._own_attributes(), "": variables_of(type(self), ours)}
        config = self.compiler_config
        made_of = fingerprint(values, type(self), ours)
        set_by = fingerprint(reuse.own_settings(config), type(config), CompilerConfig)
        if made_of is None or set_by is None:
            return None
        recorder = self.recorder
        place = recorder.testers.index(recorder)
        file = recorder.nodeid.partition("[")[0]
        of_all_flows = msgspec.structs.replace(recorder.identity, flow="").name
        test = (of_all_flows, file, recorder.run.directory, place)
        self._made_from = (of_all_flows, file, place, self.model_name, made_of, set_by)
        made_in = (made_of, set_by, of_process())
        return reuse.key_of((*test, self.mode, self.model_name, *made_in), config)

    def _loading(self) -> Loading | None:
        """What an export of the loaded model depends on; None where nobody can tell all of it."""
        if self._key is None or self._differs_by_device:
            return None
        try:
            beside = self._own_attributes() if self.mode == "train" else {}  # what a loss reads
            model = digest_of_model(self._model, self._call(), beside)
        except UnwrittenError:
            return None
        about = (self._made_from, self.mode, of_any_process())
        key = key_of_model(model, about, self.compiler_config)
        if not key:
            return None
        self._export_key = key
        return Loading(key, lambda: self._run(watched=False), self._eager_result, self._asked)

    def _eager_result(self) -> Any:
        self._compute_golden(twice=False)
        return self.golden

    def _own_attributes(self) -> dict[str, Any]:
        """What a subclass or a test keeps in a tester."""
        return {name: value for name, value in vars(self).items() if name not in self._base}

    def _load(self) -> None:
        if self._progress is not _Progress.NEW:
            return
        with self.recorder.stage(Stage.LOAD) as stage:
            torch.manual_seed(SEED)
            self._progress = _Progress.LOADING
            try:
                self._model = self._model if self._model_set else self._load_model()
                inputs = self._load_inputs()
                if not self._inputs_set and inputs is not None:
                    self._inputs = inputs  # else what loading itself has set
                self._bring_to_dtype()
                if self.makes_model:
                    self._made_of = self._model
                    self._model = self.get_framework_model()
                self._set_mode(stage)
            except BaseException:
                self._progress = _Progress.NEW
                raise
            self._progress = _Progress.LOADED
            count = self._parameters()
            if count is not None:
                stage.attributes["parameters"] = str(count)

    def _bring_to_dtype(self) -> None:
        """Model and floating inputs as the test asks for them; integers and bools stay."""
        if self.dtype is None:
            return
        self._model = self._model.to(self.dtype)

        def cast(path: str, tensor: torch.Tensor) -> torch.Tensor:
            return tensor.to(self.dtype) if tensor.is_floating_point() else tensor

        self._inputs = map_tensors(self._inputs, cast, whole=True)

    def _begin_runs(self) -> None:
        """What model and inputs are now is what every run of this flow gets."""
        self._progress = _Progress.RUN
        self._golden_run = None
        if self.mode == "train":
            self._inputs = self._given_back(self.set_inputs_train(self._inputs))
        self._accept_inputs()
        beside = self._own_attributes().values()
        self._as_loaded = Loaded(self._model, self._inputs, beside, apart=(self,))

    @contextlib.contextmanager
    def _run(self, *, watched: bool = True) -> Iterator[Run]:
        """Within it the inputs are a copy, and afterwards the model is as it was before.

        So is what `forward` sets for the whole process; random numbers go on.
        """
        assert self._as_loaded is not None
        given = self._inputs
        with settings.restored(but=settings.RANDOM), self._as_loaded.run(watched=watched) as run:
            self._inputs = run.inputs
            try:
                yield run
            finally:
                self._inputs = given

    def _set_mode(self, stage: StageScope) -> None:
        self._model = as_module(self._model, type(self).__name__)
        if not set_mode(self._model, training=self.mode == "train"):
            stage.attributes["mode"] = "as it was exported"
        self._accept_inputs()
        kept = keep_all_branches(self._model) if self.mode == "train" else 0
        if kept:
            stage.attributes["dropout"] = f"off in {kept} modules that leave out branches"

    def _given_back(self, inputs: Any) -> Any:
        if inputs is None and self._inputs is not None:
            raise UsageError(
                f"set_inputs_train of {type(self).__name__} returns nothing: return the inputs"
            )
        return inputs

    def _accept_inputs(self) -> None:
        """Refuse, or name, what the inputs are that a test gives."""
        refuse_inputs(self._model, self._inputs)

    def _parameters(self) -> int | None:
        return parameter_count(self._model)

    def _compute_golden(self, *, twice: bool = True) -> None:
        """Run the model on the CPU; `twice`, to see whether it gives the same again."""
        golden = self._golden_run
        if golden is not None and (golden.difference is not None or not twice):
            return
        with self.recorder.stage(Stage.GOLDEN) as stage:
            if golden is None:
                torch.manual_seed(SEED)
                golden = self._run_golden()
            if twice:
                golden = dataclasses.replace(golden, difference=self._difference_of(golden))
            stage.attributes.update(self._golden_notes)
            self._golden_run = golden
            reuse.last_test().add_golden(self._key, golden)

    def _difference_of(self, golden: Golden) -> str:
        """How a second run differs: one on the same values, with whatever random numbers come next.

        One of an earlier night is one, where that gave the same bit for bit.
        """
        seen = SeenGolden(self._export_key, self.recorder, golden)
        run = seen.run()
        if run:
            self._golden_notes["second run"] = f"of {run}"
            return ""
        found = difference(golden, self._run_golden())
        if not found:
            seen.keep()
        return found

    def _run_golden(self) -> Golden:
        generators = settings.random_states()
        with self._run() as run, compiled_parts_in_eager():
            outputs = run.outliving(self._golden())
        return Golden(outputs, run.mutated, draws=settings.random_states() != generators)
