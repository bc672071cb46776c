# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What following came to is taken from a run before where nothing that it depends on is another."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from bringup.harness.op_by_op.follow import SECONDS, out_of_time
from bringup.harness.op_by_op.followed_before import basis_of, followed_once
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.followed import Followed
from bringup.harness.session import begin
from bringup.harness.verify import Tolerances
from tests.unit.run_builder import identity

NET = identity("net", "cpu", flow="op_by_op_torch")
WHOLE, HALF = Followed(nodes=2, compared=2), Followed(nodes=2, compared=1, ended=out_of_time("b"))


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BRINGUP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BRINGUP_RUN_DIR", str(tmp_path / "run"))
    with begin():
        yield


def once(basis: object, found: Followed, seconds: float) -> Followed:
    return followed_once(TestRecorder(NET, ""), basis, lambda: found, seconds)


def test_what_a_test_had_no_time_for_is_followed_by_one_that_has() -> None:
    assert once("graph", HALF, SECONDS / 2) == HALF
    assert once("graph", WHOLE, SECONDS) == WHOLE
    assert once("graph", HALF, SECONDS / 2) == WHOLE, "that of the whole is kept"


def test_what_takes_longer_than_any_may_is_not_followed_every_night() -> None:
    assert once("graph", HALF, SECONDS) == HALF
    assert once("graph", WHOLE, SECONDS) == HALF


def test_one_number_of_a_large_weight_is_another_basis() -> None:
    weight = torch.zeros(1000, 1000)
    bases = []
    for place in (0, 1, 524_287, 999_999):
        weight.view(-1)[place] += 1
        bases.append(basis_of(b"graph", [weight], [], Tolerances()))
    assert all(bases.count(basis) == 1 for basis in bases)
    assert basis_of(b"graph", [weight.clone()], [], Tolerances()) == bases[-1]
