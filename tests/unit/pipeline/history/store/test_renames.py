# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import tomllib

from bringup.harness.records.schema import Outcome
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.history.store.renames import likely_renames


def sample(name: str, night: int, ir: str = "a", device: str = "cpu") -> Sample:
    return Sample(
        run=f"night {night}",
        at=float(night),
        test=f"{name}@{device}",
        device=device,
        outcome=Outcome.PASSED,
        ir_hash=ir,
    )


def proposed(*samples: Sample) -> list[tuple[str, str]]:
    return [(r.old, r.new) for r in likely_renames(samples)]


def test_a_name_that_came_when_another_went_is_proposed() -> None:
    (found,) = likely_renames(
        [
            *(sample("old[full-eval]", n, device=d) for n in (1, 2) for d in ("cpu", "n150")),
            *(sample("new[full-eval]", n, device=d) for n in (3, 4) for d in ("cpu", "n150")),
            *(sample("other[full-eval]", n) for n in (1, 2, 3, 4)),
        ]
    )
    assert (found.old, found.new) == ("old[full-eval]", "new[full-eval]")
    assert (found.devices, found.last, found.first) == (("cpu", "n150"), "night 2", "night 3")
    assert tomllib.loads(found.line) == {"old[full-eval]": "new[full-eval]"}


def test_nothing_is_proposed_of_tests_that_are_two() -> None:
    old = [sample("old[full-eval]", 1), sample("old[full-eval]", 2)]
    assert proposed(*old, sample("new[full-eval]", 3, ir="b")) == []  # given something else
    assert proposed(*old, sample("new[full-eval]", 2)) == []  # both ran in one night
    assert proposed(*old, sample("new[full-large-eval]", 3)) == []  # another variant
    assert proposed(*old, sample("new[full-train]", 3)) == []
    assert proposed(*old, sample("new[full-eval]", 3, device="n150")) == []
    assert proposed(*old, sample("new[full-eval]:tiny", 3)) == []
    assert proposed(sample("old[full-eval]", 1, ir=""), sample("new[full-eval]", 2, ir="")) == []


def test_which_of_two_nobody_guesses() -> None:
    old = sample("old[full-eval]", 1)
    assert proposed(old, sample("a[full-eval]", 2), sample("b[full-eval]", 3)) == []
    assert proposed(old, sample("older[full-eval]", 1), sample("new[full-eval]", 2)) == []


def test_a_name_whose_graph_changed_before_is_followed_by_its_last() -> None:
    life = [sample("old[full-eval]", 1, ir="x"), sample("old[full-eval]", 2)]
    after = [sample("new[full-eval]", 3), sample("new[full-eval]", 4, ir="y")]
    assert proposed(*life, *after) == [("old[full-eval]", "new[full-eval]")]


def test_a_name_is_a_line_of_toml_whatever_it_has_in_it() -> None:
    odd = 'o"d\\\x01[full-eval]'
    (found,) = likely_renames([sample(odd, 1), sample("new[full-eval]", 2)])
    assert tomllib.loads(found.line) == {odd: "new[full-eval]"}
