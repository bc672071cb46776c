# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The test that is written for a model that has none: collected under the names it should have."""

from pathlib import Path

import pytest

from bringup.harness.records.naming import identity_of
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.trying.test_file import understood, write_test


def test_files_folders_and_names_are_told_apart(tmp_path: Path) -> None:
    for name in ("a-b.onnx", "net.pt2", "zoo/x.onnx", "zoo/deep/x.onnx", "hf/config.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    asked = {
        "a-b.onnx": ("a_b", "onnx", ["a_b"]),
        "net.pt2": ("net", "torch", ["net"]),
        "zoo": ("zoo", "onnx", ["deep_x", "x"]),
        "hf": ("hf", "torch", ["hf"]),
    }
    for name, (called, framework, models) in asked.items():
        given = understood(str(tmp_path / name))
        assert (given.name, given.framework, [*given.models]) == (called, framework, models)
    given = understood("package.models:Outer.Net")
    assert given.name == "net" and given.models == {"net": "package.models:Outer.Net"}


def test_files_whose_names_become_one_keep_their_own(tmp_path: Path) -> None:
    for name in ("a b.onnx", "a-b.onnx", "a_b.onnx"):
        (tmp_path / name).touch()
    models = understood(str(tmp_path)).models
    assert [*models] == ["a_b", "a_b~2", "a_b~3"] and len(set(models.values())) == 3


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("absent.onnx", "there is no file absent.onnx"),
        ("what", "is no .onnx or .pt2 file"),
        ("os.system('x'):f", "is no .onnx or .pt2 file"),
        (".git", ""),
    ],
)
def test_what_cannot_be_tried_is_one_sentence(model: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(PipelineError) as error:
        understood(model if said else str(tmp_path))
    assert said in str(error.value) and len(str(error.value).splitlines()) == 1


def test_the_file_is_python_whatever_the_names_are(tmp_path: Path) -> None:
    folder = tmp_path / "q'\"}{\\n"
    folder.mkdir()
    (folder / "m'\"\n.onnx").touch()
    given = understood(str(folder), ("x=1x3", "'\"=2"))
    file = write_test(given, tmp_path / "tried")
    space: dict[str, object] = {}
    exec(compile(file.read_text("utf-8"), file, "exec"), space)
    assert space["MODELS"] == dict(given.models) and space["INPUTS"] == given.inputs
    assert file.name == f"test_{given.name}_onnx.py"
    again = write_test(given, tmp_path / "tried")
    assert again == file


def test_its_ids_say_model_variant_flow_and_framework() -> None:
    entry = "results/tried/zoo/test_zoo_onnx.py::test_zoo_onnx[full-deep_x-eval]"
    named = identity_of(entry, "cpu")
    assert (named.model, named.variant, named.framework) == ("zoo", "deep_x", "onnx")
    assert (named.flow, named.mode) == ("full", "eval")


def test_models_of_one_name_and_other_inputs_have_tests_of_their_own(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "net.onnx").touch()
    one, other = (str(tmp_path / folder / "net.onnx") for folder in "ab")
    asked = [understood(one), understood(other), understood(one, ("1x3",))]
    assert {given.name for given in asked} == {"net"}
    assert len({given.digest for given in asked}) == 3
    assert understood(one).digest == asked[0].digest
