# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The decorator that makes a test of a tester: what it is called, and what it refuses."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from bringup import ModelTester, OnnxModelTester, OpByOpBackend, Variant, model_test
from bringup.harness.errors import UsageError


def looks(results: Any) -> None: ...


def looks_onnx(results: Any) -> None: ...


def marks(test: Callable[..., None]) -> list[Any]:
    return [mark for mark in test.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]


def ids(*arguments: Any, tester: type[ModelTester] = ModelTester, **options: Any) -> list[str]:
    """What pytest calls the tests: the parameters next to the function come first."""
    body = looks_onnx if tester.framework == "onnx" else looks
    columns = [
        list(m.kwargs["ids"]) for m in marks(model_test(tester, *arguments, **options)(body))
    ]
    assert len(columns) == 2
    return [f"{flow}-{case}" for case in columns[1] for flow in columns[0]]


def test_ids_are_the_seed_pages() -> None:
    flows = ("op_by_op_stablehlo", "op_by_op_torch", "full")
    assert ids("net") == [f"{flow}-eval" for flow in flows]
    assert ids("net", modes=("train", "eval")) == [
        f"{flow}-{mode}" for mode in ("train", "eval") for flow in flows
    ]
    assert ids("t5-small", "t5-base") == [
        f"{flow}-{name}-eval" for name in ("t5-small", "t5-base") for flow in flows
    ]


def test_an_onnx_model_has_no_torch_flow() -> None:
    assert ids("net", tester=OnnxModelTester) == ["op_by_op_stablehlo-eval", "full-eval"]


def test_a_dtype_ends_the_variant_and_is_for_eval() -> None:
    found = ids("a", "b", modes=("eval", "train"), dtypes=("own", "bf16"))
    assert [one for one in found if one.startswith("full")] == [
        f"full-{rest}"
        for name in "ab"
        for rest in (f"{name}-eval", f"{name}-train", f"{name}-bf16-eval")
    ]


def test_a_variant_says_what_differs() -> None:
    found = ids(Variant("", "net"), Variant("cache", "net", ("train",), ("own",)), dtypes="bf16")
    assert [one for one in found if one.startswith("full")] == [
        "full-bf16-eval",
        "full-cache-train",
    ]


def test_phases_and_sweeps_are_words_of_the_id() -> None:
    assert ids("net", batches=4, phases="decode") == ids("net", batches=(4,), phases=("decode",))
    found = ids("net", phases=("prefill", "decode"), batches=(1, 8), lengths=(32,))
    assert [one for one in found if one.startswith("full")] == [
        f"full-{phase}-batch_{batch}-seq_32-eval"
        for phase in ("prefill", "decode")
        for batch in (1, 8)
    ]
    found = ids("a", "b", batches=(2,), dtypes=("own", "bf16"), modes=("train", "eval"))
    assert [one for one in found if one.startswith("full-b-")] == [
        "full-b-batch_2-train",
        "full-b-batch_2-eval",
        "full-b-batch_2-bf16-eval",
    ]


def test_a_phase_is_of_eval() -> None:
    found = ids("net", modes=("train", "eval"), phases="decode")
    assert [one for one in found if one.startswith("full")] == ["full-decode-eval"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"phases": ("prefil",)}, "there is no phase 'prefil'; did you mean prefill"),
        ({"batches": (0,)}, "batch 0 is no whole number from 1"),
        ({"lengths": (True,)}, "length True is no whole number"),
        ({"batches": 0}, "batch 0 is no whole number from 1"),
        ({"phases": 3}, "there is no phase 3"),
        ({"modes": None}, "there is no mode None"),
        ({"dtypes": ({},)}, "there is no dtype {}"),
        ({"lengths": (8, 8)}, "two of its tests would be called seq_8-eval"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ids("net", **options)


def test_pytest_sees_fixtures_and_marks_of_the_function() -> None:
    @pytest.mark.slow
    def test_net(results: Any, tmp_path: Any, mode: str) -> None: ...

    made = model_test(ModelTester, "net")(test_net)
    names = ["record_property", "op_by_op", "case", "mode", "tmp_path"]
    assert list(inspect.signature(made).parameters) == names
    assert [mark.name for mark in made.pytestmark].count("slow") == 1  # type: ignore[attr-defined]
    assert not hasattr(test_net, "__signature__") and len(test_net.pytestmark) == 1
    flow, _ = marks(made)
    assert flow.args[1] == (OpByOpBackend.STABLEHLO, OpByOpBackend.TORCH, None)


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((), {}, "needs the model's name"),
        (("net",), {"modes": ("evil",)}, "there is no mode 'evil'; did you mean eval"),
        (("net",), {"modes": "train-eval"}, "there is no mode 'train-eval'"),
        (("net",), {"dtypes": ("int4",)}, "no dtype 'int4'; one of own, bf16, f16, f32"),
        (("net", "net"), {}, "two of its tests would be called net-eval"),
        ((Variant("", "a"), Variant("", "b")), {}, "would be called eval"),
        ((Variant(""),), {}, "neither a word nor a model's name"),
        (("net",), {"modes": ("train",), "dtypes": ("bf16",)}, "nothing to test"),
        (("net",), {"config": {"enable_constevaal": True}}, "enable_constevaal"),
        (("net",), {"required_pc": 1}, "required_pc"),
        (("net",), {"tester": OnnxModelTester}, "its name ends in _onnx"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_there_is_not_is_refused_in_a_sentence(
    arguments: tuple[Any, ...], options: dict[str, Any], said: str
) -> None:
    tester = options.pop("tester", ModelTester)
    with pytest.raises(UsageError, match=said):
        model_test(tester, *arguments, **options)(looks)


def test_onnx_models_are_not_trained_or_cast() -> None:
    with pytest.raises(UsageError, match="eval mode and as they are"):
        model_test(OnnxModelTester, "net", modes=("eval", "train"))(looks_onnx)
    with pytest.raises(UsageError, match="its name does not end in _onnx"):
        model_test(ModelTester, "net")(looks_onnx)
