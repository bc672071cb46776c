# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A word on the command line: a test, a function, a class, a file or a folder, and one of them."""

from pathlib import Path

import pytest

from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.collect import Collected
from bringup.pipeline.planning.ids import ids_meant

IDS = (
    "tests/m/a/test_a.py::test_one[full-eval]",
    "tests/m/a/test_a.py::test_one[full-x/y::z-eval]",
    "tests/m/a/test_a.py::test_one_more[full-eval]",
    "tests/m/a/test_a.py::test_plain",
    "tests/m/a/test_a.py::TestK::test_one[full-eval]",
    "tests/m/ab/test_ab.py::test_ab[full-eval]",
)
COLLECTED = Collected(IDS, broken={"tests/m/bad.py": "tests/m/bad.py cannot be collected: no"})


@pytest.mark.parametrize(
    ("word", "places"),
    [
        (IDS[0], [0]),
        ("tests/m/a/test_a.py::test_one", [0, 1]),
        ("tests/m/a/test_a.py::test_plain", [3]),
        ("tests/m/a/test_a.py::TestK", [4]),
        ("tests/m/a/test_a.py::TestK::test_one", [4]),
        ("tests/m/a/test_a.py", [0, 1, 2, 3, 4]),
        ("tests/m/a", [0, 1, 2, 3, 4]),
        ("tests/m/a/", [0, 1, 2, 3, 4]),
        ("./tests/m//ab", [5]),
        ("tests/m/../m/ab", [5]),
        ("/here/tests/m/ab/test_ab.py::test_ab", [5]),
        ("/here", list(range(6))),
    ],
)
def test_a_word_stands_for_a_whole_place(word: str, places: list[int]) -> None:
    assert ids_meant(word, COLLECTED, Path("/here")) == [IDS[i] for i in places]


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("tests/m/a/test_a.py::test_on", "did you mean"),
        ("tests/m/a/test_a.py::test_one[full-x", "pytest collects no"),
        ("tests/m/a/test_a.py::test_one[full-x/y", "pytest collects no"),
        ("test_a.py", "pytest collects no"),
        ("a", "pytest collects no"),
        ("tests/m/bad.py::test_x", "cannot be collected: no"),
        ("/elsewhere/tests/m/ab", "pytest collects no"),
        ("tests/m/ab/test_ab.py::test_ab[full-eval-n150]",
         "a size or a device is no part of an id: tests/m/ab/test_ab.py::test_ab[full-eval], with"),
        ("", "pytest collects no ``"),
    ],
)  # fmt: skip
def test_what_is_no_place_is_refused(word: str, sentence: str) -> None:
    with pytest.raises(PipelineError) as refused:
        ids_meant(word, COLLECTED, Path("/here"))
    assert sentence in str(refused.value)


def test_a_word_for_two_things_is_refused_with_both_named() -> None:
    both = Collected(("tests/a.py::b", "tests/a.py::b[full-eval]", "tests/a.py::b::test_x"))
    with pytest.raises(PipelineError) as refused:
        ids_meant("tests/a.py::b", both)
    for what in ("a test (tests/a.py::b)", "a function (tests/a.py::b[full-eval])", "a class ("):
        assert what in str(refused.value)
