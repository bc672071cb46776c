# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Compare generated tokens exactly, by the text they decode to."""

import math
from collections.abc import Sized
from typing import Any, Protocol

import numpy as np
import torch

from bringup.harness.errors import UsageError
from bringup.harness.records.schema import Check, Metric, OutputCheck
from bringup.harness.verify.checks import difference_of_text, fact
from bringup.harness.verify.tolerances import DEFAULT, Tolerances


class Tokenizer(Protocol):
    """The part of a transformers tokenizer that is used here."""

    def batch_decode(self, sequences: Any) -> Any:
        """One string for each sequence of ids."""


def compare_tokens(
    golden_ids: object,
    actual_ids: object,
    tokenizer: Tokenizer,
    tolerances: Tolerances = DEFAULT,
    path: str = "tokens",
) -> tuple[OutputCheck, ...]:
    """Compare generated token ids by the text they decode to, special tokens included.

    Ids are integers of shape (batch, length) or (length,), or lists of such. Different ids that
    decode to the same text are right, unless actual has ids the tokenizer does not know.

    Raises:
        UsageError: golden's ids are none.
    """
    golden_rows = _rows(golden_ids)
    if golden_rows is None:
        raise UsageError(
            "The golden token ids are not integers of shape (batch, length) or (length,);"
            " give compare_tokens what `generate` returned."
        )
    actual_rows = _rows(actual_ids)
    shape = (len(golden_rows), max(map(len, golden_rows), default=0))
    if actual_rows is None:
        checks = [fact("dtype", False, "actual's token ids are not one or two axes of integers")]
    else:
        count, reason = _compare_text(golden_rows, actual_rows, tokenizer)
        asserted = tolerances.assert_tokens
        checks = [Check("tokens", Metric.of(count), None, count == 0, asserted, reason)]
    return (OutputCheck(path, shape, "tokens", tuple(checks)),)


def _rows(ids: object) -> list[list[int]] | None:
    """Token ids as lists of Python integers, one for each sequence; None if they are not ids."""
    if isinstance(ids, torch.Tensor | np.ndarray):
        ids = ids.tolist()
    if not isinstance(ids, list | tuple):
        return None
    rows = [row.tolist() if isinstance(row, torch.Tensor | np.ndarray) else row for row in ids]
    if not any(isinstance(row, list | tuple) for row in rows):
        rows = [rows]
    flat = [token for row in rows for token in (row if isinstance(row, list | tuple) else [None])]
    return rows if all(type(token) is int for token in flat) else None


def _compare_text(
    golden: list[list[int]], actual: list[list[int]], tokenizer: Tokenizer
) -> tuple[int, str]:
    """How many sequences differ, and in what way the first one does."""
    if golden == actual:
        return 0, ""
    if len(golden) != len(actual):
        reason = f"actual has {len(actual)} sequences, golden {len(golden)}"
        return abs(len(golden) - len(actual)), reason
    # Tokenizers decode what they do not know to nothing, which could hide a wrong tail.
    known = len(tokenizer) if isinstance(tokenizer, Sized) else math.inf
    unknown = {token for row in actual for token in row if not 0 <= token < known}
    unknown -= {token for row in golden for token in row}
    if unknown:
        count = sum(not unknown.isdisjoint(row) for row in actual)
        return count, f"actual has token {min(unknown)}, which the tokenizer does not know"
    pairs = list(zip(tokenizer.batch_decode(golden), tokenizer.batch_decode(actual), strict=True))
    differing = [index for index, (g, a) in enumerate(pairs) if g != a]
    if not differing:
        return 0, ""
    first = differing[0]
    return len(differing), f"in sequence {first} {difference_of_text(*pairs[first])}"
