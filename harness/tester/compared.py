# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Did a device compute anything that was compared?"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from bringup.harness.verify.flatten import flatten
from bringup.harness.verify.structure import children_of


def nothing_compared(outputs: Any, extracted: Any) -> str:
    """Why a comparison says nothing of a device, a sentence; empty when it says something.

    `outputs` are the device's, in the model's structure: what is a tensor there was computed, and
    what is a number or a text was fixed when the model was exported. `extracted` is what of them
    was compared: those tensors, or what a test made of them.
    """
    given = [*_leaves(outputs)]
    if not given:
        return "the model gave nothing, so nothing was compared"
    if not any(map(_holds_elements, given)):
        return "the model gave nothing that a device computed: no tensor has an element"
    fixed = [leaf for leaf in given if not isinstance(leaf, torch.Tensor | np.ndarray)]
    if not any(_holds_elements(leaf) or _is_news(leaf, fixed) for leaf in _leaves(extracted)):
        return "what the test extracts of the outputs is nothing that a device computed"
    return ""


CONSTANTS_ONLY = (
    "the model gave nothing that a device computed: no output depends on an input, or is computed"
    " of parameters; all are constants of the model"
)


def extraction_says_nothing(outputs: Any, others: Any, extract: Callable[[Any], Any]) -> str:
    """Why what a test extracts says nothing of a device, a sentence; empty when it says something.

    It says something when it differs for `others`, in which all that the device computed is
    `another`. `extract` may be anybody's: where it takes no other outputs, it is believed.
    """
    try:
        of_these = flatten(extract(outputs))
        of_others = flatten(extract(others))
        same = [leaf.path for leaf in of_these] == [leaf.path for leaf in of_others] and all(
            _is_same(leaf.value, other.value)
            for leaf, other in zip(of_these, of_others, strict=True)
        )
    except Exception:
        return ""
    said = "what the test extracts of the outputs is the same whatever a device computes"
    return said if same else ""


def another(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of other elements, in another order of size."""
    if tensor.dtype is torch.bool:
        return ~tensor
    if tensor.is_floating_point() or tensor.is_complex():
        wide = torch.complex128 if tensor.is_complex() else torch.float64
        return (tensor.to(wide) * -1.25 + 0.7071).to(tensor.dtype)
    return tensor.bitwise_not()


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        if one.is_floating_point():
            one, other = one.double(), other.double()
        return bool(one.isclose(other, 0, 0, equal_nan=True).all())
    return type(one) is type(other) and bool(one == other)


def _leaves(value: Any) -> Iterator[Any]:
    children = children_of(value, "")
    if children is None:
        yield value
    for _, child in children or ():
        yield from _leaves(child)


def _holds_elements(leaf: Any) -> bool:
    if isinstance(leaf, torch.Tensor):
        return bool(leaf.numel())
    return isinstance(leaf, np.ndarray) and bool(leaf.size)


def _is_news(leaf: Any, fixed: list[Any]) -> bool:
    """Is a leaf that is no tensor made of one, such as a text of token ids?"""
    if leaf is None or isinstance(leaf, torch.Tensor | np.ndarray):
        return False
    return not any(type(leaf) is type(other) and bool(leaf == other) for other in fixed)
