# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a run that is taken up again knows of the options it was begun with."""

from pathlib import Path
from typing import Any

import pytest

from bringup.harness.options.option import Source
from bringup.harness.records.schema import Plan
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.options import RunOptions
from bringup.pipeline.planning.recorded_options import choosing
from bringup.pipeline.planning.verdict_cache import variables
from bringup.pipeline.running.resume import options_of

HERE = Path("results/run")


def begun(**options: Any) -> Plan:
    chosen = choosing(RunOptions("op_by_op", models=("bert",), **options), ["cpu"])
    return Plan(run_id="r", created=1.0, session="op_by_op", chosen=chosen, resumed=2.0)


def resumed(plan: Plan, **options: Any) -> RunOptions:
    return options_of(
        plan,
        HERE,
        RunOptions("op_by_op", sources=dict.fromkeys(options, Source.COMMAND_LINE), **options),
    )


@pytest.mark.parametrize(
    ("option", "variable"),
    [({"no_cache": True}, "BRINGUP_NO_CACHE"), ({"recheck": "2%"}, "BRINGUP_RECHECK")],
)
def test_what_is_done_with_the_cache_is_remembered(option: dict[str, Any], variable: str) -> None:
    plan = begun(**option)
    assert variable in variables(plan, resumed(plan))
    assert variable not in variables(begun(), resumed(begun()))


def test_another_share_or_another_cache_is_another_run() -> None:
    with pytest.raises(PipelineError, match=r"planned with --recheck 2%; resume it with"):
        resumed(begun(recheck="2%"), recheck="5%")
    with pytest.raises(PipelineError, match=r"planned without --no-cache; resume it with"):
        resumed(begun(), no_cache=True)
    assert resumed(begun(recheck="2%"), recheck="2%").recheck == "2%"


@pytest.mark.parametrize(
    ("session", "options", "share"),
    [
        ("nightly", {}, "2%"),
        ("weekly", {}, "2%"),
        ("nightly", {"recheck": "0"}, "0"),
        ("nightly", {"recheck": "50%"}, "50%"),
        ("nightly", {"no_cache": True}, None),
        ("op_by_op", {}, None),
        ("run", {}, None),
    ],
)
def test_a_night_looks_at_a_share_of_the_cache_again_unless_told_otherwise(
    session: str, options: dict[str, Any], share: str | None
) -> None:
    plan = Plan(run_id="r", created=1.0, session=session)
    assert variables(plan, RunOptions(session, **options)).get("BRINGUP_RECHECK") == share


def test_a_plan_of_before_the_options_were_kept_goes_on() -> None:
    plan = begun()
    chosen = {n: v for n, v in plan.chosen.items() if n not in ("no_cache", "recheck")}
    old = Plan(run_id="r", created=1.0, session="op_by_op", chosen=chosen)
    options = resumed(old)
    assert (options.models, options.no_cache, options.recheck) == (("bert",), False, "")


def test_loaders_go_on_where_there_are_no_tests_beside_them() -> None:
    options = {"tests": "no such folder", "loaders": ("../models",)}
    assert resumed(begun(**options)).loaders == ("../models",)
    with pytest.raises(PipelineError, match="is not of this checkout"):
        resumed(begun(tests="no such folder"))
