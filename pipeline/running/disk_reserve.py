# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Room kept free on the run's disk for the last records, for when the disk fills up."""

import os
from pathlib import Path

from bringup.harness.errors import StorageError

_NAME = ".reserve"
_BYTES_PER_TEST = 1024
_BYTES_AT_LEAST = 256 * 1024


class DiskReserve:
    """A file of real blocks that is dropped when the disk is needed."""

    def __init__(self, run_dir: Path, tests: int, holder: str = "") -> None:
        """Take the room; of a directory that several share each `holder` takes some.

        Raises:
            StorageError: there is not even room for the records of `tests` tests.
        """
        self._path = run_dir / (f"{_NAME}-{holder}" if holder else _NAME)
        size = _BYTES_AT_LEAST + tests * _BYTES_PER_TEST
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            self._path.unlink(missing_ok=True)
            raise StorageError(
                f"no room for the records of {tests} tests in {run_dir}: {error.strerror}"
            ) from error

    def drop(self) -> None:
        """Give the room back."""
        self._path.unlink(missing_ok=True)
