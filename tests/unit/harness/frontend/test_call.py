# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test may give a model of PyTorch as inputs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bringup.harness.errors import UsageError
from bringup.harness.frontend.call import refuse_inputs


class Model(torch.nn.Module):
    def forward(self, x: Any, *more: Any, **named: Any) -> None:
        """Takes anything."""


ONES = torch.ones(2, 2)


REFUSED: dict[str, Callable[[], Any]] = {
    "input x is a numpy array: give a tensor": lambda: np.ones(3),
    "input more[0][1].a is a numpy array": lambda: (ONES, [ONES, {"a": np.int64([1])}]),
    "input x is a tensor of layout sparse_coo: give a dense": lambda: {"x": ONES.to_sparse()},
    "input x[0] is a tensor of layout sparse_csr": lambda: {"x": [ONES.to_sparse_csr()]},
    "input x is a nested tensor": lambda: {"x": torch.nested.nested_tensor([ONES, ONES])},
    "input x is on the meta device": lambda: {"x": ONES.to("meta")},
    "input x is a quantised tensor": lambda: torch.quantize_per_tensor(ONES, 1, 0, torch.qint8),
}


@pytest.mark.filterwarnings("ignore")  # PyTorch's, of what it has in beta or gives up
@pytest.mark.parametrize("sentence", REFUSED)
def test_what_no_program_takes_is_refused_by_its_place(sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        refuse_inputs(Model(), REFUSED[sentence]())
    assert sentence in str(refused.value)


def test_tensors_numbers_and_texts_are_taken() -> None:
    inputs = {"x": [ONES, 3, "text", None, np.array(["text"]), np.float32(2)], "y": (True, {})}
    refuse_inputs(Model(), inputs)
