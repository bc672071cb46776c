# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How often a verdict is wrong: pairs made for it, faults in ops, whole models, malformed input.

`--quick` rehearses every part with little; the whole fleet at base size takes an hour on two cores.
"""

import argparse
import importlib
import importlib.util
import shutil
import tempfile
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.op_by_op.nights import BASE_MODELS, TINY_MODELS
from tests.benchmarks.verdicts import fleet, injections, pairs

PARTS = ("pairs", "injections", "malformed", "fleet")
_MALFORMED = "tests.benchmarks.verdicts.malformed"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    add = parser.add_argument
    add("--quick", action="store_true", help="rehearse everything, with models shortened")
    add("--pairs", type=int, default=6000, help="pairs of outputs, at least")
    add("--device", default="cpu,iree-cpu", help="devices that whole models run on")
    add("--tests", default="tests/models", help="files or folders of whole models, with commas")
    add("--size", choices=("base", "tiny"), help="of all models; tiny for injections otherwise")
    add("--only", default=",".join(PARTS), help=f"parts: {','.join(PARTS)}")
    add("--scratch", type=Path, metavar="DIR", help="keep run directories there")


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures of the parts asked for.

    Raises:
        SystemExit: there is no such part.
    """
    parts = options.only.split(",")
    if unknown := sorted(set(parts) - set(PARTS)):
        raise SystemExit(f"no part {unknown[0]!r}: there are {', '.join(PARTS)}")
    if options.scratch:
        options.scratch.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="bringup-bench-", dir=options.scratch))
    try:
        return [f for part in PARTS if part in parts for f in _part(part, scratch, options)]
    finally:
        if options.scratch is None:
            shutil.rmtree(scratch, ignore_errors=True)


def _part(part: str, scratch: Path, options: argparse.Namespace) -> list[Figure]:
    if part == "pairs":
        return pairs.measure(500 if options.quick else options.pairs)
    if part == "injections":
        models = TINY_MODELS if options.quick else BASE_MODELS
        device = options.device.split(",")[0]
        return injections.measure(scratch, models, options.size or "tiny", device)
    if part == "malformed":
        return _malformed()
    tests = "tests/models/gpt2" if options.quick else options.tests
    size = options.size or ("tiny" if options.quick else "base")
    return fleet.measure(scratch, tests.split(","), size, options.device)


def _malformed() -> list[Figure]:
    """`bad_input_tracebacks`, where its module is there."""
    if importlib.util.find_spec(_MALFORMED) is None:
        print(f"malformed: there is no {_MALFORMED} here; left out")
        return []
    figures: list[Figure] = importlib.import_module(_MALFORMED).measure()
    return figures
