# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every finished run goes into the history, and whatever goes wrong there costs it nothing."""

from pathlib import Path
from typing import TYPE_CHECKING

from bringup.harness.storage.writable import said_by
from bringup.pipeline.history.store.tables import NOWHERE
from bringup.pipeline.messages import Speaker

if TYPE_CHECKING:
    from bringup.pipeline.results.confirm import Confirm


def remember(run_dir: Path, address: str, say: Speaker) -> bool:
    """Add a merged run to the history at an address; True when it is there.

    One that is there already changes nothing. A history that cannot be reached, read or written is
    a warning that names the cause: the run has its records, and `bringup history add` adds it
    later.
    """
    if address == NOWHERE:
        return False
    try:
        from bringup.pipeline.history.store.history import History

        History(address).add(run_dir)
    except Exception as error:  # a night's report is worth more than its place in the history
        say(
            f"warning: the run is not in the history at {address}: {said_by(error)}; "
            f"`bringup history add {run_dir}` adds it"
        )
        return False
    return True


def remember_and_judge(
    run_dir: Path,
    run_id: str,
    address: str,
    lists: Path,
    say: Speaker,
    confirm: "Confirm | None" = None,
) -> None:
    """Give a finished run to the history, and judge it against the runs before it."""
    if remember(run_dir, address, say):
        from bringup.pipeline.history.store.history import History  # with it comes the database
        from bringup.pipeline.results.judge_run import judge_run

        judge_run(run_dir, run_id, History(address), lists, say, confirm)
