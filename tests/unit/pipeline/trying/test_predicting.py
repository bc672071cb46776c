# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What `try --predict` prints of a prediction."""

import msgspec

from bringup.harness.records.predictions import Predicted, Prediction
from bringup.harness.records.schema import Status
from bringup.pipeline.trying.predicting import lines

NEVER = Prediction(
    device="cpu", ops=2, known=0, kin=0, named=0, top=Status.EXECUTED, never_tried=("a", "b")
)


def on(device: str, of: Prediction = NEVER) -> Prediction:
    return msgspec.structs.replace(of, device=device)


def test_devices_of_which_nothing_is_known_have_one_line() -> None:
    known = msgspec.structs.replace(NEVER, known=2, never_tried=())
    predicted = Predicted("net", (on("cpu"), on("n150", known), on("h100"), on("tpu-v4")))
    never, n150 = lines(predicted)
    assert never.startswith("net on cpu and 2 more devices  unknown: 2 of 2 ops")
    assert n150.startswith("net on n150 ") and "2 of 2 ops known" in n150


def test_devices_that_know_the_same_have_each_their_line() -> None:
    known = msgspec.structs.replace(NEVER, known=2, never_tried=())
    every = tuple(on(name, known) for name in ("cpu", "h100", "n150", "p150"))
    assert len(list(lines(Predicted("net", every)))) == 4
