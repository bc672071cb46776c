# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A reproducer may end, crash, hang or fill its process: the command says how it ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil
import pytest

from bringup.harness.device_host.op_run import OUT_OF_MEMORY, Ended
from bringup.harness.records.schema import Failure, Identity, Outcome, Stage, Status
from bringup.harness.reduce import child_process as apart
from bringup.harness.reduce.child_process import End
from bringup.harness.reduce.model_reproducer import ModelExpected
from bringup.harness.reduce.run_op import outcome_of_run

ROOT = Path(__file__).parents[3]
BODY = """
import ctypes, os, signal, sys, time
import torch
from harness import ModelTester


class Tester(ModelTester):
    def _load_model(self):
        {body}

    def _load_inputs(self):
        return torch.zeros(2)


def test_it():
    Tester("it").test_model()
"""
TEST = "tests/models/it/test_it.py::test_it"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "tests/models/it").mkdir(parents=True)
    return tmp_path


def repro(folder: Path, *arguments: str, **options: float) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "bringup.harness.repro", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=options.get("timeout", 120.0),
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def with_body(checkout: Path, body: str) -> None:
    (checkout / "tests/models/it/test_it.py").write_text(BODY.format(body=body))


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("os._exit(0)", 0, "ended CRASHED with fingerprint 1|load||exit code N."),
        ("os._exit(5)", 0, "ended CRASHED with fingerprint 1|load||exit code N."),
        ("ctypes.string_at(0)", 0, "ended CRASHED with fingerprint 1|load||SIGSEGV."),
        ("os.kill(os.getpid(), signal.SIGABRT)", 0, "1|load||SIGABRT."),
        ("os.kill(os.getpid(), signal.SIGKILL)", 3, "its process died (SIGKILL)"),
        ("sys.exit(0)", 2, "does not come as far as its model"),
    ],
)
def test_a_model_that_ends_its_process(checkout: Path, body: str, code: int, said: str) -> None:
    with_body(checkout, body)
    found, text = repro(checkout, TEST, "--device", "cpu")
    assert found == code and said in text, text
    assert "Traceback (most" not in text


def test_a_model_that_ends_as_it_did_at_night(checkout: Path) -> None:
    with_body(checkout, "ctypes.string_at(0)")
    folder = checkout / "results/night/repro/it"
    folder.mkdir(parents=True)
    for kind, code in (("SIGSEGV", 0), ("SIGFPE", 1)):
        expected = ModelExpected(
            model=Identity("it", device="cpu"),
            nodeid=TEST,
            status=Status.CREATED_GRAPH,
            outcome=Outcome.CRASHED,
            fingerprint=f"1|load|it[full-eval]|{kind}",
            failure=Failure(Stage.LOAD, kind, "the process died"),
        )
        (folder / "expected.json").write_bytes(msgspec.json.encode(expected))
        found, text = repro(checkout, str(folder))
        assert found == code and "fingerprint 1|load|it[full-eval]|SIGSEGV" in text, text
        assert ("the same as expected" in text.replace("not the same", "")) is (code == 0)


@pytest.mark.slow
def test_a_model_that_hangs_is_stopped_at_its_deadline_and_shown(checkout: Path) -> None:
    with_body(checkout, "time.sleep(1000)")
    began = time.monotonic()
    found, text = repro(checkout, TEST, "--seconds", "3", "--device", "cpu")
    assert found == 0 and "TIMEOUT" in text and "was not through in 60 s" in text, text
    assert "in _load_model" in text, "its stack"
    assert time.monotonic() - began < 100
    assert not [p for p in psutil.process_iter(["cmdline"]) if TEST in (p.info["cmdline"] or [])]


INNER = """
import sys, time
from bringup.harness.reduce import child_process as apart
from bringup.harness.records.schema import Stage

apart.say(Stage.EXPORT, {seconds})
sys.stderr.write("a word\\n")
{body}
sys.exit(apart.close_run(7))
"""


def ended(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str, seconds: float = 60) -> End:
    (folder / "inner.py").write_text(INNER.format(body=body, seconds=seconds))
    monkeypatch.syspath_prepend(folder)
    return apart.run("inner", [])


def test_what_hangs_in_c_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "import ctypes; ctypes.PyDLL(None).sleep(100)"
    end = ended(tmp_path, monkeypatch, body, seconds=1.0)
    assert end.code is None and end.run and end.run.failure
    assert (end.run.ended, end.run.failure.stage) == (Ended.TIMEOUT, Stage.EXPORT)
    assert "a word" in end.run.failure.diagnostic and "inner.py" in end.run.failure.diagnostic


def test_what_takes_all_memory_is_stopped_and_is_its_own_doing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "_MEMORY_SHARE", 400e6 / psutil.virtual_memory().available)
    end = ended(tmp_path, monkeypatch, "held = [b'x' * 2**20 for _ in range(2000)]; time.sleep(60)")
    assert end.run and end.run.failure and end.run.failure.kind == OUT_OF_MEMORY
    assert outcome_of_run(end.run).outcome is Outcome.CRASHED


def test_one_that_is_through_keeps_its_word_whatever_its_process_does_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "_LAST_WORDS_S", 1.0)
    for after in ("os._exit(1)", "time.sleep(100)", "os.abort()"):
        body = f"import atexit, os; atexit.register(lambda: {after})"
        assert ended(tmp_path, monkeypatch, body) == End(7)


def test_interrupted_it_leaves_nothing_behind(checkout: Path) -> None:
    marker = checkout / "begun"
    with_body(checkout, f"open({str(marker)!r}, 'w').write(str(os.getpid())); time.sleep(1000)")
    process = subprocess.Popen(
        [sys.executable, "-m", "bringup.harness.repro", TEST, "--device", "cpu"],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    while not (marker.exists() and marker.read_text()) and time.monotonic() < until:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and said.rstrip().endswith("interrupted")
    assert "Traceback" not in said and not psutil.pid_exists(int(marker.read_text()))
