# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The papers: licence, changelog, package metadata, forms for issues, updates of pins."""

import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from bringup.harness.records.schema import SCHEMA_VERSION, Outcome

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
KINDS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}


def test_the_licence_is_whole_and_the_one_that_every_file_names() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert PROJECT["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text and "END OF TERMS AND CONDITIONS" in text
    assert [f"   {i}. " in text for i in range(1, 10)] == [True] * 9


def test_the_changelog_has_the_schema_and_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    record = text.partition("## The record")[2].partition("##")[0]
    assert re.findall(r"^\| (\d+) \|", record, re.MULTILINE) == [
        str(version) for version in range(1, SCHEMA_VERSION + 1)
    ]
    heads = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    assert heads[0] == "Unreleased"
    assert PROJECT["version"] in text


def test_classifiers_say_what_the_rest_says() -> None:
    pythons = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if ":: Python :: 3." in c]
    assert PROJECT["requires-python"] == f">={pythons[0]}" and pythons == ["3.11", "3.12", "3.13"]
    assert "Typing :: Typed" in PROJECT["classifiers"] and (ROOT / "bringup/py.typed").is_file()
    # beside a licence expression setuptools refuses them
    assert not any(c.startswith("License ::") for c in PROJECT["classifiers"])


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_form_is_one_that_can_be_filled_in(form: Path) -> None:
    read = yaml.safe_load(form.read_text())
    if form.stem == "config":
        assert read == {"blank_issues_enabled": False}
        return
    assert read["name"] and read["description"]
    ids = [part["id"] for part in read["body"] if part["type"] != "markdown"]
    assert len(ids) == len(set(ids)) and ids
    for part in read["body"]:
        assert part["type"] in KINDS and part["attributes"]["label"]
        options = part["attributes"].get("options", [])
        assert bool(options) == (part["type"] in ("dropdown", "checkboxes"))
        if part["type"] == "dropdown":  # `Yes` without quotes is a boolean
            assert all(isinstance(option, str) for option in options)


def test_a_wrong_verdict_can_name_every_outcome() -> None:
    read = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/wrong_verdict.yml").read_text())
    asked = [p for p in read["body"] if p["id"] in ("outcome", "expected")]
    assert [set(p["attributes"]["options"]) for p in asked] == [{o.value for o in Outcome}] * 2


def test_pins_and_actions_are_kept_up_to_date() -> None:
    read = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())
    kept = {one["package-ecosystem"]: one for one in read["updates"]}
    assert set(kept) == {"pip", "github-actions"}
    for one in kept.values():
        assert one["schedule"]["interval"] == "weekly" and one["groups"]


def test_every_requirement_has_a_range_and_an_exact_version_within_it() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    exact = {r.name: r for r in map(Requirement, (one for one in lines if one and one[0] != "#"))}
    extras = PROJECT["optional-dependencies"]
    library = [*PROJECT["dependencies"], *extras["tt"], *extras["iree"], *extras["fleet"]]
    rest = (extras[name] for name in ("tpu", "cuda", "files", "ray", "dev", "docs"))
    asked = [*library, *itertools.chain(*rest)]
    assert {Requirement(one).name for one in asked} == exact.keys()
    for requirement in map(Requirement, asked):
        (version,) = exact[requirement.name].specifier
        assert version.operator == "==" and version.version in requirement.specifier, requirement
    calendar = {"fsspec"}  # by date: no version of it says that it breaks
    for requirement in map(Requirement, library):
        operators = {one.operator for one in requirement.specifier}
        assert operators == ({">="} if requirement.name in calendar else {">=", "<"}), requirement
