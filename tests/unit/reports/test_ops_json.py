# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops as JSON in tt-torch's field names."""

import json
from pathlib import Path

from bringup.harness.records.schema import Stage
from bringup.reports.build import build
from bringup.reports.catalog import SHIPPED
from tests.unit.reports.op_runs import T5, VIT, low, run_of
from tests.unit.run_builder import identity, keep, op_result

FIELDS = """framework_op_name torch_name frontend backend model_name model_group global_op_idx
input_shapes input_tensors output_shapes output_tensors num_ops compilation_status torch_ir_graph
stable_hlo_graph stable_hlo_ops ttir_graph ttnn_graph runtime_stack_dump pcc atol compiled_json"""
TENSOR_FIELDS = {"shape", "data_type", "buffer_type", "layout", "grid_shape"}


def test_the_export_has_the_field_names_people_know(tmp_path: Path) -> None:
    text = """module attributes {stablehlo.kept = 1} {
      %0 = stablehlo.add %a, %b : tensor<2xf32>
      %1 = "stablehlo.gather"(%0) <{n = #stablehlo.gather<offset_dims = [1]>}> : !stablehlo.token
      %2 = stablehlo.reduce(%1 init: %c) applies stablehlo.add : tensor<2xf32>
      %3 = stablehlo.composite "chlo.top_k" %2
    }"""
    levels = {"stablehlo": text, "ttir": "ttir text", "stderr": "careful"}
    kept = tuple(keep(tmp_path, content, level) for level, content in levels.items())
    bad = low(1, artifacts=(keep(tmp_path, "graph", "torch_ir"),), stage=Stage.STABLEHLO)
    build(run_of(tmp_path, {T5: [op_result(0, artifacts=kept), bad]}), reporters=SHIPPED)
    path = tmp_path / "models" / "t5[op_by_op_torch-eval]@n150_unique_ops.json"
    good, failed = json.loads(path.read_text()).values()
    assert set(good) >= set(FIELDS.split())
    assert good["stable_hlo_graph"] == text
    names = ["add", "gather", "reduce", "add", "composite"]
    assert good["stable_hlo_ops"] == [f"stablehlo.{name}" for name in names]
    assert (good["ttir_graph"], good["ttnn_graph"]) == ("ttir text", None)
    assert (good["stderr"], failed["stderr"]) == ("careful", None)
    assert (good["compilation_status"], good["num_ops"], good["pcc"]) == (7, 3, 0.99998712)
    assert set(good["input_tensors"][0]) == set(
        ["shape", "data_type", "buffer_type", "layout", "grid_shape"]
    )
    assert failed["torch_ir_graph"] == "graph"
    assert "failed to legalize" in failed["runtime_stack_dump"]
    assert failed["pcc"] is None


def test_export_names_are_whole_and_never_collide(tmp_path: Path) -> None:
    same = "a" * 28
    variants = [
        f"{same}_one",
        f"{same}_two",
        "../../etc/x",
        "..%2F",
        ".",
        "_unique_ops.json",
        "é/ü",
    ]
    ops = {identity("m", flow="op_by_op_torch", variant=v): [op_result()] for v in variants}
    build(run_of(tmp_path, ops), reporters=SHIPPED)
    names = [path.name for path in (tmp_path / "models").iterdir()]
    assert len(names) == len(variants)
    assert any(f"{same}_one" in name for name in names)
    assert not (tmp_path.parent / "etc").exists()


def test_a_name_too_long_for_a_file_keeps_its_beginning(tmp_path: Path) -> None:
    long = [identity("m" * 300 + end, flow="op_by_op_torch") for end in ("a", "b")]
    build(run_of(tmp_path, {test: [op_result()] for test in long}), reporters=SHIPPED)
    names = {path.name for path in (tmp_path / "models").iterdir()}
    assert len(names) == 2
    assert all(name.startswith("m" * 100) and len(name) <= 255 for name in names)


def test_a_lost_artifact_is_null_and_a_sentence(tmp_path: Path) -> None:
    artifact = keep(tmp_path / "elsewhere", "module {}")
    built = build(
        run_of(tmp_path / "run", {T5: [op_result(0, artifacts=(artifact,))]}), reporters=SHIPPED
    )
    (path,) = (tmp_path / "run" / "models").iterdir()
    assert next(iter(json.loads(path.read_text()).values()))["stable_hlo_graph"] is None
    assert len(built.losses) == 1


def test_exports_of_earlier_builds_go_and_links_are_refused(tmp_path: Path) -> None:
    build(run_of(tmp_path / "run", {T5: [op_result()], VIT: [op_result()]}), reporters=SHIPPED)
    build(run_of(tmp_path / "run", {VIT: [op_result()]}), reporters=SHIPPED)
    assert len(list((tmp_path / "run" / "models").iterdir())) == 1
    (tmp_path / "there").mkdir()
    run_of(tmp_path / "other", {T5: [op_result()]})
    (tmp_path / "other" / "models").symlink_to(tmp_path / "there")
    (failure,) = build(tmp_path / "other", reporters=SHIPPED).failures
    assert failure.startswith("format json: ") and "is a link" in failure
    assert not list((tmp_path / "there").iterdir())
