# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The lists by name: a registry of those that are shipped and of other people's.

A list is two things: its spec here, and its file in the folder of lists. Specs of other people's
are named by an entry point of the group `bringup.lists`, or by the module that holds them in
`BRINGUP_LIST_SPECS=MODULE[,MODULE]`: a `ListSpec`, several, or a module with `LISTS`.
"""

import functools
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bringup.harness.errors import UsageError
from bringup.harness.extensions import things
from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.schema import GOOD, Outcome
from bringup.harness.records.variable_names import DEPTH_VARIABLE, LISTS_VARIABLE

FULL_FLOWS = ("full",)
OP_BY_OP_FLOWS = ("op_by_op_torch", "op_by_op_stablehlo")
ENTRY_POINTS = "bringup.lists"
SESSIONS = ("nightly", "weekly", "e2e_compile", "op_by_op")
"""The sessions that run lists."""
PROBE = "probe"
"""In a plan in place of a list: a test runs to be looked at, and nothing is promised of it."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def _good(_: DeviceState) -> frozenset[Outcome]:
    """It does as much as its device can."""
    return GOOD


@dataclass(frozen=True, eq=False)
class ListSpec:
    """A list: what stands on it, when it runs, and what it promises."""

    name: str
    """Its file's stem."""
    description: str
    """What a test on this list is known to do."""
    flows: tuple[str, ...]
    """The flows whose ids belong here."""
    sessions: tuple[str, ...]
    """Those that run it; of a test on two of a session's lists the first counts."""
    promise: Callable[[DeviceState], frozenset[Outcome]] = _good
    """The outcomes that keep the list's promise on a device."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Set for every test of this list."""
    gating: bool = False
    """Is one of its tests that was good and is bad a reason to stop?"""
    optional: bool = False
    """May its file be absent? Another list's may not: it would run nothing, and look green."""

    def __str__(self) -> str:
        return self.name

    @property
    def file_name(self) -> str:
        """The list's file in the folder of lists."""
        return f"{self.name}.toml"


def _passed_where_it_executes(state: DeviceState) -> frozenset[Outcome]:
    """A full model must run; where the device only compiles, it must compile."""
    return frozenset({Outcome.PASSED}) if state is DeviceState.EXECUTES else GOOD


def _reached(_: DeviceState) -> frozenset[Outcome]:
    """It stops before executing, so a PASSED means that the stop was ignored."""
    return frozenset({Outcome.REACHED})


NIGHTLY_FULL = ListSpec(
    "nightly_full_model_execute",
    "runs end to end on the device",
    FULL_FLOWS,
    ("nightly",),
    _passed_where_it_executes,
    gating=True,
)
WEEKLY_OP_BY_OP = ListSpec(
    "weekly_op_by_op",
    "runs end to end; its ops are looked at once a week",
    OP_BY_OP_FLOWS,
    ("weekly",),
)
WEEKLY_FULL = ListSpec(
    "weekly_full_model_execute",
    "runs end to end on the device; looked at once a week, as nights have no time for all",
    FULL_FLOWS,
    ("weekly",),
    _passed_where_it_executes,
    gating=True,
    optional=True,
)
NIGHTLY_E2E_COMPILE = ListSpec(
    "nightly_e2e_compile",
    "compiles end to end and stops before executing",
    FULL_FLOWS,
    ("nightly", "e2e_compile"),
    _reached,
    {DEPTH_VARIABLE: "TTNN_IR"},
    gating=True,
)
NIGHTLY_OP_BY_OP = ListSpec(
    "nightly_op_by_op",
    "does not run end to end yet; its ops are tracked one by one",
    OP_BY_OP_FLOWS,
    ("nightly", "op_by_op"),
)
SHIPPED = (NIGHTLY_FULL, WEEKLY_OP_BY_OP, NIGHTLY_E2E_COMPILE, NIGHTLY_OP_BY_OP, WEEKLY_FULL)


def list_specs() -> dict[str, ListSpec]:
    """Every list there is here, by name; other people's are last.

    Raises:
        UsageError: one of somebody else's cannot be had, has a name that is taken, or names a
            session that there is not.
    """
    return _specs(os.environ.get(LISTS_VARIABLE, ""))


def lists_of(session: str) -> tuple[ListSpec, ...]:
    """The lists that a session runs."""
    return tuple(spec for spec in list_specs().values() if session in spec.sessions)


@functools.cache
def _specs(modules: str) -> dict[str, ListSpec]:
    """`modules` are those of the variable."""
    found = {spec.name: spec for spec in SHIPPED}
    for spec, source in things(ENTRY_POINTS, LISTS_VARIABLE, modules, ListSpec, "LISTS"):
        if wrong := _why_not(spec, found):
            raise UsageError(f"{source}: {wrong}")
        found[spec.name] = spec
    return found


def _why_not(spec: ListSpec, found: Mapping[str, ListSpec]) -> str:
    """Why a list of somebody else's is none; empty when it is one."""
    if not _NAME.fullmatch(spec.name):
        return f"{spec.name!r} is no name of a list; it is its file's stem"
    if spec.name == PROBE:
        return f"no list can be called {PROBE}: so are tests that run to be looked at"
    if found.get(spec.name, spec) is not spec:
        return f"there is a list called {spec.name} already"
    wrong = [f"the flow {f!r}" for f in spec.flows if f not in FULL_FLOWS + OP_BY_OP_FLOWS]
    wrong += [f"the session {s!r}" for s in spec.sessions if s not in SESSIONS]
    return f"the list {spec.name} names {wrong[0]}, which there is not" if wrong else ""
