# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Faults on purpose: a host that hurts itself hurts nobody else."""

import contextlib
import ctypes
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import psutil
import pytest
import torch

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.connection import LOG_LIMIT
from bringup.harness.device_host.faults import Fault, FaultKind, WrongResult
from bringup.harness.device_host.op_pool import OpPool
from bringup.harness.device_host.op_run import OUT_OF_MEMORY, Ended, OpJob, OpRun
from bringup.harness.device_host.running_op import BegunOp
from bringup.harness.op_by_op.judge import close_run
from bringup.harness.op_by_op.op_tolerances import op_tolerances
from bringup.harness.records.schema import Op, Outcome, Stage, TensorType
from bringup.harness.records.variable_names import FAULTS_VARIABLE
from bringup.harness.reference.references import Golden, Source
from bringup.harness.verify import Tolerances
from tests.integration.harness.test_op_pool import add, is_sum, names


@pytest.fixture
def faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Have the hosts of every pool made from now on do faults to themselves, by op key."""

    def plan(**kinds: FaultKind | WrongResult) -> Path:
        path = tmp_path / "faults.json"
        faults = {
            key: Fault(result=kind) if isinstance(kind, WrongResult) else Fault(kind)
            for key, kind in kinds.items()
        }
        path.write_bytes(msgspec.json.encode(faults))
        monkeypatch.setenv(FAULTS_VARIABLE, str(path))
        return path

    return plan


def keyed(number: float, key: str) -> OpJob:
    return dataclasses.replace(add(number), key=key)


@pytest.mark.usefixtures("no_process_left")
@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        (FaultKind.SEGV, "SIGSEGV"),
        (FaultKind.ABORT, "SIGABRT"),
        (FaultKind.OUT_OF_MEMORY, OUT_OF_MEMORY),
        (FaultKind.HANG, "TIMEOUT"),
        (FaultKind.FLOOD, "TIMEOUT"),
        (FaultKind.ESCAPE, "SIGSEGV"),
        (FaultKind.GARBAGE, ""),
    ],
)
def test_a_fault_is_its_own_ops_end_and_nobody_elses(
    faults: Callable[..., Path], kind: FaultKind, failure: str
) -> None:
    struck = Path(f"{faults(bad=kind)}.struck")
    jobs = [keyed(i, "bad" if i == 3 else f"good{i}") for i in range(6)]
    with OpPool("cpu", 1, deadline_s=10.0) as pool:
        runs = list(pool.map(jobs))
    assert struck.read_text().endswith(f" bad {kind}\n")
    assert len(struck.read_text().splitlines()) == runs[3].attempts
    bad = runs[3].failure
    assert (bad.kind if bad else "") == failure
    assert runs[3].attempts == (2 if failure == "TIMEOUT" else 1)
    if bad is None:
        assert is_sum(runs[3], 3)
    else:
        assert bad.stage is Stage.COMPILE
        assert names(runs[3]) == ["stablehlo"], "what it had passed"
    del runs[3], jobs[3]
    assert [run.outputs[0][0].item() for run in runs if run.outputs] == [1, 2, 3, 5, 6]


@pytest.mark.usefixtures("no_process_left")
@pytest.mark.parametrize("kind", list(WrongResult))
@pytest.mark.parametrize("type_", ["f32", "bf16"])
def test_a_wrong_result_is_found_in_its_own_op(
    faults: Callable[..., Path], kind: WrongResult, type_: str
) -> None:
    struck = Path(f"{faults(bad=kind)}.struck")
    tensor = f"tensor<8x16x{type_}>"
    text = f"""func.func @main(%x: {tensor}, %y: {tensor}) -> {tensor} {{
      %0 = stablehlo.add %x, %y : {tensor}
      return %0 : {tensor}
    }}"""
    dtype = torch.float32 if type_ == "f32" else torch.bfloat16
    x, y = torch.randn(2, 8, 16, generator=torch.Generator().manual_seed(1)).to(dtype)
    job = OpJob(stablehlo=text.encode(), inputs=(x, y), execute=True)
    shape = TensorType((8, 16), str(dtype).removeprefix("torch."))
    op = Op("k", "stablehlo.add", "stablehlo", (shape, shape), (shape,))
    with OpPool("cpu", 1) as pool:
        good, bad = pool.map([job, dataclasses.replace(job, key="bad")])
    golden, asked = Golden([x + y], Source.TORCH), op_tolerances(Tolerances(), op)
    assert close_run(good, lambda: golden, asked).outcome is Outcome.PASSED
    assert close_run(bad, lambda: golden, asked).outcome is Outcome.INCORRECT
    assert struck.read_text().endswith(f" bad {kind}\n")


@pytest.mark.usefixtures("no_process_left")
def test_an_op_that_was_late_once_is_judged_by_how_it_ends_alone(
    faults: Callable[..., Path],
) -> None:
    plan = faults(late=FaultKind.HANG)
    struck = Path(f"{plan}.struck")
    beside: list[int] = []

    def at_work() -> int:
        return sum(worker._at_work for worker in pool._workers)

    with OpPool("cpu", 2, deadline_s=4.0) as pool:
        late = pool.submit(keyed(7, "late"), lambda: beside.append(at_work()))
        while not struck.exists():
            time.sleep(0.01)
        plan.write_text("{}")  # what slowed it down is gone
        others = []
        while not late.done():  # the neighbour has work all the while
            others.append(pool.submit(add(len(others))))
            others[-1].result()
        run = late.result()
    assert is_sum(run, 7) and run.attempts == 2
    assert all(is_sum(other.result(), i) for i, other in enumerate(others)) and len(others) > 10
    assert beside[-1] == 0, "nobody else was at work when it was tried again"
    assert struck.read_text().count("late") == 1


def test_an_op_whose_host_died_before_it_took_it_up_is_innocent_whatever_the_signal() -> None:
    with contextlib.closing(Device("cpu")) as device:
        device.open()
        assert device._host is not None
        process = device._host.process
        process.send_signal(signal.SIGSTOP)
        while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
            time.sleep(0.01)
        first = device.begin_op(add(1))
        main_thread = process.pid
        assert ctypes.CDLL(None).tgkill(process.pid, main_thread, signal.SIGSEGV) == 0
        process.send_signal(signal.SIGCONT)
        run = first.finish(10.0)
    assert run.ended is Ended.INFRA and run.failure is not None
    assert run.failure.kind == "SIGSEGV" and run.failure.stage is None
    assert run.failure.message.endswith("before it took the op")


def test_ops_behind_one_another_are_each_their_own(faults: Callable[..., Path]) -> None:
    struck = Path(f"{faults(noisy=FaultKind.GARBAGE)}.struck")
    jobs = [keyed(i, "noisy" if i % 3 == 1 else f"good{i}") for i in range(9)]
    ended: list[OpRun] = []
    with contextlib.closing(Device("cpu")) as device:
        begun: list[BegunOp] = [device.begin_op(jobs[0])]

        def follow(job: OpJob) -> None:
            behind = begun[-1].begin_behind(job)
            assert behind is not None
            begun.append(behind)

        for job in jobs[1:]:
            ended.append(begun[-1].finish(30.0, given=partial(follow, job)))
        ended.append(begun[-1].finish(30.0))
    assert all(is_sum(run, i) for i, run in enumerate(ended))
    assert len(struck.read_text().splitlines()) == 3
    assert [len(run.stderr) > 1000 for run in ended] == [False, True, False] * 3
    assert {tuple(names(run)) for run in ended} == {tuple(names(ended[0]))}


def test_a_crash_loses_no_line_that_was_written(tmp_path: Path) -> None:
    program = """
import ctypes, os
from bringup.harness.device_host.host import write_line_by_line
write_line_by_line()
ctypes.CDLL(None).puts(b"from C")
print("from Python")
os.abort()
"""
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with (tmp_path / "log").open("w") as log:
        command = [sys.executable, "-c", program]
        ended = subprocess.run(command, stdout=log, env=plain, check=False)
    assert ended.returncode == -signal.SIGABRT
    assert (tmp_path / "log").read_text() == "from C\nfrom Python\n"


def test_a_flood_of_output_leaves_the_disk_alone(faults: Callable[..., Path]) -> None:
    faults(bad=FaultKind.FLOOD)
    with OpPool("cpu", 1, deadline_s=6.0) as pool:
        pool.submit(add(0)).result()
        future = pool.submit(keyed(1, "bad"))
        log = pool._workers[0]._device._host._log
        most = 0
        while not future.done():
            if not log.closed:
                most = max(most, os.fstat(log.fileno()).st_blocks * 512)
            time.sleep(0.05)
    failure = future.result().failure
    assert failure is not None and failure.kind == "TIMEOUT"
    assert len(failure.diagnostic) < 1 << 20
    written_in_a_second = 6 << 30
    assert most < LOG_LIMIT + written_in_a_second


def test_a_plan_of_faults_that_cannot_be_read_says_so(faults: Callable[..., Path]) -> None:
    faults().write_text("nonsense")
    with OpPool("cpu", 1) as pool:
        run = pool.submit(add(1)).result()
    assert run.ended is Ended.INFRA and run.failure is not None
    assert "BRINGUP_FAULTS: " in run.failure.message


@pytest.mark.usefixtures("no_process_left")
def test_a_spare_stands_open_where_a_device_takes_long_to_open(
    faults: Callable[..., Path],
) -> None:
    pytest.importorskip("jax_plugins.libtt", reason="the package jax-tt-plugin is not installed")
    faults(bad=FaultKind.SEGV)
    with OpPool("n150", 1, deadline_s=60) as pool:
        worker = pool._workers[0]
        assert pool.submit(add(1)).result().ended is Ended.DONE
        devices = [worker._device]
        for _ in range(3):
            bad, good = pool.map([keyed(1, "bad"), add(2)])
            assert (bad.ended, good.ended) == (Ended.CRASH, Ended.DONE)
            assert pool._spare.device is not None
            devices.append(worker._device)
    first, second, third, fourth = devices
    assert first is second, "without a spare the same one is opened again"
    assert third is not second and fourth is not third
    assert len({id(device) for device in devices}) == 2, "a closed one is the next spare"
