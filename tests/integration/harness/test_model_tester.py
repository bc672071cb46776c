# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ModelTester as users meet it: tests of their own, run by pytest, and the records they leave."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bringup.harness.records.schema import ModelStatus, Outcome, Stage, Status
from tests.integration.pytest_runs import MINIATURE, Done, run_pytest


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Done]:
    """Run a command line once per module, however many tests look at it."""
    kept: dict[tuple[str, ...], Done] = {}

    def run(*arguments: str) -> Done:
        if arguments not in kept:
            kept[arguments] = run_pytest(tmp_path_factory.mktemp("run"), *arguments)
        return kept[arguments]

    return run


@pytest.fixture(scope="module")
def failures(once: Callable[..., Done]) -> Done:
    return once(f"{MINIATURE}/test_failures.py")


@pytest.fixture(scope="module")
def seed_page(once: Callable[..., Done]) -> Done:
    return once(f"{MINIATURE}/test_seed_page.py", "-k", "full", "--device", "cpu,n150")


def test_the_seed_pages_example_runs(seed_page: Done) -> None:
    assert seed_page.code == 0, seed_page.output
    for mode in ("eval", "train"):
        for name in ("model_name_0", "model_name_1"):
            record = seed_page.records[f"seed_page.seed[full-{name}-{mode}]@cpu"]
            assert record.outcome is Outcome.PASSED
            assert record.status is Status.EXECUTED
            assert record.pcc is not None and (record.pcc.value or 0) > 0.9999
    assert (
        seed_page.records["seed_page.seed_onnx[full-model_name_0-eval]@cpu"].outcome
        is Outcome.PASSED
    )


def test_a_compile_only_device_reaches_and_never_passes(seed_page: Done) -> None:
    record = seed_page.records["seed_page.seed[full-model_name_0-eval]@n150"]
    assert record.outcome is Outcome.REACHED
    assert record.status is Status.CONVERTED_TO_TTNN
    assert record.model_status is ModelStatus.UNKNOWN
    assert record.outputs == ()
    kept = {a.level for s in record.stages for a in s.artifacts}
    assert {"torch_fx", "torch_ir", "torch_backend_ir", "stablehlo", "ttir", "ttnn"} <= kept


def test_a_model_is_lowered_once_for_all_devices(seed_page: Done) -> None:
    records = [
        seed_page.records[f"seed_page.seed[full-model_name_1-eval]@{device}"]
        for device in ("cpu", "n150")
    ]
    reused = [[s for s in r.stages if "reused from" in s.attributes] for r in records]
    assert sorted(map(len, reused)) == [0, 6]


def test_training_compares_every_gradient(seed_page: Done) -> None:
    record = seed_page.records["seed_page.seed[full-model_name_0-train]@cpu"]
    paths = {o.path for o in record.outputs}
    assert paths == {"loss", "grad.0.weight", "grad.0.bias", "grad.2.weight", "grad.2.bias"}


def test_every_stage_is_timed_and_weighed(seed_page: Done) -> None:
    record = seed_page.records["seed_page.seed[full-model_name_0-eval]@cpu"]
    stages = [s.stage for s in record.stages]
    assert stages == [
        *(Stage.LOAD, Stage.EXPORT, Stage.DECOMPOSE),
        *(Stage.TORCH_IR, Stage.TORCH_BACKEND_IR, Stage.STABLEHLO),
        *(Stage.COMPILE, Stage.GOLDEN, Stage.EXECUTE, Stage.VERIFY),
    ]
    assert all(s.ok and (s.wall_s or 0) > 0 and (s.peak_rss or 0) > 1 << 20 for s in record.stages)


OUTCOMES = {
    "passes": (Outcome.PASSED, None, ""),
    "load_raises": (Outcome.FAILED, Stage.LOAD, "the checkpoint is 'torn' <here>"),
    "load_returns_nonsense": (Outcome.FAILED, Stage.LOAD, "returned a str, not a torch.nn.Module"),
    "wrong_input_name": (Outcome.FAILED, Stage.EXPORT, "Twice.forward takes no 'y'; it takes x"),
    "export_raises": (Outcome.FAILED, Stage.EXPORT, ""),
    "draws_random_numbers": (Outcome.UNVERIFIED, None, "the model differs from itself"),
    "does_not_lower": (Outcome.FAILED, Stage.STABLEHLO, "failed to legalize operation"),
    "golden_raises": (Outcome.FAILED, Stage.GOLDEN, "no eager today"),
    "incorrect": (Outcome.INCORRECT, Stage.VERIFY, "pcc"),
    "incorrect_and_never_finalized": (Outcome.INCORRECT, Stage.VERIFY, "pcc"),
    "incorrect_with_checks_disabled": (Outcome.PASSED, None, ""),
    "all_nan": (Outcome.UNVERIFIED, None, "golden has NaN and no finite number in the output"),
    "unsupported_output": (Outcome.FAILED, Stage.VERIFY, "set"),
    "checker_fails": (Outcome.INCORRECT, None, "12345"),
    "unknown_option": (Outcome.FAILED, None, "did you mean required_pcc?"),
    "unknown_mode": (Outcome.FAILED, None, "expected eval or train"),
    "forbidden_pair": (Outcome.FAILED, None, "take OpByOpBackend.TORCH"),
    "skips": (Outcome.SKIPPED, None, "needs a model that is not public"),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_each_failure_has_its_own_word_stage_and_sentence(failures: Done, case: str) -> None:
    outcome, stage, sentence = OUTCOMES[case]
    record = failures.records[f"{case}[full-eval]@cpu"]
    assert record.outcome is outcome
    if outcome is Outcome.PASSED:
        assert record.failure is None
        return
    assert record.failure is not None
    assert record.failure.stage is stage
    assert sentence in record.failure.message


def test_a_lowering_failure_keeps_the_compilers_own_diagnostic(failures: Done) -> None:
    text = failures.diagnostic("does_not_lower[full-eval]@cpu")
    assert "failed to legalize operation 'torch." in text
    assert "note: see current operation" in text
    assert "test_failures.py" in text, "the location in the user's own source"
    record = failures.records["does_not_lower[full-eval]@cpu"]
    assert record.status is Status.CONVERTED_TO_TORCH_BACKEND_IR
    assert record.model_status is ModelStatus.FAILED_FE_COMPILATION


def test_disabled_checks_are_still_measured_and_their_issue_recorded(failures: Done) -> None:
    record = failures.records["incorrect_with_checks_disabled[full-eval]@cpu"]
    assert record.pcc is not None and (record.pcc.value or 1) < 0.99
    assert record.notes == ("https://example.org/issues/490",)
    assert record.assertions["assert_pcc"] == "False"


@pytest.mark.parametrize(
    ("depth", "status", "last"),
    [
        ("TORCH_FX", Status.CREATED_GRAPH, "torch_fx"),
        ("STABLEHLO", Status.CONVERTED_TO_STABLE_HLO, "stablehlo"),
        ("TTNN_IR", Status.CONVERTED_TO_TTNN, "hlo_optimized"),
        ("EXECUTE", Status.EXECUTED, "hlo_optimized"),
    ],
)
def test_each_depth_stops_exactly_there(
    failures: Done, depth: str, status: Status, last: str
) -> None:
    record = failures.records[f"depth[full-{depth}-eval]@cpu"]
    assert record.depth == depth
    assert record.status is status
    assert [a.level for s in record.stages for a in s.artifacts][-1] == last
    executed = depth == "EXECUTE"
    assert record.outcome is (Outcome.PASSED if executed else Outcome.REACHED)
    assert (Stage.EXECUTE in [s.stage for s in record.stages]) is executed


def test_the_environment_stops_a_test_whatever_its_body_says(tmp_path: Path) -> None:
    done = run_pytest(
        tmp_path,
        f"{MINIATURE}/test_seed_page.py::test_seed[full-model_name_0-eval]",
        "-s",  # pytest swallows the printed IR of a passing test otherwise
        TT_TORCH_COMPILE_DEPTH="TTNN_IR",
        TT_TORCH_SAVE_MLIR="STABLEHLO",
        TT_TORCH_SAVE_BINARY="1",
        TT_TORCH_IR_LOG_LEVEL="DEBUG",
    )
    record = done.records["seed_page.seed[full-model_name_0-eval]@cpu"]
    assert record.depth == "TTNN_IR" and record.outcome is Outcome.REACHED
    saved = tmp_path / "saved" / "seed_page.seed_full-model_name_0-eval_@cpu"
    assert "stablehlo.dot_general" in (saved / "stablehlo.mlir").read_text()
    assert (saved / "binary").stat().st_size > 100
    assert "// ----- stablehlo -----" in done.output
    assert "IR Dump After" in done.output  # of a pass


def test_inlined_and_folded_parameters_compute_the_same(tmp_path: Path) -> None:
    test = f"{MINIATURE}/test_seed_page.py::test_seed[full-model_name_0-eval]"
    done = run_pytest(tmp_path, test, TT_TORCH_INLINE_PARAMETERS="1")
    record = done.records["seed_page.seed[full-model_name_0-eval]@cpu"]
    assert record.outcome is Outcome.PASSED, record.failure


def test_intermediates_name_the_first_wrong_node(tmp_path: Path) -> None:
    seed = f"{MINIATURE}/test_seed_page.py::test_seed"
    done = run_pytest(
        tmp_path,
        f"{seed}[full-model_name_0-eval]",
        f"{seed}_onnx[full-model_name_0-eval]",
        f"{MINIATURE}/test_wrong.py::test_wrong[full-eval-negative_index]",
        TT_TORCH_VERIFY_INTERMEDIATES="1",
    )

    def intermediates(key: str) -> str:
        verify = next(s for s in done.records[key].stages if s.stage is Stage.VERIFY)
        return verify.attributes["intermediates"]

    name = "full-model_name_0-eval"
    assert "intermediate values agree" in intermediates(f"seed_page.seed[{name}]@cpu")
    assert "intermediate values agree" in intermediates(f"seed_page.seed_onnx[{name}]@cpu")
    said = intermediates("wrong[full-negative_index-eval]@cpu")
    assert "leave tolerance; the first is index (aten.index.Tensor): output: pcc is" in said
    assert said in done.output, "the failure itself says so"


def test_a_bad_setting_is_one_sentence(tmp_path: Path) -> None:
    test = f"{MINIATURE}/test_failures.py::test_passes"
    done = run_pytest(tmp_path, test, TT_TORCH_COMPILE_DEPTH="TTIR")
    assert done.code == 4 and not done.records
    assert "TT_TORCH_COMPILE_DEPTH='TTIR': expected one of TORCH_FX" in done.output


def test_an_unknown_device_is_refused_before_anything_runs(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, MINIATURE, "--device", "n15")
    assert done.code == 4 and not done.records
    assert "unknown device 'n15'; known are cpu" in done.output
    assert "did you mean n150?" in done.output


def test_a_decorated_function_is_a_test_of_every_variant_mode_and_dtype(
    once: Callable[..., Done],
) -> None:
    done = once(f"{MINIATURE}/test_decorated.py", "-k", "full or op_by_op_torch-wide-eval-twice")
    assert {r.outcome for r in done.records.values()} == {Outcome.PASSED}, done.output
    several = ["eval", "wide-train", "wide-eval", "loose-eval"]
    names = {f"one[full-{case}]" for case in ("train", "eval", "bf16-eval")}
    names |= {
        f"several[full-{'-'.join([*case.split('-')[:-1], times, case.split('-')[-1]])}]"
        for case in several
        for times in ("once", "twice")
    }
    names.add("several[op_by_op_torch-wide-twice-eval]")
    phases = ("prefill", "decode", "prefill-bf16", "decode-bf16")
    names |= {f"phases[full-{phase}-eval]" for phase in phases}
    assert set(done.records) == {f"{name}@cpu" for name in names}
    loose = done.records["several[full-loose-once-eval]@cpu"]
    assert loose.notes == ("https://example.com/1",) and loose.assertions["assert_pcc"] == "False"
    assert done.records["one[full-bf16-eval]@cpu"].outputs[0].dtype == "bfloat16"
    whole, alone = (
        {s.name: s for s in done.records[key].shown}
        for key in ("one[full-eval]@cpu", "one[full-bf16-eval]@cpu")
    )
    assert {*whole} == {*alone} == {"zeros", "picture"} and whole["picture"].is_png
    assert whole["zeros"].number is not None and (whole["zeros"].number.value or 0) >= 0.5
    assert not done.records["one[full-train]@cpu"].shown  # nobody looks at a step of training
    decoded = {o.path for o in done.records["phases[full-decode-eval]@cpu"].outputs}
    assert {"logits", "past_key_values.keys[0]", "past_key_values.values[0]"} <= decoded
