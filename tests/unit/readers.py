# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every reader of bytes that the product has, with valid bytes to begin from.

A reader takes bytes and a folder for its files, and either returns or raises a `HarnessError`.
"""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import onnx
import torch

from bringup.harness.device_host import faults
from bringup.harness.device_host.stage_log import STAGE_LOG_SIZE, StageLog
from bringup.harness.devices import wire
from bringup.harness.devices.backends import ttsys
from bringup.harness.devices.backends.system_desc import CHIPS, load_board, schema_hash_for
from bringup.harness.ops.fx_json import dumps, loads
from bringup.harness.records import environment
from bringup.harness.records.aliases import read_aliases, renamed
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.fold import fold, fold_ops
from bringup.harness.records.journal import events_of, journals, read_header
from bringup.harness.records.moves import Move, read_moves, write_moves
from bringup.harness.records.plans import SharedPlan
from bringup.harness.records.run_dir import (
    read_merged,
    read_ops,
    read_plan,
    read_plans,
    read_shared_plan,
    write_shared_plan,
)
from bringup.harness.records.schema import Failure, Outcome, PlannedTest, Stage, Status
from bringup.harness.records.variable_names import FAULTS_VARIABLE
from bringup.harness.records.variables import VARIABLES
from bringup.harness.records.verdicts.cache import VerdictCache, _digest
from bringup.harness.reduce.model_reproducer import ModelExpected, read_model
from bringup.harness.reproduce.reproducer import (
    Expected,
    has_drawn,
    read_bytes_of,
    read_expected,
    write_bytes_of,
)
from bringup.harness.reproduce.restore import onnx_model
from bringup.pipeline import devices
from bringup.pipeline.history.imports.junit_xml import junit_run
from bringup.pipeline.lists import list_file
from bringup.pipeline.planning.durations import Estimator, observed, read_durations
from bringup.pipeline.results.junit import write_junit
from bringup.pipeline.running.ledger import Ledger
from bringup.reports.build import load, newest_run
from tests.unit import run_builder as made

Read = Callable[[bytes, Path], object]


@dataclass(frozen=True)
class Reader:
    """One way in."""

    name: str
    seeds: tuple[bytes, ...]
    """Valid bytes."""
    read: Read


def readers(folder: Path) -> list[Reader]:
    """Every reader; the seeds are made below `folder`."""
    files = _run(folder / "run")
    return [
        Reader("journal", (files["journal.jsonl"],), _journal(".jsonl")),
        Reader("packed journal", (files["journal.jsonl.zst"],), _journal(".jsonl.zst")),
        Reader("plan", (files["plan.json"],), _plan),
        Reader("plan of all shards", (_shared(folder),), _one("all.json", read_shared_plan)),
        Reader("aliases", (_aliases(),), _one("aliases.toml", _renamed)),
        Reader("run header", (files["run.json"],), _as("run.json", folder / "run", load)),
        Reader(
            "records", (files["records.jsonl.zst"],), _as("records.jsonl.zst", folder / "run", load)
        ),
        Reader(
            "old records", (files["records.jsonl"],), _as("records.jsonl", folder / "run", load)
        ),
        Reader("old op results", (files["ops.jsonl"],), _as("ops.jsonl", folder / "run", load)),
        Reader("moves", (files["promotions.json"],), _one("promotions.json", _moves)),
        Reader("blob", (files["blob"],), _blob(files["blob"])),
        Reader("list", _lists(), lambda data, _: list_file.parse(_text(data), "list.toml")),
        Reader("durations", (_durations(),), _one("durations.json", _read_durations)),
        Reader("devices", (files["devices"],), _one("devices.json", devices.read)),
        Reader("junit", (files["junit.xml"],), _one("junit.xml", junit_run)),
        Reader("cached verdict", (files["verdict"],), _row),
        Reader("verdict cache", (_cache(folder / "cache"),), _one("verdicts.sqlite", _read_cache)),
        Reader("op's reproducer", (_expected(),), _one("expected.json", _read_expected)),
        Reader("model's reproducer", (_model(),), _one("expected.json", _read_expected)),
        Reader("places of tensors", (_tensors(folder, ".json"),), _read_tensors(folder, ".json")),
        Reader("tensors", (_tensors(folder, ".bin"),), _read_tensors(folder, ".bin")),
        Reader("fx graph", _graphs(), lambda data, _: loads(data)),
        Reader("onnx model", (_onnx(),), _one("part.onnx", onnx_model)),
        Reader("plan of faults", (b'{"k": {"kind": "segv"}}',), _one("faults.json", _faults)),
        Reader("system descriptor", _descriptors(), lambda data, _: ttsys.decode(data)),
        Reader("chip file", _chips("n150.toml"), _chip("n150.toml")),
        Reader(
            "architecture file", _chips("arch/wormhole_b0.toml"), _chip("arch/wormhole_b0.toml")
        ),
        Reader("schema hashes", _chips("schema_hashes.toml"), _chip("schema_hashes.toml")),
        Reader("wire frame", _frames(), _frame),
        Reader("stage log", (_stage_log(),), lambda data, _: _read_log(data)),
        Reader("environment", _environments(), _environment),
    ]


# --- runs -----------------------------------------------------------------------------------


def _run(folder: Path) -> dict[str, bytes]:
    """A small run with op results, and its files by name."""
    test, ops = made.identity("t5"), made.identity("bert", flow="op_by_op_torch")
    failed = made.record(test, Outcome.FAILED, Status.CONVERTED_TO_STABLE_HLO)
    passed = made.record(made.identity("net"))
    results = {ops: [made.op_result(0), made.op_result(1, outcome=Outcome.FAILED)]}
    moves = [Move("tests/x.py::test_x[full-eval]", "n150", "add", "weekly_op_by_op", "it passed")]
    made.write_run(folder, [failed, passed, made.record(ops)], ops=results, moves=moves)
    files = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    (packed,) = (folder / "journal").iterdir()
    files["journal.jsonl.zst"] = packed.read_bytes()
    from bringup.harness.records.packing import read_lines

    files["journal.jsonl"] = read_lines(packed)
    files["records.jsonl"] = read_lines(folder / "records.jsonl.zst")
    lines = read_ops(folder)
    files["ops.jsonl"] = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    files["verdict"] = msgspec.json.encode(lines[0].result.verdict)
    artifact = made.keep(folder / "kept", "module { func.func @main() }\n" * 40)
    files["blob"] = ArtifactStore(folder / "kept").path(artifact.sha256).read_bytes()
    files["junit.xml"] = write_junit(folder / "junit.xml", [failed, passed]).read_bytes()
    (folder / "junit.xml").unlink()
    files["devices"] = b'[{"name": "cpu", "state": "executes", "reason": "", "capacity": 2}]'
    return files


def _shared(folder: Path) -> bytes:
    tests = (PlannedTest(made.identity("t5"), "x.py::test_t5[full-eval-n150]"),)
    plan = SharedPlan(run_id="r", created=1.0, session="run", shards=(tests, ()), chosen={})
    return write_shared_plan(folder / "all.json", plan).read_bytes()


def _aliases() -> bytes:
    lines = (Path(__file__).parents[1] / "lists" / "aliases.toml").read_bytes().splitlines()
    return b"\n".join(lines[:20]) + b"\n"


def _renamed(path: Path) -> object:
    aliases = read_aliases(path.parent)
    return [renamed(f"{name}@cpu", aliases) for name in aliases]


def _one(name: str, read: Callable[[Path], object]) -> Read:
    def as_file(data: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(data)
        return read(path)

    return as_file


def _as(name: str, run_dir: Path, read: Callable[[Path], object]) -> Read:
    """The file in the place of one of a whole run, which is then read for a report."""

    def in_a_run(data: bytes, folder: Path) -> object:
        for path in run_dir.iterdir():
            target = folder / path.name
            if path.is_file() and path.name != name and not target.exists():
                os.link(path, target)
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(data)
        newest_run(folder)
        read_ops(folder)
        read_merged(folder)
        return read(folder)

    return in_a_run


def _journal(suffix: str) -> Read:
    def read(data: bytes, folder: Path) -> object:
        place = folder / "journal"
        place.mkdir(exist_ok=True)
        for path in place.iterdir():
            path.unlink()
        (place / f"one{suffix}").write_bytes(data)
        pairs, _ = events_of(folder)
        records = fold(pairs)
        observed(records)
        Ledger(folder, [PlannedTest(made.identity("t5"), "x")]).read()
        for path in journals(folder):
            read_header(path)
        return records, fold_ops(pairs)

    return read


def _plan(data: bytes, folder: Path) -> object:
    (folder / "plan.json").write_bytes(data)
    return read_plans(folder), read_plan(folder / "plan.json")


def _moves(path: Path) -> object:
    return write_moves(path.parent, read_moves(path.parent) or ())


def _blob(seed: bytes) -> Read:
    def read(data: bytes, folder: Path) -> object:
        artifact = made.keep(folder, "module { func.func @main() }\n" * 40)
        store = ArtifactStore(folder)
        store.path(artifact.sha256).write_bytes(data)
        return store.get(artifact)

    return read


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _lists() -> tuple[bytes, ...]:
    lists = Path(__file__).parents[1] / "lists"
    one = b'[cpu]\ntests = [\n  "tests/models/t5/test_t5.py::test_t5[full-eval]",  # why\n]\n'
    return (one, *(path.read_bytes() for path in sorted(lists.glob("*ly_*.toml"))))


def _durations() -> bytes:
    return b'{"samples": {"t5[full-eval]@cpu": [[3.5, 1.0], [4, 2]], "x@n150": [[1, 1]]}}'


def _read_durations(path: Path) -> object:
    estimate = Estimator(read_durations(path))
    return estimate(made.identity("t5")), estimate(made.identity("x"))


# --- the verdict cache ----------------------------------------------------------------------


def _cache(folder: Path) -> bytes:
    cache = VerdictCache(folder / "verdicts.sqlite", complain=lambda _: None)
    cache.put("k", made.op_result(0).verdict)
    cache._write(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    cache.close()
    return cache.path.read_bytes()


def _read_cache(path: Path) -> object:
    for beside in path.parent.glob(f"{path.name}-*"):
        beside.unlink()
    cache = VerdictCache(path, complain=lambda _: None)
    try:
        return cache.get("k"), cache.put("k", made.op_result(0).verdict), cache.prune(1e9, 1 << 30)
    finally:
        cache.close()


def _row(data: bytes, folder: Path) -> object:
    """A row whose digest holds, with a body that somebody else wrote."""
    cache = VerdictCache(folder / "rows.sqlite", complain=lambda _: None)
    row = ("k", data, _digest("k", data), 0.0)
    cache._write(lambda db: db.execute("INSERT OR REPLACE INTO verdict VALUES (?, ?, ?, ?)", row))
    try:
        return cache.get("k")
    finally:
        cache.close()


# --- reproducers ----------------------------------------------------------------------------


def _expected() -> bytes:
    verdict = made.op_result(1, outcome=Outcome.FAILED).verdict
    return msgspec.json.encode(
        Expected(
            op=verdict.op,
            device="cpu",
            status=verdict.status,
            outcome=verdict.outcome,
            fingerprint="f",
            stage=Stage.COMPILE,
            deadline_s=30.0,
            failure=verdict.failure,
        )
    )


def _model() -> bytes:
    return msgspec.json.encode(
        ModelExpected(
            model=made.identity("t5"),
            nodeid="tests/x.py::test_x[full-eval-n150]",
            status=Status.CREATED_GRAPH,
            outcome=Outcome.FAILED,
            fingerprint="f",
            failure=Failure(Stage.COMPILE, "X", "x"),
        )
    )


def _read_expected(path: Path) -> object:
    model = read_model(path.parent)
    return model.entry if model else read_expected(path.parent)


def _tensors(folder: Path, suffix: str) -> bytes:
    place = folder / "tensors"
    place.mkdir(exist_ok=True)
    write_bytes_of(place, "inputs", [torch.arange(6.0).reshape(2, 3), torch.tensor([True])])
    return (place / f"inputs{suffix}").read_bytes()


def _read_tensors(made_in: Path, suffix: str) -> Read:
    def read(data: bytes, folder: Path) -> object:
        for path in (made_in / "tensors").iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        (folder / f"inputs{suffix}").write_bytes(data)
        return has_drawn(folder), read_bytes_of(folder, "inputs")

    return read


def _graphs() -> tuple[bytes, ...]:
    graph = torch.fx.Graph()
    x = graph.placeholder("x")
    y = graph.call_function(torch.ops.aten.add.Tensor, (x, 2.5), {"alpha": 2})
    for node in (x, y):
        node.meta["val"] = torch.empty(2, 3, device="meta")
    graph.output((y,))
    return (dumps(graph),)


def _onnx() -> bytes:
    x, y = (onnx.helper.make_tensor_value_info(n, 1, [4]) for n in "xy")
    weight = onnx.helper.make_tensor("w", 1, [4], [1.0, 2.0, 3.0, 4.0])
    add = onnx.helper.make_node("Add", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph([add], "g", [x], [y], [weight])
    return bytes(onnx.helper.make_model(graph).SerializeToString())


# --- devices --------------------------------------------------------------------------------


def _faults(path: Path) -> object:
    os.environ[FAULTS_VARIABLE] = str(path)
    try:
        return faults.read_faults()
    finally:
        del os.environ[FAULTS_VARIABLE]


def _descriptors() -> tuple[bytes, ...]:
    return tuple(ttsys.encode(load_board(name), "0" * 64) for name in ("n150", "n300"))


def _chips(file: str) -> tuple[bytes, ...]:
    return (CHIPS.joinpath(file).read_bytes(),)


def _chip(file: str) -> Read:
    def read(data: bytes, folder: Path) -> object:
        for name in ("n150.toml", "arch/wormhole_b0.toml", "schema_hashes.toml"):
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(CHIPS.joinpath(name).read_bytes())
        (folder / file).write_bytes(data)
        return load_board("n150", folder), schema_hash_for("jax-tt-plugin", "0.1.3", folder)

    return read


def _frames() -> tuple[bytes, ...]:
    messages = (
        wire.Open("cpu"),
        wire.Compile(b"x" * 40, {"a": "b"}),
        wire.Refused("X", "why", (wire.Level("ttir", "module"),)),
        wire.Released(),
    )
    payloads = [wire._encoded(message) for message in messages]
    return tuple(len(p).to_bytes(8, "little") + p for p in payloads)


def _frame(data: bytes, _: Path) -> object:
    found: list[Any] = []
    for kind in (wire.Request, wire.Reply):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(data[: 64 << 10])
            theirs.shutdown(socket.SHUT_WR)
            try:
                found.append(wire.receive(ours, kind))
            except EOFError:
                found.append(None)
    return found


def _stage_log() -> bytes:
    log = StageLog(descriptor := wire.create_memory(STAGE_LOG_SIZE))
    os.close(descriptor)
    log.take(0)
    log.note(wire.Reached(Stage.TORCH_IR, (), wire.Usage(1.0, 1.0, 1)))
    return bytes(log._memory[:4096])


def _read_log(data: bytes) -> object:
    log = StageLog(descriptor := wire.create_memory(STAGE_LOG_SIZE))
    os.close(descriptor)
    size = min(len(data), STAGE_LOG_SIZE)
    log._memory[:size] = data[:size]
    return log.taken(0), log.read(0), log.read(1)


def _environments() -> tuple[bytes, ...]:
    texts = ("1", "TTNN_IR", "2%", "0.5", "cpu", "/tmp/x", "STABLEHLO,TTIR", "17", "BRINGUP_X=1")
    return tuple(text.encode() for text in texts)


def _environment(data: bytes, _: Path) -> object:
    """Every variable of the table with that text, which is all that the system lets through."""
    text = os.fsdecode(data.replace(b"\0", b""))
    said: list[str] = []
    from bringup.harness.errors import HarnessError

    for name in VARIABLES:
        try:
            environment.check({name: text})
        except HarnessError as error:
            said.append(str(error))
    if said:
        raise HarnessError(max(said, key=len))
    return text
