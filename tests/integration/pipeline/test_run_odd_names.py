# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Files and folders that no pytest id can name cost their own tests, a sentence, and no others."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bringup.harness.records.schema import Outcome
from tests.integration.small_fleet import HEAD, SmallFleet

GOOD = "@full\ndef test_good(flow): pass\n"
ODD = HEAD + "@full\ndef test_odd(flow): pass\n"


def named(name: bytes) -> Callable[[Path], None]:
    def make(models: Path) -> None:
        path = models / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(ODD)

    return make


def looped(models: Path) -> None:
    (models / "loop").symlink_to(models)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            named(b"test_\xff\xfe.py"),
            r"models/test_\udcff\udcfe.py cannot be collected: its name is",
        ),
        (named(b"d\xff/test_x.py"), r"models/d\udcff cannot be collected: its name is not UTF-8"),
        (named(b"test_a[b].py"), "models/test_a[b].py cannot be collected: pytest takes no name"),
        (named(b"a[b/test_x.py"), "models/a[b cannot be collected: pytest takes no name with `[`"),
        (named(b"a::b/test_x.py"), "models/a::b cannot be collected: pytest takes no name with"),
        (looped, "models/loop cannot be collected: it is a link that leads back to a folder"),
    ],
)
def test_the_rest_of_the_night_runs(
    tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    fleet = SmallFleet(tmp_path)
    fleet.file("test_good", GOOD)
    make(tmp_path / "tests" / "models")
    code, text = fleet.run("run", "tests/models", "--device", "cpu")
    assert code == 0 and said in text and "Traceback" not in text, text
    assert fleet.outcomes() == {"good[full-eval]@cpu": Outcome.PASSED}


def test_parameters_may_be_anything(tmp_path: Path) -> None:
    values = ("\udc80", "a\0b", "a\nb", "x" * 300, "\x1b[31m", " ", "a::b", "\u202e", "/../..")
    fleet = SmallFleet(tmp_path)
    marks = f"@full\n@pytest.mark.parametrize('v', {values!a})\n"
    fleet.file("test_odd", f"{marks}def test_odd(v, flow): pass\n")
    code, text = fleet.run("run", "tests/models", "--device", "cpu")
    assert code == 0 and "Traceback" not in text, text
    assert list(fleet.outcomes().values()) == [Outcome.PASSED] * len(values)
