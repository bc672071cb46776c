# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Convolutions in bounded memory: what PyTorch computes of an input that is spread out by hand."""

import resource
import subprocess
import sys

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from bringup.harness.reference.convolutions import Windows, convolved
from bringup.harness.reference.stablehlo_torch import padded

PLAIN = {1: torch.conv1d, 2: torch.conv2d, 3: torch.conv3d}


@st.composite
def cases(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor, Windows]:
    rank, groups = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    each = st.tuples(*(st.integers(1, 3) for _ in range(rank)))
    ends = st.tuples(*(st.integers(-9, 9) for _ in range(rank)))
    kernel = (groups * draw(st.integers(1, 2)), draw(st.integers(1, 2)), *draw(each))
    windows = Windows(draw(each), draw(ends), draw(ends), draw(each), draw(each), groups)
    size = (
        draw(st.integers(0, 3)),
        groups * kernel[1],
        *(draw(st.integers(0, 7)) for _ in range(rank)),
    )
    generator = torch.Generator().manual_seed(0)
    made = (torch.randn(one, generator=generator, dtype=torch.float64) for one in (size, kernel))
    return *made, windows


@given(cases(), st.sampled_from([1, 500, 1 << 30]))
def test_it_is_the_convolution_of_what_is_spread_out_and_padded(
    case: tuple[torch.Tensor, torch.Tensor, Windows], at_once: int
) -> None:
    x, kernel, w = case
    between = [0, 0, *(each - 1 for each in w.spread)]
    spread = [max(0, 1 + (n - 1) * s) for n, s in zip(x.shape[2:], w.spread, strict=True)]
    assume(all(n + lo + hi >= 0 for n, lo, hi in zip(spread, w.low, w.high, strict=True)))
    whole = padded(x, torch.zeros(()), [0, 0, *w.low], [0, 0, *w.high], between)
    reach = [(k - 1) * apart for k, apart in zip(kernel.shape[2:], w.apart, strict=True)]
    if any(size <= far for size, far in zip(whole.shape[2:], reach, strict=True)):
        assert not convolved(x, kernel, w, at_once).numel(), "no window fits"
        return
    if not x.numel():
        counts = (
            (n - far - 1) // s + 1
            for n, far, s in zip(whole.shape[2:], reach, w.stride, strict=True)
        )
        wanted = torch.zeros(len(x), len(kernel), *counts, dtype=torch.float64)
        assert torch.equal(convolved(x, kernel, w, at_once), wanted)
        return
    wanted = PLAIN[x.ndim - 2](
        whole, kernel, stride=[*w.stride], dilation=[*w.apart], groups=w.groups
    )
    torch.testing.assert_close(convolved(x, kernel, w, at_once), wanted)


LARGE = """
import pytest
import torch
from bringup.harness.reference.convolutions import Windows, convolved
w = dict(stride=(1, 1), apart=(1, 1), groups=1)
x, kernel = torch.ones(2, 64, 22, 22).double(), torch.ones(1, 64, 16, 16).double()
spread = convolved(x, kernel, Windows(low=(15, 15), high=(15, 15), spread=(16, 16), **w))
image = torch.ones(2, 64, 160, 160).double()
plain = convolved(image, kernel, Windows(low=(0, 0), high=(0, 0), spread=(1, 1), **w))
assert spread.shape == (2, 1, 352, 352) and plain.shape == (2, 1, 145, 145)
assert spread.unique().tolist() == [64.0] and plain.unique().tolist() == [64.0 * 256]
"""


def test_large_windows_are_not_all_copied_at_once() -> None:
    """In 5 GiB of addresses, with PyTorch in them; all copies would be 15 and 5 GiB."""
    subprocess.run(
        [sys.executable, "-c", LARGE],
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (5 << 30, 5 << 30)),
    )


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        ((0, 2), (0, -1), [[0, 0, 1, 2]]),
        ((0, -3), (0, 3), [[0, 0, 0]]),
        ((0, 4), (0, -5), [[0, 0]]),
    ],
)
def test_more_may_be_cut_off_than_there_was(
    low: tuple[int, int], high: tuple[int, int], wanted: list[list[int]]
) -> None:
    x = torch.tensor([[1, 2, 3]])
    assert padded(x, torch.tensor(0), low, high, [0, 0]).tolist() == wanted
