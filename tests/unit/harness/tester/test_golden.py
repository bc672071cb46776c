# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Does a model differ from itself, and was anything compared at all?"""

from typing import Any

import numpy as np
import pytest
import torch

from bringup.harness.tester.compared import nothing_compared
from bringup.harness.tester.golden import Golden, difference

ONE = torch.linspace(-1, 1, 40).view(4, 10)


def said(one: Any, other: Any) -> str:
    return difference(Golden(one, {}), Golden(other, {}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ONE, ONE.clone()),
        (ONE, ONE * (1 + 3e-7)),
        (ONE.bfloat16(), ONE.bfloat16() * 1.01),
        (ONE / 0, ONE / 0),
        ((ONE, "text", None, 3), (ONE, "text", None, 3)),
        (torch.zeros(0, 3), torch.zeros(0, 3)),
        (torch.complex(ONE, ONE), torch.complex(ONE, ONE * (1 + 1e-7))),
        (torch.tensor(2.0), torch.tensor(2.0 + 1e-6)),
        ({1, 2}, {3}),  # nobody can compare sets, and that is said where it is tried
    ],
    ids=repr,
)
def test_rounding_is_no_difference(one: Any, other: Any) -> None:
    assert said(one, other) == ""


@pytest.mark.parametrize(
    ("one", "other", "sentence"),
    [
        (ONE, ONE * 1.01, "is off by 0.00999"),
        (torch.cat([ONE * 1e6, ONE]), torch.cat([ONE * 1e6, ONE + 10]), "is off by 10 at ["),
        ({"a": ONE.long()}, {"a": ONE.long() + 1}, "a has 40 of 40 elements that differ"),
        (ONE, ONE.masked_fill(ONE > 0.9, torch.nan), "NaN or infinities"),
        (ONE, ONE[:2], "was float32 of shape (4, 10), and float32 of shape (2, 10)"),
        ((ONE, ONE), (ONE,), "one of two runs gave no [1]"),
        (("a", ONE), ("b", ONE), "was 'a', and 'b'"),
        (torch.complex(ONE, ONE), torch.complex(ONE, -ONE), "is off by 2 at [0, 0, 1]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_difference_says_where_and_how_much(one: Any, other: Any, sentence: str) -> None:
    assert sentence in said(one, other)


def test_what_forward_writes_differs_too() -> None:
    runs = [Golden(ONE, {"mutated.buffers.n": torch.tensor(float(n))}) for n in (1, 2)]
    assert "mutated.buffers.n is off by 1" in difference(*runs)


@pytest.mark.parametrize(
    ("outputs", "extracted"),
    [
        (None, None),
        ((), ()),
        ({}, {}),
        ([(), {"a": []}], [(), {"a": []}]),
        ((3, "done", 0.5), (3, "done", 0.5)),
        (torch.zeros(0, 3), torch.zeros(0, 3)),
        ((ONE, "done"), "done"),
        ((ONE, "done"), None),
        ((ONE, 3), [3, ONE[:0]]),
        (np.zeros(0), np.zeros(0)),
    ],
    ids=repr,
)
def test_nothing_was_compared(outputs: Any, extracted: Any) -> None:
    assert nothing_compared(outputs, extracted)


@pytest.mark.parametrize(
    ("outputs", "extracted"),
    [
        (ONE, ONE),
        ((None, {"a": ONE[0, 0]}), (None, {"a": ONE[0, 0]})),
        ((ONE, "done"), "a text of it"),
        ((ONE, 3), 4),
        ((ONE, 3), True),
    ],
    ids=repr,
)
def test_something_was_compared(outputs: Any, extracted: Any) -> None:
    assert nothing_compared(outputs, extracted) == ""
