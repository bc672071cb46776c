# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Time between machines that share a directory, whose own clocks need not agree.

Whoever keeps the directory stamps its files; two stamps of one keeper can be compared.
"""

import secrets
from pathlib import Path

from bringup.harness.storage.atomic import cannot_write


def age_s(path: Path) -> float:
    """Seconds since a file was written.

    Raises:
        RecordError: it is gone, or nothing can be written beside it.
    """
    beside = path.with_name(f".now-{secrets.token_hex(8)}")
    try:
        beside.write_bytes(b"now")
        return max(beside.stat().st_mtime - path.stat().st_mtime, 0.0)
    except OSError as error:
        raise cannot_write(beside, error) from error
    finally:
        beside.unlink(missing_ok=True)
