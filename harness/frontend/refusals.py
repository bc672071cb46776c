# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What torch.export refuses, in a sentence about the model where PyTorch's is about itself."""

import contextlib
from collections.abc import Iterator

from bringup.harness.errors import HarnessError


class ExportRefusal(HarnessError):
    """The exported program has something no device can take."""


_SENTENCES = {
    "received a mutation": "forward writes to a parameter that gets a gradient too, and"
    " torch.export makes no backward of that: write to it outside of forward, or freeze it",
    "found a fake tensor in the exported program": "forward makes a tensor that torch.export"
    " cannot follow: one that takes a gradient inside forward (torch.autograd.grad,"
    " requires_grad_), or one that other memory is given to",
    "Encountered a set_ on a graph input": "forward gives an input, a parameter or a buffer other"
    " memory (set_), which no exported program can say: copy_ the values instead",
    "Attempted to set the storage of a tensor": "forward changes the size of a tensor in place"
    " (resize_), which no exported program can say: assign a new tensor instead",
}
"""By a part of what PyTorch says."""


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Raise what PyTorch says as a sentence about the model, where we know one."""
    try:
        yield
    except (RuntimeError, AssertionError) as error:
        for part, sentence in _SENTENCES.items():
            if part in str(error):
                raise ExportRefusal(sentence) from error
        raise
