# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A rehearsal on a Ray cluster of four nodes on this machine, one of which is killed."""

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bringup.harness.records.outcomes import latest
from bringup.harness.records.run_dir import load_journals, read_merged
from bringup.harness.records.schema import Outcome
from tests.integration.small_fleet import SmallFleet, eventually, finish

TESTS = """
@full
@pytest.mark.parametrize("size", range(12))
def test_short(size, flow): time.sleep(0.5)
"""
GREEDY = """
@full
@pytest.mark.needs(chips=5)
def test_greedy(flow): pass
"""
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Four nodes, three of which have a p150, which this machine has not."""
    pytest.importorskip("ray", reason="pip install 'bringup[ray]' brings it")
    from ray.cluster_utils import Cluster

    before = {p.pid for p in psutil.process_iter()}
    made = Cluster(initialize_head=True, head_node_args=NODE)
    try:
        yield made
    finally:
        made.shutdown()
        for process in psutil.process_iter(["cmdline"]):
            with contextlib.suppress(psutil.Error):
                if process.pid not in before and "ray" in " ".join(process.info["cmdline"] or []):
                    process.kill()


@pytest.mark.slow
def test_a_node_is_killed_and_every_test_has_one_word(cluster: Any, tmp_path: Path) -> None:
    nodes = [cluster.add_node(**NODE, resources={"p150": 1}) for _ in range(3)]
    cluster.wait_for_nodes()
    fleet = SmallFleet(tmp_path)
    short, greedy = fleet.file("test_all", TESTS), fleet.file("test_greedy", GREEDY)
    chosen = ("--device", "p150", "--engine", f"ray://{cluster.address}", "--history", "none")
    code, said = finish(fleet.start("run", greedy, *chosen), timeout_s=180)
    assert code == 2, said
    assert "greedy[full-eval]@p150: no runner has 5 of p150; the most is 1" in said
    run = fleet.start("run", short, *chosen)
    eventually(lambda: len(load_journals(fleet.output)[0]) >= 3, timeout_s=120)
    cluster.remove_node(nodes[1], allow_graceful=False)
    code, said = finish(run, timeout_s=180)
    assert code == 0, said
    records = read_merged(fleet.output)[1]
    words = {r.identity.key: r.outcome for r in latest(records)}
    assert len(words) == 12 and set(words.values()) == {Outcome.PASSED}
    passed = Counter(r.identity.key for r in records if r.outcome is Outcome.PASSED)
    assert set(passed.values()) == {1}
    assert len({r.provenance for r in records}) > 1, "several pulled"
    assert fleet.processes() == []


def test_a_cluster_that_does_not_answer_is_named(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="pip install 'bringup[ray]' brings it")
    fleet = SmallFleet(tmp_path)
    fleet.file("test_all", TESTS)
    code, said = fleet.run(
        "run", "tests/models", "--device", "cpu", "--engine", "ray://localhost:1"
    )
    assert code == 2 and "no Ray cluster answers at localhost:1" in said


@pytest.mark.slow
def test_a_budget_is_kept_to_on_the_cluster(cluster: Any, tmp_path: Path) -> None:
    """By the devices of the cluster, and not by the cores of the command's machine."""
    cluster.add_node(**NODE, resources={"p150": 1})
    cluster.wait_for_nodes()
    fleet = SmallFleet(tmp_path)
    short = fleet.file("test_all", TESTS)
    took = {f"short[full-{n}-eval]@p150": [[1.0 if n < 4 else 5000.0, 1.0]] for n in range(12)}
    (tmp_path / "took.json").write_text(json.dumps({"schema": 1, "samples": took}))
    words = ("--device", "p150", "--engine", f"ray://{cluster.address}", "--history", "none")
    run = fleet.start("run", short, *words, "--durations", "took.json", "--budget", "5m")
    code, said = finish(run, timeout_s=180)
    assert code == 0 and "4 of 12 tests fit in" in said, said
    outcomes = Counter(r.outcome for r in latest(read_merged(fleet.output)[1]))
    assert outcomes == {Outcome.PASSED: 4, Outcome.NOT_RUN: 8}
    assert "left out by the budget of 5m: 8" in said
    assert fleet.processes() == []
