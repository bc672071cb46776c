# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A checkout in tt-torch's shape runs as it is: its names, its conftest, its loaders."""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.schema import Outcome, Stage, TestRecord
from tests.integration.pytest_runs import Done, run_command

CHECKOUT = Path(__file__).parent / "peer_checkout"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    run = tmp_path_factory.mktemp("run")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/models"]
    report = [f"--junit-xml={run / 'junit.xml'}", "-o", "junit_family=xunit1"]
    return run_command(run, CHECKOUT, [*command, *report])


OUTCOMES = {
    "loaded[full-single_device-small-eval]": Outcome.PASSED,
    "loaded[full-data_parallel-small-eval]": Outcome.PASSED,
    "loaded[op_by_op_torch-single_device-small-eval]": Outcome.PASSED,
    "loaded[op_by_op_torch-data_parallel-small-eval]": Outcome.SKIPPED,
    "loaded[full-single_device-wide-eval]": Outcome.SKIPPED,
    "linear_onnx[full-eval]": Outcome.PASSED,
    "generate[full-eval]": Outcome.PASSED,
    "own_run_model[full-eval]": Outcome.PASSED,
    "compiled_by_the_body[full-eval]": Outcome.PASSED,
    "torch_compile[full-eval]": Outcome.PASSED,
    "cut_by_module[full-eval]": Outcome.PASSED,
    "verify_module[full-eval]": Outcome.PASSED,
    "trained[full-train]": Outcome.PASSED,
    "careless[full-train]": Outcome.FAILED,
    "meshed[full-eval]": Outcome.PASSED,
    "too_many[full-eval]": Outcome.FAILED,
    "cut_over_devices[full-eval]": Outcome.FAILED,
    "asynchronous[full-eval]": Outcome.FAILED,
    "mesh_of_weights[full-eval]": Outcome.FAILED,
    "unknown_backend[full-eval]": Outcome.FAILED,
    "own_framework_model[full-Bounded-eval]": Outcome.PASSED,
    "own_framework_model[full-SteeredBounded-eval]": Outcome.PASSED,
    "own_framework_model_by_hand[full-eval]": Outcome.PASSED,
    "own_compile_model[full-eval]": Outcome.PASSED,
    "function_for_model[full-eval]": Outcome.PASSED,
    "own_init[full-eval]": Outcome.PASSED,
    "one_device[full-eval]": Outcome.PASSED,
    "one_device_steered[full-eval]": Outcome.PASSED,
    "no_device[full-eval]": Outcome.FAILED,
    "forgetful[full-eval]": Outcome.FAILED,
    "mesh_alone[full-eval]": Outcome.PASSED,
    "setting[full-dump_debug-eval]": Outcome.PASSED,
    "setting[full-dump_info-eval]": Outcome.PASSED,
    "setting[full-push_outputs_to_cpu-eval]": Outcome.PASSED,
    "unsettable[full-eval]": Outcome.FAILED,
    "many_shapes[full-eval]": Outcome.PASSED,
    **{f"many_bodies[full-{number}-eval]": Outcome.PASSED for number in range(10)},
    "trained_by_hand[full-eval]": Outcome.FAILED,
    "trained_by_hand_in_parts[full-eval]": Outcome.FAILED,
    "map_of_another[full-eval]": Outcome.PASSED,
    "map_of_tester[full-eval]": Outcome.FAILED,
    "functions[full-eval]": Outcome.PASSED,
    "spmd[full-eval]": Outcome.FAILED,
}


REFUSALS = {
    "too_many[full-eval]": "mesh_shape [2, 8] asks for 16 devices, and cpu has 8",
    "cut_over_devices[full-eval]": "device_map puts 1 on 'disk': the number of a device is wanted",
    "asynchronous[full-eval]": "ModelTester(data_parallel_mode=True) to run on every device",
    "mesh_of_weights[full-eval]": "tests.utils.create_device_mesh is tt-torch's and none here",
    "unknown_backend[full-eval]": "backend 'tt-xlaa' of m: one of bringup, tt, tt-legacy",
    "careless[full-train]": "has no attribute 'no_such_attribute'",
    "loaded[full-single_device-wide-eval]": "FAILED_RUNTIME: does not fit",
    "no_device[full-eval]": "devices= names 'tt:0': handles of DeviceManager are wanted",
    "forgetful[full-eval]": "set_inputs_train of Forgetful returns nothing: return the inputs",
    "unsettable[full-eval]": "outputs always come back as CPU tensors",
    "trained_by_hand[full-eval]": "is run forward only: a tester of mode train has the backward",
    "trained_by_hand_in_parts[full-eval]": "is run forward only: a tester of mode train has",
    "map_of_tester[full-eval]": "tensor_parallel_mode divides its weights over devices",
    "spmd[full-eval]": "ModelTester(tensor_parallel_mode=True) with get_mesh_config",
}


def named(done: Done) -> dict[str, TestRecord]:
    return {k.partition("@")[0].rpartition(".")[2]: r for k, r in done.records.items()}


def test_every_kind_of_use_runs_to_a_right_record(done: Done) -> None:
    found = {name: record.outcome for name, record in named(done).items()}
    assert {name: found.get(name) for name in OUTCOMES} == OUTCOMES, done.output


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_not_done_says_why_and_what_to_use(done: Done, name: str) -> None:
    failure = named(done)[name].failure
    assert failure is not None and REFUSALS[name] in failure.message


def test_every_device_of_data_parallel_has_its_metrics(done: Done) -> None:
    record = named(done)["loaded[full-data_parallel-small-eval]"]
    assert len(record.outputs) == 8
    chips = [s.attributes.get("chips", "0") for s in record.stages if s.stage is Stage.COMPILE]
    assert chips == [str(chip) for chip in range(8)]


def test_a_batch_is_split_over_the_mesh(done: Done) -> None:
    record = named(done)["meshed[full-eval]"]
    compiled = next(s for s in record.stages if s.stage is Stage.COMPILE)
    assert compiled.attributes["chips"] == "0, 1" and compiled.attributes["split"] != ""
    (level,) = (a for a in compiled.artifacts if a.level == "hlo_optimized")
    text = ArtifactStore(done.directory).get(level).decode()
    assert "num_partitions=2" in text and "f32[3,4]" in text, "half of six rows"


def test_a_graph_is_cut_by_its_device_map(done: Done) -> None:
    record = named(done)["cut_by_module[full-eval]"]
    compiled = [s for s in record.stages if s.stage is Stage.COMPILE]
    assert [s.attributes.get("chips", "0") for s in compiled] == ["0", "1"]


def test_what_is_set_and_changes_nothing_is_said(done: Done) -> None:
    found = named(done)
    assert "without automatic_parallelization" in str(found["mesh_alone[full-eval]"].warnings)
    assert "compiled of decoder" in str(found["map_of_another[full-eval]"].warnings)


@pytest.mark.parametrize("test", ["one_device", "one_device_steered"])
def test_the_device_that_is_named_is_the_one(done: Done, test: str) -> None:
    stages = named(done)[f"{test}[full-eval]"].stages
    assert {s.attributes.get("chips", "0") for s in stages if s.stage is Stage.COMPILE} == {"1"}


def test_every_graph_is_on_the_device_however_many_there_are(done: Done) -> None:
    """Dynamo runs the ninth of a frame in eager PyTorch, and says so to nobody."""
    found = named(done)
    bodies = [found[f"many_bodies[full-{number}-eval]"] for number in range(10)]
    assert all(r.pcc is not None for r in bodies)
    executed = [s for s in found["many_shapes[full-eval]"].stages if s.stage is Stage.EXECUTE]
    assert len(executed) == 20, "ten shapes, each called twice"


def test_a_steered_model_has_its_graphs_on_the_device(done: Done) -> None:
    record = named(done)["generate[full-eval]"]
    executed = [s for s in record.stages if s.stage is Stage.EXECUTE]
    assert len(executed) >= 2, "a graph for the prompt, and one for the token after it"
    assert named(done)["own_run_model[full-eval]"].pcc is not None


def test_tags_are_in_the_junit_file_as_json(done: Done) -> None:
    cases = {
        c.get("name"): c for c in ElementTree.parse(done.directory / "junit.xml").iter("testcase")
    }
    case = cases["test_loaded[single_device-full-small-eval]"]
    tags = json.loads(
        next(p.get("value") for p in case.iter("property") if p.get("name") == "tags")
    )
    assert tags["model_name"] == "tiny-small-one" and tags["backend"] == "tt-legacy"
    assert tags["pcc"] > 0.97 and tags["bringup_status"] == "PASSED"
    assert tags["parallelism"] == "single_device" and tags["forge_models_test"] is True
