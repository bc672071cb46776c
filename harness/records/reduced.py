# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a search found in a failing model: kept in the model's reproducer, and shown with its test.

Version history
    1   first version
"""

from pathlib import Path

import msgspec

from bringup.harness.records.reproducible import EXPECTED, REPRO_FOLDER, reproducer_name
from bringup.harness.records.schema import Identity
from bringup.harness.records.versions import decode_versioned
from bringup.harness.storage.decoding import read_bytes

MODEL_SCHEMA = 1


class Reduced(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest part that a search found."""

    directory: str
    """Name of its reproducer, beside the model's."""
    fingerprint: str
    ops: int
    of: int
    """Ops of the whole model."""
    minimal: bool
    """False: the search was cut short, and a smaller one may exist."""
    sentences: tuple[str, ...] = ()
    """What the search found, for people."""


class _Holder(msgspec.Struct, frozen=True):
    """As much of a model's reproducer as says what was found."""

    reduced: Reduced | None = None


def read_reduced(run_dir: Path, model: Identity) -> Reduced | None:
    """What `nox -s repro` found in a test of a run; None where nobody looked, or nothing was.

    Raises:
        RecordError: the reproducer is damaged, or of a newer program.
    """
    path = run_dir / REPRO_FOLDER / reproducer_name(model) / EXPECTED
    if not path.is_file():
        return None
    what = "a reproducer's record"
    return decode_versioned(read_bytes(path), _Holder, path, what, MODEL_SCHEMA).reduced
