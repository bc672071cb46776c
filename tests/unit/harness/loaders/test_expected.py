# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A repository's expectations: tt-xla's files, read whole or refused by file and field."""

from pathlib import Path

import pytest

from bringup.harness.errors import UsageError
from bringup.harness.loaders.expected import read_expected
from bringup.harness.records.expected import Expect
from bringup.harness.records.values import Stage

TEXT = """\
test_config:
  a/pytorch-base-single_device-inference:
    status: KNOWN_FAILURE_XFAIL
    bringup_status: FAILED_RUNTIME
    reason: "no memory - https://github.com/x/y/issues/7"
    arch_overrides:
      p150:
        status: expected_passing
        required_pcc: 0.97
      n150: {status: NOT_SUPPORTED_SKIP, reason: too large}
  b/pytorch-single_device-inference:
    assert_pcc: false  # an issue
    supported_archs: [n300-llmbox]
  c/pytorch-single_device-inference:
    status: EXCLUDE_MODEL
  d/pytorch-single_device-inference:
"""


def test_every_status_becomes_an_expectation(tmp_path: Path) -> None:
    (tmp_path / "test_config_a.yaml").write_text(TEXT)
    found = read_expected(tmp_path)
    first = found["a/pytorch-base-single_device-inference"]
    on_cpu, on_n150 = first.expectation("cpu"), first.on("n150").expectation("n150")
    assert on_cpu is not None and on_n150 is not None
    assert (on_cpu.expect, on_cpu.stage) == (Expect.XFAIL, Stage.EXECUTE)
    assert on_cpu.issue == "https://github.com/x/y/issues/7"
    assert first.on("p150").expectation("p150") is None
    assert first.on("p150").options()["required_pcc"] == 0.97
    assert (on_n150.expect, on_n150.reason) == (Expect.SKIP, "too large")
    second = found["b/pytorch-single_device-inference"]
    elsewhere = second.expectation("cpu")
    assert elsewhere is not None and elsewhere.expect is Expect.EXCLUDE
    assert second.expectation("n300-llmbox") is None and second.options()["assert_pcc"] is False
    third = found["c/pytorch-single_device-inference"].expectation("cpu")
    assert third is not None and third.expect is Expect.EXCLUDE
    assert found["d/pytorch-single_device-inference"].expectation("cpu") is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("test_config: [1]", "test_config is .1., and no mapping"),
        ("test_config:\n  a: 3", "test_config.a is 3, and no mapping"),
        ("test_config:\n  a:\n    stauts: X", "there is no field 'stauts'; did you mean status"),
        ("test_config:\n  a:\n    status: PASSING", "test_config.a.status is 'PASSING', and none"),
        ("test_config:\n  a:\n    required_pcc: high", r"a: Expected `float \| null`, got `str`"),
        ("test_config:\n  a: {}\n  a: {}", "a stands there twice"),
        ("test_config: {a: {arch_overrides: {n150: {x: 1}}}}", "arch_overrides.n150: there is no"),
        ("test_config: [", "yaml:1: it is no YAML"),
        ("test_config: !!python/object:os.system {}", "it is no YAML"),
        ("[]]", "it is no YAML"),
        ("just text", "is 'just text', and no mapping"),
    ],
)
def test_what_is_wrong_is_said_by_file_and_field(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "test_config_bad.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=sentence) as refused:
        read_expected(tmp_path)
    assert str(file) in str(refused.value)


def test_what_tt_xla_tells_its_own_compiler_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "test_config_x.yaml"
    fields = "optimization_level: 2, enable_weight_bfp8_conversion: true, inject_custom_moe: true"
    file.write_text(f"test_config:\n  a: {{status: EXPECTED_PASSING, {fields}}}\n")
    assert read_expected(file)["a"].optimization_level == 2
