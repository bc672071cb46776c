# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is known of a walk's ops before they are run: the verdict cache, as one test sees it."""

import functools
from collections.abc import Mapping

from bringup.harness.devices.catalog import kind_of, versions
from bringup.harness.errors import RecordError
from bringup.harness.op_by_op.cache_key import Basis
from bringup.harness.op_by_op.stage_memory import StageMemory
from bringup.harness.ops.operand_values import counts_values
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.schema import Op, OpVerdict
from bringup.harness.records.verdicts.cache import VerdictCache
from bringup.harness.records.verdicts.recheck import Recheck


class KnownVerdicts:
    """The cache's verdicts on a device's ops; what one says is looked up once."""

    def __init__(
        self,
        recorder: TestRecorder,
        device: str,
        flags: Mapping[str, str],
        options: Mapping[str, str],
    ) -> None:
        """`flags`: what a verdict depends on beside op, device and versions; of them the `options`
        are the device compiler's."""
        self.executes = False
        """Are ops executed, and not compiled only?"""
        self.origins: Mapping[str, str] = {}
        """Where operands come from, by the op's key (`operand_values`)."""
        self._device = device
        self._flags, self._options = dict(flags), dict(options)
        self._artifacts = recorder.run.artifacts
        self._cache = VerdictCache(complain=recorder.warn)
        self._recheck = Recheck.from_environment(recorder.run.run_id)
        self._found: dict[str, OpVerdict | None] = {}
        self._keys: dict[tuple[str, str], str] = {}

    def key(self, op: Op) -> str:
        """What the cache keeps an op's verdict under."""
        named = op.key, self.values(op) if counts_values(op) else ""
        if named not in self._keys:
            self._keys[named] = self._basis.key(op, named[1])
        return self._keys[named]

    def values(self, op: Op) -> str:
        """Where the op's operands come from, as `origins` says; empty where nobody asks."""
        return self.origins.get(op.key, "") if self.executes else ""

    @functools.cached_property
    def _basis(self) -> Basis:
        depth = "execute" if self.executes else "compile"
        descriptor = descriptor_of(self._device)
        return Basis(self._device, descriptor, versions(), self._flags, depth)

    def get(self, key: str) -> OpVerdict | None:
        """The verdict the cache has, its texts being in the run then."""
        if key not in self._found:
            self._found[key] = self._restored(key) if self._recheck.takes_hits else None
        return self._found[key]

    def _restored(self, key: str) -> OpVerdict | None:
        verdict = self._cache.get(key)
        if verdict is None:
            return None
        try:
            return verdict if self._cache.restore(verdict, self._artifacts) else None
        except RecordError:
            return None

    def audits(self, key: str) -> bool:
        """Is an op to be run again, whatever the cache has of it?"""
        return self._recheck.chooses(key)

    @functools.cached_property
    def _stages(self) -> StageMemory:
        return StageMemory(self._cache, self._device, self._options, executes=self.executes)

    def put(self, key: str, verdict: OpVerdict) -> None:
        """Keep a new verdict, and how far the op got."""
        if self._cache.put(key, verdict, self._artifacts):
            self._stages.note(verdict)

    def replace(self, key: str, verdict: OpVerdict) -> None:
        """Put a verdict in the place of one that does not hold."""
        self._cache.replace(key, verdict, self._artifacts)
        self._stages.note(verdict)


def descriptor_of(device: str) -> str:
    """What a device is compiled for beside its name: a board's figures, a card, a processor."""
    return kind_of(device).target(device)
