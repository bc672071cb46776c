# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import msgspec
import pytest

from bringup.harness.errors import HarnessError
from bringup.harness.records.schema import Outcome, Stage, Status
from bringup.pipeline.history.imports.unique_ops import unique_ops_run
from bringup.pipeline.history.samples import Excluded
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import op_samples, samples
from bringup.reports.build import build
from bringup.reports.catalog import SHIPPED
from tests.unit import run_builder as made
from tests.unit.pipeline.history.store.made_runs import OP_TEST, op_night


def op(status: int, **fields: object) -> dict[str, object]:
    """As tt-torch writes it: what it knows of an op and of others null."""
    return {
        "framework_op_name": "aten.add.Tensor",
        "torch_name": "add",
        "frontend": "tt-torch",
        "backend": "tt",
        "model_name": "T5",
        "global_op_idx": 3,
        "input_shapes": [[1, 2]],
        "num_ops": 2,
        "compilation_status": status,
        "pcc": None,
        "runtime_stack_dump": None,
        **fields,
    }


def test_files_of_tt_torch_are_a_run(tmp_path: Path) -> None:
    """A model whose name ends in letters of the ending keeps them."""
    ops = {
        "('add', [[1, 2]])": op(7, pcc=0.9999),
        "('mul', [[1, 2]])": op(7, pcc=0.3),
        "('fft', [[1, 2]])": op(4, runtime_stack_dump="failed to legalize", num_ops=None),
    }
    path = tmp_path / "Bloom_sonj_unique_ops.json"
    path.write_bytes(msgspec.json.encode(ops))
    history = History(str(tmp_path / "history"))
    for _ in range(2):
        history.add_rows([unique_ops_run([path], "n150", created=5.0)])
    (test,) = samples(history)
    assert (test.test, test.at, test.device) == (
        "Bloom_sonj[op_by_op_torch-eval]@n150",
        5.0,
        "n150",
    )
    assert (test.outcome, test.failed_op) == (Outcome.FAILED, "aten.add.Tensor")
    found = sorted((s.status, s.outcome, s.stage, s.count, s.message) for s in op_samples(history))
    assert found == [
        (4, Outcome.FAILED, Stage.COMPILE, 1, "failed to legalize"),
        (7, Outcome.INCORRECT, Stage.VERIFY, 2, ""),
        (7, Outcome.PASSED, None, 2, ""),
    ]


def test_our_own_files_say_the_same_as_the_records(tmp_path: Path) -> None:
    bad = made.op_result(1, Status.CONVERTED_TO_STABLE_HLO, Outcome.FAILED, hit=True)
    run_dir = op_night(tmp_path, 0, [made.op_result(0), bad])
    build(run_dir, reporters=SHIPPED)
    by_records, by_files = History(str(tmp_path / "a")), History(str(tmp_path / "b"))
    by_records.add(run_dir)
    paths = list((run_dir / "models").glob("*_unique_ops.json"))
    by_files.add_rows([unique_ops_run(paths, "elsewhere")])
    said = [
        [(s.test, s.op_key, s.name, s.outcome, s.status, s.hit, s.count) for s in op_samples(h)]
        for h in (by_records, by_files)
    ]
    assert said[0] == said[1] and len(said[0]) == 2
    (test,) = samples(by_files)
    assert (test.test, test.outcome, test.excluded) == (
        OP_TEST.key,
        Outcome.FAILED,
        Excluded.NONE,
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"[]", "not a file of unique ops"),
        (b"{}", "there is no op"),
        (b'{"a": {"compilation_status": 9}}', "compilation_status"),
        (b'{"a": {"compilation_status": 7', "not a file of unique ops"),
        (b'{"a": {"num_ops": 7}}', "compilation_status"),
    ],
)
def test_what_is_none_is_refused_in_a_sentence(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "x_unique_ops.json"
    path.write_bytes(data)
    with pytest.raises(HarnessError, match=why):
        unique_ops_run([path], "n150")
