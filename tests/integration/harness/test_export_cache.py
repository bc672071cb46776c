# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A model that an earlier night exported is not exported again, unless anything has changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bringup.harness.records.run_dir import load_ops
from bringup.harness.records.schema import Outcome, Stage, StageResult, TestRecord
from bringup.harness.records.values import CACHED_FROM, RECHECKED
from tests.integration.pytest_runs import MINIATURE, Done, run_pytest

NET = """
import collections
import os
import torch
from bringup import ModelTester, model_test
{imports}

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed({seed})
        self.linear = torch.nn.Linear(4, 4)
        self.factor = {factor}
        self.register_buffer("mask", torch.linspace(1, {mask}, 4))
        self.calls = []
        self.linear.register_forward_hook(lambda module, args, out: out + {hook})

    def forward(self, x):
        {before}
        y = self.linear(x) * self.factor + self.mask
        return {result}

class NetTester(ModelTester):
    def _load_model(self):
        return Net()

    def _load_inputs(self):
        return torch.linspace(-1, 1, 8).reshape(2, 4)

{tester}

@model_test(NetTester, "net", modes={modes})
def test_net(results):
    pass
"""
PLAIN = {
    "imports": "",
    "seed": 0,
    "factor": 2.0,
    "mask": 2,
    "hook": 1,
    "before": "pass",
    "result": "y",
    "tester": "",
    "modes": ("eval",),
}
Night = Callable[..., Done]


@pytest.fixture
def night(tmp_path: Path) -> Night:
    """Run the net whole, each time with the cache of the times before."""
    count = 0

    def run(
        environment: dict[str, str] | None = None,
        flow: str = "full",
        where: str = "models",
        **net: object,
    ) -> Done:
        nonlocal count
        count += 1
        folder = tmp_path / where
        folder.mkdir(exist_ok=True)
        (folder / "test_net.py").write_text(NET.format(**PLAIN | net))
        cache = {"BRINGUP_CACHE": str(tmp_path / "cache")}
        rest = (f"--rootdir={folder}", "-k", flow)
        arguments = (f"{folder}/test_net.py", *rest)
        done = run_pytest(tmp_path / f"run{count}", *arguments, **cache, **environment or {})
        assert done.records, done.output
        return done

    return run


def of(done: Done, stage: Stage, mode: str = "eval") -> list[StageResult]:
    (record,) = (r for r in done.records.values() if r.identity.mode == mode)
    return [each for each in record.stages if each.stage is stage]


def was_exported(done: Done, mode: str = "eval") -> bool:
    (stage,) = of(done, Stage.EXPORT, mode)
    return CACHED_FROM not in stage.attributes


def only(done: Done) -> TestRecord:
    (record,) = done.records.values()
    return record


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_the_second_night_exports_nothing(night: Night, mode: str) -> None:
    first, second = (night(modes=(mode,)) for _ in range(2))
    assert was_exported(first, mode) and not was_exported(second, mode)
    before, now = only(first), only(second)
    assert before.outcome is now.outcome is Outcome.PASSED and before.status == now.status
    assert now.outputs == before.outputs != ()
    assert [s.stage for s in now.stages] == [s.stage for s in before.stages]
    (text,), (kept) = (of(done, Stage.EXPORT, mode)[0].artifacts for done in (first, second))
    assert (text,) == kept
    assert now.warnings == ()


def test_its_checks_are_those_of_the_night_before(night: Night) -> None:
    first, second = night(), night()
    (before,), (now,) = (of(done, Stage.VERIFY) for done in (first, second))
    assert CACHED_FROM not in before.attributes and now.attributes[CACHED_FROM]
    golden = of(second, Stage.GOLDEN)[-1]
    assert golden.attributes["second run"] == f"of {now.attributes[CACHED_FROM]}"


@pytest.mark.parametrize(
    "other",
    [
        {"factor": 3.0, "hook": 2},
        {"result": "(y, y + 1)"},
    ],
)
def test_what_has_changed_is_exported_again(night: Night, other: dict[str, object]) -> None:
    night()
    second = night(**other)
    assert was_exported(second)
    assert only(second).outcome is Outcome.PASSED


def test_other_weights_are_checked_anew(night: Night) -> None:
    night()
    second = night(seed=1)
    assert was_exported(second)  # the source has changed
    (verify,) = of(second, Stage.VERIFY)
    assert CACHED_FROM not in verify.attributes


def test_a_source_that_the_model_calls_counts(night: Night, tmp_path: Path) -> None:
    """Imported where it is called, and named by nothing that the model holds."""
    helper = tmp_path / "models" / "net_helper.py"
    helper.parent.mkdir()
    given = {"before": "from net_helper import more; x = more(x)"}
    helper.write_text("def more(x):\n    return x + 1\n")
    first, second = night(**given), night(**given)
    assert was_exported(first) and not was_exported(second)
    helper.write_text("def more(x):\n    return x + 2\n")
    third = night(**given)
    assert was_exported(third) and only(third).outcome is Outcome.PASSED
    assert only(third).outputs != only(first).outputs


def test_a_variable_of_the_environment_counts(night: Night) -> None:
    given = {"before": "x = x * float(os.environ['NET_SCALE'])"}
    first = night({"NET_SCALE": "1"}, **given)
    assert not was_exported(night({"NET_SCALE": "1"}, **given))
    other = night({"NET_SCALE": "2"}, **given)
    assert was_exported(other) and only(other).outcome is only(first).outcome is Outcome.PASSED


def test_who_asks_which_flow_it_is_is_exported_each_time(night: Night) -> None:
    """Its answer is in no key."""
    tester = (
        "def flow(net):\n    return net.tester().compiler_config.compile_depth.op_by_op\n"
        "def load(self):\n    net = Net()\n    net.tester = lambda: self\n    return net\n"
        "NetTester._load_model = load"
    )
    given = {"tester": tester, "before": "x = x + 1 if flow(self) else x"}
    assert [was_exported(night(**given)) for _ in "ab"] == [True, True]


BODIES = """
import pytest
import torch
from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend

SCALE = {}

class Net(torch.nn.Module):
    def forward(self, x):
        return x * SCALE["is"] if SCALE["is"] > 1 else x + 1

class NetTester(ModelTester):
    def _load_model(self):
        return Net()

    def _load_inputs(self):
        return torch.linspace(-3, 3, 32)

@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("flow", ["op_by_op_stablehlo"])
@pytest.mark.parametrize("scale", [1, 2])
def test_bodies(record_property, scale, flow, mode):
    SCALE["is"] = scale
    config = CompilerConfig()
    config.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
    config.op_by_op_backend = OpByOpBackend.STABLEHLO
    NetTester("bodies", mode, compiler_config=config).test_model()
"""


def test_what_the_body_sets_is_each_tests_own(tmp_path: Path) -> None:
    """Two tests of one model, which reads what neither it nor its tester holds."""
    (tmp_path / "models").mkdir()
    file = tmp_path / "models" / "test_bodies.py"
    file.write_text(BODIES)
    for run in ("first", "second"):
        arguments = (str(file), f"--rootdir={file.parent}")
        done = run_pytest(tmp_path / run, *arguments, BRINGUP_CACHE=str(tmp_path / "cache"))
        found = {line.test: line.result.verdict.op.name for line in load_ops(done.directory)}
        assert sorted(found.values()) == ["stablehlo.add", "stablehlo.multiply"], found


def test_what_loading_sets_beside_the_model_counts(night: Night, tmp_path: Path) -> None:
    """By a file, in a class and in a module, which ops are taken apart by and no golden tells."""
    scale = tmp_path / "scale"
    tester = (
        "LIMITS = {}\n"
        "def load(self):\n"
        f"    Net.scale, LIMITS['low'] = map(float, open({str(scale)!r}).read().split())\n"
        "    return Net()\n"
        "NetTester._load_model = load"
    )
    before = "x = x * self.scale if self.scale > 1 else x; x = x.clamp(min=LIMITS['low'])"
    given = {"tester": tester, "before": before, "flow": "op_by_op_stablehlo"}
    said = []
    for text in ("1 -9", "1 -9", "2 -9", "2 -8"):
        scale.write_text(text)
        said.append(was_exported(night(**given)))
    assert said == [True, False, True, True]


def test_what_has_no_written_form_is_exported_each_time(night: Night) -> None:
    tester = (
        "_init = Net.__init__\ndef init(self):\n    _init(self)\n    self.file = open(__file__)\n"
    )
    given = {"tester": tester + "Net.__init__ = init"}
    assert [was_exported(night(**given)) for _ in "ab"] == [True, True]


def test_a_recheck_exports_again_and_says_so(night: Night) -> None:
    night()
    again = night({"BRINGUP_RECHECK": "100%"})
    assert was_exported(again) and only(again).warnings == ()
    (stage,) = of(again, Stage.EXPORT)
    assert stage.attributes[RECHECKED]
    assert not was_exported(night())
    assert was_exported(night({"BRINGUP_NO_CACHE": "1"}))


def test_a_checkout_that_lies_elsewhere_is_the_same(night: Night) -> None:
    """As that of another runner is."""
    night()
    moved = night(where="another")
    assert not was_exported(moved) and only(moved).warnings == ()
    again = night({"BRINGUP_RECHECK": "100%"}, where="another")
    assert was_exported(again) and only(again).warnings == ()
    assert not was_exported(night())


def test_what_forward_reads_elsewhere_makes_nothing_bad(night: Night, tmp_path: Path) -> None:
    """A file that it opens is in no key: nothing that Python imports, and nothing that it holds.
    Before anything bad is said of what was kept, the model is exported."""
    scale = tmp_path / "scale"
    scale.write_text("1")
    given = {"before": f"x = x * float(open({str(scale)!r}).read())"}
    night(**given)
    scale.write_text("2")
    second = night(**given)
    assert only(second).outcome is Outcome.PASSED
    assert any("it is exported anew" in warning for warning in only(second).warnings)
    third, fourth = night(**given), night(**given)
    assert was_exported(third) and not was_exported(fourth)  # the second kept nothing
    assert only(fourth).outcome is Outcome.PASSED and only(fourth).warnings == ()


def test_what_forward_reads_elsewhere_a_recheck_finds(night: Night, tmp_path: Path) -> None:
    """What stays right with the old program, too: a branch that is not in it."""
    branch = tmp_path / "branch"
    branch.write_text("")
    given = {"before": f"x = x + x if open({str(branch)!r}).read() else x * 2"}
    night(**given)
    branch.write_text("other")
    assert not was_exported(night(**given))
    again = night({"BRINGUP_RECHECK": "100%"}, **given)
    assert only(again).outcome is Outcome.PASSED
    assert any("is not what the same model is exported to now" in w for w in only(again).warnings)


RESULTS = [
    "collections.OrderedDict(a=y, more=[y.mean(), (y.max(), None)], word='two', rows=y.unbind())",
    "(self.calls.append(y + 1), y, 3, {'a': torch.arange(4), 'b': [x + torch.tensor([0.5] * 4)]})",
]


@pytest.mark.parametrize("result", RESULTS)
def test_results_have_their_own_structure_again(night: Night, result: str) -> None:
    first, second = night(result=result), night(result=result)
    assert not was_exported(second)
    assert only(second).outcome is only(first).outcome is Outcome.PASSED
    assert only(second).outputs == only(first).outputs


def test_the_graphs_of_a_generate_are_exported_once(tmp_path: Path) -> None:
    """For all flows, and for the nights that follow."""
    cache, said = {"BRINGUP_CACHE": str(tmp_path / "cache")}, []
    for night, flow in (("one", "full"), ("two", "op_by_op_stablehlo"), ("three", "full")):
        test = f"{MINIATURE}/test_flows.py::test_speaking[Speaking-{flow}]"
        done = run_pytest(tmp_path / night, test, PYTEST_TRACES=str(tmp_path / "traces"), **cache)
        assert done.code == 0, done.output
        stages = [s for s in only(done).stages if s.stage is Stage.EXPORT]
        said.append([CACHED_FROM in stage.attributes for stage in stages])
    first, other, again = said
    assert len(first) > 1 and not any(first)
    assert other[0]  # of the others the cache has, to a bit, what eager PyTorch made of it
    assert all(again) and len(again) == len(first)


def test_ops_that_are_not_known_have_a_graph(night: Night) -> None:
    """Its verdicts are gone: the model is exported when its graph is asked for."""
    first = night(flow="op_by_op_torch")
    assert was_exported(first)
    whole = night()  # lowers
    second = night({"BRINGUP_FOLLOW": "always"}, flow="op_by_op_torch")
    assert not was_exported(second) and only(second).outcome is only(first).outcome
    followed = only(second).followed
    assert followed is not None and followed.compared == followed.nodes > 0
    assert only(whole).outcome is Outcome.PASSED
