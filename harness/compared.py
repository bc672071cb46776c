# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Did a device compute anything that was compared?"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from harness.verify.structure import children_of


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
