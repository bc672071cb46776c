# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Whose tests a model's reproducer may name, and how one of a loader is run again."""

from pathlib import Path

import msgspec
import pytest

from bringup.harness.errors import UsageError
from bringup.harness.records.advice import Advice
from bringup.harness.records.door import Door
from bringup.harness.records.naming import identity_of
from bringup.harness.records.reproducible import reproduce_command
from bringup.harness.records.schema import Failure, Outcome, Status
from bringup.harness.reduce.model_reproducer import (
    ModelExpected,
    named_folders,
    refuse_untrusted,
)

LOADER = "my models/bert/loader.py::test_bert[full-float32-eval]"


def expected(entry: str) -> ModelExpected:
    return ModelExpected(
        model=identity_of(entry, "cpu"),
        nodeid=entry,
        status=Status.NOT_STARTED,
        outcome=Outcome.FAILED,
        fingerprint="x",
        failure=Failure(None, "Error", "no"),
    )


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository beside the project, and a file beside both."""
    for name in ("my models/bert/loader.py", "loader.py", "project/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "my models" / "linked").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "my models"


def test_a_named_repositorys_loader_may_run(repository: Path) -> None:
    assert named_folders(("../my models",)) == (repository,)
    refuse_untrusted(expected(LOADER), "it", named_folders(("../my models",)))
    with pytest.raises(UsageError, match="not of this checkout"):
        refuse_untrusted(expected(LOADER), "it")


@pytest.mark.parametrize(
    "file", ["../loader.py", "my models/../loader.py", "my models/linked/loader.py"]
)
def test_what_lies_outside_it_may_not(repository: Path, file: str) -> None:
    with pytest.raises(UsageError, match="not of this checkout"):
        refuse_untrusted(expected(f"{file}::test_x[full-eval]"), "it", (repository,))


def test_a_test_that_somebody_names_may_run_in_our_settings_alone() -> None:
    tried = "results/tried/net-1/test_net.py::test_net[full-eval]"
    refuse_untrusted(expected(tried), "it", named=tried)
    with pytest.raises(UsageError, match="not of this checkout"):
        refuse_untrusted(expected(tried), "it", named="net[full-eval]@cpu")
    preloads = msgspec.structs.replace(expected(tried), environment={"LD_PRELOAD": "x.so"})
    with pytest.raises(UsageError, match="LD_PRELOAD"):
        refuse_untrusted(preloads, "it", named=tried)


def test_a_repository_that_is_not_there_is_a_sentence(repository: Path) -> None:
    with pytest.raises(UsageError, match="--models nowhere: there is no such folder"):
        named_folders(("nowhere",))


@pytest.mark.parametrize(
    ("entry", "ends"),
    [
        (LOADER, "--device cpu --models '../my models'"),
        ("tests/test_x.py::test_x[full-eval]", "--device cpu"),
    ],
)
def test_advice_names_the_repository_of_a_loaders_test(entry: str, ends: str) -> None:
    advice = Advice(Door.CLI, ("--tests", "t", "--models", "../my models"))
    said = reproduce_command(entry, identity_of(entry, "cpu"), advice=advice)
    assert said.startswith("bringup repro '") and said.endswith(ends)
