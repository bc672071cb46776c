# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ten thousand malformed inputs over every reader: how many end otherwise than they should.

A reader gives a value or one sentence; anything else it raises counts as a traceback, for that is
what a person would see, and more than two seconds count as a hang.
"""

import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from bringup.harness.errors import HarnessError
from tests.benchmarks.figures import Figure
from tests.unit.mutations import mutated
from tests.unit.readers import Reader, readers

INPUTS = 10_000
LONGEST_S = 2.0


def measure(inputs: int = INPUTS, seed: int = 0) -> list[Figure]:
    """Figures `bad_input_tracebacks` and `bad_input_hangs`; what went wrong is printed."""
    tracebacks = hangs = 0
    with tempfile.TemporaryDirectory(prefix="bringup-malformed-") as name:
        folder = Path(name)
        for number, (reader, data, place) in enumerate(_inputs(folder, inputs, seed)):
            started = time.monotonic()
            try:
                reader.read(data, place)
            except HarnessError as error:
                tracebacks += _is_no_sentence(reader, number, str(error))
            except Exception as error:
                tracebacks += 1
                print(f"{reader.name} {number}: {traceback.format_exc(limit=-3)}", file=sys.stderr)
                print(f"  {type(error).__name__} on {data[:80]!r}", file=sys.stderr)
            seconds = time.monotonic() - started
            if seconds > LONGEST_S:
                hangs += 1
                print(f"{reader.name} {number}: {seconds:.1f} s", file=sys.stderr)
    against = f"{inputs} malformed inputs over all readers"
    return [
        Figure("bad_input_tracebacks", tracebacks, "inputs", "<= 0", against),
        Figure("bad_input_hangs", hangs, "inputs", "<= 0", against),
    ]


def _inputs(folder: Path, inputs: int, seed: int) -> Iterator[tuple[Reader, bytes, Path]]:
    """Each reader in turn, each with a folder of its own."""
    (folder / "seeds").mkdir()
    every = readers(folder / "seeds")
    for number in range(inputs):
        reader = every[number % len(every)]
        place = folder / reader.name.replace("'", "")
        place.mkdir(exist_ok=True)
        valid = reader.seeds[number // len(every) % len(reader.seeds)]
        yield reader, mutated(valid, seed * inputs + number), place


def _is_no_sentence(reader: Reader, number: int, said: str) -> bool:
    if said and "\n" not in said and len(said) < 1500:
        return False
    print(f"{reader.name} {number}: no sentence: {said[:300]!r}", file=sys.stderr)
    return True


if __name__ == "__main__":
    for figure in measure(*map(int, sys.argv[1:])):
        print(figure)
