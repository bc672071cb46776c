# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A walk whose ops are all known and good takes no program apart; any other does."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bringup.harness.records.run_dir import load_ops
from bringup.harness.records.schema import OpResult, Outcome, Stage, StageResult, TestRecord
from bringup.harness.records.values import CACHED_FROM
from tests.integration.pytest_runs import Done, run_pytest

FLOWS = ("full", "op_by_op_stablehlo", "op_by_op_torch")
NET = """
import torch
from bringup import ModelTester, model_test

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed({seed})
        self.linear = torch.nn.Linear(4, 4)
        self.register_buffer("mask", torch.linspace(1, {mask}, 4))

    def forward(self, x):
        return {body}

class NetTester(ModelTester):
    def _load_model(self):
        return Net()

    def _load_inputs(self):
        return torch.linspace({first}, 1, 8).reshape(2, 4)

@model_test(NetTester, "net")
def test_net(results):
    pass
"""
LOWERING = (Stage.DECOMPOSE, Stage.TORCH_IR, Stage.TORCH_BACKEND_IR, Stage.STABLEHLO)
BODY = "torch.log(self.linear(x).abs() + 0.5 + self.mask) * 2"
Night = Callable[..., Done]


@pytest.fixture
def night(tmp_path: Path) -> Night:
    """Run the net in every flow, each time with the cache of the times before."""
    count = 0

    def run(
        environment: dict[str, str] | None = None, flows: Sequence[str] = (), **net: object
    ) -> Done:
        nonlocal count
        count += 1
        values = {"seed": 0, "first": -1, "mask": 2, "body": BODY} | net
        (tmp_path / "test_net.py").write_text(NET.format(**values))
        cache = {"BRINGUP_CACHE": str(tmp_path / "cache")}
        file = f"{tmp_path}/test_net.py"
        tests = [f"{file}::test_net[{flow}-eval]" for flow in flows] or [file]
        done = run_pytest(tmp_path / f"run{count}", *tests, **cache, **environment or {})
        assert done.records, done.output
        return done

    return run


def record_of(done: Done, flow: str) -> TestRecord:
    (found,) = (r for r in done.records.values() if r.identity.flow == flow)
    return found


def ops_of(done: Done, flow: str) -> list[OpResult]:
    key = record_of(done, flow).identity.key
    return [line.result for line in load_ops(done.directory) if line.test == key]


def named(ops: list[OpResult]) -> list[tuple[int, int, str, str, Outcome]]:
    return [(o.index, o.count, o.node, o.verdict.op.key, o.verdict.outcome) for o in ops]


def fresh(ops: list[OpResult]) -> set[str]:
    """Names of ops that were run."""
    return {each.verdict.op.name for each in ops if not each.hit}


def decomposed(done: Done) -> StageResult:
    """The stage of the flow over the graph's ops."""
    (found,) = (s for s in record_of(done, "op_by_op_torch").stages if s.stage is Stage.DECOMPOSE)
    return found


def test_the_second_night_takes_nothing_apart(night: Night) -> None:
    first, second = night(), night()
    for flow in FLOWS[1:]:
        assert named(ops_of(second, flow)) == named(ops_of(first, flow)) != []
        assert fresh(ops_of(second, flow)) == set()
        assert record_of(second, flow).outcome is record_of(first, flow).outcome is Outcome.PASSED
        assert record_of(second, flow).status == record_of(first, flow).status
        assert record_of(second, flow).ops_found == record_of(first, flow).ops_found
    before, now = decomposed(first), decomposed(second)
    assert CACHED_FROM not in before.attributes and now.attributes[CACHED_FROM]
    assert now.attributes["nodes"] == before.attributes["nodes"] and now.wall_s == 0


def test_the_flow_alone_takes_nothing_apart_either(night: Night) -> None:
    """Its test is the first of the process: nothing of another flow lies there for it."""
    night()
    alone = night(flows=["op_by_op_torch"])
    assert CACHED_FROM in decomposed(alone).attributes
    assert fresh(ops_of(alone, "op_by_op_torch")) == set()


def test_a_night_may_begin_with_the_flow_over_the_graph(night: Night) -> None:
    first, second = (night(flows=["op_by_op_torch", "full"]) for _ in range(2))
    assert CACHED_FROM not in decomposed(first).attributes
    assert CACHED_FROM in decomposed(second).attributes
    kept = [s.stage for s in record_of(second, "full").stages if CACHED_FROM in s.attributes]
    assert kept == [Stage.EXPORT, *LOWERING, Stage.COMPILE, Stage.VERIFY]
    made = [each.stage for each in record_of(second, "full").stages]
    assert made == [each.stage for each in record_of(first, "full").stages]


@pytest.mark.parametrize("other", [{"seed": 1}, {"first": -3}, {"mask": 3}])
def test_other_values_have_verdicts_of_their_own(night: Night, other: dict[str, int]) -> None:
    night()
    second = night(**other)
    assert CACHED_FROM not in decomposed(second).attributes
    assert fresh(ops_of(second, "op_by_op_torch")) == {"aten.log.default"}


def test_another_body_has_other_ops(night: Night) -> None:
    first, second = night(), night(body=f"torch.exp({BODY})")
    for flow in FLOWS[1:]:
        assert len(ops_of(second, flow)) == len(ops_of(first, flow)) + 1
        assert len(fresh(ops_of(second, flow))) == 1


@pytest.mark.parametrize("environment", [{"BRINGUP_RECHECK": "100%"}, {"BRINGUP_NO_CACHE": "1"}])
def test_what_is_computed_again_is_taken_apart_again(
    night: Night, environment: dict[str, str]
) -> None:
    first, again, third = night(), night(environment), night()
    assert CACHED_FROM not in decomposed(again).attributes
    for flow in FLOWS[1:]:
        assert named(ops_of(again, flow)) == named(ops_of(first, flow))
        assert not any(each.hit and not each.rechecked for each in ops_of(again, flow))
        assert record_of(again, flow).warnings == ()
        assert fresh(ops_of(third, flow)) == set()
    assert CACHED_FROM in decomposed(third).attributes


def test_an_op_that_is_not_good_leaves_its_reproducer_every_night(night: Night) -> None:
    body = "torch.lgamma(self.linear(x))"
    first, second = night(body=body), night(body=body)
    for done in (first, second):
        wrong = [o for o in ops_of(done, "op_by_op_torch") if o.verdict.outcome is Outcome.FAILED]
        assert [each.verdict.op.name for each in wrong] == ["aten.lgamma.default"]
        left = [p for p in (done.directory / "repro").iterdir() if p.name.endswith("-cpu")]
        assert any("aten.lgamma" in (folder / "fx.txt").read_text() for folder in left)
    assert fresh(ops_of(second, "op_by_op_torch")) == set()


def test_one_op_is_looked_into_alone(night: Night) -> None:
    night()
    one = night({"RUN_GLOBAL_OP_IDX": "1"}, flows=["op_by_op_torch"])
    assert [each.index for each in ops_of(one, "op_by_op_torch")] == [1]
    assert record_of(one, "op_by_op_torch").only_op == 1


def test_values_are_followed_where_that_is_asked_for(night: Night) -> None:
    night()
    second = night({"BRINGUP_FOLLOW": "always"})
    for flow in FLOWS[1:]:
        followed = record_of(second, flow).followed
        assert followed is not None and followed.compared == followed.nodes > 0


SEVERAL = """
import pytest
import torch
from bringup import CompileDepth, CompilerConfig, ModelTester

class Low(torch.nn.Module):
    def __init__(self, low):
        super().__init__()
        self.low = low

    def forward(self, x):
        return torch.log(torch.exp(self.low - 12 * torch.sigmoid(x)))

class LowTester(ModelTester):
    low = 0.0

    def _load_model(self):
        return Low(self.low)

    def _load_inputs(self):
        return torch.linspace(-3, 3, 32)

@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("flow", ["op_by_op_torch"])
@pytest.mark.parametrize("lows", [(-90.0, -20.0), (-20.0, -90.0)], ids=["first", "last"])
def test_several(record_property, lows, flow, mode):
    for low in lows:
        config = CompilerConfig()
        config.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        tester = LowTester("several", mode, compiler_config=config)
        tester.low = low
        tester.test_model()
        tester.finalize()
"""


def test_what_is_wrong_for_one_tester_stays_on_record(tmp_path: Path) -> None:
    """Both give `log` its values: XLA takes those of one for 0, whichever comes first."""
    (tmp_path / "test_several.py").write_text(SEVERAL)
    for run in ("first", "second"):  # which knows the verdicts
        done = run_pytest(
            tmp_path / run, f"{tmp_path}/test_several.py", BRINGUP_CACHE=str(tmp_path / "cache")
        )
        logs = [
            line.result.verdict.outcome
            for line in load_ops(done.directory)
            if line.result.verdict.op.name == "aten.log.default"
        ]
        assert logs == [Outcome.INCORRECT, Outcome.INCORRECT], run


def test_what_a_compiler_refuses_is_exported_once_for_all_flows(night: Night) -> None:
    """One stage refuses the model in every flow that gets there, and its ops are walked."""
    done = night(body="torch.lgamma(self.linear(x))")
    by_itself = {
        flow: [
            each.stage
            for each in record_of(done, flow).stages
            if "reused from" not in each.attributes
        ]
        for flow in FLOWS
    }
    loading = [f for f, stages in by_itself.items() if Stage.EXPORT in stages]
    assert len(loading) == 1, by_itself
    full, split = (record_of(done, flow).failure for flow in FLOWS[:2])
    assert full is not None and split is not None
    assert (full.stage, full.message) == (split.stage, split.message)
    assert record_of(done, "op_by_op_torch").outcome is Outcome.REACHED
    assert ops_of(done, "op_by_op_torch")
