# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From a program's work and a device's figures to an estimate: the roofline.

Source of the formula: Williams, Waterman and Patterson, "Roofline: an insightful visual performance
model", 2009: a program takes as long as the slower of its arithmetic at the peak rate and its
memory traffic at the peak bandwidth.
"""

from bringup.harness.devices.figures import Figures
from bringup.harness.devices.wire import Analysis
from bringup.harness.estimate.stablehlo_work import Work
from bringup.harness.records.estimates import Bound, Estimate, Memory, Source


def estimate(
    work: Work, said: Analysis, figures: Figures, chips: int = 1, *, refused: bool = False
) -> Estimate:
    """What a program takes on one chip of a device.

    Args:
        work: Counted over the program's StableHLO, of all chips together.
        said: By the device's compiler, which knows better where it says something.
        figures: Of the device.
        chips: That the program is divided over.
        refused: The compiler says that it does not fit.
    """
    by_compiler = said.flops is not None and said.flops > 0
    flops = said.flops if by_compiler else work.flops / chips
    assert flops is not None
    # XLA counts what its fusions take and give wherever it lies, in memory on the chip too, and
    # what is fetched ahead twice: of a small model several times what the device's memory sees
    traffic = min(filter(None, (said.bytes, work.bytes / chips)), default=0.0)
    dtype = figures.computed_in(work.dtype)
    rate = figures.peak.get(dtype)
    computing = flops / rate if rate else 0.0
    moving = traffic / figures.bandwidth
    return Estimate(
        memory=memory(work, said, figures, chips),
        flops=flops,
        bytes=traffic,
        source=Source.COMPILER if by_compiler else Source.PROGRAM,
        seconds=max(computing, moving),
        bound=Bound.COMPUTE if computing > moving else Bound.MEMORY,
        rate=dtype if rate else "",
        refused=refused,
    )


def told(memory: Memory) -> str:
    """That a program does not fit, in figures."""
    parts = {
        "arguments": memory.arguments,
        "outputs": memory.outputs - memory.aliased,
        "temporaries": memory.temporaries or 0,
        "code": memory.code or 0,
    }
    said = ", ".join(f"{name} {_gib(size)}" for name, size in parts.items() if size)
    least = "at least " if memory.source is Source.PROGRAM else ""
    return f"it needs {least}{_gib(memory.needed)} ({said}) and has {_gib(memory.available)}"


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.2f} GiB"


def memory(work: Work, said: Analysis, figures: Figures, chips: int = 1) -> Memory:
    """What a program needs, as far as its compiler or else its types say."""
    arguments = work.arguments // chips if said.arguments is None else said.arguments
    outputs = work.outputs // chips if said.outputs is None else said.outputs
    temporaries = said.temporaries
    if temporaries is None and said.allocated is not None:
        temporaries = max(said.allocated - outputs, 0)
    known = said.arguments is not None or said.allocated is not None
    return Memory(
        arguments=arguments,
        outputs=outputs,
        available=figures.memory,
        temporaries=temporaries,
        code=said.code,
        aliased=said.aliased,
        source=Source.COMPILER if known else Source.PROGRAM,
    )
