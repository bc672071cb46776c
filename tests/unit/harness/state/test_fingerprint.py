# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What decides what a tester loads, told apart; whatever cannot be, has no fingerprint."""

import threading
from typing import Any

import pytest
import torch

from bringup.harness.state.fingerprint import fingerprint


class Base:
    pass


class Plain(Base):
    size = 3

    def load(self) -> int:
        return self.size


def made(held: Any, size: int = 3) -> type:
    class Local(Base):
        def load(self) -> Any:
            return held

        def twice(self) -> str:
            return super().__repr__()

    Local.size = size  # type: ignore[attr-defined]
    return Local


def of(values: dict[str, Any], owner: type = Plain) -> str | None:
    return fingerprint(values, owner, Base)


def test_equal_values_are_the_same() -> None:
    for value in (1, "a", [1, {"b": 2.5}], torch.ones(3), torch.float16, Plain):
        assert of({"x": value}) == of({"x": value}) is not None
    assert of({"a": 1, "b": 2}) == of({"b": 2, "a": 1})


def test_anything_else_is_not() -> None:
    values = (1, 1.0, True, "1", None, [1], (1,), torch.ones(3), torch.ones(3).half(), Plain, Base)
    prints = [of({"x": value}) for value in values] + [of({"y": 1}), of({})]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize(
    "value", [lambda: 1, threading.Lock(), made(1)], ids=["lambda", "lock", "class"]
)
def test_what_nobody_can_tell_apart_has_none(value: Any) -> None:
    assert of({"x": value}) is None


def test_a_class_made_in_a_function_goes_by_what_it_closes_over() -> None:
    assert of({}, made(1)) == of({}, made(1)) is not None
    assert len({of({}, made(1)), of({}, made(2)), of({}, made(1, size=4)), of({})}) == 4
    assert of({}, made(lambda: 1)) is None


def test_a_classs_data_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = of({})
    monkeypatch.setattr(Plain, "size", 4)
    assert of({}) != before


def test_a_value_of_gigabytes_is_not_worth_it() -> None:
    assert of({"x": torch.zeros(20 << 20)}) is None
