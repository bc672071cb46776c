# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is said of one environment variable, and how it is read."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bringup.harness.errors import UsageError
from bringup.harness.records.variable_values import SHOWN, Values
from bringup.harness.storage.writable import writable


@dataclass(frozen=True)
class Variable:
    """One environment variable."""

    name: str
    says: str
    values: Values[Any]
    read_by: str
    """The room or module that reads it, as a path of the checkout; `others` for a library."""
    default: str = ""
    """The text that stands for it where it is not set; empty: see `otherwise`."""
    otherwise: str = ""
    """In words, what holds where it is not set and no text says so."""
    of_tests: bool = False
    """Does it change what a test does, so that a plan or a reproducer keeps it?"""
    is_path: bool = False
    """Made absolute at the start: a test may change the working directory."""
    secret: bool = False
    """Never printed."""

    def read(self, environment: Mapping[str, str] | None = None) -> Any:
        """Its value; where it is not set or empty that of its default, None if it has none.

        Raises:
            UsageError: it holds something else.
        """
        text = (os.environ if environment is None else environment).get(self.name, "")
        text = text if text.strip() else self.default
        return self.value(text) if text else None

    def value(self, text: str) -> Any:
        """What a text means for it.

        Raises:
            UsageError: nothing.
        """
        try:
            return self.values(text.strip())
        except (ValueError, OverflowError) as error:
            shown = writable(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
            shown = "..." if self.secret else repr(shown)
            why = writable(" ".join(str(error).split()))
            raise UsageError(f"{self.name}={shown}: {why}") from None
