# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Variants are read from a loader's source, and only what cannot be is asked for, in a child."""

from pathlib import Path

import pytest

from bringup.harness.errors import UsageError
from bringup.harness.loaders.asked import ask
from bringup.harness.loaders.collecting import ids
from bringup.harness.loaders.declared import declared_methods, declared_variants
from bringup.harness.loaders.repository import Repository, repositories
from bringup.harness.loaders.ways import Way, expected_of, ways_of
from tests.integration.made_loaders import BAD, GOOD, OTHERS, make_loaders


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    root = make_loaders(tmp_path / "my repo", GOOD | BAD | OTHERS)
    (found,) = repositories([root])
    return found


def test_loaders_are_found_and_named_by_their_places(made: Repository) -> None:
    names = [one.function for one in made.loaders.values() if one.tested]
    assert len(set(names)) == len(names)
    assert {"test_bert_masked_lm", "test_bert_masked_lm_onnx", "test_plain_task"} <= {*names}
    assert {"test_flat", "test_flatter", "test_v1_5_b_x"} <= {*names}
    assert made.left_out().startswith("2 loaders of jax, paddlepaddle left out")


def test_a_framework_that_is_not_tested_takes_no_name(made: Repository) -> None:
    jax = made.loaders[made.root / "bert/masked_lm/jax/loader.py"]
    assert not jax.tested and jax.model == "bert_masked_lm"


@pytest.mark.parametrize(
    ("file", "variants"),
    [
        ("bert/masked_lm/pytorch", ("small", "Wide 2.0 (train)/<b>")),
        ("bert/masked_lm/onnx", ("small", "Wide 2.0 (train)/<b>")),
        ("flat/pytorch", ()),
        ("broken/pytorch", ()),
        ("hangs/pytorch", None),
        ("computed/pytorch", None),
        ("asked/pytorch", None),
        ("wrong/pytorch", None),
        ("empty/pytorch", None),
    ],
)
def test_what_is_spelled_out_is_read(
    made: Repository, file: str, variants: tuple[str, ...] | None
) -> None:
    assert declared_variants(made.root / file / "loader.py") == variants


@pytest.mark.parametrize(
    ("source", "variants"),
    [
        ("class ModelLoader:\n    _VARIANTS = {'a': 1}\n    _VARIANTS['b'] = 2\n", None),
        ("class ModelLoader:\n    _VARIANTS = {}\nModelLoader._VARIANTS['b'] = 2\n", None),
        ("class ModelLoader:\n    _VARIANTS: dict = {'a': 1, 'a': 2}\n", ("a",)),
        ("class ModelLoader(Unknown):\n    pass\n", None),
        ("class ModelLoader(ModelLoader):\n    pass\n", None),
        ("class ModelLoader:\n    _VARIANTS = {v: 1 for v in V}\n", None),
        (
            "class V(StrEnum):\n    A = 'a'\n    B = 'b'\n\n\n"
            "class ModelLoader:\n    _VARIANTS = {v: 1 for v in V}\n",
            ("a", "b"),
        ),
        ("class V(StrEnum):\n    A = auto()\nclass ModelLoader:\n    _VARIANTS = {V.A: 1}\n", None),
        ("\0", None),
    ],
)
def test_nothing_is_guessed(tmp_path: Path, source: str, variants: tuple[str, ...] | None) -> None:
    file = tmp_path / "loader.py"
    file.write_text(source)
    assert declared_variants(file) == variants


def test_one_that_never_returns_or_ends_the_process_costs_no_other(
    made: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("dies", "hangs", "empty", "wrong")
    wanted = [made.loaders[made.root / name / "pytorch/loader.py"] for name in names]
    for limit_s in (5, 50, 500):  # a busy machine takes longer for those that do end
        monkeypatch.setenv("BRINGUP_CACHE", str(tmp_path / f"cache-{limit_s}"))
        found = ask(made, wanted, limit_s=float(limit_s))
        said = [found[one.path].error for one in wanted]
        over = f"importing it takes more than {limit_s} s"
        assert said[1] == over
        if said.count(over) == 1:
            break
    assert said[0] == "importing it ends the process with exit code 7"
    assert said[2] == "has no class ModelLoader" and "SyntaxError" in said[3]
    again = ask(made, wanted, limit_s=0.001)  # kept: nobody is asked
    assert again == found


def test_ids_of_variants_are_readable_and_their_own() -> None:
    assert ids(["50 HF", "base", "a/b", "a b", "é", "x-y.z"])[1] == "base"
    found = ids(["50 HF", "base", "a/b", "a b", "é", "x-y.z"])
    assert found[0] == "50_HF" and found[5] == "x-y.z" and len(set(found)) == 6
    assert all(text.isascii() and "/" not in text and " " not in text for text in found)


def test_a_folder_that_is_none_and_two_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such folder"):
        repositories([tmp_path / "nowhere"])
    for parent in ("a", "b"):
        (tmp_path / parent / "models").mkdir(parents=True)
    with pytest.raises(UsageError, match="two repositories of loaders are called models"):
        repositories([tmp_path / "a/models", tmp_path / "b/models"])


def test_the_ways_to_run_a_loader_are_read_from_its_methods_and_its_bases(made: Repository) -> None:
    every = made.root / "ways/pytorch/loader.py"
    assert ways_of(declared_methods(every)) == tuple(Way)
    heir = every.parent.parent / "heir" / "loader.py"
    heir.parent.mkdir()
    said = "from ..pytorch.loader import ModelLoader as Other\n\n\nclass ModelLoader(Other):\n    "
    heir.write_text(f"{said}pass\n")
    assert ways_of(declared_methods(heir)) == tuple(Way)
    assert ways_of(declared_methods(made.root / "flat/pytorch/loader.py")) == (Way.WHOLE,)
    heir.write_text(f"{said}def load_shard_spec(self, model):\n        return None\n")
    assert ways_of(declared_methods(heir)) == (Way.WHOLE, Way.PREFILL, Way.DECODE)
    heir.write_text(f"{said}def load_inputs_decode(self):\n        pass\n")
    assert Way.DECODE not in ways_of(declared_methods(heir))
    heir.write_text(f"{said}def load_shard_spec(self, model):\n        return {{}}\n")
    assert ways_of(declared_methods(heir)) == tuple(Way)
    assert declared_methods(made.root / "wrong/pytorch/loader.py") == frozenset()


@pytest.mark.parametrize(
    ("way", "entry"),
    [
        (Way.WHOLE, "v-single_device-inference"),
        (Way.PREFILL, "v-llm_prefill-seq_128-batch_1-single_device-inference"),
        (Way.DECODE, "v-llm_decode-seq_1-batch_1-single_device-inference"),
        (
            Way.DECODE,
            "v-llm_decode-seq_1-batch_1-single_device-mesh_default-inference",
        ),
        (Way.TENSOR_PARALLEL, "v-tensor_parallel-inference"),
    ],
)
def test_what_tt_xla_calls_a_test_of_each_way(made: Repository, way: Way, entry: str) -> None:
    loader = made.loaders[made.root / "flat/pytorch/loader.py"]
    entries = {f"flat/pytorch-{entry}": 1}
    assert expected_of(entries, loader, "v", way, "eval") == 1
    assert expected_of(entries, loader, "w", way, "eval") is None
