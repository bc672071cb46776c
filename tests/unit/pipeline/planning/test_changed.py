# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which files of tests a change touches, in a real repository of git."""

import subprocess
from pathlib import Path

import pytest

from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.changed import touched

MODELS = Path("tests/models")
FILES = {
    "tests/models/bert/test_bert.py": "from tests.models.shared import seeds\n",
    "tests/models/bert/requirements.txt": "",
    "tests/models/t5/test_t5.py": "from .loader import load\n",
    "tests/models/t5/test_other.py": "import torch\n",
    "tests/models/t5/loader.py": "import tests.models.shared.deep\n",
    "tests/models/shared/__init__.py": "",
    "tests/models/shared/seeds.py": "from tests.models.t5 import loader\n",
    "tests/models/shared/deep.py": "from tests.models.shared import seeds  # a circle\n",
    "tests/models/broken/test_broken.py": "def (\n",
    "harness/config.py": "",
}
TESTS = [name for name in FILES if "/test_" in name]
ALL_OF_T5 = {"tests/models/bert/test_bert.py", "tests/models/t5/test_t5.py"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def git(root: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", "-C", root, *who, *words], check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a commit")


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ("tests/models/bert/test_bert.py", {"tests/models/bert/test_bert.py"}),
        ("tests/models/bert/requirements.txt", {"tests/models/bert/test_bert.py"}),
        ("tests/models/shared/deep.py", ALL_OF_T5),
        ("tests/models/t5/loader.py", ALL_OF_T5),
        ("tests/models/broken/test_broken.py", {"tests/models/broken/test_broken.py"}),
        ("harness/config.py", set()),
        (
            "tests/models/t5/new.json",
            {"tests/models/t5/test_t5.py", "tests/models/t5/test_other.py"},
        ),
    ],
)
def test_what_imports_a_changed_file_is_touched(
    checkout: Path, changed: str, wanted: set[str]
) -> None:
    (checkout / changed).write_text("# other\n")
    assert touched(TESTS, "HEAD", MODELS, checkout) == wanted  # not committed
    commit(checkout)
    assert touched(TESTS, "HEAD", MODELS, checkout) == set()
    assert touched(TESTS, "HEAD~1", MODELS, checkout) == wanted


def test_what_the_other_branch_did_meanwhile_is_not_ours(checkout: Path) -> None:
    git(checkout, "branch", "-M", "ours")
    git(checkout, "checkout", "-q", "-b", "theirs")
    (checkout / "tests/models/t5/loader.py").write_text("# theirs\n")
    commit(checkout)
    git(checkout, "checkout", "-q", "ours")
    assert touched(TESTS, "theirs", MODELS, checkout) == set()


@pytest.mark.parametrize("named", ["nowhere", "--output=x", ""])
def test_a_commit_that_git_does_not_know_is_one_sentence(checkout: Path, named: str) -> None:
    with pytest.raises(PipelineError, match="--changed"):
        touched(TESTS, named, MODELS, checkout)
    assert not (checkout / "x").exists()


def test_where_there_is_no_checkout_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="git, which says: "):
        touched([], "HEAD", MODELS, tmp_path)
