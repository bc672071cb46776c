# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""tt-torch's modules are found where somebody asks for them, and nobody else's is touched."""

import subprocess
import sys
from pathlib import Path

import pytest

from bringup.harness.errors import UsageError
from bringup.harness.peer import finder

SERVES = "from bringup.harness.peer import finder\nfinder.install({models})\n"


def python(folder: Path, code: str, models: str = "()") -> str:
    """Run code in a process of its own, with a folder first on the path; what it printed."""
    given = [sys.executable, "-c", f"import sys; sys.path.insert(0, '')\n{SERVES}{code}"]
    done = subprocess.run(
        [*given[:2], given[2].replace("{models}", models)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_names_are_had_without_a_checkout(tmp_path: Path) -> None:
    said = python(
        tmp_path,
        "from tt_torch.tools.utils import CompilerConfig as theirs\n"
        "from third_party.tt_forge_models.tools.utils import get_file\n"
        "from bringup.harness.config import CompilerConfig\n"
        "print(theirs is CompilerConfig, get_file.__module__)\n"
        "import tt_torch.tools.device_manager as m; print(dir(m))\n",
    )
    assert said.split("\n")[:2] == ["True bringup.harness.files", "['DeviceManager']"], said


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "from tests.utils import create_device_mesh",
            "no mesh object: ModelTester(tensor_parallel",
        ),
        ("from tests.utils import Nothing", "of tests.utils there is ModelTester"),
        ("import tt_mlir; tt_mlir.open_mesh_device", "sockets and profiler are not part of this"),
        ("import third_party.tt_forge_models.bert", "name its folder by --models"),
    ],
)
def test_what_is_not_had_says_why(tmp_path: Path, statement: str, sentence: str) -> None:
    assert sentence in python(tmp_path, statement)


def test_a_tests_utils_of_somebody_elses_is_theirs(tmp_path: Path) -> None:
    write(tmp_path / "tests/__init__.py", "")
    write(tmp_path / "tests/utils.py", "mine = 1\n")
    write(tmp_path / "tests/other.py", "mine = 2\n")
    code = "import tests.utils, tests.other; print(tests.utils.mine, tests.other.mine)"
    assert python(tmp_path, code) == "1 2\n"


def test_an_installed_tt_torch_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "tt_mlir.py", "")
    write(tmp_path / "tt_torch/__init__.py", "own = True\n")
    write(tmp_path / "tests/__init__.py", "")
    write(tmp_path / "tests/utils.py", "import tt_torch\nModelTester = 'theirs'\n")
    code = "import tt_torch, tests.utils; print(tt_torch.own, tests.utils.ModelTester)"
    assert python(tmp_path, code) == "True theirs\n"


def test_loaders_come_from_the_folder_that_is_named(tmp_path: Path) -> None:
    write(tmp_path / "loaders/tiny/__init__.py", "from ..tools.utils import get_file\n")
    write(tmp_path / "loaders/tools/utils.py", "get_file = None\nkept = 3\n")
    code = (
        "from third_party.tt_forge_models.tiny import get_file\n"
        "from third_party.tt_forge_models.tools.utils import kept\n"
        "print(get_file.__module__, kept)\n"
    )
    models = "[__import__('pathlib').Path('loaders')]"
    assert python(tmp_path, code, models) == "bringup.harness.files 3\n"


def test_a_folder_that_is_not_there_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--models .*nowhere: there is no such folder"):
        finder.install([tmp_path / "nowhere"])
    before = [*sys.meta_path]
    finder.install()
    finder.install()
    assert len([f for f in sys.meta_path if isinstance(f, finder.PeerFinder)]) == 1
    finder.remove()
    assert sys.meta_path == [f for f in before if not isinstance(f, finder.PeerFinder)]
