# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The project: variables, pyproject.toml, the lists, and what packages plug in."""

from collections.abc import Callable, Iterator
from pathlib import Path

from bringup.command.checks.check_result import CheckResult, Level
from bringup.harness.errors import HarnessError
from bringup.harness.options.project import LISTS, NAME, project_texts
from bringup.harness.records.environment import check


def variables() -> Iterator[CheckResult]:
    """Whether every variable of ours holds what it may."""
    yield _held("variables", _checked)


def _checked() -> str:
    check()
    return "all of ours hold what they may"


def project_file() -> Iterator[CheckResult]:
    """What pyproject.toml says of options."""
    if not Path(NAME).exists():
        yield CheckResult(Level.FINE, NAME, "is not here; options have their defaults")
        return
    yield _held(NAME, lambda: f"[tool.bringup] says {', '.join(project_texts()) or 'nothing'}")


def lists() -> Iterator[CheckResult]:
    """Whether there are lists, and they can be read; `bringup lists` asks pytest, too."""
    try:
        folder = Path(project_texts().get("lists", (LISTS,))[0])
    except HarnessError:  # told of above
        return
    if not folder.exists():
        remedy = "`bringup init` writes them; `bringup try` and `bringup run` need none"
        yield CheckResult(Level.ABSENT, "lists", f"there is no folder {folder}", remedy)
        return
    yield _held("lists", lambda: _counted(folder))


def plugins() -> Iterator[CheckResult]:
    """Whether what packages and variables plug in can be loaded."""
    from bringup.harness.devices import catalog
    from bringup.pipeline.lists.specs import list_specs
    from bringup.pipeline.planning.planners import planners
    from bringup.pipeline.running.engines import engines
    from bringup.reports.catalog import formats

    registries: dict[str, Callable[[], object]] = {
        "device kinds": catalog.kinds_listed,
        "list specs": list_specs,
        "planners": planners,
        "engines": engines,
        "report formats": formats,
    }
    for name, load in registries.items():
        try:
            load()
        except Exception as error:  # a plugin is anybody's code
            why = f"{type(error).__name__}: {error}".partition("\n")[0]
            yield CheckResult(
                Level.MISSING, "plugins", f"{name}: {why}", "mend or uninstall the package"
            )
            return
    yield CheckResult(Level.FINE, "plugins", ", ".join(registries))


def _counted(folder: Path) -> str:
    from bringup.pipeline.lists.lists import read_lists

    return f"{len(read_lists(folder).entries)} entries in {folder}"


def _held(about: str, look: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(Level.FINE, about, look())
    except HarnessError as error:
        return CheckResult(Level.MISSING, about, str(error))
