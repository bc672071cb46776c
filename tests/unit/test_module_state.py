# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""No module holds state that changes while tests run, but for what is named here with a reason."""

import pytest

from tests.module_state import changes, changes_of
from tests.rooms import FROM_GROUND_UP, modules

ALLOWED = {
    ("harness/session.py", "_within"): "the sessions themselves, which own all the rest",
    ("harness/devices/device_history.py", "_numbers"): "numbers the marks of one process apart",
    ("harness/frontend/onnx_golden.py", "_seeds"): "no two runs of a model may draw the same",
    (
        "harness/frontend/decompositions.py",
        "_plain",
    ): "a context variable, and set back",
    ("harness/records/verdicts/file_digest.py", "_known"): "facts, by a file's time and size",
    ("harness/records/run_dir.py", "_ops_of"): "facts, by the files' times and sizes",
    (
        "harness/frontend/torch_program.py",
        "decomposition_table",
    ): "what torch-mlir says is decomposed",
    ("harness/sweep/catalog.py", "table"): "the modules' own rows, by name",
    ("harness/ops/fx_json.py", "_static"): "a mode that holds no tensor, and is costly to make",
    ("pipeline/history/store/index.py", "_container"): "facts, named by their content",
    ("pipeline/history/judge/change_points.py", "_tables"): "ln B(a, b), by the size of the table",
    ("harness/reference/references.py", "_normals"): "numbers drawn from a fixed seed",
}


def test_state_is_held_by_a_session_and_by_no_module() -> None:
    found = {change for house in FROM_GROUND_UP for p in modules(house) for change in changes_of(p)}
    assert sorted(found - ALLOWED.keys()) == []
    assert sorted(ALLOWED.keys() - found) == [], "allowed, and not there any more"


@pytest.mark.parametrize(
    "source",
    [
        "x = None\ndef f():\n    global x\n    x = 1",
        "x = {}\ndef f():\n    x['a'] = 1",
        "x = {}\ndef f():\n    del x['a']",
        "x: dict[str, list[int]] = {}\ndef f():\n    x['a'].append(1)",
        "x = []\ndef f():\n    x[:] = [1]",
        "x = []\nclass A:\n    def f(self):\n        x.append(1)",
        "x = []\ndef f(y):\n    def g():\n        x.append(y)\n    return g",
        "x = []\nf = lambda: x.append(1)",
        "x = 1,\ndef f():\n    x.y, z = 1, 2",
        "class A:\n    count = 0\n    def f(self):\n        A.count += 1",
        "class A:\n    made = []\ndef f():\n    A.made.append(1)",
        "x = itertools.count()\ndef f():\n    return next(x)",
        "def f():\n    globals()['x'] = 1",
        "from bringup.harness import other\ndef f():\n    other.current = 1",
        "from bringup.harness import other\ndef f():\n    other.known.append(1)",
        "from bringup.harness import other\ndef f():\n    setattr(other, 'x', 1)",
        "from bringup.harness.other import KNOWN\ndef f():\n    KNOWN.append(1)",
        "def f():\n    from bringup.harness import other\n    other.current = 1",
        "if True:\n    x = []\ndef f():\n    x.append(1)",
        "@functools.cache\ndef device(name) -> Device: ...",
        "@lru_cache(maxsize=1)\ndef device(name): ...",
        "@cache\ndef pools() -> dict[str, OpPool]: ...",
    ],
)
def test_a_change_is_seen(source: str) -> None:
    assert [*changes(source)]


@pytest.mark.parametrize(
    "source",
    [
        "x = {}\nx['a'] = 1\nx.update(b=2)",
        "x = {}\nfor name in 'ab':\n    x[name] = 1",
        "x = {}\ndef f(x):\n    x['a'] = 1",
        "x = {}\ndef f():\n    x = {}\n    x['a'] = 1",
        "x = []\ndef f():\n    return [x.append(1) for x in ([], [])]",
        "x = []\ndef f(x):\n    def g():\n        x.append(1)\n    return g",
        "x = {}\ndef f():\n    return x['a'], x.get('b'), sorted(x)",
        "class A:\n    def f(self):\n        self.x = 1\n        self.y.append(1)",
        "import os\ndef f():\n    os.environ['a'] = 'b'",
        "from bringup.harness import other\ndef f():\n    other.add(1)",
        "@functools.cache\ndef processor() -> str: ...",
    ],
)
def test_what_is_no_change_is_let_be(source: str) -> None:
    assert not [*changes(source)]
