# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Filters: different ones narrow, one of them repeated widens, and each has one meaning."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bringup.harness.records.naming import FLOWS, MODES
from bringup.harness.records.schema import Identity, PlannedTest
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions
from bringup.pipeline.planning.filters import FILTERS, meant, narrowed
from bringup.pipeline.planning.plan import from_entries

FLEET = [
    "tests/models/albert/test_albert.py::test_albert[full-eval]",
    "tests/models/bert/test_bert.py::test_bert[full-eval]",
    "tests/models/bert/test_bert.py::test_bert[op_by_op_torch-eval]",
    "tests/models/bert/test_bert.py::test_bert[full-large-train]",
    "tests/models/full/test_bad_full.py::test_bad_full[op_by_op_torch-eval]",
    "tests/models/light/test_light_onnx.py::test_light_onnx[full-resnet50-eval]",
    "tests/models/resnet/test_resnet.py::test_resnet50[full-eval]",
]


def planned(*entries: str) -> list[PlannedTest]:
    return from_entries(entries or FLEET, ["cpu"], lambda _: None)


def left(there: list[PlannedTest] | None = None, **filters: tuple[str, ...]) -> list[str]:
    tests = planned() if there is None else there
    known = [test.identity for test in planned()]
    found = narrowed(tests, RunOptions("run", **filters), known, Speaker(io.StringIO()))
    return [test.identity.name for test in found]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"models": ("bad_",), "flows": ("full",)}, []),
        ({"models": ("bad_", "bert"), "flows": ("op_by_op_torch",)},
         ["bert[op_by_op_torch-eval]", "bad_full[op_by_op_torch-eval]"]),
        ({"models": ("bert",), "modes": ("train",)}, ["bert[full-large-train]"]),
        ({"models": ("bert",), "variants": ("",)},
         ["bert[full-eval]", "bert[op_by_op_torch-eval]"]),
        ({"variants": ("resnet50",)}, ["light_onnx[full-resnet50-eval]"]),
        ({"models": ("resnet",)}, ["resnet50[full-eval]"]),
        ({"frameworks": ("onnx",)}, ["light_onnx[full-resnet50-eval]"]),
        ({"flows": ("op_by_op",)}, ["bert[op_by_op_torch-eval]", "bad_full[op_by_op_torch-eval]"]),
        ({"flows": ("full", "op_by_op"), "models": ("albert",)}, ["albert[full-eval]"]),
    ],
)  # fmt: skip
def test_filters_narrow_and_repeating_one_widens(filters: dict[str, Any], names: list[str]) -> None:
    assert left(**filters) == names


def test_the_model_full_is_no_flow_and_the_flow_full_no_model() -> None:
    with pytest.raises(PipelineError, match="no model has `eval` in its name; a mode is called so"):
        left(models=("eval",))
    assert left(models=("full",)) == ["bad_full[op_by_op_torch-eval]"], "a part of a model's name"
    assert len(left(flows=("full",))) == 5


def test_a_whole_name_is_never_a_part_even_where_its_own_tests_are_not_to_be_run() -> None:
    assert left(planned(FLEET[0]), models=("bert",)) == []
    assert left(planned(*FLEET[:2]), models=("ber",)) == ["albert[full-eval]", "bert[full-eval]"]


def test_a_part_is_said_to_be_one() -> None:
    said = io.StringIO()
    narrowed(planned(), RunOptions("run", models=("ber", "bert")), [], Speaker(said))
    assert said.getvalue() == "no model is called `ber`: taken as a part of `albert`, `bert`\n"


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ({"models": ("brt",)}, "no model has `brt` in its name; did you mean bert?"),
        ({"models": ("BERT",)}, "no model has `BERT` in its name; did you mean bert?"),
        ({"models": ("large",)}, "a variant is called so: --variant large"),
        ({"models": ("bert,t5",)}, "no model has `bert,t5` in its name"),
        ({"models": ("tests/models/bert",)}, "named without --model: `nox -s run -- tests/mod"),
        ({"models": ("",)}, "--model needs a name"),
        ({"flows": ("op_by_op_troch",)}, "did you mean op_by_op_torch?"),
        ({"modes": ("xyz",)}, "there are `eval`, `train`"),
        ({"models": ("bert", "nobody")}, "no model has `nobody` in its name"),
    ],
)
def test_an_unknown_name_is_refused_with_what_is_like_it(
    filters: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(PipelineError) as refused:
        left(**filters)
    assert sentence in str(refused.value) and "\n" not in str(refused.value)


WORDS = st.sampled_from(["a", "ab", "b", "abc", "c"])
IDENTITIES = st.builds(
    Identity,
    model=WORDS,
    variant=st.one_of(st.just(""), WORDS),
    flow=st.sampled_from(FLOWS),
    mode=st.sampled_from(MODES),
    framework=st.sampled_from(["torch", "onnx"]),
    device=st.just("cpu"),
)
FLEETS = st.lists(IDENTITIES, min_size=1, max_size=12, unique=True).map(
    lambda them: [PlannedTest(i, i.key) for i in them]
)


@given(FLEETS, st.data())
def test_any_filters_leave_the_intersection_of_unions(
    fleet: list[PlannedTest], data: st.DataObject
) -> None:
    given_names: dict[str, tuple[str, ...]] = {}
    expected = set(range(len(fleet)))
    for one in FILTERS:
        values = sorted({one.field(t.identity) for t in fleet})
        names = data.draw(st.lists(st.sampled_from(values), max_size=2), label=one.flag)
        given_names[one.option] = tuple(names)
        if names:
            wanted = {v for name in names for v in meant(name, values)}
            expected &= {i for i, t in enumerate(fleet) if one.field(t.identity) in wanted}
            assert wanted == set(names), "a whole name means itself"
    found = narrowed(fleet, RunOptions("run", **given_names), [], Speaker(io.StringIO()))
    assert found == [fleet[i] for i in sorted(expected)]


@given(FLEETS, st.lists(WORDS, min_size=1, max_size=3))
def test_one_name_more_of_a_filter_never_narrows(
    fleet: list[PlannedTest], names: list[str]
) -> None:
    def found(some: list[str]) -> set[str]:
        there = [t.identity for t in fleet] + [Identity(model=w, device="cpu") for w in names]
        options = RunOptions("run", models=tuple(some))
        return {t.nodeid for t in narrowed(fleet, options, there, Speaker(io.StringIO()))}

    assert found(names[:-1]) <= found(names) or len(names) == 1
    assert found(names) == set().union(*(found([name]) for name in names))
