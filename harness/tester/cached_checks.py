# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What an earlier night found out of values that are the same, bit for bit.

Golden's own rounding takes a run of the model in float64, and more by samples and kinks. Where a
device gives what it gave, of the model, weights and inputs that it had, beside a golden that is
what it was, the checks come out as they did. And a golden that is that of an earlier night is a
second run on the same values, which shows as well that a model does not differ from itself.
"""

import time
from collections.abc import Mapping
from typing import Any

import msgspec
import torch

from bringup.harness.builds.build_cache import BuildCache, key_of
from bringup.harness.errors import RecordError
from bringup.harness.frontend.exported_digest import UnwrittenError
from bringup.harness.frontend.model_digest import digest_of_model
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.schema import OutputCheck
from bringup.harness.records.values import CACHED_FROM
from bringup.harness.tester.golden import Golden


class Checked(msgspec.Struct, frozen=True):
    """What came of checking outputs."""

    checks: tuple[OutputCheck, ...]
    attributes: dict[str, str]
    """Of the stage: how golden's own rounding was found, if it had to be."""
    run: str
    """The id of the run that found it."""
    checked: float
    """When, in seconds since the epoch."""


class _Seen(msgspec.Struct, frozen=True):
    golden: str
    run: str


class CachedChecks:
    """The place of what was found of one device's outputs; none where values have no digest."""

    def __init__(self, exported: str, recorder: TestRecorder, *values: object) -> None:
        """`exported`: the key of the model's export; `values`: all else that checks depend on."""
        self._recorder = recorder
        self._builds = BuildCache(recorder)
        self._key = _key("checked", exported, *values)
        self._before = self._builds.get(self._key, Checked) if self._key else None

    def find(self) -> Checked | None:
        """What was found; None: it is to be found."""
        if self._before is None or self._builds.audits(self._key):
            return None
        return self._before

    def keep(self, checks: tuple[OutputCheck, ...], attributes: Mapping[str, str]) -> None:
        """Keep what was found; something else than was kept is said."""
        if not self._key:
            return
        before = self._before
        if before is not None and before.checks != checks:
            self._recorder.warn(
                f"the checks kept of run {before.run} are not what the same outputs come to now;"
                " what was kept is replaced"
            )
        run = self._recorder.run.run_id
        said = {name: text for name, text in attributes.items() if not name.endswith("_s")}
        self._builds.put(self._key, Checked(checks, said | {CACHED_FROM: run}, run, time.time()))


class SeenGolden:
    """The golden of an earlier night that did not differ from itself."""

    def __init__(self, exported: str, recorder: TestRecorder, golden: Golden) -> None:
        self._run = recorder.run.run_id
        self._builds = BuildCache(recorder)
        self._key = _key("golden", exported) if not golden.draws else ""
        self._digest = _digest(golden.outputs, golden.mutated) if self._key else ""

    def run(self) -> str:
        """The id of the run that had the very same golden; empty where there is none, or the model
        is to be run twice all the same."""
        if not self._digest or self._builds.audits(self._key):
            return ""
        before = self._builds.get(self._key, _Seen)
        return before.run if before is not None and before.golden == self._digest else ""

    def keep(self) -> None:
        """Keep it: two runs gave the same."""
        if self._digest:
            self._builds.put(self._key, _Seen(self._digest, self._run))


def values_of(
    model: torch.nn.Module, given: Any, golden: Golden, *outputs: object
) -> tuple[str, ...]:
    """Digests of weights and what they are given, of golden, and of what a device gave; empty ones
    where there is none."""
    return (
        _digest(model, given),
        _digest(golden.outputs, golden.mutated),
        _digest(*outputs),
    )


def _digest(*values: object) -> str:
    try:
        return digest_of_model(*values, parameters=True)
    except UnwrittenError:
        return ""


def _key(what: str, exported: str, *values: object) -> str:
    """Empty where something has no digest."""
    if not exported or "" in values:
        return ""
    try:
        return key_of(what, (exported, values))
    except (RecordError, TypeError, ValueError):
        return ""
