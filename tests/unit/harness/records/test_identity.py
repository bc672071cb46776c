# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test is: by its id, by what pytest says of it, and by the key that history hangs on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bringup.harness.records.aliases import read_aliases, renamed
from bringup.harness.records.naming import (
    FLOWS,
    MODES,
    SIZES,
    entry_of,
    identity_of,
    identity_of_key,
    nodeid_on,
    parts_of,
    run_again,
    same_test,
)
from bringup.harness.records.schema import Identity
from bringup.pipeline.lists.lists import problems, read_lists
from bringup.pipeline.lists.specs import SHIPPED, WEEKLY_OP_BY_OP
from bringup.pipeline.planning.collect import Collected, collect_tests
from bringup.pipeline.planning.plan import at_size, from_entries

ROOT = Path(__file__).parents[4]
PEERS = [
    line
    for line in (ROOT / "tests/data/peer_ids.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
X = "tests/models/x/test_x.py::test_x"
DEVICES = ("cpu", "iree-cpu", "n150", "n300-llmbox")
SPELLED = """a :: a::b [ ] c[d] tiny base cpu n150 llmbox full eval train op_by_op_torch google/t5
    .py:: ö _onnx @ @cpu"""
WORDS = st.sampled_from(SPELLED.split())
VARIANTS = st.one_of(
    st.lists(WORDS, min_size=1, max_size=4).map("-".join),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12),
)


@given(
    VARIANTS,
    st.sampled_from(FLOWS),
    st.sampled_from(MODES),
    st.sampled_from(SIZES),
    st.sampled_from(DEVICES),
    st.sampled_from(["", "TestA::", "TestA::TestB::"]),
)
def test_an_entry_its_planned_id_and_its_key_say_the_same(
    variant: str, flow: str, mode: str, size: str, device: str, classes: str
) -> None:
    entry = f"tests/models/x/test_x.py::{classes}test_x[{flow}-{variant}-{mode}]"
    identity = identity_of(entry, device, size)
    qualifier = classes.replace("::", ".").removesuffix(".")
    assert identity == Identity("x", variant, flow, mode, "torch", device, qualifier, size)
    assert identity_of_key(identity.key) == identity
    nodeid = nodeid_on(entry, device, size)
    assert entry_of(nodeid, device, size) == entry
    (test,) = at_size(from_entries([entry], [device], lambda _: None), size, lambda _: None)
    assert (test.identity, test.nodeid, test.entry) == (identity, nodeid, entry)
    again = run_again(nodeid, identity, test.entry)
    assert (" --size tiny" in again) == (size == "tiny")


@given(VARIANTS, VARIANTS)
def test_two_variants_are_two_tests(one: str, other: str) -> None:
    keys = {identity_of(f"{X}[full-{v}-eval]", "cpu", s).key for v in (one, other) for s in SIZES}
    assert len(keys) == (4 if one != other else 2)


@pytest.mark.parametrize(
    ("params", "variant", "flow", "mode"),
    [
        ("full-train-test-split-eval", "train-test-split", "full", "eval"),
        ("single_device-full-eval-vgg19", "single_device-vgg19", "full", "eval"),
        ("large-op_by_op_torch-eval", "large", "op_by_op_torch", "eval"),
        ("bart/pytorch-full-x-full-eval", "bart/pytorch-full-x", "full", "eval"),
        ("eval-op_by_op_stablehlo-a", "a", "op_by_op_stablehlo", "eval"),
        ("full-eval-harness-train", "eval-harness", "full", "train"),
    ],
)
def test_flow_and_mode_are_told_by_their_places(
    params: str, variant: str, flow: str, mode: str
) -> None:
    found = identity_of(f"{X}[{params}]", "cpu")
    assert (found.variant, found.flow, found.mode) == (variant, flow, mode)


def test_a_peers_ids_are_tests_of_their_own_and_say_what_they_are() -> None:
    found = {identity_of(entry, "n150") for entry in PEERS}
    assert len(found) == len({i.key for i in found}) == len(set(PEERS)) > 30
    assert {(i.flow, i.mode, i.size) for i in found} == {("full", "eval", "base")}
    assert all(i.variant.count("full") + i.variant.count("eval") == 0 for i in found)


def test_tests_of_one_name_are_told_apart_or_refused() -> None:
    named = [
        "tests/models/resnet/test_resnet.py::test_resnet[full-eval]",
        "tests/models/resnet50/test_resnet50.py::test_resnet[full-eval]",
        "tests/models/resnet/test_resnet_n300.py::test_resnet[full-eval]",
        "tests/models/resnet/test_resnet.py::TestA::test_resnet[full-eval]",
        "tests/models/resnet/test_resnet.py::TestB::test_resnet[full-eval]",
        "tests/models/resnet/test_resnet_onnx.py::test_resnet_onnx[full-eval]",
    ]
    assert len({identity_of(entry, "cpu").key for entry in named}) == len(named)
    moved = "tests/models/other/test_resnet.py::test_resnet[full-eval]"
    key = identity_of(moved, "cpu").key
    assert key == identity_of(named[0], "cpu").key
    said = same_test(named[0], moved, key)
    assert "other/test_resnet.py" in said and "resnet[full-eval]" in said


def test_ids_on_the_lists_have_the_keys_they_had_before() -> None:
    for entry in read_lists(ROOT / "tests/lists").entries:
        parts = parts_of(entry.test)
        words = [w for w in parts.words if w not in FLOWS and w not in MODES]
        flow = next(w for w in parts.words if w in FLOWS)
        mode = next(w for w in parts.words if w in MODES)
        name = parts.function.removeprefix("test_")
        params = "-".join(w for w in (flow, "-".join(words), mode) if w)
        assert entry.identity.key == f"{name}[{params}]@{entry.device}"


# --- pytest's word --------------------------------------------------------------------------

ODD = """
import enum
import pytest
class Backend(enum.Enum):
    TORCH = 1
    STABLEHLO = 2
each = pytest.mark.parametrize
@each("mode", ["eval"])
@each("op_by_op", [Backend.STABLEHLO, Backend.TORCH, None], ids=["op_by_op_stablehlo", "op", "no"])
@each("variant", ["w-train", "train-test-split", "f-tiny", "g-cpu", "a::b", "c[d]", "full-eval"])
def test_behind(variant, op_by_op, mode): pass
@each("variant,more", [("w-train", 1), ("x-op_by_op_torch", 2)])
@each("mode", ["eval"])
@each("flow", ["full"])
def test_before(variant, more, mode, flow): pass
@each("flow", ["full-eval"])
class TestA:
    @each("model_name", ["eval-train"])
    def test_twin(self, flow, model_name): pass
class TestB:
    @each("flow", ["full-eval"])
    def test_twin(self, flow): pass
def test_plain(): pass
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Collected:
    root = tmp_path_factory.mktemp("odd")
    (root / "pytest.ini").write_text("[pytest]\n")
    (root / "models").mkdir()
    (root / "models" / "test_odd.py").write_text(ODD)
    return collect_tests("models", root)


def test_what_pytest_says_of_parameters_counts(odd: Collected) -> None:
    behind = {
        (i.variant, i.flow)
        for i in odd.identities.values()
        if i.model == "behind" and i.mode == "eval"
    }
    variants = ["w-train", "train-test-split", "f-tiny", "g-cpu", "a::b", "c[d]", "full-eval"]
    assert behind == {(v, f) for v in variants for f in FLOWS}
    before = [i for i in odd.identities.values() if i.model == "before"]
    assert {(i.variant, i.flow, i.mode) for i in before} == {
        ("w-train-1", "full", "eval"),
        ("x-op_by_op_torch-2", "full", "eval"),
    }
    assert len({i.key for i in odd.identities.values()}) == len(odd.ids)
    assert odd.broken == {}


def test_lists_plans_and_keys_take_pytests_word(odd: Collected, tmp_path: Path) -> None:
    entry = "models/test_odd.py::test_behind[full-eval-no-eval]"
    assert identity_of(entry, "cpu") != odd.identify(entry, "cpu"), "the id alone is no help"
    (test,) = from_entries([entry], ["cpu"], lambda _: None, odd.identify)
    assert test.identity == odd.identify(entry, "cpu") == identity_of_key(test.identity.key)
    for name in SHIPPED:
        listed = f'[cpu]\ntests = ["{entry}"]\n' if name is WEEKLY_OP_BY_OP else ""
        (tmp_path / name.file_name).write_text(listed)
    said = problems(read_lists(tmp_path), odd.ids, ["cpu"], identify=odd.identify)
    assert len(said) == 1 and "a test of the flow full belongs in" in said[0]


# --- names that changed ---------------------------------------------------------------------


def test_old_names_of_rehearsals_lead_to_tests_that_there_are() -> None:
    lists = ROOT / "tests/lists"
    names = {e.identity.name for e in read_lists(lists).entries}
    aliases = read_aliases(lists)
    for old, new in aliases.items():
        assert old not in names
        base, _, size = new.rpartition(":")
        assert base in names and size == "tiny"
        assert identity_of_key(renamed(f"{old}@cpu", aliases)).key == f"{new}@cpu"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[names]\na = 1\n", "Expected `str`, got `int`"),
        ("[name]\n", "unknown field `name`"),
        ("[", "aliases.toml"),
        ("a = " + "[" * 5000, "aliases.toml"),
    ],
)
def test_a_bad_file_of_aliases_is_a_sentence(
    tmp_path: Path, text: str, said: str, raised: Callable[[Callable[[], object]], str]
) -> None:
    (tmp_path / "aliases.toml").write_text(text)
    assert said in raised(lambda: read_aliases(tmp_path))


@pytest.fixture
def raised() -> Callable[[Callable[[], object]], str]:
    def sentence(read: Callable[[], object]) -> str:
        from bringup.harness.errors import HarnessError

        with pytest.raises(HarnessError) as error:
            read()
        return str(error.value)

    return sentence
