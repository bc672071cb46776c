# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What following a graph came to before, of the same graph, values, ops, device and code.

It takes as long as two walks, and a model with an op that is wrong would be followed every night.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

import msgspec
import torch

from bringup.harness.builds.build_cache import BuildCache, key_of
from bringup.harness.op_by_op.follow import SECONDS
from bringup.harness.ops.operand_values import fingerprint
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.followed import Followed
from bringup.harness.records.schema import OpResult, Outcome
from bringup.harness.records.variable_names import FOLLOW_VARIABLE
from bringup.harness.records.variables import VARIABLES
from bringup.harness.verify import Tolerances


def is_followed(results: Iterable[OpResult] = ()) -> bool:
    """Are the device's own values to be followed, by what is asked for and by the verdicts?"""
    asked = VARIABLES[FOLLOW_VARIABLE].read()
    wrong = any(r.verdict.outcome is Outcome.INCORRECT for r in results)
    return asked == "always" or (asked == "wrong" and wrong)


def basis_of(
    graph: bytes,
    values: Sequence[torch.Tensor],
    verdicts: Iterable[tuple[str, str]],
    tolerances: Tolerances,
) -> object:
    """What following depends on.

    Args:
        graph: as text or as an artifact.
        values: a tensor for each argument of it, and those that it holds and does not say; all
            their bytes count, as one row of a weight may be what was mended.
        verdicts: of each op of it what the verdict cache has it under, and its outcome alone.
        tolerances: of its values.
    """
    given = [fingerprint(each, whole=True) for each in values]
    return (hashlib.sha256(graph).hexdigest(), given, sorted(verdicts), repr(tolerances))


def followed_once(
    recorder: TestRecorder, basis: object, follow: Callable[[], Followed], seconds: float
) -> Followed:
    """What was found before of the same, or what `follow` finds in some seconds, which is kept.

    What a test with little time left did not get through says nothing of one that has more.
    """
    builds, key, run = BuildCache(recorder), key_of("followed", basis), recorder.run.run_id
    before = builds.get(key, Followed)
    if before is not None and not builds.audits(key):
        return before if before.origin != run else msgspec.structs.replace(before, origin="")
    found = follow()
    if found.ended and seconds < SECONDS:
        return found
    kept = msgspec.structs.replace(found, origin=run)
    if before is not None and msgspec.structs.replace(before, origin=run) != kept:
        recorder.warn(
            f"following the device's own values came to something else in {before.origin}"
        )
    builds.put(key, kept)
    return found
