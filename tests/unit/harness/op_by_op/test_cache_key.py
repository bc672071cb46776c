# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The verdict cache's key: whatever stands behind a device, and what an op is given, changes it."""

import os
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from bringup.harness.frontend import torch_program
from bringup.harness.op_by_op import cache_key as keys
from bringup.harness.op_by_op.cache_key import Basis
from bringup.harness.op_by_op.cached_verdicts import descriptor_of
from bringup.harness.ops.operand_values import WHOLE_BYTES, counts_values, fingerprint, origins_of
from bringup.harness.ops.torch_ops import unique_ops
from bringup.harness.records import provenance
from bringup.harness.records.ops import TensorType
from bringup.harness.records.provenance import versions
from bringup.harness.records.schema import Metric, Op, OpVerdict, Outcome, Status
from bringup.harness.records.verdicts import file_digest
from bringup.harness.records.verdicts.file_digest import digest_of
from bringup.harness.records.verdicts.rules import disagreement

OP = Op(key="k", name="stablehlo.add", source="stablehlo")


DIGESTS: dict[str, Any] = {}
"""Of the libraries of this environment, half a gigabyte: they are read once for all tests."""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRINGUP_CACHE", str(tmp_path / "cache" / "v.sqlite"))
    monkeypatch.setattr(file_digest, "_known", DIGESTS)


def key(device: str, op: Op = OP, values: str = "") -> str:
    return Basis(device, descriptor_of(device), versions(), {}, "execute").key(op, values)


@pytest.mark.parametrize(
    ("device", "distribution"),
    [
        ("cuda", "jax-cuda13-plugin"),
        ("cuda", "jax-cuda12-pjrt"),
        ("pjrt:xla_cpu", "xla-cpu-pjrt"),
        ("pjrt:other", "jax-other-plugin"),
        ("n150", "jax-tt-plugin"),
        ("n150", "pjrt-plugin-tt"),
        ("iree-cpu", "iree-base-runtime"),
        ("iree-cpu", "jaxlib"),
        ("cpu", "jaxlib"),
        ("cpu", "torch-mlir"),
    ],
)
def test_another_version_of_what_a_backend_comes_from_is_another_key(
    monkeypatch: pytest.MonkeyPatch, device: str, distribution: str
) -> None:
    real, found = metadata.version, []
    for number in ("1.0", "2.0"):
        monkeypatch.setattr(
            metadata, "version", lambda n, v=number: v if n == distribution else real(n)
        )
        provenance.versions.cache_clear()
        found.append(key(device))
    provenance.versions.cache_clear()
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("device", "variable", "counts"),
    [
        ("cpu", "XLA_FLAGS", True),
        ("cpu", "JAX_DEFAULT_MATMUL_PRECISION", True),
        ("cuda", "XLA_FLAGS", True),
        ("cuda", "NVIDIA_TF32_OVERRIDE", True),
        ("pjrt:foo", "XLA_FLAGS", True),
        ("pjrt:foo", "FOO_LEVEL", True),
        ("n150", "TT_METAL_HOME", True),
        ("n150", "TTMLIR_ENABLE", True),
        ("n150", "XLA_FLAGS", True),
        ("iree-cpu", "IREE_X", True),
        ("iree-cpu", "LD_PRELOAD_NOT", False),
        ("iree-cpu", "TT_METAL_HOME", False),
        ("n150", "TT_TORCH_SAVE_MLIR", False),
        ("cpu", "HOME_OF_NOTHING", False),
    ],
)
def test_what_a_backend_reads_of_the_environment_is_in_the_key(
    monkeypatch: pytest.MonkeyPatch, device: str, variable: str, counts: bool
) -> None:
    monkeypatch.delenv(variable, raising=False)
    before = key(device)
    monkeypatch.setenv(variable, "--a=1")
    first = key(device)
    monkeypatch.setenv(variable, "--a=2")
    assert (before != first, first != key(device)) == (counts, counts)


def test_the_environment_of_a_golden_counts_only_where_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch_op = msgspec.structs.replace(OP, source="torch")
    before = key("iree-cpu"), key("iree-cpu", torch_op)
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    after = key("iree-cpu"), key("iree-cpu", torch_op)
    assert before[0] != after[0], "the cpu device may be who judges"
    assert before[1] == after[1]


def test_a_plugin_that_was_built_anew_with_the_same_version_has_another_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "libabacus.so"
    monkeypatch.setenv("BRINGUP_PJRT_PLUGIN_ABACUS", str(library))
    library.write_bytes(b"one")
    stat = library.stat()
    first = key("pjrt:abacus")
    assert first == key("pjrt:abacus")
    library.write_bytes(b"two")
    os.utime(library, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # of the same size and time
    second = key("pjrt:abacus")
    assert first != second
    other = tmp_path / "other.so"
    other.write_bytes(b"two")
    os.utime(other, ns=(1, 1))
    other.replace(library)  # moved or touched, and the same
    assert key("pjrt:abacus") == second


def test_the_owner_of_a_plugins_library_counts_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beads").mkdir()
    (tmp_path / "beads" / "lib.so").write_bytes(b"x")
    info = tmp_path / "unguessable-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("beads/__init__.py,,\nbeads/lib.so,sha256=x,1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("BRINGUP_PJRT_PLUGIN_BEADS", str(tmp_path / "beads" / "lib.so"))
    found = []
    for number in ("1.0", "2.0"):
        text = f"Metadata-Version: 2.1\nName: unguessable\nVersion: {number}\n"
        (info / "METADATA").write_text(text)
        provenance.versions.cache_clear()
        found.append(key("pjrt:beads"))
    provenance.versions.cache_clear()
    assert found[0] != found[1]


def test_our_own_judging_code_is_in_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = key("cpu")
    for room in (*keys._JUDGING, "records"):
        (tmp_path / room).mkdir()
    for single in ("mlir.py", "records/fingerprint.py"):
        (tmp_path / single).write_text("")
    monkeypatch.setattr(keys, "_HARNESS", tmp_path)
    found = [before]
    for room, text in [("verify", "a"), ("verify", "b"), ("op_by_op", "a"), ("devices", "a")]:
        (tmp_path / room / "x.py").write_text(text)
        keys._judging_code.cache_clear()
        found.append(key("cpu"))
    (tmp_path / "records/fingerprint.py").write_text("another")
    keys._judging_code.cache_clear()
    found.append(key("cpu"))
    (tmp_path / "records" / "x.py").write_text("no judge")
    keys._judging_code.cache_clear()
    assert key("cpu") == found[-1] and len(set(found)) == len(found)
    keys._judging_code.cache_clear()


def test_a_large_library_is_read_once_and_damaged_notes_are_no_matter(tmp_path: Path) -> None:
    library = tmp_path / "large.so"
    with library.open("wb") as file:
        file.truncate(400 << 20)
    first = digest_of(library)
    file_digest._known.clear()  # another process
    started = time.perf_counter()
    assert digest_of(library) == first
    assert time.perf_counter() - started < 0.05
    for damage in (b"", b"{", b"[]", b'{"x": 1}', b"\xff\xfe", b"[" * 100_000):
        file_digest._known.clear()
        file_digest._file().write_bytes(damage)
        (tmp_path / "small.so").write_bytes(damage)
        assert digest_of(tmp_path / "small.so")
    assert digest_of(tmp_path / "none.so") == ""


# --- what an op is given ---------------------------------------------------------------------


class Logs(torch.nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((4,), scale))

    def forward(self, x: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        table = x.reshape(2, 2)
        return torch.log(x * self.weight), torch.nn.functional.embedding(ids, table)


def origins(scale: float, first: float, index: int) -> dict[str, str]:
    """Name of an op to where its operands come from."""
    module = Logs(scale)
    inputs = (torch.tensor([first, 1.0, 2.0, 3.0]), torch.tensor([index, 1]))
    graph = torch_program.decompose(torch.export.export(module, inputs)).graph
    arguments = [module.weight.detach(), *inputs]
    found = origins_of(graph, arguments)
    ops = {op.op.name: op.op for op in unique_ops(graph, arguments)}
    return {name: found[op.key] for name, op in ops.items()}


def test_an_op_is_told_by_the_values_that_lead_to_it() -> None:
    plain = origins(1.0, 1.0, 0)
    assert plain == origins(1.0, 1.0, 0), "the same model the next night"
    other_input, other_weight, other_index = (
        origins(1.0, -1.0, 0),
        origins(-1.0, 1.0, 0),
        origins(1.0, 1.0, 1),
    )
    log, embedding = "aten.log.default", "aten.embedding.default"
    assert plain[log] not in (other_input[log], other_weight[log])
    assert plain[log] == other_index[log], "nothing of it leads there"
    assert plain[embedding] != other_index[embedding]
    assert plain[embedding] == other_weight[embedding]


@pytest.mark.parametrize(
    ("name", "counts", "in_bf16"),
    [
        *((f"aten.{n}", True, True) for n in ("log.default", "embedding.default", "div.Tensor")),
        *((f"aten.{n}", True, True) for n in ("sqrt.default", "pow.Tensor_Scalar")),
        *(
            (f"aten.{n}", True, True)
            for n in ("gather.default", "index.Tensor", "_softmax.default")
        ),
        *((f"aten.{n}", False, True) for n in ("gelu.default", "mean.dim", "mm.default")),
        *((f"aten.{n}", False, True) for n in ("convolution.default", "add.Tensor")),
        *((f"aten.{n}", False, False) for n in ("view.default", "relu.default", "cat.default")),
        ("aten.view.default+aten.relu.default", False, False),
        ("aten.view.default+aten.add.Tensor", False, True),
        ("somebodys.op", True, True),
        ("aten", True, True),
    ],
)
def test_an_op_that_is_not_known_or_rounds_in_few_digits_counts_its_values(
    name: str, counts: bool, in_bf16: bool
) -> None:
    wide, narrow = TensorType((2,), "float32"), TensorType((2,), "bfloat16")
    assert counts_values(Op("k", name, "torch", (wide,), (wide,))) is counts
    assert counts_values(Op("k", name, "torch", (narrow,), (narrow,))) is in_bf16
    assert counts_values(Op("k", name, "torch", (wide,), (narrow,))) is in_bf16


@pytest.mark.parametrize(
    "value",
    [
        torch.tensor(1.0),
        torch.zeros(0, 3),
        torch.tensor([True, False]),
        torch.ones(3, dtype=torch.bfloat16),
        torch.ones(3, dtype=torch.complex64).conj(),
        torch.ones(4, 4).t()[1:],
        torch.ones(3, dtype=torch.float8_e4m3fn),
        torch.eye(3).to_sparse(),
        torch.ones(WHOLE_BYTES),
        torch.ones(300, 400).t(),
    ],
    ids=lambda v: f"{v.dtype}-{tuple(v.shape)}",
)
def test_any_tensor_has_a_fingerprint(value: torch.Tensor) -> None:
    assert fingerprint(value) == fingerprint(value.clone())


def test_a_fingerprint_sees_one_value_of_a_small_tensor_and_the_rest_of_a_large_one() -> None:
    small, large = torch.zeros(1000), torch.zeros(WHOLE_BYTES)
    other = small.clone()
    other[777] = 1e-30
    assert fingerprint(small) != fingerprint(other)
    assert fingerprint(large) != fingerprint(large + 1e-6)
    assert fingerprint(small) != fingerprint(small.double())
    assert fingerprint(small) != fingerprint(small.reshape(10, 100))


def test_figures_of_other_operands_contradict_nothing() -> None:
    old = OpVerdict(op=OP, device="cpu", status=Status.EXECUTED, pcc=Metric.of(1.0), values="a")
    new = msgspec.structs.replace(old, pcc=Metric.of(0.5))
    assert disagreement(old, new)
    assert not disagreement(old, msgspec.structs.replace(new, values="b"))
    wrong = msgspec.structs.replace(new, values="b", outcome=Outcome.INCORRECT)
    assert disagreement(old, wrong), "but a wrong result does"
