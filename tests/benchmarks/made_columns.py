# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A made history in memory: what is not given of it is nothing."""

from typing import Any

import numpy as np

from bringup.pipeline.history.judge.columns import Columns, Words


def made_columns(rows: int, **given: Any) -> Columns:
    """So many rows, with the columns that are given."""
    none, number = np.zeros(rows, np.int32), np.full(rows, np.nan)
    empty = Words(none, ("",))
    numbers = dict.fromkeys(("pcc", "seconds", "memory"), number)
    counts = dict.fromkeys(("excluded", "status", "passed", "failed"), none)
    texts = ("fingerprint", "ir_hash", "artifact_hash", "versions", "list_name", "nodeid")
    words = dict.fromkeys((*texts, "failed_op", "kind", "message"), empty)
    rest = {"stage": none - 1, "missing": np.zeros(rows, np.bool_)}
    return Columns(**{**numbers, **counts, **words, **rest, **given})
