# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The early process: it has a preloaded Python, lends it to whoever collects, and becomes pytest.

Run as `python -m bringup.pipeline.running.early_process SOCKET FOLDER`, below a watchdog, by
:mod:`bringup.pipeline.early_python`, which says what it is for. It imports little, so that becoming
another program loses nothing.
"""

import os
import socket
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from bringup.harness.inner_process import words_of_parent
from bringup.harness.preloaded.process import NotPreloadedError, PreloadedPython
from bringup.harness.records.variable_names import PARENT_VARIABLE
from bringup.pipeline.early_python import Become, Collect, Ended, received, send
from bringup.pipeline.running.plugin_options import PRELOADED_OPTION
from bringup.pipeline.running.preload import ALWAYS, libraries

NEARLY_ALWAYS = ("torch", "bringup")
"""What nearly all tests of models import, and that takes longer than to plan them: where one test
file does, it is imported before it is known which tests run."""
_TESTS = ("test_*.py", "*_test.py")
_MOST_FILES = 500
"""Of more, reading their heads takes longer than it saves."""


def main() -> None:
    """Serve the command line until it says what to become, or is gone."""
    number, folder = words_of_parent(2)
    sock = socket.socket(fileno=int(number))
    python = PreloadedPython(ALWAYS)
    found = libraries(Path.cwd(), _test_files(Path.cwd(), folder)) or ()
    python.preload((each for each in found if _package(each) in NEARLY_ALWAYS), said=2)
    kind: Any = Collect | Become
    while True:
        wanted, descriptors = received(sock, kind)
        if wanted is None:
            return
        if isinstance(wanted, Become):
            _become(wanted, python, *descriptors)
        send(sock, _collect(wanted, python))


def _package(module: str) -> str:
    return module.partition(":")[0].partition(".")[0]


def _collect(wanted: Collect, python: PreloadedPython) -> Ended:
    root = Path(wanted.root)
    modules = libraries(root, _test_files(root, wanted.folder))
    if modules is None:
        return Ended(refused=True)
    python.preload(modules, said=2)
    with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123
        streams = (nowhere.fileno(),) * 3
        environment = {**wanted.environment, PARENT_VARIABLE: str(python.pid)}
        try:
            process = python.start(
                wanted.arguments, streams=streams, environment=environment, folder=root
            )
        except NotPreloadedError:
            return Ended(refused=True)
    try:
        return Ended(process.wait(wanted.timeout_s))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return Ended()


def _test_files(root: Path, folder: str) -> list[str]:
    """The files below a folder that pytest takes for tests, as it comes; none where there are too
    many, or no folder is named."""
    place = root / folder
    found = [place] if place.is_file() else []
    for where, folders, names in os.walk(place) if folder else ():
        folders[:] = [name for name in folders if _may_have_tests(Path(where, name))]
        found += [Path(where, name) for name in names if any(fnmatch(name, p) for p in _TESTS)]
        if len(found) > _MOST_FILES:
            return []
    return [path.relative_to(root).as_posix() for path in found if path.is_relative_to(root)]


def _may_have_tests(folder: Path) -> bool:
    return not (folder.name.startswith(".") or (folder / "pyvenv.cfg").exists())


def _become(wanted: Become, python: PreloadedPython, log: int, *held: int) -> None:
    """Be the process that was asked for; what is preloaded forks its workers."""
    for number in (1, 2):
        os.dup2(log, number)
    for descriptor in held:
        os.set_inheritable(descriptor, True)
    os.chdir(wanted.root)
    environment = {**wanted.environment, PARENT_VARIABLE: os.environ[PARENT_VARIABLE]}
    modules = libraries(Path(wanted.root), wanted.files)
    if modules is None or not python.takes(environment):
        python.close()
        python = PreloadedPython((*ALWAYS, *(modules or ())), environment)
    else:
        python.preload(modules, log)
    arguments = (*wanted.arguments, f"{PRELOADED_OPTION}={python.hand_over()}")
    os.execve(sys.executable, [sys.executable, *arguments], environment)


if __name__ == "__main__":
    main()
