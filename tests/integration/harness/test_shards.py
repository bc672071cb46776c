# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Weights divided over several chips: executed on the CPU's eight, compiled for a board of two."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.schema import Outcome, Stage
from tests.integration.pytest_runs import MINIATURE, Done, run_pytest

WEIGHTS = "0.weight, 0.bias, 2.weight"


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> Done:
    file = f"{MINIATURE}/test_shards.py"
    words = ("-k", "full or both_ways", "--device", "cpu,interpreter,n300")
    return run_pytest(tmp_path_factory.mktemp("run"), file, *words)


def split(done: Done, name: str) -> tuple[str, str]:
    (compiled,) = (s for s in done.records[name].stages if s.stage is Stage.COMPILE)
    return compiled.attributes["chips"].replace(", ", ""), compiled.attributes["split"]


def test_weights_are_divided_and_the_result_is_whole(divided: Done) -> None:
    for which in ("weights", "both"):
        name = f"divided[full-{which}-eval]"
        assert divided.records[f"{name}@cpu"].outcome is Outcome.PASSED, divided.output
        assert split(divided, f"{name}@cpu")[0] == "01234567"
        assert split(divided, f"{name}@cpu")[1].endswith(WEIGHTS)
        assert divided.records[f"{name}@n300"].outcome is Outcome.REACHED
    assert split(divided, "divided[full-weights-eval]@n300") == ("01", WEIGHTS)
    assert len(split(divided, "divided[full-both-eval]@cpu")[1].split(", ")) == 4


def test_chips_talk_to_each_other(divided: Done) -> None:
    record = divided.records["divided[full-weights-eval]@cpu"]
    store = ArtifactStore(divided.directory)
    kept = [a for stage in record.stages for a in stage.artifacts if a.level == "hlo_optimized"]
    texts = [store.get(artifact).decode() for artifact in kept]
    assert any("all-reduce" in text for text in texts)


@pytest.mark.skipif(find_spec("jax_plugins.xla_cuda12") is None, reason="the extra cuda")
def test_a_program_is_compiled_for_eight_h100(tmp_path: Path) -> None:
    words = (f"{MINIATURE}/test_shards.py", "-k", "full-weights", "--device", "h100")
    done = run_pytest(tmp_path / "run", *words)
    name = "divided[full-weights-eval]@h100"
    assert done.records[name].outcome is Outcome.REACHED, done.output
    assert split(done, name) == ("01234567", WEIGHTS)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("divided[full-weights-eval]@interpreter", "several chips, and interpreter has one"),
        ("divided[full-odd-eval]@cpu", "0.bias has 1 dimensions, 2 are said"),
        ("both_ways[full-eval]@cpu", "leave out data_parallel_mode and automatic_parallelization"),
    ],
)
def test_what_cannot_be_is_a_sentence(divided: Done, name: str, says: str) -> None:
    failure = divided.records[name].failure
    assert failure is not None and says in failure.message
