# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a list's entry expects of its test, beside what the list promises of all its tests."""

import enum

import msgspec

from bringup.harness.records.values import Stage


class Expect(enum.StrEnum):
    """What is to come of a listed test."""

    PASS = "pass"
    """What its list promises."""
    XFAIL = "xfail"
    """This failure, in this stage, and no other: a good end is news, and so is another failure."""
    SKIP = "skip"
    """It is not run; its record is SKIPPED and says why."""
    EXCLUDE = "exclude"
    """It is not planned."""


class Expectation(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The fields of a list's entry beside its test."""

    expect: Expect = Expect.PASS
    stage: Stage | None = None
    """Of `xfail`: where it ends."""
    fingerprint: str = ""
    """Of `xfail`: its failure, as history knows it (`harness/records/fingerprint.py`)."""
    disabled: str = ""
    """Of `pass`: the checks that do not count, e.g. `pcc, atol`; INCORRECT by them alone is as
    good as a pass."""
    reason: str = ""
    issue: str = ""
    """The address of the issue that tracks it."""
    owner: str = ""

    @property
    def why(self) -> str:
        """Its reason and its issue, in brackets where both are said."""
        said = [text for text in (self.reason, self.issue) if text]
        return f"{said[0]} ({said[1]})" if said[1:] else "".join(said)
