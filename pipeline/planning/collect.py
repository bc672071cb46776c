# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which tests there are: the ids that pytest collects, asked of pytest itself in a child.

Importing a model's test file may fail, end the process or never return; that costs its own
tests and no others.
"""

import contextlib
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bringup.harness.inner_process import how_it_ended
from bringup.harness.records.door import command
from bringup.harness.records.naming import ALL_LOADERS, identity_of
from bringup.harness.records.schema import DeclaredNeeds, Expectation, Identity
from bringup.harness.records.variable_names import DEVICE_VARIABLE, MODELS_VARIABLE, PARENT_VARIABLE
from bringup.harness.storage.decoding import decode_json, read_bytes
from bringup.harness.storage.scratch import Scratch
from bringup.pipeline.early_python import NotEarlyError, early_python
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.collected_json import IMPORTING_SUFFIX, OPTION, CollectedJson
from bringup.pipeline.planning.collection_cache import CollectionCache
from bringup.pipeline.planning.tests_root import root_of

TIMEOUT_S = 600.0
_MOST_CRASHES = 20
_LOADERS = "bringup.loaders"
"""The entry-point group of repositories of loaders that are installed."""
_HARNESS_PLUGIN = "bringup.harness.pytest_plugin"


@dataclass(frozen=True)
class Collected:
    """The tests below a folder."""

    ids: tuple[str, ...]
    """Without a device, in pytest's order."""
    broken: dict[str, str] = field(default_factory=dict)
    """A sentence for each file that cannot be collected."""
    identities: Mapping[str, Identity] = field(default_factory=dict)
    """By id, what pytest says that a test is; on no device."""
    needs: Mapping[str, DeclaredNeeds] = field(default_factory=dict)
    """By id, what tests say that they need, of those that say it."""
    expected: Mapping[str, Mapping[str, Expectation]] = field(default_factory=dict)
    """By id, by device, what a repository of loaders expects of its tests; the empty name: of all
    devices that are not named."""
    root: Path = Path()
    """Where the ids begin, and tests run."""

    def identify(self, entry: str, device: str) -> Identity:
        """What a list's entry is on a device; of one that was not collected, what its id says."""
        known = self.identities.get(entry)
        if known is None:
            return identity_of(entry, device)
        return msgspec.structs.replace(known, device=device)

    def expects(self, entry: str, device: str) -> Expectation | None:
        """What its repository of loaders expects of a test on a device, if anything."""
        by_device = self.expected.get(entry, {})
        return by_device.get(device, by_device.get(""))


def collect_tests(
    folder: str,
    root: Path,
    timeout_s: float = TIMEOUT_S,
    loaders: Sequence[str] = (),
    *,
    cached: bool = False,
) -> Collected:
    """Collect below `folder`, which is relative to `root`, and in repositories of loaders: those
    that are named and those that are installed. Where one is named, the folder need not be there.
    Ids begin in `root_of` folder and root. `cached`: what was collected before will do, where
    nothing of it has changed (`collection_cache`).

    Every later process of this one has the named repositories by `BRINGUP_MODELS`.

    Raises:
        PipelineError: the folder does not exist, or pytest cannot collect at all.
    """
    if loaders:
        named = [str(Path(path).absolute()) for path in loaders]
        if lacking := next((path for path in loaders if not Path(path).is_dir()), None):
            raise PipelineError(f"--models {lacking}: there is no such folder")
        os.environ[MODELS_VARIABLE] = os.pathsep.join(named)
        if not (root / folder).exists():
            return _collect(ALL_LOADERS, root, timeout_s, None)
    if not (root / folder).exists():
        raise PipelineError(
            f"the folder of tests {folder} does not exist in {root};"
            f" `{command('init')}` begins a project, --tests names another folder"
        )
    within = root_of(folder, root)
    if within != root:
        folder = (root / folder).resolve().relative_to(within.resolve()).as_posix()
        root = within
    installed = importlib.metadata.entry_points(group=_LOADERS)
    kept = CollectionCache(folder, root) if not installed else None
    before = kept.get() if kept is not None and cached else None
    return _as_collected(before, {}, root) if before else _collect(folder, root, timeout_s, kept)


def _collect(folder: str, root: Path, timeout_s: float, kept: CollectionCache | None) -> Collected:
    crashed: dict[str, str] = {}
    for _ in range(_MOST_CRASHES):
        found = _attempt(folder, root, crashed, timeout_s)
        if isinstance(found, CollectedJson):
            if kept is not None and not crashed:
                kept.put(found)
            return _as_collected(found, crashed, root)
        file, how = found
        crashed[file] = f"{file} cannot be collected: importing it {how}"
    raise PipelineError(
        f"collecting {folder} died {_MOST_CRASHES} times, last in {next(reversed(crashed))}; "
        "`python -m pytest --collect-only FILE` shows why"
    )


def _attempt(
    folder: str, root: Path, crashed: dict[str, str], timeout_s: float
) -> CollectedJson | tuple[str, str]:
    """Collect once; the file and how it ended the process, when it did."""
    with Scratch("collect") as scratch:
        target = scratch.path / "collected.json"
        code = _pytest(folder, root, crashed, target, timeout_s)
        if target.exists():
            data = read_bytes(target)
            return decode_json(data, CollectedJson, "what pytest collected", "a list of tests")
        importing = target.with_suffix(IMPORTING_SUFFIX)
        if not importing.exists():
            raise PipelineError(
                f"pytest cannot collect {folder} in {root} ({code}); "
                f"`python -m pytest --collect-only {folder}` shows why"
            )
        return importing.read_text("utf-8"), code


def _as_collected(found: CollectedJson, crashed: Mapping[str, str], root: Path) -> Collected:
    sentences = {f: f"{f} cannot be collected: {why}" for f, why in found.broken.items()}
    sentences |= {name: f"{name}: {why}" for name, why in found.left_out.items()}
    identities = dict(zip(found.ids, found.identities, strict=True))
    broken = {**sentences, **crashed}
    return Collected(tuple(found.ids), broken, identities, found.needs, found.expected, root)


def _pytest(
    folder: str, root: Path, ignored: Collection[str], target: Path, timeout_s: float
) -> str:
    """Run the collecting child; how it ended, in words."""
    arguments = [
        "-m",
        "pytest",
        "--collect-only",
        "--quiet",
        f"--rootdir={root}",
        *("-p", "bringup.pipeline.planning.pytest_collect"),
        *harness_plugin(),
        *("-p", "no:cacheprovider"),
        "--continue-on-collection-errors",
        f"{OPTION}={target}",
        *(f"--ignore={file}" for file in ignored),
        *dict.fromkeys((folder, ALL_LOADERS)),
    ]
    too_long = f"takes more than {timeout_s:.0f} s"
    if (early := early_python()) is not None:
        with contextlib.suppress(NotEarlyError):
            code = early.collect(arguments, root, folder, _environment(), timeout_s)
            return too_long if code is None else how_it_ended(code)
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=root,
            env=_environment() | {PARENT_VARIABLE: str(os.getpid())},
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return too_long
    return how_it_ended(done.returncode)


def _environment() -> dict[str, str]:
    """The environment of the collecting child: without a chosen device, on which no id depends."""
    return {name: text for name, text in os.environ.items() if name != DEVICE_VARIABLE}


def harness_plugin() -> list[str]:
    """Load the harness's plugin once, whether pytest loads plugins by itself or not.

    By its module, and not by the name that an installed distribution gives it, `bringup`: of a
    plugin of that name pytest takes the whole package for tests' and rewrites every module's
    asserts, in every process again where no bytecode may be written: a third of its start.
    """
    installed = importlib.metadata.entry_points(group="pytest11")
    names = {point.name for point in installed if point.value == _HARNESS_PLUGIN}
    return [
        *(word for name in sorted(names) for word in ("-p", f"no:{name}")),
        "-p",
        _HARNESS_PLUGIN,
    ]
