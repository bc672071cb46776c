# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A process of a preloaded Python is what one from nothing is, and reaches no other."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from bringup.harness.preloaded.process import NotPreloadedError, PreloadedPython, Process

MODULES = ("json", "numpy.random", "no_such_module", "bringup:NO_SUCH_NAME")
ABOUT = """
import json, os, resource, signal, sys
print(json.dumps({
    "argv": sys.argv, "orig_argv": sys.orig_argv[1:], "path": sys.path, "folder": os.getcwd(),
    "environment": dict(os.environ), "name": __name__, "main": sys.modules["__main__"] is not None,
    "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    "group": os.getpgrp(), "session": os.getsid(0), "umask": os.umask(0o22), "nice": os.nice(0),
    "encodings": [s.encoding for s in (sys.stdin, sys.stdout, sys.stderr)],
    "errors": [s.errors for s in (sys.stdin, sys.stdout, sys.stderr)],
    "limits": [resource.getrlimit(n) for n in range(10)], "given": sys.stdin.readline(),
    "descriptors": len(os.listdir("/proc/self/fd")), "threads": len(os.listdir("/proc/self/task")),
}))
"""


@pytest.fixture(scope="module")
def python() -> Iterator[PreloadedPython]:
    one = PreloadedPython(MODULES)
    yield one
    one.close()


def run(python: PreloadedPython, *arguments: str, **how: object) -> tuple[int, str]:
    """A process's exit code, and what it said on standard output and error."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as given:
        given.write(b"given\n")
        given.seek(0)
        streams = (given.fileno(), said.fileno(), said.fileno())
        code = python.start(arguments, streams=streams, **how).wait(60)  # type: ignore[arg-type]
        said.seek(0)
        return code, said.read().decode()


def fresh(*arguments: str, folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=dict(environment),
        input="given\n",
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("way", ["-c", "-m"])
def test_it_is_as_one_from_nothing(python: PreloadedPython, tmp_path: Path, way: str) -> None:
    (tmp_path / "about.py").write_text(ABOUT)
    arguments = (way, ABOUT if way == "-c" else "about", "a word", "--option")
    environment = {**python.environment, "BRINGUP_OF_ITS_OWN": "1", "TMPDIR": str(tmp_path)}
    code, said = run(python, *arguments, folder=tmp_path, environment=environment)
    assert code == 0, said
    expected = json.loads(fresh(*arguments, folder=tmp_path, environment=environment))
    assert json.loads(said) == expected


def test_what_it_comes_with_is_imported(python: PreloadedPython) -> None:
    assert run(python, "-c", "import sys; print('numpy.random' in sys.modules)") == (0, "True\n")


def test_random_numbers_are_its_own(python: PreloadedPython) -> None:
    code = "import random, numpy.random, uuid; print(random.random(), numpy.random.rand())"
    assert run(python, "-c", code) != run(python, "-c", code)


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("import sys; sys.exit(7)", 7),
        ("import os; os._exit(9)", 9),
        ("raise KeyError('key')", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
        ("import signal; signal.raise_signal(signal.SIGINT)", -signal.SIGINT),
        ("import os; os.abort()", -signal.SIGABRT),
    ],
)
def test_it_ends_as_it_would_and_the_next_one_is_well(
    python: PreloadedPython, code: str, ends: int
) -> None:
    assert run(python, "-c", code)[0] == ends
    assert run(python, "-c", "print(1)") == (0, "1\n")


def test_what_waits_for_its_end_is_done(python: PreloadedPython) -> None:
    code = """
        import atexit, threading, time
        atexit.register(print, "at exit")
        threading.Thread(target=lambda: (time.sleep(0.1), print("a thread"))).start()
    """
    assert run(python, "-c", textwrap.dedent(code)) == (0, "a thread\nat exit\n")


def test_pipes_carry_both_ways(python: PreloadedPython) -> None:
    code = "import sys; sys.stdout.write(sys.stdin.readline().upper()); sys.stdout.flush()"
    process = python.start_piped(["-c", code])
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(b"word\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"WORD\n"
    assert process.stdout.read() == b""  # nobody else holds its end
    assert process.wait(60) == 0


def test_one_that_does_not_end_is_waited_for_and_killed(python: PreloadedPython) -> None:
    process = python.start_piped(["-c", "import sys; sys.stdin.read()"])
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
    process.kill()
    assert process.wait(60) == process.poll() == -signal.SIGKILL
    process.kill()  # it is gone


@pytest.mark.parametrize("name", ["OPENBLAS_NUM_THREADS", "PYTHONPATH", "HF_HUB_OFFLINE"])
def test_an_environment_that_imports_might_read_is_refused(
    python: PreloadedPython, name: str
) -> None:
    assert not python.takes({**python.environment, name: "1"})
    with pytest.raises(NotPreloadedError):
        run(python, "-c", "pass", environment={**python.environment, name: "1"})
    without = {k: v for k, v in {**python.environment, name: "1"}.items() if k != name}
    assert python.takes(without) == (name not in python.environment)


def test_more_is_imported_on_demand_and_computes_with_the_threads_of_its_process() -> None:
    python = PreloadedPython(())
    says = "import sys; print('torch' in sys.modules); import torch; print(torch.get_num_threads())"
    with tempfile.TemporaryFile() as said:
        python.preload(["torch", "no_such_module"], said.fileno())
        for threads in ("3", "1", "5,2"):
            environment = {**python.environment, "OMP_NUM_THREADS": threads}
            assert run(python, "-c", says, environment=environment) == (0, f"True\n{threads[0]}\n")
    python.close()


def test_what_is_imported_on_demand_and_unfit_ends_the_server_and_says_why(
    tmp_path: Path,
) -> None:
    (tmp_path / "unfit.py").write_text("device = open('/dev/full', 'w')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    python = PreloadedPython((), environment)
    with tempfile.TemporaryFile() as said:
        python.preload(["unfit"], said.fileno())
        with pytest.raises(NotPreloadedError):
            python.start(["-c", "pass"], streams=(0, 1, 2), environment=environment)
        said.seek(0)
        assert "opened /dev/full, so processes come from nothing" in said.read().decode()
    python.close()


def test_whoever_becomes_another_program_has_it_still(tmp_path: Path) -> None:
    after = tmp_path / "after.py"
    after.write_text("""
import sys
from bringup.harness.preloaded.process import PreloadedPython
python = PreloadedPython.inherited(sys.argv[1])
code = "import sys; sys.exit(7 * ('colorsys' in sys.modules))"
print(python.start(["-c", code], streams=(0, 1, 2)).wait(60))
python.close()
""")
    code = """
        import os, sys
        from bringup.harness.preloaded.process import PreloadedPython
        python = PreloadedPython(["colorsys"])
        os.execv(sys.executable, [sys.executable, sys.argv[1], python.hand_over()])
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(after)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "7\n")


def test_an_environment_too_large_for_a_packet_is_refused_and_costs_nobody(
    python: PreloadedPython,
) -> None:
    process = waiting(python)
    with pytest.raises(NotPreloadedError):
        run(python, "-c", "pass", environment={**python.environment, "BRINGUP_X": "x" * 400_000})
    assert process.poll() is None
    process.kill()


def test_threads_that_wait_for_one_process_get_one_code(python: PreloadedPython) -> None:
    process = python.start_piped(["-c", "import sys; sys.stdin.read(); sys.exit(5)"])
    with ThreadPoolExecutor(8) as pool:
        codes = [pool.submit(process.wait, 60) for _ in range(8)]
        assert process.stdin is not None
        process.stdin.close()
        assert {code.result() for code in codes} == {5}


def test_a_process_dies_with_its_server_and_no_more_are_had() -> None:
    python = PreloadedPython(())
    process = waiting(python)
    psutil.Process(python.pid).kill()
    assert process.wait(60) == -signal.SIGKILL
    with pytest.raises(NotPreloadedError):
        python.start(["-c", "pass"], streams=(0, 1, 2))
    python.close()


@pytest.mark.parametrize(
    "body",
    [
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        "device = open('/dev/full', 'w')",
        "import os\nos._exit(3)",
    ],
    ids=["starts a thread", "opens a device", "ends the process"],
)
def test_what_cannot_be_forked_serves_nobody(tmp_path: Path, body: str) -> None:
    (tmp_path / "unfit.py").write_text(body)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    python = PreloadedPython(["unfit"], environment)
    with pytest.raises(NotPreloadedError):
        python.start(["-c", "pass"], streams=(0, 1, 2), environment=environment)
    python.close()


def test_the_server_ends_with_whoever_started_it() -> None:
    code = """
        import os
        from bringup.harness.preloaded.process import PreloadedPython
        python = PreloadedPython(())
        process = python.start_piped(["-c", "import sys; sys.stdin.read()"])
        print(python.pid, process.pid, flush=True)
        os.kill(os.getpid(), 9)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert done.returncode == -signal.SIGKILL
    left = [psutil.Process(int(pid)) for pid in done.stdout.split() if psutil.pid_exists(int(pid))]
    _, alive = psutil.wait_procs(left, timeout=20)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []


def waiting(python: PreloadedPython) -> Process:
    return python.start_piped(["-c", "import sys; sys.stdin.read()"])
