# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From models that real compilers get wrong, refuse or die of to the ops that are to blame.

Everything here is real: torch-mlir's ceil_mode pooling, XLA's log(exp(x)), IREE's crash on an
empty product and its bfloat16 that is never rounded.
"""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import torch

from bringup.harness.device_host.client import Device
from bringup.harness.errors import RecordError, UsageError
from bringup.harness.frontend import torch_program
from bringup.harness.graph.fx_graph import FxGraph
from bringup.harness.graph.intermediates import walk
from bringup.harness.records.naming import identity_of
from bringup.harness.records.schema import Failure, Outcome, Stage, Status
from bringup.harness.reduce.attempts import Attempts, sign_of, worker
from bringup.harness.reduce.model_reproducer import expected_of, find_model, read_model, write_model
from bringup.harness.reduce.model_search import pass_of_whole, write_part
from bringup.harness.reduce.run_op import compared, reproduce
from bringup.harness.reduce.search import Found, Search, Smallest, Subject
from bringup.harness.reproduce.reproducer import read_bytes_of, read_expected, write_bytes_of
from bringup.harness.verify import Tolerances, compare, mismatches
from tests.integration.harness.test_reproducers import needs
from tests.integration.made_reproducers import run_python
from tests.integration.miniature.test_wrong import MIDDLES, Middle, Network
from tests.integration.pytest_runs import HUNG_S, MINIATURE, ROOT, run_pytest

Searched = tuple[Found, Path | None]
Searcher = Callable[..., Searched]
PART_S, SEARCH_S = 600.0, 3600.0
"""Seconds that no part and no search takes, on however busy a machine: what is found must not
depend on it. A test of a search that is out of time gives it none."""
TEST = f"{MINIATURE}/test_wrong.py::test_wrong"


def subject_of(
    model: torch.nn.Module, x: torch.Tensor, device: str, *, inline: bool = False
) -> Subject:
    with torch.no_grad():
        golden = model.eval()(x)
        exported = torch_program.decompose(torch_program.export(model, ((x,), {})))
    signature = torch_program.signature_of(exported)
    if inline:
        signature = torch_program.inline(exported, signature)

    def wrong(values: Sequence[torch.Tensor]) -> list[str]:
        return mismatches(compare([golden], list(values)))

    return Subject(
        identity=identity_of("x.py::test_x[full-eval]", device),
        graph=FxGraph(exported.graph, signature.bind([x])),
        device=device,
        options={},
        tolerances=Tolerances(),
        node_tolerances=Tolerances(),
        wrong=wrong,
    )


def network(name: str, device: str) -> Subject:
    torch.manual_seed(0)
    return subject_of(Network(Middle(MIDDLES[name]), blocks=1), torch.randn(1, 3, 12, 12), device)


@pytest.fixture(scope="module")
def device() -> Iterator[Callable[[str], Device]]:
    """One worker for each device that a test asks for."""
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda name: stack.enter_context(worker(name)))


@pytest.fixture
def searched(device: Callable[[str], Device], tmp_path: Path) -> Searcher:
    """Search, and write what was found."""

    def search(
        subject: Subject,
        *,
        seconds: float = SEARCH_S,
        save: Callable[[Smallest], None] = lambda smallest: None,
    ) -> Searched:
        graph = subject.graph
        with Attempts(device(subject.device), graph, subject.options, PART_S) as attempts:
            search = Search(subject, attempts, seconds=seconds, say=lambda line: None, save=save)
            found = search.run(None, PART_S)
            smallest = found.smallest
            place = write_part(tmp_path / "run", smallest, attempts, PART_S) if smallest else None
        return found, place

    return search


def ops_of(found: Found) -> list[str]:
    assert found.smallest is not None and found.smallest.minimal
    return [unit.op for unit in found.smallest.part.units]


def ends_the_same_alone(place: Path | None) -> bool:
    assert place is not None
    expected = read_expected(place)
    return compared(expected, reproduce(place, expected))[0]


# --- a wrong model --------------------------------------------------------------------------


def test_an_op_that_is_wrong_alone_is_named_and_cut_out(searched: Searcher) -> None:
    found, _ = searched(network("ceil_pool", "cpu"))
    assert ops_of(found) == ["aten.max_pool2d_with_indices.default"]
    assert found.walked is not None and found.walked.first_wrong is not None
    assert found.walked.first_wrong.target == "aten.max_pool2d_with_indices.default"
    assert found.sentences[-1] == "With PyTorch's value for getitem the model is right."


def test_ops_that_are_wrong_only_together_stay_together(searched: Searcher) -> None:
    found, place = searched(network("fused", "cpu"))
    assert ops_of(found) == ["aten.exp.default", "aten.log.default"]
    assert found.sentences[-1] == "With PyTorch's value for log the model is right."
    assert ends_the_same_alone(place)
    assert place is not None
    write_bytes_of(place, "golden", [])
    assert ends_the_same_alone(place), "one too large to keep is computed again"


def test_the_pass_to_blame_is_named_of_a_whole_model(device: Callable[[str], Device]) -> None:
    subject = network("fused", "cpu")
    with Attempts(device("cpu"), subject.graph, subject.options, PART_S) as attempts:
        said = pass_of_whole(subject, attempts)
    assert said.startswith("The pass to blame is algsimp: without it the numbers are right")


@pytest.mark.slow
def test_a_model_whose_every_value_looks_right_is_cut_from_its_output(searched: Searcher) -> None:
    needs("iree.compiler", "iree-base-compiler")

    torch.manual_seed(0)
    model = Middle(MIDDLES["rounded"])
    found, place = searched(subject_of(model, torch.randn(4, 64), "iree-cpu"))
    assert found.walked is not None and found.walked.first_wrong is None
    names = ops_of(found)
    assert "prims.convert_element_type.default" in names or "aten._to_copy.default" in names
    assert 1 < len(names) < found.smallest.of  # type: ignore[union-attr]
    assert place is not None
    ending = reproduce(place, read_expected(place))
    said = "all that is wrong is golden's own rounding to bfloat16, which its run in float64 tells"
    assert ending.outcome is Outcome.PASSED, said


def test_an_export_that_computes_something_else_is_no_devices_fault(searched: Searcher) -> None:
    class Shifty(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.flip(0) if torch.compiler.is_compiling() else x * 1.0

    found, place = searched(subject_of(Shifty(), torch.randn(4, 8), "cpu"))
    assert found.ended.outcome is Outcome.INCORRECT and place is None
    assert "export or decomposition is to blame" in found.sentences[0]


def test_a_model_that_is_right_is_not_searched(searched: Searcher) -> None:
    found, place = searched(subject_of(torch.nn.Linear(4, 4), torch.randn(2, 4), "cpu"))
    assert (found.ended.outcome, found.ended.failure, place) == (Outcome.PASSED, None, None)


# --- a model that does not run --------------------------------------------------------------


def test_a_refusal_of_the_front_end(searched: Searcher) -> None:
    found, place = searched(network("refused", "cpu"))
    assert ops_of(found) == ["aten.erfinv.default"]
    assert found.ended.failure is not None and found.ended.failure.stage is Stage.STABLEHLO
    assert sign_of(found.smallest.verdict) == found.ended.sign  # type: ignore[union-attr]
    assert place is not None and read_bytes_of(place, "golden"), "it can be compared once it runs"


class Scaled(torch.nn.Module):
    """Of a bfloat16 parameter inside the IR torch-mlir makes a resource; as an argument it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.randn(8, 1, 1).bfloat16())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale


@pytest.mark.parametrize("inline", [False, True])
def test_parameters_are_constants_of_a_part_where_they_are_of_the_model(
    searched: Searcher, inline: bool
) -> None:
    torch.manual_seed(0)
    model = Network(Scaled(), blocks=1)
    subject = subject_of(model, torch.randn(1, 3, 12, 12), "cpu", inline=inline)
    found, place = searched(subject)
    if not inline:
        assert (found.ended.outcome, place) == (Outcome.PASSED, None)
        return
    assert found.ended.outcome is Outcome.FAILED and ops_of(found) == ["aten.mul.Tensor"]
    assert found.smallest is not None and len(found.smallest.part.inputs) == 1
    assert "constant" in found.smallest.verdict.op.attributes["graph"]
    assert ends_the_same_alone(place)


def test_a_compiler_that_dies_costs_one_attempt(searched: Searcher) -> None:
    needs("iree.compiler", "iree-base-compiler")
    found, place = searched(network("empty_contraction", "iree-cpu"))
    assert (found.ended.outcome, ops_of(found)) == (Outcome.CRASHED, ["aten.mm.default"])
    assert ends_the_same_alone(place)


@pytest.mark.slow
def test_a_device_that_only_compiles(searched: Searcher) -> None:
    needs("jax_plugins.libtt", "jax-tt-plugin")

    class Least(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x @ x.T).argmin(1) * 2 + 1

    found, place = searched(subject_of(Least(), torch.randn(4, 4), "n150"))
    assert found.ended.failure is not None and found.ended.failure.stage is Stage.COMPILE
    assert ops_of(found) == ["aten.argmin.default"]
    assert place is not None and not read_bytes_of(place, "golden")
    assert ends_the_same_alone(place)


# --- a search that is cut short -------------------------------------------------------------


def test_interrupted_it_keeps_the_best_so_far(searched: Searcher) -> None:
    sizes: list[int] = []

    def interrupt_the_third(smallest: Smallest) -> None:
        sizes.append(len(smallest.part.units))
        if len(sizes) == 3:
            raise KeyboardInterrupt

    found, place = searched(network("refused", "cpu"), save=interrupt_the_third)
    assert found.smallest is not None and not found.smallest.minimal
    assert sizes == sorted(sizes, reverse=True) and len(found.smallest.part.units) == sizes[-1] > 1
    assert "interrupted" in found.sentences[-1] and place is not None


def test_out_of_time_it_says_so(searched: Searcher) -> None:
    found, place = searched(network("refused", "cpu"), seconds=0.0)
    assert place is None and "0 s for the search are spent" in found.sentences[-1]


# --- parts and golden values ----------------------------------------------------------------


class Odd(torch.nn.Module):
    """Several results, one op that takes a value twice, a constant."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        values, indices = torch.topk(x * x, 2)
        return values + torch.tensor([0.5, 1.5]), indices


def test_any_set_of_ops_is_a_program_and_golden_values_feed_it() -> None:
    graph = fx_graph(subject_of(Odd(), torch.randn(3, 5), "cpu"))
    for chosen in range(1, 2 ** len(graph.units)):
        part = graph.cut([unit for i, unit in enumerate(graph.units) if chosen >> i & 1])
        got = part.module(*graph.golden(part.inputs))
        for ours, theirs in zip(got, graph.golden(part.outputs), strict=True):
            assert torch.equal(ours, theirs)


def fx_graph(subject: Subject) -> FxGraph:
    assert isinstance(subject.graph, FxGraph)
    return subject.graph


def test_golden_values_are_the_same_kept_or_computed_again() -> None:
    kept = fx_graph(network("ceil_pool", "cpu"))
    placeholders = [node for node in kept.graph.nodes if node.op == "placeholder"]
    arguments = kept.golden([node.name for node in placeholders])
    forgetful = FxGraph(kept.graph, arguments, kept_bytes=10_000)
    names = [name for unit in kept.units for name in unit.values]
    for name in (*names[::7], *names[::-9]):
        assert torch.equal(kept.golden([name])[0], forgetful.golden([name])[0])
        assert forgetful.values.kept_bytes <= 10_000


def test_a_part_of_one_op_is_that_op_and_a_larger_one_is_its_program() -> None:
    graph = subject_of(Odd(), torch.randn(3, 5), "cpu").graph
    (add,) = [unit for unit in graph.units if unit.op == "aten.add.Tensor"]
    assert graph.cut([add]).op().name == "aten.add.Tensor"
    whole = graph.cut(graph.units, graph.results).op()
    other = subject_of(Odd(), torch.randn(3, 5), "cpu").graph
    again = other.cut(other.units, other.results).op()
    assert whole.key == again.key, "whatever its nodes are called"
    assert whole.key != graph.cut(graph.units[1:], graph.results).op().key


def test_a_window_that_the_device_cannot_do_is_halved(device: Callable[[str], Device]) -> None:
    graph = network("refused", "cpu").graph
    report = walk(graph, device("cpu"), Tolerances())
    assert report.first_wrong is None
    assert report.missing[0].target == "aten.erfinv.default"
    assert "failed to legalize" in report.missing[0].reason
    assert report.nodes + len(report.missing) >= len(graph.units)
    assert "could not be had, the first erfinv" in report.render()


# --- records --------------------------------------------------------------------------------


def failed_test(folder: Path, nodeid: str, device: str) -> Path:
    entry = nodeid.replace(f"-{device}]", "]")
    failure = Failure(Stage.COMPILE, "SIGSEGV", "the process died")
    expected = expected_of(
        identity_of(entry, device), nodeid, Status.CREATED_GRAPH, Outcome.CRASHED, failure, "r"
    )
    return write_model(folder, expected, {})


@pytest.mark.parametrize(
    "which",
    [
        "t5-full-t5-base-eval-n150",
        "t5[full-t5-base-eval]@n150",
        "t5[full-t5-base-eval]",
        "tests/models/t5/test_t5.py::test_t5[full-t5-base-eval-n150]",
        "tests/models/t5/test_t5.py::test_t5[full-t5-base-eval]",
    ],
)
def test_a_model_is_found_by_any_of_its_names(tmp_path: Path, which: str) -> None:
    nodeid = "tests/models/t5/test_t5.py::test_t5[full-t5-base-eval-n150]"
    failed_test(tmp_path / "old", nodeid, "n150")
    place = failed_test(tmp_path / "new", nodeid, "n150")
    os.utime(tmp_path / "old" / "repro" / place.name / "expected.json", (1e9, 1e9))
    assert find_model(which, tmp_path) == place
    assert find_model(which, tmp_path, "cpu") is None
    assert find_model("t5-full", tmp_path) is None


def test_a_test_on_two_devices_is_to_be_named_with_its_device(tmp_path: Path) -> None:
    nodeid = "x.py::test_t5[full-eval-{}]"
    places = {d: failed_test(tmp_path / "r", nodeid.format(d), d) for d in ("cpu", "n150")}
    with pytest.raises(UsageError, match=r"may be any of 2 tests; name one: t5-full-eval-cpu, "):
        find_model("x.py::test_t5[full-eval]", tmp_path)
    assert find_model("x.py::test_t5[full-eval]", tmp_path, "n150") == places["n150"]


@pytest.mark.parametrize("damage", ['{"model": 3, "schema": 1}', "{", '{"model": {}, "schema": 1}'])
def test_a_damaged_record_is_one_sentence(tmp_path: Path, damage: str) -> None:
    place = failed_test(tmp_path / "r", "x.py::test_t5[full-eval-cpu]", "cpu")
    (place / "expected.json").write_text(damage)
    with pytest.raises(RecordError, match=r"expected\.json: not a reproducer's record"):
        read_model(place)


def test_a_newer_record_is_refused(tmp_path: Path) -> None:
    place = failed_test(tmp_path / "r", "x.py::test_t5[full-eval-cpu]", "cpu")
    record = json.loads((place / "expected.json").read_text()) | {"schema": 99}
    (place / "expected.json").write_text(json.dumps(record))
    with pytest.raises(RecordError, match="record schema 99, this version reads up to 1;"):
        read_model(place)


# --- as users meet it -----------------------------------------------------------------------


def repro(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run_python("-m", "bringup.harness.repro", *arguments)


def test_from_a_failing_test_to_the_op_alone(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    done = run_pytest(run_dir, f"{TEST}[full-eval-ceil_pool]", "--device", "cpu")
    command = f"nox -s repro -- '{TEST}[full-eval-ceil_pool]' --device cpu"
    assert done.code == 1 and command in done.output, "the failure says how to go on"
    model = run_dir / "repro" / "wrong-full-ceil_pool-eval-cpu"
    before = read_model(model)
    assert before is not None and before.outcome is Outcome.INCORRECT and before.reduced is None

    said = repro(f"{TEST}[full-eval-ceil_pool]", "--device", "cpu", "--results", str(tmp_path))
    assert said.returncode == 0, said.stdout + said.stderr
    assert "The model ended INCORRECT" in said.stdout and "the same as expected" in said.stdout
    assert "getitem (aten.max_pool2d_with_indices.default) is the first value" in said.stdout
    assert "1 of 100 ops are the smallest part" in said.stdout
    after = read_model(model)
    assert after is not None and after.reduced is not None and after.reduced.minimal
    place = run_dir / "repro" / after.reduced.directory
    assert {
        "op.torch.mlir",
        "op.stablehlo.mlir",
        "op.vhlo",
        "fx.txt",
        "inputs.bin",
        "golden.bin",
    } <= {path.name for path in place.iterdir()}
    assert said.stdout.rstrip().endswith("the same as expected."), "and it was run alone"


@pytest.mark.slow
def test_a_test_that_does_not_exist_or_does_not_fail(tmp_path: Path) -> None:
    absent = repro(f"{TEST}[full-eval-nothing]", "--results", str(tmp_path))
    assert absent.returncode == 2 and "does not come as far as its model" in absent.stderr
    good = repro(f"{MINIATURE}/test_failures.py::test_passes", "--results", str(tmp_path))
    assert good.returncode == 0 and "The model ended PASSED." in good.stdout


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_so_far(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "bringup.harness.repro", f"{TEST}[full-eval-refused]"),
            *("--device", "cpu", "--results", str(tmp_path)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "ops: the same" in line:
            break
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=HUNG_S)
    assert process.returncode == 0, said
    assert "The search was interrupted" in said and "the smallest part so far" in said


@pytest.mark.slow
def test_a_night_may_reduce_at_once(tmp_path: Path) -> None:
    started = time.time()
    done = run_pytest(
        tmp_path, TEST, "--device", "cpu,iree-cpu", BRINGUP_REDUCE_SECONDS=str(int(SEARCH_S))
    )
    reduced = {}
    for place in (tmp_path / "repro").glob("wrong-*"):
        record = read_model(place)
        assert record is not None and record.computed > started
        if record.reduced is not None:
            reduced[place.name.removeprefix("wrong-full-")] = record.reduced
    failing = [r for r in done.records.values() if r.outcome not in (Outcome.PASSED,)]
    # beside float64 golden is what is off in "rounded" and "fused", and not the device
    assert len(reduced) == len(failing) == 7
    assert (
        reduced["empty_contraction-eval-iree-cpu"].fingerprint == "1|compile|aten.mm.default|SIGFPE"
    )
