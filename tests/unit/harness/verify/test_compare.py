# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Two outputs compared: what is measured, what is asserted, and the sentences that say so."""

import dataclasses
import math

import msgspec
import numpy as np
import pytest
import torch

from bringup.harness.errors import UsageError
from bringup.harness.records.schema import Metric, MetricState, OutputCheck
from bringup.harness.verify import (
    Tolerances,
    UnsupportedOutputError,
    compare,
    mismatches,
    nothing_finite,
    verdict,
)
from tests.unit.made_outputs import INF, NAN, OFF, X, changed, check, randn, record


def at_pcc(target: float) -> torch.Tensor:
    """A tensor whose PCC with X is `target`: X and something orthogonal to it, mixed."""
    x = X.double() - X.double().mean()
    other = randn(64, 32, seed=9).double()
    other -= other.mean()
    other -= x * (other * x).sum() / (x * x).sum()
    other *= x.norm() / other.norm()
    return target * x + math.sqrt(1 - target * target) * other


# --- PARITY.md, part 2, "Numerics": each line is a test -------------------------------------


@pytest.mark.parametrize("tolerances", [Tolerances(), OFF])
def test_an_output_that_is_nine_tenths_nan_has_no_pcc_of_one(tolerances):
    actual = X.masked_fill(torch.arange(X.numel()).view(X.shape) % 10 != 0, NAN)
    outputs = compare(X, actual, tolerances)
    assert not verdict(outputs)
    assert check("pcc", outputs).measured.state is MetricState.NAN
    assert (outputs[0].golden_nonfinite, outputs[0].actual_nonfinite) == (0, 1843)


def test_a_nan_that_is_not_first_is_not_hidden_by_the_worst_of_many():
    outputs = compare([X, X, X], [X, torch.full_like(X, NAN), X])
    assert not verdict(outputs)
    assert record(*outputs).pcc == Metric(MetricState.NAN)
    assert record(*reversed(outputs)).pcc == Metric(MetricState.NAN)
    assert [o.ok for o in outputs] == [True, False, True]


def test_matching_nans_do_not_fail_the_absolute_tolerance():
    golden = X.masked_fill(X > 1, NAN).masked_fill(X < -2, -INF)
    outputs = compare(golden, golden.clone(), Tolerances(required_atol=0.0, relative_atol=0.0))
    assert mismatches(outputs) == []
    assert check("atol", outputs).measured == Metric.of(0.0)
    assert outputs[0].golden_nonfinite == outputs[0].actual_nonfinite > 0


@pytest.mark.parametrize("golden", [0.5, torch.tensor(0.5), torch.tensor([0.5]), np.float32(0.5)])
def test_scalars_and_single_elements_are_compared(golden):
    assert verdict(compare(golden, golden * 1.001))
    assert not verdict(compare(golden, golden * 1.01))
    assert not verdict(compare(golden, -golden))


def test_a_constant_golden_has_no_pcc_and_is_compared_by_difference():
    outputs = compare(torch.ones(9), torch.ones(9) * 1.001)
    found = check("pcc", outputs)
    assert found.measured.state is MetricState.UNDEFINED
    assert not found.asserted
    assert found.reason == "golden is constant; compared by difference"
    assert verdict(outputs)
    assert not verdict(compare(torch.ones(9), torch.zeros(9)))


def test_data_parallel_keeps_the_metrics_of_every_device():
    outputs = compare(X, -X, path="device[0]") + compare(X, X, path="device[1]")
    assert [o.path for o in outputs] == ["device[0]", "device[1]"]
    assert not verdict(outputs)
    assert record(*outputs).pcc == Metric.of(-1.0)


@pytest.mark.parametrize(("pcc", "passes"), [(0.994, False), (0.996, True), (0.995 + 1e-9, True)])
def test_pcc_is_kept_and_judged_at_full_precision(pcc, passes):
    outputs = compare(X, at_pcc(pcc), Tolerances(required_pcc=0.995, assert_atol=False))
    assert verdict(outputs) is passes
    assert check("pcc", outputs).measured.value == pytest.approx(pcc, abs=1e-12)


def test_absolute_and_relative_tolerance_each_have_a_place():
    outputs = compare(X, X + 0.01, Tolerances(required_atol=0.02, relative_atol=0.001))
    absolute, relative = check("atol", outputs), check("relative_atol", outputs)
    assert (absolute.required, absolute.ok, absolute.asserted) == (0.02, True, True)
    assert (relative.required, relative.ok, relative.asserted) == (0.001, False, True)
    peak = float(X.abs().max())
    assert relative.measured.value == pytest.approx(absolute.measured.value / peak)


# --- what is recorded -----------------------------------------------------------------------

FLOAT_CHECKS = [
    "dtype", "shape", "nonfinite", "pcc", "row_l2", "element",
    "atol", "relative_atol", "relative_l2", "allclose",
]  # fmt: skip


@pytest.mark.parametrize("tolerances", [Tolerances(), OFF])
@pytest.mark.parametrize("actual", [X, X * 2, torch.full_like(X, NAN)])
def test_every_metric_is_recorded_whatever_is_asserted(tolerances, actual):
    (output,) = compare({"logits": X}, {"logits": actual}, tolerances)
    assert [c.metric for c in output.checks] == FLOAT_CHECKS
    assert (output.path, output.shape, output.dtype) == ("logits", (64, 32), "float32")


def test_the_numbers_are_the_metrics():
    outputs = compare(X, X + 0.25, Tolerances(required_atol=0.3))
    assert check("pcc", outputs).measured.value == pytest.approx(1.0, abs=1e-12)
    assert check("atol", outputs).measured.value == pytest.approx(0.25, abs=1e-6)
    expected = 0.25 * math.sqrt(X.numel()) / float(X.norm())
    assert check("relative_l2", outputs).measured.value == pytest.approx(expected, rel=1e-5)
    assert check("allclose", outputs).measured == Metric.of(X.numel())
    assert check("nonfinite", outputs).measured == Metric.of(0)


def test_each_assertion_has_a_switch_of_its_own():
    wrong = {"pcc": X.flip(0), "atol": X * 1.2, "relative_l2": X * 1.2, "allclose": X + 1e-3}
    for metric, actual in wrong.items():
        loose = dataclasses.replace(OFF, required_relative_l2=0.1)
        assert verdict(compare(X, actual, loose))
        strict = dataclasses.replace(loose, **{f"assert_{metric}": True})
        failed = [c.metric for o in compare(X, actual, strict) for c in o.checks if c.asserted]
        failed = [m for m in failed if not check(m, compare(X, actual, strict)).ok]
        assert failed == (["row_l2", "element"] if metric == "atol" else [metric])


@pytest.mark.parametrize(
    ("golden", "actual"),
    [
        (torch.tensor([1, 2]), torch.tensor([1, 3])),
        (torch.tensor([True]), torch.tensor([False])),
        ("a", "b"),
    ],
)
def test_exact_comparison_has_a_switch_too(golden, actual):
    assert not verdict(compare(golden, actual))
    outputs = compare(golden, actual, OFF)
    assert verdict(outputs)
    assert check("exact", outputs).measured == Metric.of(1)


@pytest.mark.parametrize(
    ("golden", "actual", "metric"),
    [
        (X, torch.full_like(X, NAN), "nonfinite"),
        (X, X[:-1], "shape"),
        (torch.ones(3, 1), torch.ones(3), "shape"),
        (X, X.to(torch.complex64), "dtype"),
        (torch.ones(2, dtype=torch.int32), torch.ones(2), "dtype"),
        ("1", 1, "dtype"),
        ([X], [], "structure"),
        ([], [X], "structure"),
    ],
)
def test_no_switch_turns_structure_off(golden, actual, metric):
    outputs = compare(golden, actual, OFF)
    assert not verdict(outputs)
    assert [c.metric for o in outputs for c in o.checks if c.asserted and not c.ok] == [metric]


def test_another_width_of_one_kind_is_told_and_right():
    outputs = compare(X, X.bfloat16())
    found = check("dtype", outputs)
    assert found.ok
    assert found.reason == "actual is bfloat16, golden float32"


def test_nothing_but_equal_infinities_is_exact():
    outputs = compare(torch.full((3,), -INF), torch.full((3,), -INF))
    assert verdict(outputs)
    assert check("exact", outputs).ok
    assert check("pcc", outputs).measured.state is MetricState.UNDEFINED


@pytest.mark.parametrize("tolerances", [Tolerances(), OFF])
@pytest.mark.parametrize(
    ("golden", "said"),
    [
        ([torch.tensor([NAN, NAN])], "golden has NaN and no finite number in [0], "),
        ([torch.tensor([NAN, INF])], "golden has NaN and no finite number in [0], "),
        ([X, NAN, torch.tensor([NAN])], "in [1] (and 1 more), and so has the device"),
        (torch.tensor(complex(NAN, NAN)), "in the output, and so has the device"),
        (torch.full((2, 3), -INF), "golden has no finite number in any output"),
        ([torch.tensor([INF, -INF]), torch.empty(0, 3)], "no finite number in any output"),
    ],
)
def test_what_has_nothing_finite_is_neither_wrong_nor_right(golden, said, tolerances):
    outputs = compare(golden, golden, tolerances)
    assert mismatches(outputs) == []
    assert said in nothing_finite(outputs)


@pytest.mark.parametrize(
    ("golden", "actual"),
    [
        (changed(X, 3, NAN), changed(X, 3, NAN)),
        ([X, torch.full((2,), -INF)], [X, torch.full((2,), -INF)]),
        ([torch.full((2,), -INF), 7], [torch.full((2,), -INF), 7]),
        ([X, torch.empty(0)], [X, torch.empty(0)]),
        (torch.empty(0), torch.empty(0)),
        ("a", "a"),
    ],
)
def test_what_has_something_to_compare_is_right(golden, actual):
    outputs = compare(golden, actual)
    assert verdict(outputs)
    assert nothing_finite(outputs) == ""


@pytest.mark.parametrize(
    ("golden", "actual"),
    [
        (torch.full((2,), NAN), torch.zeros(2)),
        (torch.zeros(2), torch.full((2,), NAN)),
        (torch.full((2,), NAN), torch.full((2,), INF)),
        (torch.full((2,), INF), torch.full((2,), -INF)),
        (changed(X, 0, NAN), X),
        (changed(X, 0, NAN), changed(X, 1, NAN)),
    ],
)
def test_nan_elsewhere_than_in_golden_is_wrong(golden, actual):
    said = mismatches(compare(golden, actual))
    assert said[0].startswith("output: nonfinite, ")


def test_integers_have_no_pcc_to_spoil_the_worst_one():
    outputs = compare([X, torch.arange(9)], [X, torch.arange(9)])
    assert record(*outputs).pcc == Metric.of(1.0)


def test_an_empty_verdict_is_not_a_pass():
    assert not verdict(())
    assert verdict(compare((), ()))


def test_outputs_are_paired_by_path_not_by_order():
    outputs = compare({"a": X, "b": X + 1}, {"b": X + 1, "a": X})
    assert [o.path for o in outputs] == ["a", "b"]
    assert verdict(outputs)


def test_what_the_lists_lack_does_not_keep_the_rest_from_being_compared():
    outputs = compare({"a": X, "b": X}, {"a": -X, "c": X})
    assert [o.path for o in outputs] == ["a", "b", "c"]
    assert check("pcc", outputs).measured.value == -1.0


def test_an_unsupported_output_is_refused():
    with pytest.raises(UnsupportedOutputError, match="`ids` is a set"):
        compare({"ids": X}, {"ids": {1}})


def test_metrics_survive_json_to_the_last_bit():
    outputs = compare(
        {"a": X, "b": torch.full_like(X, NAN), "c": torch.ones(3), "d": X},
        {"a": at_pcc(0.9941234567890123).float(), "b": X, "c": torch.ones(3), "d": X / 3},
    )
    again = msgspec.json.decode(msgspec.json.encode(outputs), type=tuple[OutputCheck, ...])
    assert again == outputs
    numbers = [math.pi, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, -0.0, 0.99 + 2**-53, NAN, INF]
    for metric in map(Metric.of, [*numbers, -INF, None]):
        copy = msgspec.json.decode(msgspec.json.encode(metric), type=Metric)
        assert copy == metric
        assert copy.value is None or math.copysign(1, copy.value) == math.copysign(1, metric.value)


# --- tolerances -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"required_pcc": 99}, "required_pcc is 99; it must be from -1 to 1"),
        ({"required_pcc": NAN}, "required_pcc is nan"),
        ({"required_atol": -1.0}, "required_atol is -1.0; it must be a finite number from 0"),
        ({"relative_atol": NAN}, "relative_atol is nan"),
        ({"relative_atol": INF}, "relative_atol is inf"),
        ({"arithmetic": "fp32"}, "unknown arithmetic 'fp32'; did you mean f32"),
        ({"ulps": -1.0}, "ulps is -1.0"),
        ({"assert_relative_l2": True}, "assert_relative_l2 has no tolerance"),
        ({"scale": -1.0}, "scale is -1.0"),
    ],
)
def test_tolerances_that_make_no_sense_are_refused(given, words):
    with pytest.raises(UsageError, match=words):
        Tolerances(**given)


def test_an_explicit_absolute_tolerance_is_taken_literally():
    strict = Tolerances(required_atol=0.0)
    assert verdict(compare(X, X.clone(), strict))
    assert not verdict(compare(torch.zeros(3), torch.full((3,), 1e-9), strict))


def test_relative_l2_and_allclose_can_be_asserted():
    tolerances = Tolerances(
        assert_relative_l2=True, required_relative_l2=0.01, assert_allclose=True,
        allclose_rtol=0.0, allclose_atol=0.001,
    )  # fmt: skip
    assert verdict(compare(X, X + 0.0009, tolerances))
    told = mismatches(compare(X, X + 0.02, tolerances))
    assert [sentence.split()[1] for sentence in told] == ["relative_l2", "allclose,"]
    assert verdict(compare(torch.zeros(3), torch.full((3,), 1e-9), tolerances))


# --- sentences ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("golden", "actual", "sentences"),
    [
        (
            {"logits": torch.tensor([0.0, 4.0])},
            {"logits": torch.tensor([0.0, 5.0])},
            ["logits: row_l2 is 0.25, required at most 0.0050013:"
             " the only row is off; golden's own rounding is not known.",
             "logits: element is 0.25, required at most 0.020004:"
             " element [1] is off; golden's own rounding is not known."],
        ),
        (
            torch.tensor([1.0, -1.0]),
            torch.tensor([-1.0, 1.0]),
            ["output: pcc is -1.0, required at least 0.99: actual does not follow golden.",
             "output: row_l2 is 2.0, required at most 0.005001:"
             " the only row is off; golden's own rounding is not known.",
             "output: element is 2.0, required at most 0.020004:"
             " element [0] is off; golden's own rounding is not known."],
        ),
        (
            torch.ones(3, 1),
            torch.ones(3),
            ["output: shape: actual has shape (3,), golden (3, 1)."],
        ),
        ([X], [], ["[0]: structure: golden has this output, actual does not."]),
        ([1], [1.0], ["[0]: dtype: actual is float64, golden int64."]),
        ([1, 2], [1, 3], ["[1]: exact, 1 differing: 1 of 1 elements differ."]),
        (
            "a cat",
            "a hat",
            ["output: exact, 1 differing: from character 2 on,"
             " actual has 'a hat', golden 'a cat'."],
        ),
    ],
)  # fmt: skip
def test_a_mismatch_is_one_sentence_with_path_metric_and_numbers(golden, actual, sentences):
    assert mismatches(compare(golden, actual)) == sentences


def test_a_nan_is_told_with_its_count():
    told = mismatches(compare({"logits": X}, {"logits": torch.full_like(X, NAN)}))
    assert told[0] == (
        "logits: nonfinite, 2048 differing: NaN, infinities or fill values differ in 2048 of"
        " 2048 elements; actual has 2048 NaN or infinities, golden 0."
    )
    assert told[1] == (
        "logits: pcc is nan, required at least 0.99: not a number, as NaN or infinities differ."
    )


def test_right_outputs_have_nothing_to_tell():
    assert mismatches(compare([X, "a", 3], [X, "a", 3])) == []


def test_a_comparison_leaves_pytorchs_threads_as_they_were():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        compare(X, 1.04 * X)
        assert torch.get_num_threads() == 2
        with pytest.raises(UnsupportedOutputError):
            compare(object(), X)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
