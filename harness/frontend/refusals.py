# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What torch.export refuses, in a sentence about the model where PyTorch's is about itself."""

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

import torch

from bringup.harness.errors import HarnessError


class ExportRefusal(HarnessError):
    """The exported program has something no device can take."""


_SENTENCES = {
    "received a mutation": "forward writes to a parameter that gets a gradient too, or writes what"
    " has a gradient to a buffer, an input or an attribute, and torch.export makes no backward of"
    " that: write to it outside of forward, freeze it, or write what is detached",
    "marked as the loss, but it does not require": "no gradient flows to the loss in the exported"
    " step: forward computes it where none is recorded, as torch.utils.checkpoint does with"
    " use_reentrant=True (False is exported) and an autograd.Function does in its own forward",
    "a parameter that did not receive a gradient": "a parameter that has a gradient has none in the"
    " exported step: forward computes something else there, or has a backward of its own"
    " (torch.autograd.Function), which torch.export does not take over",
    "found a fake tensor in the exported program": "forward makes a tensor that torch.export"
    " cannot follow: one that takes a gradient inside forward (torch.autograd.grad,"
    " requires_grad_), or one that other memory is given to",
    "Encountered a set_ on a graph input": "forward gives an input, a parameter or a buffer other"
    " memory (set_), which no exported program can say: copy_ the values instead",
    "Attempted to set the storage of a tensor": "forward changes the size of a tensor in place"
    " (resize_), which no exported program can say: assign a new tensor instead",
}
"""By a part of what PyTorch says."""
_DECIDES = "data-dependent expression"
"""What PyTorch says of a Python branch, or a Python number, that depends on a tensor's values."""
_NOT_THE_MODELS = (str(Path(torch.__file__).parent), str(Path(__file__).parent.parent))
"""Where the code lies that is between a model and whoever exports it."""


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Raise what PyTorch says as a sentence about the model, where we know one."""
    try:
        yield
    except (RuntimeError, AssertionError) as error:
        if _DECIDES in str(error):
            raise ExportRefusal(
                f"forward needs a Python number that it computes of a tensor{_place_of(error)},"
                " which no exported program can give it: compute it with tensors (torch.where,"
                " torch.cond, gather)"
            ) from error
        for part, sentence in _SENTENCES.items():
            if part in str(error):
                raise ExportRefusal(sentence) from error
        raise


def _place_of(error: BaseException) -> str:
    """The innermost line of the model's own in a traceback; empty if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(_NOT_THE_MODELS)]
    if not own:
        return ""
    frame = own[-1]
    return f", at {Path(frame.filename).name}:{frame.lineno} in {frame.name}: `{frame.line}`"
