# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which model tests leave a reproducer, what one is called, and the command that runs it."""

import re
from pathlib import Path

from bringup.harness.records.advice import Advice, advice_here
from bringup.harness.records.naming import entry_of, is_loaders
from bringup.harness.records.run_dir import AGAINST_FOLDER
from bringup.harness.records.schema import Failure, Identity, Outcome, Stage
from bringup.harness.records.values import BASE_SIZE
from bringup.harness.storage.file_names import fitted

RESULTS = "results"
"""Where reproducers are found by their names alone, below the project."""
REPRO_FOLDER = "repro"
"""Of a run directory: one folder for each reproducer of an op or a model."""
EXPECTED = "expected.json"
"""Of a reproducer: how what it runs ended."""
RUN_SCRIPT = "run.py"
VERSIONS = "versions.json"
TORCH_IR, STABLEHLO, ARTIFACT = "op.torch.mlir", "op.stablehlo.mlir", "op.vhlo"
FX, FX_JSON = "fx.txt", "fx.json"
ONNX, ONNX_TEXT = "part.onnx", "part.onnx.txt"
INPUTS, GOLDEN = "inputs", "golden"
"""Of two files each: their bytes, `.bin`, and what they are, `.json`."""
REPRODUCER_FILES = frozenset(
    {
        *(EXPECTED, RUN_SCRIPT, VERSIONS, TORCH_IR, STABLEHLO, ARTIFACT, FX, FX_JSON),
        *(ONNX, ONNX_TEXT),
        *(f"{name}{ending}" for name in (INPUTS, GOLDEN) for ending in (".bin", ".json")),
    }
)
"""All that a reproducer's folder holds."""
KEY_DIGITS = 16
_OUTCOMES = frozenset({Outcome.INCORRECT, Outcome.FAILED, Outcome.CRASHED, Outcome.TIMEOUT})
_STAGES = frozenset(Stage) - {Stage.LOAD, Stage.GOLDEN}


_SCRIPT = '''\
# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""{what}

Exit codes: 0 it ended as expected.json says, 1 it ended otherwise, 2 it cannot be run, 3 the
device cannot be had.
"""

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
if sys.path and os.path.abspath(sys.path[0]) == FOLDER:
    del sys.path[0]  # what lies beside this file is data: nothing of it is imported

try:
    from bringup.harness.repro import main
except ImportError as error:
    print(
        f"bringup is not installed for {{sys.executable}} ({{error}}); run"
        f" `bringup repro {{FOLDER}}`, or in a checkout `nox -s repro -- {{FOLDER}}`",
        file=sys.stderr,
    )
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(main([FOLDER, *sys.argv[1:]]))
'''


def run_script(what: str) -> str:
    """The `run.py` of a reproducer; `what` says in a sentence what it does."""
    return _SCRIPT.format(what=what)


RUN_OP = run_script("Runs this op alone: `python run.py`, with the project installed.")
RUN_MODEL = run_script(
    "Runs this model and reduces it: `python run.py` in the project's root, with it installed."
)
RUN_ANY = run_script("Runs this reproducer: `python run.py` in the project's root.")
"""The `run.py` of a reproducer that came from elsewhere."""
OWN_SCRIPTS = frozenset(script.encode() for script in (RUN_OP, RUN_MODEL, RUN_ANY))
"""All that a `run.py` may be: it is a program, and a stranger's is never kept."""


def is_reproducible(outcome: Outcome | None, failure: Failure | None) -> bool:
    """Did it end in a stage of the compiler or the device, so that running it shows it again?"""
    return outcome in _OUTCOMES and failure is not None and failure.stage in _STAGES


def folder_name(op_key: str, device: str) -> str:
    """What an op's reproducer is called: the key's first digits and the device."""
    return f"{op_key[:KEY_DIGITS]}-{device_in_name(device)}"


def device_in_name(device: str) -> str:
    """A device as a directory's name has it."""
    return fitted(re.sub(r"[^\w.-]", "-", device, flags=re.ASCII), 100, device)


def place_of(run_dir: Path) -> str:
    """What comes before a reproducer's name in a command; empty where the name is enough."""
    run_dir, here = run_dir.resolve(), Path.cwd()
    if run_dir.parent.name == AGAINST_FOLDER:  # a comparison of it has its records, not these
        run_dir = run_dir.parent.parent
    if run_dir.parent == here / RESULTS:
        return ""
    shown = run_dir.relative_to(here) if run_dir.is_relative_to(here) else run_dir
    return f"{shown / REPRO_FOLDER}/"


def op_command(op_key: str, device: str, place: str = "", advice: Advice | None = None) -> str:
    """The shell command that runs an op's reproducer; `place` is `place_of` its run."""
    return (advice or advice_here()).command("repro", place + folder_name(op_key, device))


def reproducer_name(model: Identity) -> str:
    """What a model's reproducer is called: the test's key as a file name."""
    name = re.sub(r"[^\w.]+", "-", model.key, flags=re.ASCII).lstrip("-.")
    return fitted(name, whole=model.key).replace("~", "-")


def reproduce_command(
    nodeid: str, model: Identity, entry: str = "", advice: Advice | None = None
) -> str:
    """The shell command that runs a model test again and reduces it, wherever it left a record.

    Empty where the id is unknown.
    """
    if not nodeid:
        return ""
    test = entry or entry_of(nodeid, model.device, model.size)
    words = [test, "--device", model.device]
    sized = words if model.size == BASE_SIZE else [*words, "--size", model.size]
    how = advice or advice_here()
    return how.command("repro", *sized, *(how.loaders if is_loaders(test) else ()))
