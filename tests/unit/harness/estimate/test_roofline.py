# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From work and figures to an estimate."""

import pytest

from bringup.harness.devices.figures import Figures
from bringup.harness.devices.wire import Analysis
from bringup.harness.estimate.roofline import estimate, told
from bringup.harness.estimate.stablehlo_work import Work
from bringup.harness.records.estimates import Bound, Source

FIGURES = Figures(memory=1000, bandwidth=100.0, peak={"f32": 10.0, "tf32": 50.0}, products="tf32")
WORK = Work(arguments=400, outputs=100, products={"f32": 1000.0}, other=0.0, bytes=500.0)


def test_it_takes_as_long_as_the_slower_of_arithmetic_and_traffic() -> None:
    found = estimate(WORK, Analysis(), FIGURES)
    assert (found.seconds, found.bound, found.rate) == (1000 / 50, Bound.COMPUTE, "tf32")
    found = estimate(WORK, Analysis(flops=50.0, bytes=500.0), FIGURES)
    assert (found.seconds, found.bound) == (5.0, Bound.MEMORY)
    assert found.source is Source.COMPILER


def test_what_the_compiler_does_not_say_is_counted_over_the_program() -> None:
    found = estimate(WORK, Analysis(), FIGURES)
    assert (found.flops, found.bytes, found.source) == (1000.0, 500.0, Source.PROGRAM)
    memory = found.memory
    assert (memory.needed, memory.fits, memory.source) == (500, True, Source.PROGRAM)
    assert memory.temporaries is None and memory.code is None


def test_of_two_counts_of_traffic_the_smaller_is_the_devices() -> None:
    """A compiler may count what goes through memory on the chip, the program may fuse better."""
    for said, taken in ((2000.0, 500.0), (300.0, 300.0), (None, 500.0)):
        found = estimate(WORK, Analysis(flops=1.0, bytes=said), FIGURES)
        assert (found.bytes, found.seconds) == (taken, taken / 100)


def test_memory_is_the_compilers_sum() -> None:
    said = Analysis(arguments=400, outputs=100, aliased=50, temporaries=600, code=20)
    memory = estimate(WORK, said, FIGURES).memory
    assert memory.needed == 400 + 100 - 50 + 600 + 20 and not memory.fits
    assert told(memory).startswith("it needs 0.00 GiB (arguments")
    allocated = estimate(WORK, Analysis(allocated=350, code=1), FIGURES).memory
    assert (allocated.temporaries, allocated.needed) == (250, 751)
    assert estimate(WORK, Analysis(allocated=20), FIGURES).memory.temporaries == 0


def test_a_refusal_does_not_fit_whatever_is_known() -> None:
    found = estimate(WORK, Analysis(), FIGURES, refused=True)
    assert found.memory.fits and not found.fits


@pytest.mark.parametrize("dtype", ["f64", "f8E4M3FN"])
def test_a_type_without_a_rate_is_bound_by_memory_as_far_as_is_known(dtype: str) -> None:
    work = Work(400, 100, {dtype: 1e9}, 0.0, 500.0)
    found = estimate(work, Analysis(), FIGURES)
    assert (found.seconds, found.bound, found.rate) == (5.0, Bound.MEMORY, "")


def test_chips_share_what_is_counted_over_the_whole_program() -> None:
    found = estimate(WORK, Analysis(), FIGURES, chips=4)
    assert (found.flops, found.bytes, found.memory.arguments) == (250.0, 125.0, 100)


def test_nothing_to_do_takes_no_time() -> None:
    assert estimate(Work(0, 0), Analysis(flops=0.0, bytes=0.0), FIGURES).seconds == 0.0
