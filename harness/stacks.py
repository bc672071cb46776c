# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What processes are at, Python and native code alike, told from outside while they hang.

By py-spy, which reads another process's memory and needs nothing of it: not the interpreter's lock,
not a signal that it handles. Where that is not allowed (ptrace(2)) or not installed, by what the
kernel says of each thread (proc_pid_wchan(5)).
"""

import contextlib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from bringup.harness.inner_process import words_of_parent

_AT_ONCE = 4
_LARGEST = 1 << 20
"""Characters: a test may have started very many processes."""
_PATIENCE_S = 4.0
"""For one process; a large one takes one second."""


def stacks_below(pid: int) -> str:
    """The stacks of a process and of all that it started; of none that has ended."""
    try:
        above = psutil.Process(pid)
        processes = [above, *above.children(recursive=True)]
    except psutil.Error:
        return ""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return "\n\n".join(filter(None, pool.map(stacks_of, (p.pid for p in processes))))


def stacks_of(pid: int) -> str:
    """The stacks of one process's threads; empty when it has ended."""
    with contextlib.suppress(psutil.Error):
        command = " ".join(psutil.Process(pid).cmdline())[:200]
        said = _by_spy(pid, "--native") or _by_spy(pid) or _by_kernel(pid)
        return f"process {pid}: {command}\n{said}" if said else ""
    return ""


def _by_spy(pid: int, *options: str) -> str:
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if spy is None:
        return ""
    command = [spy, "dump", *options, "--pid", str(pid)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    threads = done.stdout.partition("\n\n")[2]  # behind the process's own lines
    return threads.strip() if done.returncode == 0 else ""


def _by_kernel(pid: int) -> str:
    lines = []
    for thread in sorted(Path(f"/proc/{pid}/task").glob("*")):
        with contextlib.suppress(OSError):
            name = (thread / "comm").read_text().strip()
            where = (thread / "wchan").read_text().strip()
            lines.append(f"thread {thread.name} {name}: in the kernel at {where or 'nothing'}")
    return "\n".join(lines)


def main() -> None:
    """`python -m bringup.harness.stacks PID FILE`: write the stacks below a process to a file."""
    pid, file = words_of_parent(2)
    if said := stacks_below(int(pid)):
        target = Path(file)
        half = target.with_suffix(".half")
        half.write_text(said[:_LARGEST], encoding="utf-8")
        half.replace(target)


if __name__ == "__main__":
    main()
