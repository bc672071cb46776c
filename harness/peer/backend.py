# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`torch.compile(model, backend="tt-legacy", options=BackendOptions())` in a test's body.

Every graph of the model goes to the device, and what it gives first is compared with what eager
PyTorch gives: that is the outcome, and a body that compares nothing is judged as well. Each call of
`torch.compile` has a share of the test's record.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from bringup.harness.config import BACKENDS, CompilerConfig
from bringup.harness.device_host.shared import device
from bringup.harness.devices.catalog import kind_of
from bringup.harness.errors import IncorrectResultError, UsageError
from bringup.harness.peer.device_manager import MeshDevice, selected_device
from bringup.harness.recording.current_test import open_test
from bringup.harness.recording.failures import failure_of
from bringup.harness.recording.recorder import TesterRecorder
from bringup.harness.records.schema import Outcome, Stage
from bringup.harness.session import current
from bringup.harness.tester.compiled_graphs import CompiledGraphs, every_graph
from bringup.harness.tester.cut_graphs import CutGraphs, device_numbers
from bringup.harness.tester.model_runs import SEED
from bringup.harness.tester.several_devices import chips_of
from bringup.harness.verify import Tolerances, compare, mismatches

_PEERS = tuple(name for name in BACKENDS if name != "bringup")


class BackendOptions:
    """What `torch.compile` is told of the device."""

    def __init__(
        self,
        compiler_config: CompilerConfig | None = None,
        devices: Sequence[MeshDevice | None] = (None,),
        async_mode: bool = False,
        buffer_cache: Mapping[Any, Any] | None = None,
        constant_cache: Mapping[Any, Any] | None = None,
    ) -> None:
        self.compiler_config = compiler_config or CompilerConfig()
        self.devices = devices
        self.async_mode = async_mode
        self.buffer_cache = buffer_cache or {}
        self.constant_cache = constant_cache or {}

    def clear_caches(self) -> None:
        """Nothing: what is on the device goes with the test."""

    def check(self) -> None:
        """Hold it to what is done here.

        Raises:
            UsageError: several devices are named without a map, or graphs are to run behind the
                body's back.
        """
        if len(self.devices) > 1 and not self.compiler_config.device_map:
            raise UsageError(
                f"BackendOptions.devices has {len(self.devices)}, and nothing says what runs where:"
                " CompilerConfig.device_map does, by module; mesh_shape with"
                " automatic_parallelization splits the batch"
            )
        if self.async_mode:
            raise UsageError(
                "BackendOptions.async_mode: calls give what they compute; say"
                " ModelTester(data_parallel_mode=True) to run on every device"
            )


class _Compiled:
    """The shares and programs of a test that calls `torch.compile` itself."""

    def __init__(self) -> None:
        self.graphs: dict[int, tuple[CompiledGraphs | CutGraphs, TesterRecorder]] = {}
        self._limits: contextlib.ExitStack | None = None

    def begin(self) -> None:
        """Have dynamo hand over every graph until `close`."""
        if self._limits is None:
            self._limits = contextlib.ExitStack()
            self._limits.enter_context(every_graph())

    def close(self) -> None:
        """Free what is on the device, and have dynamo forget: what it keeps is this test's, and
        would be called in the next one instead of a backend."""
        for graphs, share in self.graphs.values():
            if isinstance(graphs, CutGraphs) and graphs.unused:
                names = ", ".join(sorted(graphs.unused))
                share.warn(f"device_map: nothing was compiled of {names}")
            graphs.release()
        self.graphs.clear()
        if self._limits is not None:
            self._limits.close()
            self._limits = None


def backend(
    module: torch.fx.GraphModule, examples: Sequence[Any], options: Any = None, **rest: Any
) -> Callable[..., Any]:
    """A backend of dynamo, under tt-torch's names.

    What the options ask for and is not done here is refused when the graph is called: what is
    raised while dynamo compiles comes out as an error of the compiler.
    """
    given = options if isinstance(options, BackendOptions) else BackendOptions(**(options or {}))
    recorder = open_test()
    try:
        given.check()
        if recorder is None:
            raise UsageError('torch.compile(backend="tt") belongs into a test that pytest runs')
    except UsageError as error:
        return _refusing(error)
    compiled = current().get(_Compiled)
    compiled.begin()
    held, key = compiled.graphs, hash((id(options), recorder.key, id(recorder)))
    try:
        if key not in held:
            share = recorder.share("torch.compile")
            held[key] = _graphs_of(given, share), share
        return held[key][0](module, examples)
    except UsageError as error:  # of its device_map
        return _refusing(error)


def _refusing(error: UsageError) -> Callable[..., Any]:
    @torch._dynamo.disable  # type: ignore[untyped-decorator]
    def refuse(*args: Any) -> Any:
        raise error

    refused: Callable[..., Any] = refuse
    return refused


def _graphs_of(options: BackendOptions, share: TesterRecorder) -> CompiledGraphs | CutGraphs:
    config, name = options.compiler_config, selected_device()
    tolerances = Tolerances(arithmetic=kind_of(name).coarsest)
    share.describe(
        model_name="torch.compile",
        model_group="generality",
        mode="eval",
        depth=config.compile_depth.name,
        parameters=None,
        seed=SEED,
        assertions=tolerances.spelled(),
        notes=(),
    )
    share.outcome = Outcome.REACHED

    def compared(golden: Any, actual: Any) -> None:
        checks = compare(golden, actual, tolerances)
        share.outputs_checked(checks)
        wrong = mismatches(checks)
        if wrong:
            error = IncorrectResultError("; ".join(wrong[:5]))
            share.outcome, share.unraised = Outcome.INCORRECT, wrong
            share.failure = failure_of(error, Stage.VERIFY, share.run.artifacts)
        elif share.outcome is Outcome.REACHED:
            share.outcome = Outcome.PASSED

    target = device(name)

    def on(chip: int) -> CompiledGraphs:
        return CompiledGraphs(config, target, lambda: share, tolerances, chip, compared)

    handles = [one for one in options.devices if one is not None]
    if config.device_map and config.compile_depth.op_by_op:
        share.warn("device_map: every op alone is on one device")
    if not config.device_map or config.compile_depth.op_by_op:
        return on(handles[0].ordinals[0] if handles else 0)
    with target.leased(share.uncounted):
        chips = chips_of(None, target)
    if len(handles) > 1:
        chips = [handle.ordinals[0] for handle in handles]
    numbers = device_numbers(config.device_map, len(chips), name)
    return CutGraphs(numbers, [on(chip) for chip in chips])


def refuse_backward(error: BaseException) -> None:
    """Say why what a graph gave has no gradient, where that is what a test's body tripped over.

    Raises:
        UsageError: it is.
    """
    compiled = current().find(_Compiled)
    if compiled is not None and compiled.graphs and "does not require grad" in str(error):
        raise UsageError(
            'a graph of torch.compile(model, backend="tt") is run forward only: a tester of mode'
            " train has the backward on the device too, and every gradient compared"
        ) from error


def end_test() -> None:
    """A test is over: free what its own `torch.compile` has on devices."""
    compiled = current().find(_Compiled)
    if compiled is not None:
        compiled.close()


def register() -> None:
    """Have `torch.compile` know tt-torch's backends."""
    known = set(torch._dynamo.list_backends(exclude_tags=()))
    for name in _PEERS:
        if name not in known:
            torch._dynamo.register_backend(backend, name=name)
