# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The second verdict on ops: fed what the device itself gave, in place of golden values.

The graph is walked node by node, each op compiled alone as in the first walk, with the golden value
computed beside it. Where the device gives nothing the golden value goes on in its place. What left
tolerance is an error that has accumulated, so it is judged as intermediate values are, and not by
the few units that an op alone may be off. `follow_stablehlo` walks a StableHLO module so.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Graph, Node
from torch.fx.node import map_arg

from bringup.harness.device_host.op_run import OpJob, OpRun
from bringup.harness.frontend.fx_import import import_graph
from bringup.harness.mlir import LoweringError, TorchMlir, text_of
from bringup.harness.ops.identity import (
    IdentityError,
    torch_op,
    torch_operands,
    torch_results,
)
from bringup.harness.ops.torch_ops import alone, as_tensor, attribute, is_op, last_uses
from bringup.harness.records.followed import MOST_NAMED, Followed, Past, named
from bringup.harness.records.metrics import worst, worst_of
from bringup.harness.records.schema import Metric, OpResult, Outcome
from bringup.harness.verify import Tolerances, compare, mismatches

SECONDS = 60.0
"""For the whole walk; what is not followed by then is said."""
_WHY = 300


def out_of_time(node: str) -> str:
    """Why not all nodes were followed."""
    return f"the seconds for it were spent before {node}"


@dataclass(frozen=True)
class _Step:
    """A node's values: golden, and the device's own."""

    golden: Any
    own: Any


class Trail:
    """Which ops' values left tolerance so far, and which was wrong by itself first."""

    def __init__(self, alone_results: Sequence[OpResult], tolerances: Tolerances) -> None:
        """`alone_results` are the first verdicts on the graph's ops."""
        self._results = {result.verdict.op.key: result for result in alone_results}
        self._tolerances = tolerances
        self._past: dict[str, Past] = {}
        self._compared = 0
        self._first_wrong = ""

    def passes(self, key: str, node: str, op: str) -> None:
        """The walk is at a node; `op` is what people read."""
        result = self._results.get(key)
        if result and result.verdict.outcome is Outcome.INCORRECT and not self._first_wrong:
            self._first_wrong = named(node, op)

    def judge(
        self,
        key: str,
        node: str,
        wanted: Sequence[torch.Tensor],
        outputs: Sequence[torch.Tensor],
        by_itself: Callable[[], bool] = lambda: False,
    ) -> None:
        """Compare what the device made of its own values.

        `by_itself` tells of an op that was judged on other values than this graph's whether it is
        wrong on those too.
        """
        checks = compare(list(wanted), list(outputs), self._tolerances)
        self._compared += 1
        wrong = mismatches(checks)
        result = self._results.get(key)
        if not wrong or result is None:
            return
        before = self._past.get(key)
        alone = before.wrong_alone if before else False
        alone = alone or result.verdict.outcome is Outcome.INCORRECT or by_itself()
        if alone and not self._first_wrong:
            self._first_wrong = named(node, result.verdict.op.name)
        every = [check for output in checks for check in output.checks]
        pcc, atol = worst(every, "pcc"), worst(every, "atol")
        self._past[key] = Past(
            op_key=key,
            index=result.index,
            op=result.verdict.op.name,
            node=before.node if before else node,
            wrong_alone=alone,
            nodes=before.nodes + 1 if before else 1,
            pcc=_worse(before.pcc if before else None, pcc, "pcc"),
            atol=_worse(before.atol if before else None, atol, "atol"),
            why=before.why if before else wrong[0][:_WHY],
        )

    def followed(self, nodes: int, ended: str) -> Followed:
        """What came of it."""
        past = tuple(self._past.values())
        return Followed(
            nodes=nodes,
            compared=self._compared,
            past=past[:MOST_NAMED],
            past_in_all=len(past),
            first_wrong_alone=self._first_wrong,
            ended=ended,
        )


class Follow:
    """One walk through one graph."""

    def __init__(
        self,
        run: Callable[[OpJob], "Future[OpRun]"],
        options: Mapping[str, str],
        tolerances: Tolerances,
        alone_results: Sequence[OpResult],
        seconds: float,
    ) -> None:
        """`run` executes an op; `alone_results` are the first verdicts on the graph's ops."""
        self._run, self._options = run, dict(options)
        self._trail = Trail(alone_results, tolerances)
        self._end = time.monotonic() + min(seconds, SECONDS)
        self._mlir = TorchMlir()
        self._texts: dict[str, bytes] = {}

    def through(self, graph: Graph, arguments: Sequence[torch.Tensor]) -> Followed:
        """Follow the device's values through a graph, on one tensor for each placeholder."""
        steps: dict[Node, _Step] = {}
        feed = iter(arguments)
        dead = last_uses(graph, set(graph.nodes))
        ended, nodes = "", sum(map(is_op, graph.nodes))
        for node in graph.nodes:
            if node.op in ("placeholder", "get_attr"):
                value = next(feed).detach() if node.op == "placeholder" else attribute(node)
                steps[node] = _Step(value, value)
            elif node.op == "call_function":
                if time.monotonic() > self._end:
                    ended = out_of_time(node.name)
                    break
                key = _key_of(node)
                self._trail.passes(key, node.name, str(node.target))
                steps[node] = self._step(node, key, steps)
            for value in dead.get(node, ()):
                steps.pop(value, None)
        return self._trail.followed(nodes, ended)

    def _step(self, node: Node, key: str, steps: Mapping[Node, _Step]) -> _Step:
        golden = _computed(node, {given: step.golden for given, step in steps.items()})
        own_values = {given: step.own for given, step in steps.items()}
        if not key:  # no op: one of several results, a number taken out, an assertion
            try:
                return _Step(golden, _computed(node, own_values))
            except Exception:  # whatever an op raises that is given values of a wrong device
                return _Step(golden, golden)
        outputs = self._on_device(node, key, own_values)
        if outputs is None:
            return _Step(golden, golden)
        self._judge(node, key, golden, outputs)
        return _Step(golden, _put_back(golden, torch_results(node), outputs))

    def _on_device(
        self, node: Node, key: str, values: Mapping[Node, Any]
    ) -> tuple[torch.Tensor, ...] | None:
        try:
            if key not in self._texts:
                self._texts[key] = text_of(import_graph(self._mlir, alone(node))).encode()
            inputs = tuple(as_tensor(values[operand]) for operand in torch_operands(node))
        except (LoweringError, KeyError):
            return None
        job = OpJob(self._texts[key], options=self._options, inputs=inputs, execute=True, key=key)
        return self._run(job).result().outputs

    def _judge(self, node: Node, key: str, golden: Any, outputs: Sequence[torch.Tensor]) -> None:
        wanted = [golden if i is None else golden[i] for i in torch_results(node)]
        self._trail.judge(key, node.name, wanted, outputs)


def _key_of(node: Node) -> str:
    """The key of an op that can stand alone; empty for what is no such op."""
    if not is_op(node):
        return ""
    try:
        return torch_op(node).key
    except IdentityError:
        return ""


def _computed(node: Node, values: Mapping[Node, Any]) -> Any:
    target: Any = node.target
    args, kwargs = map_arg((node.args, node.kwargs), values.__getitem__)
    with torch.no_grad():
        return target(*args, **kwargs)


def _put_back(golden: Any, results: Sequence[int | None], outputs: Sequence[torch.Tensor]) -> Any:
    """A node's value with the device's outputs in the places that were computed there."""
    if list(results) == [None]:
        return outputs[0]
    whole = list(golden)
    for place, output in zip(results, outputs, strict=True):
        if place is not None:
            whole[place] = output
    return tuple(whole)


def _worse(one: Metric | None, other: Metric | None, name: str) -> Metric | None:
    return worst_of((metric for metric in (one, other) if metric is not None), name)
