# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A name that is not there is refused before anything is imported, and no other one is."""

import sys
from pathlib import Path

import pytest

from bringup.pipeline.errors import PipelineError
from bringup.pipeline.trying.python_name import refuse_absent

FILES = {
    "plain.py": "from os import path as where\nimport json\nclass Net: pass\ndef make(): pass\n",
    "starred.py": "from os.path import *\n",
    "lazy.py": "def __getattr__(name): return 3\n",
    "made.py": "for name in 'ab':\n    globals()[name.upper()] = 1\n",
    "said_later.py": "def set_up():\n    global Later\n    Later = 1\n",
    "broken.py": "class Net(:\n",
    "raises.py": "raise SystemExit('it was imported')\nNet = 1\n",
    "pack/__init__.py": "",
    "pack/inner.py": "Net = 1\n",
    "space/inner.py": "Net = 1\n",
    "six/__init__.py": "import sys\nsys.modules['six.moves'] = sys\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent_as_can_be:Net", "there is no module absent_as_can_be, which absent"),
        ("pack.absent:Net", "there is no module pack.absent, which pack.absent:Net names"),
        ("plain.inner:Net", "there is no module plain.inner, which"),
        ("plain:Nett", "plain has no Nett; did you mean Net?"),
        ("plain:Gone.deep", "plain has no Gone.deep"),
        ("pack:Net", "pack has no Net"),
        ("space.inner:Other", "space.inner has no Other"),
        ("raises:Other", "raises has no Other"),
    ],
)
def test_what_is_not_there_is_said(project: Path, name: str, said: str) -> None:
    with pytest.raises(PipelineError) as refused:
        refuse_absent(name, project)
    assert str(refused.value).startswith(said)
    assert name.partition(":")[0] not in sys.modules


@pytest.mark.parametrize(
    "name",
    [
        *("plain:Net", "plain:Net.inner", "plain:where", "plain:json", "plain:make"),
        *("starred:Anything", "lazy:Anything", "made:A", "said_later:Later", "broken:Net"),
        *("pack:inner", "pack.inner:Net", "space.inner:Net", "raises:Net", "six.moves:Anything"),
        *("sys:path", "math:sqrt", "json.decoder:JSONDecoder"),
    ],
)
def test_what_may_be_there_is_left_to_the_import(project: Path, name: str) -> None:
    refuse_absent(name, project)


@pytest.mark.parametrize("file", ["conftest.py", "pyproject.toml"])
def test_where_pytest_looks_elsewhere_too_it_is_asked(project: Path, file: str) -> None:
    (project / file).write_text('[tool.pytest.ini_options]\npythonpath = ["src"]\n')
    refuse_absent("absent_as_can_be:Net", project)
