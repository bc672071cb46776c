# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The variables of its module that a class's code reads, through what it names there too."""

import threading

import pytest
import torch

from bringup.harness.state.surroundings import of_process, variables_of

_WIDTH, _UNREAD, _LOCK = 3, 4, threading.Lock()


class Net:
    def width(self) -> int:
        return _WIDTH


def _made() -> Net:
    return Net()


class Base:
    pass


class Tester(Base):
    def load(self) -> object:
        return _made(), _LOCK, torch.float32


def test_what_is_read_is_told_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    before = variables_of(Tester, Base)
    assert {name.rpartition(".")[2] for name in before} == {"_WIDTH", "_LOCK"}
    assert variables_of(Tester, Base) == before
    monkeypatch.setitem(globals(), "_UNREAD", 5)
    assert variables_of(Tester, Base) == before
    for name, value in (("_WIDTH", 5), ("_LOCK", threading.Lock())):
        with monkeypatch.context() as patch:
            patch.setitem(globals(), name, value)
            assert variables_of(Tester, Base) != before


def test_what_is_set_for_the_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    before = of_process()
    torch.rand(1)
    assert of_process() == before, "random numbers go on"
    with torch.no_grad():
        assert of_process() != before
    monkeypatch.setenv("A_VARIABLE", "1")
    assert of_process() != before
