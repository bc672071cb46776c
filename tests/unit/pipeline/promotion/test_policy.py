# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One file says when lists move; what is wrong with it is one sentence with file and field."""

import tomllib
from pathlib import Path

import pytest

from bringup.pipeline.cli import main
from bringup.pipeline.errors import PolicyError
from bringup.pipeline.promotion.policy import (
    DEFAULTS,
    default_policy,
    matches,
    policy_of,
    read_policy,
)

WRONG = {
    "[demote]\nerror_rat = 1e-6": "no field demote.error_rat; did you mean error_rate?",
    "[demoted]": "no section demoted; did you mean demote?",
    "demote = 3": "demote is a section, and is given as a value",
    "[demote]\nerror_rate = 2.0": "demote.error_rate is 2.0, and has to lie between 0 and 1",
    "[demote]\nerror_rate = nan": "demote.error_rate is nan, and has to be a finite number",
    "[promote]\nnights = 0": "promote.nights is 0, and has to be at least 1",
    "[promote]\nnights = 1000000000000000000000": "promote.nights is 1000000000000000000000, and",
    "[promote]\nnights = 61": "61 nights are to lead up, and evidence.window is 60",
    "[promote]\nnights = true": "promote.nights: expected `int`, got `bool`",
    "[promote]\ncool_down = -1": "promote.cool_down is -1, and has to be at least 0 and at most",
    "[thresholds]\nlowest_pcc = 0.9999": "thresholds.lowest_pcc has to be less than",
    "[evidence]\nsick_nights = 0.5": "evidence.sick_nights is 0.5, and has to be at least 1",
    "[[groups]]\nname = 'a'\ntests = ['b']\nowner = '\u0007'": "is no TOML",
    "[[groups]]\nname = 'a'\ntests = ['b']\nowner = \"\\u0007\"": "has to be printable text",
    "[[groups]]\nname = ''\ntests = ['b']": "groups..name is '', and has to name something",
    "[promote]\nnights = 'two'": "promote.nights: expected `int`, got `str`",
    "[promote]\nsteady_rate = 0.3": "promote.steady_rate has to be less than promote.flaky_rate",
    "[pins]\ntests = 'all'": "pins.tests: expected `array`, got `str`",
    "[[groups]]\nname = 'a'\ntests = ['b']\nowned = 'c'": "groups[0]: object contains unknown",
    "groups = 1": "groups: expected `array`, got `int`",
    "[[groups]]\nname = 'a'\ntests = []": "groups.a.tests is (), and has to name something",
    "[[groups]]\nname = 'a'\ntests = ['b']\npromote_nights = 0": "groups.a.promote_nights is 0",
    "[demote": "is no TOML",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_with_file_and_field(tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    with pytest.raises(PolicyError) as said:
        read_policy(path)
    assert WRONG[text] in str(said.value) and str(path) in str(said.value)


NUMBERS = [
    (section, name)
    for section, part in tomllib.loads(DEFAULTS.read_text("utf-8")).items()
    for name, value in part.items()
    if isinstance(value, int | float)
]


@pytest.mark.parametrize(("section", "name"), NUMBERS)
@pytest.mark.parametrize("value", ["-1", "1" + 21 * "0", "inf", "'1'", "[1]", "{}", "1979-05-27"])
def test_every_number_has_its_range(tmp_path: Path, section: str, name: str, value: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(f"[{section}]\n{name} = {value}\n")
    with pytest.raises(PolicyError, match=rf"policy\.toml: {section}\.{name}\b"):
        read_policy(path)


def test_what_it_does_not_name_stays(tmp_path: Path) -> None:
    assert policy_of(tmp_path) == default_policy()
    (tmp_path / "policy.toml").write_text("[promote]\nnights = 4\n")
    policy = policy_of(tmp_path)
    assert policy.promote.nights == 4 and policy.promote.attempts == 12
    assert policy.demote == default_policy().demote


def test_the_command_says_it_and_ends_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text("[promote]\nnights = 0\n")
    assert main(["promote", "run", "--policy", "mine.toml", "--preview", "9"]) == 2
    assert "mine.toml: promote.nights is 0" in capsys.readouterr().err
    assert main(["promote", "run", "--policy", "none.toml"]) == 2
    assert "none.toml cannot be read" in capsys.readouterr().err
    assert main(["promote", "--preview", "0"]) == 2


def test_a_keys_brackets_are_no_pattern() -> None:
    assert matches("a[full-eval]@cpu", "a[full-eval]@cpu")
    assert matches("a[full-eval]@cpu", "a[full*@cpu")
    assert not matches("af@cpu", "a[full]@cpu")
