# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The verdict cache: never a wrong verdict, whoever writes, dies or damages the file."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bringup.harness.op_by_op.cache_key import Basis
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.schema import (
    Failure,
    Metric,
    Op,
    OpVerdict,
    Outcome,
    Stage,
    StageResult,
    Status,
    TensorType,
)
from bringup.harness.records.verdicts.cache import VerdictCache, default_path
from bringup.harness.records.verdicts.rules import cacheable

OP = Op(
    key="a" * 64,
    name="aten.add.Tensor",
    source="torch",
    inputs=(TensorType((2, 3), "float32"), TensorType((3,), "float32")),
    outputs=(TensorType((2, 3), "float32"),),
    attributes={"alpha": "1"},
)
VERSIONS = {
    "torch": "2",
    "torch-mlir": "1",
    "jaxlib": "0.10",
    "jax-tt-plugin": "0.1",
    "iree-base-compiler": "3",
    "transformers": "5",
}
GOOD = OpVerdict(
    op=OP, device="cpu", status=Status.EXECUTED, pcc=Metric.of(0.999), atol=Metric.of(1e-5)
)


def verdict(outcome: Outcome, kind: str = "", message: str = "no") -> OpVerdict:
    failure = Failure(Stage.COMPILE, kind, message) if kind else None
    return OpVerdict(
        op=OP, device="cpu", status=Status.CREATED_GRAPH, outcome=outcome, failure=failure
    )


def key(op: Op = OP, device: str = "cpu", descriptor: str = "d", **changed: object) -> str:
    versions = VERSIONS | dict(changed.get("versions", {}))  # type: ignore[call-overload]
    flags = {"optimization_level": "1"} | dict(changed.get("flags", {}))  # type: ignore[call-overload]
    depth = str(changed.get("depth", "EXECUTE"))
    return Basis(device, descriptor, versions, flags, depth).key(op)


MUTATIONS = {
    "op key": {"op": msgspec.structs.replace(OP, key="b" * 64)},
    "name": {"op": msgspec.structs.replace(OP, name="aten.sub.Tensor")},
    "shape": {"op": msgspec.structs.replace(OP, inputs=(TensorType((3, 2), "float32"),))},
    "dtype": {"op": msgspec.structs.replace(OP, outputs=(TensorType((2, 3), "bfloat16"),))},
    "attribute": {"op": msgspec.structs.replace(OP, attributes={"alpha": "2"})},
    "device": {"device": "n150"},
    "descriptor": {"descriptor": "e"},
    "torch": {"versions": {"torch": "3"}},
    "harness": {"versions": {"bringup": "2"}},
    "lowering": {"versions": {"torch-mlir": "3"}},
    "compiler": {"versions": {"jaxlib": "0.11"}},
    "flag": {"flags": {"optimization_level": "2"}},
    "another flag": {"flags": {"x": ""}},
    "depth": {"depth": "TTNN_IR"},
}


@pytest.mark.parametrize("change", MUTATIONS)
def test_whatever_a_verdict_depends_on_changes_the_key(change: str) -> None:
    assert key(**MUTATIONS[change]) != key()  # type: ignore[arg-type]


def test_the_order_of_a_mapping_does_not_change_the_key() -> None:
    assert key(versions=dict(reversed(VERSIONS.items()))) == key()


@pytest.mark.parametrize(
    ("device", "other"),
    [("cpu", "iree-base-compiler"), ("cpu", "jax-tt-plugin"), ("iree-cpu", "jaxlib")],
)
def test_a_version_the_device_does_not_use_leaves_the_key(device: str, other: str) -> None:
    changed = {other: "new", "transformers": "new"}
    assert key(device=device, versions=changed) == key(device=device)


def test_each_device_depends_on_its_own_compiler() -> None:
    for device, its in (("n150", "jax-tt-plugin"), ("iree-cpu", "iree-base-compiler")):
        assert key(device=device, versions={its: "new"}) != key(device=device)
    for plugin in ("pjrt:cuda", "cuda"):
        assert key(device=plugin, versions={"jax-cuda13-plugin": "1"}) != key(device=plugin)
    stablehlo = msgspec.structs.replace(OP, source="stablehlo")  # its golden is XLA's
    assert key(stablehlo, "iree-cpu", versions={"jaxlib": "new"}) != key(stablehlo, "iree-cpu")


@pytest.mark.parametrize(
    ("one", "kept"),
    [
        (verdict(Outcome.PASSED), True),
        (verdict(Outcome.REACHED), True),
        (verdict(Outcome.INCORRECT), True),
        (verdict(Outcome.FAILED, "CompileError"), True),
        (verdict(Outcome.CRASHED, "SIGSEGV"), True),
        (verdict(Outcome.CRASHED, "SIGABRT"), True),
        (verdict(Outcome.CRASHED, "SIGFPE"), True),
        (verdict(Outcome.CRASHED, "SIGABRT", "terminate: what(): std::bad_alloc"), False),
        (verdict(Outcome.CRASHED, "SIGKILL"), False),
        (verdict(Outcome.CRASHED, "SIGBUS"), False),
        (verdict(Outcome.CRASHED, "exit code 1"), False),
        (verdict(Outcome.CRASHED), False),
        (verdict(Outcome.TIMEOUT, "TIMEOUT"), False),
        (verdict(Outcome.INFRA, "DeviceError"), False),
        (verdict(Outcome.FAILED, "DeviceError"), False),
        (verdict(Outcome.FAILED, "MemoryError"), False),
        (verdict(Outcome.FAILED, "OUT_OF_MEMORY"), False),
        (verdict(Outcome.FAILED, "RuntimeError", "RESOURCE_EXHAUSTED: Out of memory"), False),
        (verdict(Outcome.KILLED, "SIGTERM"), False),
        (verdict(Outcome.SKIPPED), False),
        (verdict(Outcome.NOT_RUN), False),
    ],
    ids=lambda v: (
        f"{v.outcome}-{v.failure.kind if v.failure else ''}" if isinstance(v, OpVerdict) else str(v)
    ),
)
def test_what_the_machine_caused_is_never_kept(tmp_path: Path, one: OpVerdict, kept: bool) -> None:
    cache = VerdictCache(tmp_path / "v.sqlite")
    assert cache.put("k", one) is kept is cacheable(one)
    assert cache.get("k") == (one if kept else None)


def test_a_diagnostic_that_speaks_of_memory_is_enough(tmp_path: Path) -> None:
    run = ArtifactStore(tmp_path / "run")
    diagnostic = run.put("LLVM ERROR: out of memory", "diagnostic")
    failure = Failure(Stage.COMPILE, "SIGABRT", "the host died", diagnostic)
    one = msgspec.structs.replace(verdict(Outcome.CRASHED), failure=failure)
    assert not VerdictCache(tmp_path / "v.sqlite").put("k", one, run)


def with_text(run: ArtifactStore, text: str) -> OpVerdict:
    stage = StageResult(Stage.STABLEHLO, True, artifacts=(run.put(text, "stablehlo"),))
    return msgspec.structs.replace(GOOD, stages=(stage,))


def test_a_hit_brings_its_texts_into_another_run(tmp_path: Path) -> None:
    first, second = ArtifactStore(tmp_path / "1"), ArtifactStore(tmp_path / "2")
    one = with_text(first, "module {}" * 1000)
    assert VerdictCache(tmp_path / "c" / "v.sqlite").put("k", one, first)
    cache = VerdictCache(tmp_path / "c" / "v.sqlite")
    hit = cache.get("k")
    assert hit == one and cache.restore(hit, second)
    assert second.get(hit.stages[0].artifacts[0]) == b"module {}" * 1000
    assert cache.restore(hit, second)  # again changes nothing


def test_a_verdict_whose_texts_cannot_be_had_is_not_kept(tmp_path: Path) -> None:
    one = with_text(ArtifactStore(tmp_path / "1"), "module {}")
    cache = VerdictCache(tmp_path / "c" / "v.sqlite")
    assert not cache.put("k", one, ArtifactStore(tmp_path / "without")) and cache.get("k") is None


@pytest.mark.parametrize("damage", ["gone", "empty", "garbage"])
def test_a_hit_whose_text_is_lost_is_to_be_taken_as_a_miss(tmp_path: Path, damage: str) -> None:
    run, cache = ArtifactStore(tmp_path / "1"), VerdictCache(tmp_path / "c" / "v.sqlite")
    one = with_text(run, "module {}")
    assert cache.put("k", one, run)
    blob = cache.artifacts.path(one.stages[0].artifacts[0].sha256)
    if damage == "gone":
        blob.unlink()
    else:
        blob.unlink()
        blob.write_bytes(b"" if damage == "empty" else b"not a zstd frame at all")
    assert not cache.restore(one, ArtifactStore(tmp_path / "2"))


WRITER = """
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from bringup.harness.records.verdicts.cache import VerdictCache
from tests.unit.harness.records.verdicts.test_op_cache import numbered
cache = VerdictCache(Path(sys.argv[1]))
print("ready", flush=True)
n = int(sys.argv[2])
while True:
    n = (n * 1103515245 + 12345) % 2**31
    kept = cache.put(f"key {n % 500}", numbered(n % 500))
    hit = cache.get(f"key {n % 500}")
    assert hit in (None, numbered(n % 500)), "a wrong verdict"
    assert not kept or hit or "damage" in sys.argv, "a verdict that was kept is lost"
"""


def numbered(n: int) -> OpVerdict:
    op = msgspec.structs.replace(OP, key=f"{n:064d}", attributes={"text": "x" * (n * 40)})
    return msgspec.structs.replace(GOOD, op=op)


def start_writer(path: Path, seed: int, *words: str) -> subprocess.Popen[bytes]:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(seed), *words],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[5])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
    return writer


def test_many_writers_killed_at_random_leave_a_sound_database(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    dice = random.Random(5)
    complaints: list[bytes] = []
    for _ in range(3):
        writers = [start_writer(path, dice.randrange(10**6)) for _ in range(4)]
        for writer in writers:
            time.sleep(dice.uniform(0.0, 0.15))
            writer.send_signal(signal.SIGKILL)
        complaints += [writer.communicate()[1] for writer in writers]
        assert {writer.returncode for writer in writers} == {-signal.SIGKILL}
    assert complaints == [b""] * 12
    cache = VerdictCache(path)
    found = {n: cache.get(f"key {n}") for n in range(500)}
    assert sum(one is not None for one in found.values()) > 20
    assert all(one in (None, numbered(n)) for n, one in found.items())
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_damaged_under_its_writers_stops_none_of_them(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    writers = [start_writer(path, seed, "damage") for seed in range(3)]
    dice = random.Random(3)
    for _ in range(4):
        time.sleep(0.2)
        with contextlib.suppress(FileNotFoundError), path.open("r+b") as file:
            file.seek(dice.choice([0, 4096, max(4096, path.stat().st_size // 2)]))
            file.write(dice.randbytes(500))
    time.sleep(0.3)
    assert [writer.poll() for writer in writers] == [None] * 3
    for writer in writers:
        writer.kill()
    said = [line for writer in writers for line in writer.communicate()[1].splitlines()]
    assert all(b"the verdict cache" in line for line in said)
    asides = [p for p in tmp_path.glob("*.corrupt-*") if p.name[-1].isdigit()]
    assert len(said) <= len(asides)  # one may have been killed before it could speak
    cache = VerdictCache(path)
    assert all(cache.get(f"key {n}") in (None, numbered(n)) for n in range(500))


def test_a_forked_process_gets_a_connection_of_its_own(tmp_path: Path) -> None:
    cache = VerdictCache(tmp_path / "v.sqlite")
    assert cache.put("mine", GOOD)
    child = os.fork()
    if child == 0:
        os._exit(0 if cache.put("the child's", GOOD) and cache.get("mine") == GOOD else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert cache.get("the child's") == GOOD


@pytest.mark.parametrize("content", [b"this is not a database" * 500, b"\0" * 8192])
def test_a_corrupt_file_is_put_aside_with_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "v.sqlite"
    path.write_bytes(content)
    said: list[str] = []
    cache = VerdictCache(path, said.append)
    assert cache.get("k") is None and cache.put("k", GOOD) and cache.get("k") == GOOD
    assert len(said) == 1 and "damaged" in said[0]
    (aside,) = tmp_path.glob("v.sqlite.corrupt-*")
    assert aside.read_bytes() == content
    assert VerdictCache(path, said.append).get("k") == GOOD and len(said) == 1


def test_pages_overwritten_in_the_middle_give_no_wrong_verdict(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    cache = VerdictCache(path)
    assert all(cache.put(f"key {n}", numbered(n)) for n in range(200))
    cache.close()
    size = path.stat().st_size
    dice = random.Random(1)
    with path.open("r+b") as file:
        for _ in range(40):
            file.seek(dice.randrange(4096, size - 300))
            file.write(dice.randbytes(300))
    said: list[str] = []
    hurt = VerdictCache(path, said.append)
    assert all(hurt.get(f"key {n}") in (None, numbered(n)) for n in range(200))
    assert hurt.put("new", GOOD) and hurt.get("new") == GOOD and len(said) <= 1


def test_a_newer_cache_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
        db.execute("CREATE TABLE verdict (of_another_kind TEXT)")
    before = path.read_bytes()
    said: list[str] = []
    cache = VerdictCache(path, said.append)
    assert cache.put("k", GOOD) and cache.get("k") == GOOD
    assert len(said) == 1 and "schema 99" in said[0] and path.read_bytes() == before


def test_a_place_that_cannot_be_written_turns_the_cache_off(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    cache = VerdictCache(tmp_path / "file" / "v.sqlite", said.append)
    assert cache.get("k") is None and not cache.put("k", GOOD)
    assert len(said) == 1 and "going on without" in said[0]


def as_somebody_else(action: Callable[[], bool]) -> bool:
    """Did an action come true in a process without a superuser's rights?"""
    child = os.fork()
    if child == 0:
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        os._exit(0 if action() else 1)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("open_folder", [False, True])
def test_a_cache_that_may_only_be_read_is_read(open_folder: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "cache" / "v.sqlite"
        run = ArtifactStore(folder / "run")
        kept = with_text(run, "module {}")
        cache = VerdictCache(path)
        assert cache.put("k", kept, run)
        cache.close()
        with sqlite3.connect(path) as db:
            db.execute("UPDATE verdict SET used = 0")  # a hit would be noted down
        db.close()
        for directory in (folder, *(d for d in folder.rglob("*") if d.is_dir())):
            directory.chmod(0o755)
        path.chmod(0o444)
        (folder / "other").mkdir()
        for directory in ((path.parent,) if open_folder else ()) + (folder / "other",):
            directory.chmod(0o777)
        for file in folder.glob("cache/v.sqlite.lock"):
            file.unlink()

        def is_read() -> bool:
            said: list[str] = []
            cache, other = VerdictCache(path, said.append), ArtifactStore(folder / "other")
            return (
                cache.get("k") == kept
                and cache.restore(kept, other)
                and other.get(kept.stages[0].artifacts[0]) == b"module {}"
                and not cache.put("new", GOOD)
                and cache.get("k") == kept
                and cache.prune(1.0, 1).removed == 0
                and len(said) == 1
                and "cannot be written" in said[0]
            )

        assert as_somebody_else(is_read)
        assert VerdictCache(path).get("k") == kept, "nothing was taken away"


def test_a_row_under_another_key_is_no_hit(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    assert VerdictCache(path).put("k", GOOD)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE verdict SET key = 'other'")
    assert VerdictCache(path).get("other") is None


def age(path: Path, key: str, seconds: float) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE verdict SET used = used - ? WHERE key = ?", (seconds, key))


def test_pruning_forgets_the_old_and_then_the_least_used(tmp_path: Path) -> None:
    path = tmp_path / "c" / "v.sqlite"
    run, cache = ArtifactStore(tmp_path / "run"), VerdictCache(path)
    kept = {}
    for n in range(4):
        kept[n] = with_text(run, random.Random(n).randbytes(4000).hex())
        assert cache.put(f"{n}", kept[n], run)
        age(path, f"{n}", n * 100_000)
    for blob in cache.artifacts.root.glob("*/*"):
        os.utime(blob, (0, 0))
    pruned = cache.prune(max_age_s=250_000, max_bytes=10**9)
    assert (pruned.kept, pruned.removed) == (3, 1) and cache.get("3") is None
    assert cache.get("2") == kept[2]  # used now, so "1" is next to go
    assert cache.prune(10**9, pruned.bytes_kept - 1).kept == 2
    assert [cache.get(f"{n}") for n in range(3)] == [kept[0], None, kept[2]]
    assert len(list(cache.artifacts.root.glob("*/*"))) == 2
    assert cache.restore(kept[2], ArtifactStore(tmp_path / "again"))


def test_the_default_place_is_named_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BRINGUP_CACHE", "/somewhere/v.sqlite")
    assert default_path() == Path("/somewhere/v.sqlite")
    monkeypatch.setenv("BRINGUP_CACHE", "/somewhere/new")
    assert default_path() == Path("/somewhere/new/verdicts.sqlite")
    (tmp_path / "dotted.d").mkdir()
    (tmp_path / "file").touch()
    for name, path in (("dotted.d", "dotted.d/verdicts.sqlite"), ("file", "file")):
        monkeypatch.setenv("BRINGUP_CACHE", str(tmp_path / name))
        assert default_path() == tmp_path / path
    monkeypatch.delenv("BRINGUP_CACHE")
    assert default_path().parts[-3:] == (".cache", "bringup", "verdicts.sqlite")
