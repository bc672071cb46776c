# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops in a pool of workers: every op gets its own end, whatever its neighbours do."""

import contextlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import psutil
import pytest
import torch

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.fork_server import ForkServer
from bringup.harness.device_host.op_pool import OpPool
from bringup.harness.device_host.op_run import OUT_OF_MEMORY, Ended, OpJob, OpRun
from bringup.harness.device_host.running_op import BegunOp
from bringup.harness.errors import DeviceError
from bringup.harness.records.schema import Stage
from tests.integration.harness.test_devices import ADD, EMPTY_CONTRACTION, FFT, portable, sines

ROOT = Path(__file__).parents[3]
RELU = """
func.func @main(%x: !torch.vtensor<[4],f32>) -> !torch.vtensor<[4],f32>
    attributes {torch.assume_strict_symbolic_shapes} {
  %0 = torch.aten.relu %x : !torch.vtensor<[4],f32> -> !torch.vtensor<[4],f32>
  return %0 : !torch.vtensor<[4],f32>
}"""
NOT_LOWERED = RELU.replace("relu", "erfinv")
LARGE = """
func.func @main() -> tensor<1000000000xf32> {
  %0 = stablehlo.iota dim = 0 : tensor<1000000000xf32>
  return %0 : tensor<1000000000xf32>
}"""


def add(number: float) -> OpJob:
    inputs = (torch.full((4,), float(number)), torch.ones(4))
    return OpJob(stablehlo=ADD.encode(), inputs=inputs, execute=True)


def is_sum(run: OpRun, number: float) -> bool:
    return run.outputs is not None and torch.equal(run.outputs[0], torch.full((4,), number + 1.0))


def names(run: OpRun) -> list[str]:
    return [level.name for level in run.levels]


@pytest.fixture(scope="module")
def cpu() -> Iterator[OpPool]:
    with OpPool("cpu", 1, memory_limit=3 << 30) as pool:
        yield pool


def test_an_op_reports_every_stage_its_levels_and_its_cost(cpu: OpPool) -> None:
    x = torch.tensor([-1.0, 0.0, 2.0, float("nan")])
    run = cpu.submit(OpJob(torch_ir=RELU.encode(), inputs=(x,), execute=True)).result()
    assert (run.ended, run.stage, run.failure) == (Ended.DONE, Stage.EXECUTE, None)
    assert names(run) == ["torch_ir", "torch_backend_ir", "stablehlo", "hlo_optimized"]
    text = {level.name: level.text for level in run.levels}["stablehlo"]
    assert "stablehlo." in text and "vhlo" not in text
    assert list(run.usages) == [*map(Stage, names(run)[:3]), Stage.COMPILE, Stage.EXECUTE]
    assert all(usage.wall_s > 0 and usage.peak_rss > 1 << 20 for usage in run.usages.values())
    assert run.outputs is not None
    assert torch.equal(run.outputs[0].nan_to_num(7.0), x.relu().nan_to_num(7.0))


def test_what_lowers_to_a_program_that_was_compiled_runs_on_its_own_inputs(cpu: OpPool) -> None:
    inputs = (torch.tensor([-1.0, 0.0, 2.0, 3.0]), torch.tensor([4.0, -4.0, 0.5, -0.5]))
    first = cpu.submit(OpJob(torch_ir=RELU.encode(), inputs=inputs[:1], execute=True)).result()
    text = {level.name: level.text for level in first.levels}["stablehlo"]
    second = cpu.submit(OpJob(stablehlo=text.encode(), inputs=inputs[1:], execute=True)).result()
    assert first.levels[-2:] == second.levels, "stablehlo and hlo_optimized"
    for x, run in zip(inputs, (first, second), strict=True):
        assert run.outputs is not None and torch.equal(run.outputs[0], x.relu())


def negated(x: torch.Tensor) -> OpJob:
    kind = f"tensor<{x.numel()}xf32>"
    text = f"""func.func @main(%x: {kind}) -> {kind} {{
      %0 = stablehlo.negate %x : {kind}
      return %0 : {kind}
    }}"""
    return OpJob(stablehlo=text.encode(), inputs=(x,), execute=True)


def test_inputs_and_outputs_may_be_of_any_size_after_any_other(cpu: OpPool) -> None:
    tensors = [torch.full((count,), float(count)) for count in (3, 1 << 20, 5, 20 << 20, 0, 7)]
    runs = [cpu.submit(negated(x)).result() for x in tensors]
    for x, run in zip(tensors, runs, strict=True):
        assert run.outputs is not None and torch.equal(run.outputs[0], -x)


def test_an_op_is_compiled_but_not_run_until_it_may(cpu: OpPool) -> None:
    asked, may = threading.Event(), threading.Event()

    def wait() -> None:
        asked.set()
        assert may.wait(60)

    first = cpu.submit(negated(torch.ones(4)), lambda: None).result()
    second = cpu.submit(negated(torch.full((4,), 2.0)), wait)
    assert asked.wait(60) and not second.done()
    assert first.outputs is not None and first.outputs[0].tolist() == [-1.0] * 4
    may.set()
    outputs = second.result().outputs
    assert outputs is not None and outputs[0].tolist() == [-2.0] * 4


@pytest.mark.parametrize("source", [ADD.encode(), portable(ADD)], ids=["text", "artifact"])
def test_stablehlo_comes_as_text_or_as_an_artifact(cpu: OpPool, source: bytes) -> None:
    run = cpu.submit(OpJob(stablehlo=source)).result()
    assert (run.ended, run.stage) == (Ended.DONE, Stage.COMPILE)
    assert names(run) == ["stablehlo", "hlo_optimized"] and run.outputs is None


def test_an_op_that_does_not_lower_keeps_the_levels_before(cpu: OpPool) -> None:
    run = cpu.submit(OpJob(torch_ir=NOT_LOWERED.encode())).result()
    assert run.ended is Ended.REFUSED and run.failure is not None
    assert run.failure.stage is Stage.STABLEHLO and run.stage is Stage.TORCH_BACKEND_IR
    assert "failed to legalize" in run.failure.diagnostic
    assert names(run) == ["torch_ir", "torch_backend_ir"]
    assert Stage.STABLEHLO in run.usages


@pytest.mark.parametrize(
    ("job", "stage"),
    [
        (OpJob(torch_ir=b"garbage"), Stage.TORCH_IR),
        (OpJob(torch_ir=b"ML\xefR\x01\x02garbage"), Stage.TORCH_IR),
        (OpJob(stablehlo=portable(ADD)[:80]), Stage.STABLEHLO),
    ],
)
def test_garbage_is_refused_where_it_is_read(cpu: OpPool, job: OpJob, stage: Stage) -> None:
    run = cpu.submit(job).result()
    assert run.ended is Ended.REFUSED and run.failure is not None
    assert run.failure.stage is stage and run.failure.message
    assert cpu.submit(add(1)).result().ended is Ended.DONE


def test_an_op_that_eats_memory_is_named_and_its_neighbour_is_not(cpu: OpPool) -> None:
    large = OpJob(stablehlo=LARGE.encode(), execute=True)
    hungry, neighbour = cpu.map([large, add(2)])
    assert hungry.failure is not None and hungry.failure.kind == OUT_OF_MEMORY
    assert hungry.failure.stage is Stage.EXECUTE and "hlo_optimized" in names(hungry)
    assert neighbour.ended is Ended.DONE and is_sum(neighbour, 2)


@pytest.mark.usefixtures("no_process_left")
def test_one_crash_among_healthy_ops_is_one_crash() -> None:
    pytest.importorskip("iree.compiler", reason="the package iree-base-compiler is not installed")
    jobs = [add(i) for i in range(20)]
    jobs.insert(10, OpJob(stablehlo=EMPTY_CONTRACTION.encode()))
    with OpPool("iree-cpu", 2) as pool:
        runs = list(pool.map(jobs))
    crashed = runs.pop(10)
    assert crashed.ended is Ended.CRASH and crashed.failure is not None
    assert (crashed.failure.kind, crashed.failure.stage) == ("SIGFPE", Stage.COMPILE)
    assert names(crashed) == ["stablehlo", "input"], "what IREE wrote before it died"
    assert all(run.ended is Ended.DONE and is_sum(run, i) for i, run in enumerate(runs))


@pytest.mark.usefixtures("no_process_left")
def test_a_hang_ends_at_its_deadline_with_its_levels_and_its_stack() -> None:
    pytest.importorskip("iree.compiler", reason="the package iree-base-compiler is not installed")
    with OpPool("iree-cpu", 1, deadline_s=5.0) as pool:
        hung, neighbour = pool.map([OpJob(stablehlo=sines(4000).encode()), add(3)])
    assert hung.ended is Ended.TIMEOUT and hung.failure is not None
    assert hung.failure.kind == "TIMEOUT" and hung.failure.stage is Stage.COMPILE
    assert "in compile" in hung.failure.diagnostic
    assert names(hung)[:2] == ["stablehlo", "input"] and hung.wall_s < 15
    assert is_sum(neighbour, 3)


@pytest.mark.usefixtures("no_process_left")
def test_workers_killed_while_they_work_cost_no_op_its_result() -> None:
    with OpPool("cpu", 2) as pool:
        futures = [pool.submit(add(i)) for i in range(100)]
        chance = random.Random(7)
        kills = done = 0
        while kills < 6:
            if all(future.done() for future in futures):
                futures += [pool.submit(add(i)) for i in range(len(futures), len(futures) + 100)]
            time.sleep(chance.uniform(0.05, 0.6))
            now = sum(future.done() for future in futures)
            hosts = psutil.Process(pool._server.pid).children()
            if now > done and hosts:  # another works: nobody is killed in two probes, however slow
                min(hosts, key=lambda host: host.create_time()).kill()
                kills, done = kills + 1, now
        runs = [future.result(timeout=60) for future in futures]
    assert pool.sick == ""
    victims = [run for run in runs if run.ended is not Ended.DONE]
    assert all(run.failure and run.failure.kind == "SIGKILL" for run in victims)
    assert len(victims) <= kills // 2, "a victim was killed twice"
    assert all(is_sum(run, i) for i, run in enumerate(runs) if run.ended is Ended.DONE)


@pytest.mark.usefixtures("no_process_left")
def test_a_dead_device_ends_what_is_left_as_infra() -> None:
    with OpPool("pjrt:nothere", 2) as pool:
        runs = list(pool.map([add(i) for i in range(5)]))
    assert {run.ended for run in runs} == {Ended.INFRA}
    assert all(run.failure and "no PJRT plugin for nothere" in run.failure.message for run in runs)


@pytest.mark.usefixtures("no_process_left")
def test_closing_stops_what_runs_and_cancels_what_waits() -> None:
    pytest.importorskip("iree.compiler", reason="the package iree-base-compiler is not installed")
    pool = OpPool("iree-cpu", 1)
    running = pool.submit(OpJob(stablehlo=sines(4000).encode()))
    behind, waiting = pool.submit(add(1)), pool.submit(add(2))
    while not behind.running():
        time.sleep(0.1)
    time.sleep(2.0)
    pool.close()
    for ended in (running.result(), behind.result()):
        assert (ended.ended, ended.failure and ended.failure.message) == (
            Ended.INFRA,
            "the pool was closed",
        )
    assert waiting.cancelled()
    with pytest.raises(DeviceError, match="closed"):
        pool.submit(add(1))


def test_a_compile_only_board_gives_its_levels_and_runs_nothing() -> None:
    pytest.importorskip("jax_plugins.libtt", reason="the package jax-tt-plugin is not installed")
    with OpPool("n150", 1, deadline_s=60) as pool:
        run, refused = pool.map([add(1), OpJob(stablehlo=FFT.encode())])
    assert (run.ended, run.stage) == (Ended.DONE, Stage.COMPILE)
    assert names(run) == ["stablehlo", "ttir", "ttnn"] and run.outputs is None
    assert refused.failure is not None and refused.failure.stage is Stage.COMPILE
    assert "failed to legalize" in refused.failure.diagnostic


def test_nothing_outlives_a_killed_parent() -> None:
    script = (
        "from bringup.harness.device_host.op_pool import OpPool; import time\n"
        "from bringup.harness.device_host.op_run import OpJob\n"
        f"p = OpPool('cpu', 2); p.submit(OpJob(stablehlo={ADD.encode()!r})).result()\n"
        "print('up', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None and parent.stdout.readline() == "up\n"
    family = psutil.Process(parent.pid).children(recursive=True)
    assert len(family) == 3, "a fork server and two hosts"
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert psutil.wait_procs(family, timeout=5)[1] == []


@pytest.mark.usefixtures("no_process_left")
def test_a_killed_fork_server_is_started_again_and_no_op_is_lost() -> None:
    with OpPool("cpu", 2) as pool:
        futures = [pool.submit(add(i)) for i in range(30)]
        futures[5].result()
        psutil.Process(pool._server.pid).kill()
        runs = [future.result(timeout=60) for future in futures]
    assert all(run.ended is Ended.DONE and is_sum(run, i) for i, run in enumerate(runs))


def test_a_forked_host_is_its_servers_child_and_ends_with_its_device() -> None:
    server = ForkServer()
    try:
        device = Device("cpu", fork_server=server)
        for _ in range(2):
            device.open()
            assert len(psutil.Process(server.pid).children()) == 1
            device.close()
        assert psutil.Process(server.pid).children() == []
    finally:
        server.close()


def test_many_threads_may_share_one_pool(cpu: OpPool) -> None:
    results: dict[int, OpRun] = {}

    def work(number: int) -> None:
        future: Future[OpRun] = cpu.submit(add(number))
        results[number] = future.result()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(is_sum(results[i], i) for i in range(8))


def test_a_host_that_is_busy_is_not_sent_what_its_socket_may_not_hold(cpu: OpPool) -> None:
    values = ", ".join("1.0" for _ in range(1 << 16))
    large = f"""
    func.func @main() -> tensor<{1 << 16}xf32> {{
      %0 = stablehlo.constant dense<[{values}]> : tensor<{1 << 16}xf32>
      return %0 : tensor<{1 << 16}xf32>
    }}"""
    job = OpJob(stablehlo=large.encode(), execute=True)
    with contextlib.closing(Device("cpu")) as device:
        refused: list[BegunOp | None] = []
        begun = device.begin_op(add(1))
        begun.finish(30.0, given=lambda: refused.append(begun.begin_behind(job)))
    assert refused == [None]
    runs = list(cpu.map([add(1), job, add(2), job, job, add(3)]))
    assert [run.outputs[0].sum().item() for run in runs if run.outputs] == [
        8.0,
        float(1 << 16),
        12.0,
        float(1 << 16),
        float(1 << 16),
        16.0,
    ]
