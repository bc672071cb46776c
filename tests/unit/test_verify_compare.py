# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import math

import msgspec
import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

from harness.errors import UsageError
from harness.records.schema import (
    Check,
    Identity,
    Metric,
    MetricState,
    ModelStatus,
    Outcome,
    OutputCheck,
    Status,
    TestRecord,
)
from harness.verify import (
    Tolerances,
    UnsupportedOutputError,
    compare,
    compare_tokens,
    gradient_scale,
    mismatches,
    verdict,
)

NAN, INF = math.nan, math.inf
OFF = Tolerances(assert_pcc=False, assert_atol=False, assert_exact=False, assert_tokens=False)


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


X = randn(64, 32)


def at_pcc(target: float) -> torch.Tensor:
    """A tensor whose PCC with X is `target`: X and something orthogonal to it, mixed."""
    x = X.double() - X.double().mean()
    other = randn(64, 32, seed=9).double()
    other -= other.mean()
    other -= x * (other * x).sum() / (x * x).sum()
    other *= x.norm() / other.norm()
    return target * x + math.sqrt(1 - target * target) * other


def check(metric: str, outputs: tuple[OutputCheck, ...], path: str | None = None) -> Check:
    (found,) = (
        c for o in outputs if path in (None, o.path) for c in o.checks if c.metric == metric
    )
    return found


def record(*outputs: OutputCheck) -> TestRecord:
    return TestRecord(
        identity=Identity("m"),
        nodeid="",
        outcome=Outcome.INCORRECT,
        status=Status.EXECUTED,
        model_status=ModelStatus.INCORRECT_RESULT,
        outputs=outputs,
    )


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
    assert verdict(compare(golden, golden * 1.01))
    assert not verdict(compare(golden, golden * 1.1))
    assert not verdict(compare(golden, -golden))


def test_a_constant_golden_has_no_pcc_and_is_compared_by_difference():
    outputs = compare(torch.ones(9), torch.ones(9) * 1.01)
    found = check("pcc", outputs)
    assert found.measured.state is MetricState.UNDEFINED
    assert not found.asserted
    assert found.reason == "golden is constant; compared by absolute difference"
    assert verdict(outputs)
    assert not verdict(compare(torch.ones(9), torch.zeros(9)))


def test_a_model_that_gives_tokens_passes_without_any_pcc(tokenizer):
    outputs = compare_tokens(torch.tensor([[0, 1, 2]]), torch.tensor([[0, 1, 2]]), tokenizer)
    assert verdict(outputs)
    assert record(*outputs).pcc is None


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
    "dtype", "shape", "nonfinite", "pcc", "atol", "relative_atol", "relative_l2", "allclose",
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
        assert failed == [metric if metric != "atol" else "relative_atol"]


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
        (torch.tensor([NAN]), torch.tensor([NAN]), "nonfinite"),
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


# --- near zero ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_zero_has_a_floor_by_dtype(dtype):
    noise = Tolerances().noise(dtype)
    zeros = torch.zeros(100, dtype=dtype)
    assert verdict(compare(zeros, zeros + 0.9 * noise))
    assert not verdict(compare(zeros, zeros + 1.5 * noise))
    assert not verdict(compare(zeros, zeros + 1e-3))


def test_the_floor_is_that_of_the_coarser_side():
    assert Tolerances().noise(torch.float32, torch.bfloat16) == 1e-5
    assert Tolerances().noise(torch.complex64, torch.float64) == 1e-6
    assert Tolerances().noise(torch.float8_e4m3fn) == 1e-4


def test_a_floor_can_be_taken_away():
    golden, actual = 1e-9 * X, -1e-9 * X
    assert verdict(compare(golden, actual))
    assert not verdict(compare(golden, actual, Tolerances(scale=0.0)))


def test_near_zero_the_pcc_is_recorded_but_the_difference_is_asserted():
    outputs = compare(1e-9 * X, 1e-9 * X.flip(0))
    found = check("pcc", outputs)
    assert (found.ok, found.asserted) == (False, False)
    assert "noise; compared by absolute difference" in found.reason
    assert check("relative_atol", outputs).asserted
    assert "within rounding noise" in check("relative_atol", outputs).reason


@pytest.mark.parametrize("golden", [1e-9 * X, torch.zeros(9), torch.ones(9), torch.tensor(2.0)])
@pytest.mark.parametrize("relative", [0.05, None])
def test_where_pcc_says_nothing_the_difference_takes_over_its_assertion(golden, relative):
    tolerances = Tolerances(assert_atol=False, relative_atol=relative)
    assert verdict(compare(golden, golden.clone(), tolerances))
    assert not verdict(compare(golden, golden + 1, tolerances))
    assert verdict(compare(golden, golden + 1, dataclasses.replace(tolerances, assert_pcc=False)))


def attention_gradients(flip: bool) -> dict[str, torch.Tensor]:
    """Gradients of one attention layer in float32; `flip` sums over the keys backwards.

    The key bias adds one number to every score of a row, which the softmax takes out again:
    its gradient is zero by mathematics, and nothing but rounding in practice.
    """
    shapes = {"q": (64, 64), "k": (64, 64), "v": (64, 64), "k_bias": (64,)}
    weights = {
        n: (randn(*s, seed=i) / 8).requires_grad_() for i, (n, s) in enumerate(shapes.items())
    }
    x = 3 * randn(128, 64, seed=7)
    keys = x.flip(0) if flip else x
    scores = (x @ weights["q"]) @ (keys @ weights["k"] + weights["k_bias"]).T / 8
    out = scores.softmax(-1) @ (keys @ weights["v"])
    (50 * out * randn(128, 64, seed=8)).sum().backward()
    return {name: w.grad for name, w in weights.items() if w.grad is not None}


def test_a_gradient_that_is_zero_by_mathematics_does_not_fail():
    golden, actual = attention_gradients(False), attention_gradients(True)
    tolerances = Tolerances(scale=gradient_scale(golden))
    outputs = compare(golden, actual, tolerances, "grad")
    assert check("pcc", outputs, "grad.k_bias").measured.value < 0.99
    assert mismatches(outputs) == []
    assert all(check("pcc", outputs, f"grad.{n}").asserted for n in "qkv")
    for name in golden:
        wrong = {**actual, name: 2 * actual[name] + gradient_scale(golden) * 1e-3}
        assert not verdict(compare(golden, wrong, tolerances))


def test_small_gradients_are_not_taken_for_noise_when_all_of_them_are_small():
    golden = {"a": 1e-8 * X, "b": 1e-9 * X}
    tolerances = Tolerances(scale=gradient_scale(golden))
    assert verdict(compare(golden, golden, tolerances))
    assert not verdict(compare(golden, {**golden, "b": -golden["b"]}, tolerances))


def test_gradient_scale_is_the_largest_finite_float():
    assert gradient_scale({"a": X, "b": [-7.0, NAN, INF], "c": 100, "d": "text"}) == 7
    assert gradient_scale([1, "a", None]) == 0


# --- tolerances -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"required_pcc": 99}, "required_pcc is 99; it must be from -1 to 1"),
        ({"required_pcc": NAN}, "required_pcc is nan"),
        ({"required_atol": -1.0}, "required_atol is -1.0; it must be a finite number from 0"),
        ({"relative_atol": NAN}, "relative_atol is nan"),
        ({"relative_atol": INF}, "relative_atol is inf"),
        ({"relative_atol": None}, "assert_atol has no tolerance to assert"),
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


# --- tokens ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tokenizer():
    words = ["a", "cat", "sat", "[UNK]", "</s>"]
    model = WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(model), unk_token="[UNK]", eos_token="</s>"
    )


@pytest.mark.parametrize(
    ("actual", "passes"),
    [
        (torch.tensor([[0, 1, 2]]), True),
        (torch.tensor([[0, 1, 2]], dtype=torch.int32), True),
        (torch.tensor([0, 1, 2]), True),
        (np.array([[0, 1, 2]]), True),
        ([[0, 1, 2]], True),
        ([0, 1, 2], True),
        ([torch.tensor([0, 1, 2])], True),
        (torch.tensor([[0, 2, 1]]), False),
        (torch.tensor([[0, 1]]), False),
        (torch.tensor([[0, 1, 2, 4]]), False),
        (torch.tensor([[0, 1, 2, 9999]]), False),
        (torch.tensor([[0, 1, 2, -1]]), False),
        (torch.tensor([[0, 1, 2], [0, 1, 2]]), False),
        (torch.empty(0, 3, dtype=torch.int64), False),
        (torch.tensor([[0.0, 1.0, 2.0]]), False),
        (torch.tensor([[[0, 1, 2]]]), False),
        ([[0.5, 1, 2]], False),
        (None, False),
    ],
)
def test_tokens_are_compared_by_their_text(tokenizer, actual, passes):
    outputs = compare_tokens(torch.tensor([[0, 1, 2]]), actual, tokenizer)
    assert verdict(outputs) is passes
    assert bool(mismatches(outputs)) is not passes


def test_other_ids_of_the_same_text_are_right():
    class Lower:
        def batch_decode(self, sequences):
            return ["".join("aA"[t] for t in row).lower() for row in sequences]

    assert verdict(compare_tokens([[0, 0]], [[0, 1]], Lower()))


def test_wrong_tokens_are_counted_shown_and_have_a_switch(tokenizer):
    outputs = compare_tokens([[0, 1], [0, 2]], [[0, 1], [0, 1]], tokenizer)
    assert check("tokens", outputs).measured == Metric.of(1)
    assert mismatches(outputs) == [
        "tokens: tokens, 1 differing: in sequence 1 from character 2 on,"
        " actual has 'a cat', golden 'a sat'."
    ]
    assert verdict(compare_tokens([[0, 1]], [[0, 2]], tokenizer, OFF))


def test_golden_tokens_must_be_tokens(tokenizer):
    with pytest.raises(UsageError, match="golden token ids are not integers"):
        compare_tokens(X, [[0]], tokenizer)


# --- sentences ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("golden", "actual", "sentences"),
    [
        (
            {"logits": torch.tensor([0.0, 4.0])},
            {"logits": torch.tensor([0.0, 5.0])},
            ["logits: relative_atol is 0.25, required at most 0.05:"
             " the largest difference is 1.0 at [1], max|golden| is 4.0."],
        ),
        (
            torch.tensor([1.0, -1.0]),
            torch.tensor([-1.0, 1.0]),
            ["output: pcc is -1.0, required at least 0.99: actual does not follow golden.",
             "output: relative_atol is 2.0, required at most 0.05:"
             " the largest difference is 2.0 at [0], max|golden| is 1.0."],
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
        (
            [torch.tensor([NAN])],
            [torch.tensor([NAN])],
            ["[0]: nonfinite:"
             " golden holds NaN and nothing finite, which cannot be verified."],
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
