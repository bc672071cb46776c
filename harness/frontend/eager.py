# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Eager PyTorch as it is exported: without the shortcuts that only eager takes."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def without_fast_paths() -> Iterator[None]:
    """Have `nn.TransformerEncoder` and `nn.MultiheadAttention` compute what their Python says.

    In eval mode, eager hands whole layers to one fused kernel. With a padding mask that packs the
    batch into a nested tensor and leaves zeros where the mask is: other values than those of the
    graph that is exported. (The kernels of scaled dot product attention agree on fully masked rows
    and may stay.) Restores the setting.
    """
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
