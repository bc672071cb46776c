# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import pytest

from bringup.harness.records.night import Moment
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.causes.clusters import Failing, cluster
from bringup.pipeline.history.causes.rules import CAUSES_NAME, Rule, parse_rules, read_rules

FFT = "error: failed to legalize operation 'stablehlo.fft' that was explicitly marked illegal"
ROOM = "Not enough space to allocate {} B L1 buffer across 64 banks"


def failing(test: str, message: str, device: str = "n150", **fields: str) -> Failing:
    return Failing(f"{test}[full-eval]@{device}", device, "compile", message, **fields)


def test_a_model_and_ops_that_fail_for_one_reason_are_one_cause() -> None:
    found = cluster(
        [
            failing("bert", FFT, model="BERT"),
            failing("t5", FFT, "p150", op="aten.fft_r2c", op_key="k", command="repro k"),
            failing("vit", ROOM.format(7)),
        ]
    )
    fft, room = found.clusters
    assert found.of == (fft.id, fft.id, room.id)
    assert fft.name == "stablehlo.fft: no legal lowering"
    assert (fft.op, fft.stage) == ("stablehlo.fft", "compile")
    assert (fft.models, fft.devices, fft.ops) == (("BERT", "t5"), ("n150", "p150"), 1)
    assert (fft.example, fft.command) == (FFT, "repro k"), "an example that can be run goes first"
    assert found.of_test["vit[full-eval]@n150"] == room.id


def test_a_cluster_keeps_its_id_when_failures_join_it_and_knows_when_it_began() -> None:
    old = failing("vit", "the widget is out of room for new frames today")
    new = failing("t5", "aaa: the widget is out of room for new frames today")
    seen = {old.mark: Moment("n3", 3.0)}
    (alone,) = cluster([old], first_seen=seen).clusters
    (both,) = cluster([new, old], first_seen=seen).clusters
    assert both.id == alone.id and both.first_seen == Moment("n3", 3.0)
    assert both.fingerprints == (old.mark, new.mark)


def test_the_order_of_failures_says_nothing() -> None:
    failures = [failing(f"m{i}", ROOM.format(i) if i % 2 else FFT) for i in range(6)]
    failures += [failing("a", "some rare thing"), failing("b", "no such file")]
    assert cluster(failures).clusters == cluster(failures[::-1]).clusters


def test_a_rule_names_merges_and_says_whose_it_is() -> None:
    rules = parse_rules("stablehlo.fft -> No spectra, acme/x#7, @ada\nROOM*zzz -> No spectra", "f")
    found = cluster([failing("a", FFT), failing("b", "more room for zzz, please")], rules)
    (one,) = found.clusters
    assert (one.name, one.issue, one.owner) == ("No spectra", "acme/x#7", "@ada")
    assert len(one.tests) == 2 and len(one.fingerprints) == 2


def test_rules_are_read_with_comments_and_a_pattern_may_hold_an_arrow() -> None:
    text = "# a comment\n\n  A -> B IR failed -> Torch says no,  https://x.y/1 \n"
    assert parse_rules(text, "f") == (
        Rule("A -> B IR failed", "Torch says no", "https://x.y/1", "", 3),
    )
    assert parse_rules("x*Y  z -> n, someone", "f")[0].matches("aX then y Z")
    assert not parse_rules("x*y -> n", "f")[0].matches("y x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no arrow", "f:1: a rule reads"),
        ("# c\n* -> all", "f:2: the pattern has no words"),
        (" -> name", "f:1: "),
        ("p -> ", "f:1: "),
        ("p -> , #7", "f:1: the rule gives no name"),
        ("p -> n, #7, #8", "f:1: behind the name.*'#8' is neither"),
        ("p -> n, a, b", "f:1: .*'b' is neither"),
        ("p -> n\nP -> m", "f:2: line 1 has this pattern already"),
    ],
)
def test_a_line_that_is_no_rule_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(HistoryError, match=said):
        parse_rules(text, "f")


def test_the_rules_lie_beside_the_lists(tmp_path: Path) -> None:
    assert read_rules(tmp_path) == ()
    assert read_rules(Path("tests/lists")) == ()
    (tmp_path / CAUSES_NAME).write_bytes(b"a -> \xff")
    with pytest.raises(HistoryError, match=r"causes\.txt is not UTF-8"):
        read_rules(tmp_path)
