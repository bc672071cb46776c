# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""An op's key: everything that decides what it computes changes it, and nothing else does."""

import os
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch.fx import Graph

from bringup.harness.mlir import TorchMlir
from bringup.harness.ops.identity import IdentityError, stablehlo_op, torch_op, torch_operands
from bringup.harness.records.schema import TensorType
from tests.unit.drawn_ops import Choice, drawn, mutated
from tests.unit.drawn_stablehlo import STABLEHLO, Cosmetics, meaning, operation_of
from tests.unit.drawn_torch import TORCH, aten, fake, node_of

MUTATIONS = int(os.environ.get("BRINGUP_KEY_MUTATIONS", "2000"))
"""For each of the two kinds of op; the issue's figure is 10,000."""


@pytest.fixture(scope="module")
def mlir() -> TorchMlir:
    return TorchMlir()


def wrongly_keyed(
    families: Mapping[str, Any], rng: random.Random, keyed: Callable[[str, Choice], tuple[str, str]]
) -> list[str]:
    """What of drawn ops and mutations of them has another's key, or two keys.

    `keyed` gives, for a choice in a family, what the op is, and its key.
    """
    keys: dict[str, str] = {}
    owners: dict[str, str] = {}
    wrong = []
    for _ in range(MUTATIONS):
        family = rng.choice(sorted(families))
        domain = families[family][1]
        choice = drawn(rng, domain)
        for each in (choice, mutated(rng, choice, domain)):
            spelled, key = keyed(family, each)
            if keys.setdefault(spelled, key) != key:
                wrong.append(f"{spelled}: another key for other names")
            if owners.setdefault(key, spelled) != spelled:
                wrong.append(f"{spelled}: the key of {owners[key]}")
    assert len(keys) > 100, "too few ops were drawn to prove anything"
    return wrong


def test_every_change_to_a_stablehlo_op_changes_its_key_and_nothing_else_does(
    mlir: TorchMlir,
) -> None:
    rng = random.Random(11)

    def keyed(family: str, choice: Choice) -> tuple[str, str]:
        _module, operation = operation_of(mlir, STABLEHLO[family][0](choice, Cosmetics(rng)))
        return f"{family} {meaning(family, choice)}", stablehlo_op(operation).key

    assert wrongly_keyed(STABLEHLO, rng, keyed) == []


def test_every_change_to_a_torch_op_changes_its_key_and_nothing_else_does() -> None:
    rng = random.Random(12)

    def keyed(family: str, choice: Choice) -> tuple[str, str]:
        return f"{family} {choice}", torch_op(TORCH[family][0](choice, rng)).key

    assert wrongly_keyed(TORCH, rng, keyed) == []


def test_strides_count_only_where_an_op_reads_them() -> None:
    rng = random.Random(0)
    straight, turned = fake([4, 6], torch.float32), fake([4, 6], torch.float32, permuted=True)
    relu = [torch_op(node_of(aten.relu.default, (t,), {}, rng)) for t in (straight, turned)]
    assert relu[0].key == relu[1].key
    viewed = torch_op(node_of(aten.view.default, (turned, [4, 6]), {}, rng))
    assert viewed.inputs == (TensorType((4, 6), "float32", (1, 4)),)


def test_an_operand_taken_twice_is_two_inputs() -> None:
    graph = Graph()
    x = graph.placeholder("x")
    x.meta["val"] = fake([2], torch.float32)
    node = graph.call_function(aten.cat.default, ([x, x],))
    node.meta["val"] = fake([4], torch.float32)
    op = torch_op(node)
    assert torch_operands(node) == [x, x]
    assert op.attributes["tensors"] == "[%0, %1]" and len(op.inputs) == 2


def test_what_has_no_canonical_text_is_refused() -> None:
    node = node_of(aten.relu.default, (object(),), {}, random.Random(0))
    with pytest.raises(IdentityError, match="type object has no canonical text"):
        torch_op(node)


def test_a_large_constant_operand_is_an_input_and_a_long_attribute_a_digest(
    mlir: TorchMlir,
) -> None:
    def op_of(values: list[int]) -> Any:
        t = f"tensor<{len(values)}xi32>"
        text = f"""func.func @main(%a: {t}) {{
            %k = stablehlo.constant dense<{values}> : {t}
            %r = stablehlo.add %a, %k {{note = dense<{values}> : {t}}} : {t}
            return
        }}"""
        _module, operation = operation_of(mlir, text)
        return stablehlo_op(operation)

    first, second = op_of(list(range(400))), op_of([*range(399), 7])
    assert len(first.inputs) == 2 and "sha256:" in first.attributes["note"]
    assert first.key != second.key
