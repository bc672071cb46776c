# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What `torch.compile` cuts out of a model, each graph on a device: a backend of dynamo.

A model that cannot be exported as a whole, since Python steers it (`generate`, a pipeline, a loop
that looks at values), is still made of graphs. Dynamo finds them while the model runs, and whatever
is between them runs in Python as before. A graph is lowered when it is called first, on the values
of that call, and once.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from bringup.harness.config import CompileDepth, CompilerConfig
from bringup.harness.device_host.client import Device
from bringup.harness.devices.wire import Placed
from bringup.harness.executor import Executor
from bringup.harness.frontend.call import Call, named_tensors
from bringup.harness.frontend.export_cache import Loading, key_of_graph
from bringup.harness.frontend.exported_digest import UnwrittenError, digest_of_graph
from bringup.harness.frontend.lowering import Program, lower_torch
from bringup.harness.frontend.model_digest import digest_of_model
from bringup.harness.frontend.paths import BUFFERS, INPUTS, MUTATED
from bringup.harness.recording.recorder import TesterRecorder
from bringup.harness.state.copies import copied
from bringup.harness.tester.op_walk import walk_ops
from bringup.harness.tester.routing import executor_name
from bringup.harness.verify import Tolerances

Compared = Callable[[Any, Any], None]
"""Takes what eager PyTorch gives of a graph, and what the device gave."""
_MOST_SHAPES = 4096
"""Graphs of one frame: a `generate` with a growing cache has a new one for every token."""


def every_graph() -> contextlib.AbstractContextManager[None]:
    """Within it dynamo hands out every graph of a frame, or says that it does not."""
    patched: contextlib.AbstractContextManager[None] = torch._dynamo.config.patch(
        recompile_limit=_MOST_SHAPES,
        accumulated_recompile_limit=_MOST_SHAPES,
        fail_on_recompile_limit_hit=True,  # else the rest runs in eager, and nobody is told
    )
    return patched


class CompiledGraphs:
    """A backend: `torch.compile(model, backend=CompiledGraphs(...))`.

    Without a device that executes here, and at a depth above EXECUTE, a graph goes as far as it is
    to go and gives what eager PyTorch gives. `compared` gets what the first call of every graph
    gave, and what eager PyTorch gives of it. `chip` is the ordinal of the target's chip.
    """

    def __init__(
        self,
        config: CompilerConfig,
        target: Device,
        recorder: Callable[[], TesterRecorder],
        tolerances: Tolerances,
        chip: int = 0,
        compared: Compared | None = None,
    ) -> None:
        self._compared = compared
        self._executors: list[Executor] = []
        self._traced: list[_Graph] = []
        self.serve(config, target, recorder, tolerances, chip)

    def __call__(self, module: torch.fx.GraphModule, examples: Sequence[Any]) -> Callable[..., Any]:
        """Take a graph from dynamo; `examples` may be without values, so nothing is lowered yet."""
        graph = _Graph(self, module)
        self._traced.append(graph)
        disabled: Callable[..., Any] = torch._dynamo.disable(graph.run)  # type: ignore[no-untyped-call]
        return disabled

    def compile(self, model: Callable[..., Any]) -> Any:
        """The model, or function, with its graphs on the device."""
        return torch.compile(model, backend=self, dynamic=False)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Have dynamo hand out every graph, or say so."""
        with every_graph():
            yield

    def serve(
        self,
        config: CompilerConfig,
        target: Device,
        recorder: Callable[[], TesterRecorder],
        tolerances: Tolerances,
        chip: int = 0,
    ) -> None:
        """Take graphs for this flow and device, those too that dynamo traced for another one."""
        self.config, self.target, self.tolerances = config, target, tolerances
        self._recorder, self._chip = recorder, chip
        self.executes = False
        """Has a graph been executed on the device, as a whole?"""
        self.count = 0
        """Graphs that were lowered."""

    def free(self) -> None:
        """Free what is on the device; what dynamo has traced is lowered anew when it is called."""
        for executor in self._executors:
            executor.release()
        self._executors.clear()
        for graph in self._traced:
            graph.forget()

    def release(self) -> None:
        """Free what is on the device, and what dynamo keeps."""
        self.free()
        self._traced.clear()
        torch._dynamo.reset()

    def lowered(self, module: "_WithState", call: Call) -> "Executor | None":
        """Take a graph to the depth that was asked for; what executes it, if something does."""
        recorder, config = self._recorder(), self.config
        with torch.no_grad():
            loading = module.loading(call, config)
            program = lower_torch(module, call, config, recorder, loading=loading)
        self.count += 1
        if config.compile_depth.op_by_op:
            self._op_by_op(program, call, recorder)
            return None
        if not config.compile_depth.compiles:
            return None
        executor = Executor(program, config, self.target, recorder)
        executor.placed = Placed((self._chip,)) if self._chip else None
        executor.compile()
        if config.compile_depth is not CompileDepth.EXECUTE or not self.target.executes():
            executor.release()
            return None
        self.executes = True
        self._executors.append(executor)
        return executor

    def _op_by_op(self, program: Program, call: Call, recorder: TesterRecorder) -> None:
        recorder.profiles_ops = self.config.profile_ops
        name = executor_name("torch", self.config.compile_depth, self.config.chosen_backend)
        outcome, _ = walk_ops(
            name, program, call, (self.config, self.target, recorder, self.tolerances)
        )
        recorder.outcome = outcome

    def compare(self, golden: Any, actual: Any) -> None:
        """Tell what a graph gave first."""
        if self._compared is not None:
            self._compared(golden, actual)

    @property
    def compares(self) -> bool:
        """Is what every graph gives looked at?"""
        return self._compared is not None


class _WithState(torch.nn.Module):
    """A graph whose parameters and buffers are its own, and no arguments.

    Dynamo hands them over beside the inputs, by names that say which they are.
    """

    def __init__(self, module: torch.fx.GraphModule, args: Sequence[Any]) -> None:
        super().__init__()
        self.graph = module
        self._places: list[str | None] = []
        nodes = module.graph.find_nodes(op="placeholder")
        for node, value in zip(nodes, args, strict=True):
            state = isinstance(value, torch.Tensor) and any(w in node.name for w in _STATE)
            self._places.append(node.name if state else None)
            if state and isinstance(value, torch.nn.Parameter):
                self.register_parameter(node.name, value)
            elif state:
                self.register_buffer(node.name, value)

    def inputs_of(self, args: Sequence[Any]) -> tuple[Any, ...]:
        """Those of the graph's arguments that are inputs."""
        return tuple(a for a, place in zip(args, self._places, strict=True) if place is None)

    def holds(self, args: Sequence[Any]) -> bool:
        """Are the parameters and buffers among the arguments still the same ones?"""
        pairs = zip(args, self._places, strict=True)
        return all(place is None or getattr(self, place) is value for value, place in pairs)

    def loading(self, call: Call, config: CompilerConfig) -> Loading | None:
        """What an export of it depends on; None where something has no written form."""
        try:
            state = dict(self.named_parameters()), dict(self.named_buffers())
            graph, given = digest_of_graph(self.graph, *state), digest_of_model(call)
            key = key_of_graph(graph, given, config)
        except (UnwrittenError, NotImplementedError, RuntimeError):
            return None
        if not key:
            return None
        return Loading(key, contextlib.nullcontext, self._result, lambda: False)

    def _result(self) -> Any:
        """The structure of its result, with nothing in its tensors."""
        (output,) = self.graph.graph.find_nodes(op="output")

        def hole(node: torch.fx.Node) -> Any:
            value = node.meta.get("example_value")
            if not isinstance(value, torch.Tensor):
                return node
            return torch.empty(0, device="meta", dtype=value.dtype)

        return torch.fx.node.map_arg(output.args[0], hole)

    def forward(self, *inputs: Any) -> Any:
        """The graph's outputs."""
        rest = iter(inputs)
        given = (next(rest) if place is None else getattr(self, place) for place in self._places)
        return self.graph(*given)


_STATE = ("_parameters_", "_buffers_")


class _Graph:
    """A graph as dynamo calls it."""

    def __init__(self, graphs: CompiledGraphs, module: torch.fx.GraphModule) -> None:
        self._graphs, self._module = graphs, module
        self._lowered: _WithState | None = None
        self._executor: Executor | None = None

    def forget(self) -> None:
        """Be lowered anew at the next call."""
        self._lowered = self._executor = None

    def run(self, *args: Any) -> Any:
        """The graph's outputs, from the device where one executes it."""
        model = self._lowered
        first = model is None or not model.holds(args)
        if model is None or first:
            model = self._lowered = _WithState(self._module, args)
            given = copied(model.inputs_of(args))
            self._executor = self._graphs.lowered(model, (given, {}))
        inputs, executor = model.inputs_of(args), self._executor
        if executor is None:
            with torch.no_grad():  # what a device gives has no gradient either
                return self._module(*args)
        golden = model(*copied(inputs)) if first and self._graphs.compares else None
        outputs = executor(*inputs)
        self._write_back(executor, model, inputs)
        if first and self._graphs.compares:
            self._graphs.compare(golden, outputs)
        return outputs

    def _write_back(self, executor: Executor, model: _WithState, inputs: tuple[Any, ...]) -> None:
        """Have what the graph writes to, as a static cache, be what the device made of it."""
        if not executor.mutated:
            return
        places = {f"{INPUTS}{p}": t for p, t in named_tensors(model, (inputs, {})).items()}
        places |= {f"{BUFFERS}{name}": buffer for name, buffer in model.named_buffers()}
        for path, value in executor.mutated.items():
            target = places.get(path.removeprefix(MUTATED))
            if target is not None:
                target.copy_(value)
