# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How long a test is expected to take: from whom it may be learnt and from whom not."""

import math
import multiprocessing
import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from bringup.harness.records.schema import Identity, Outcome, Stage, StageResult, TestRecord
from bringup.harness.records.values import CACHED_FROM, REUSED_FROM
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.durations import (
    KEPT,
    Durations,
    Estimator,
    Sample,
    add_durations,
    combined,
    observed,
    read_durations,
    renamed,
)
from bringup.pipeline.planning.quantiles import quantile
from tests.unit.run_builder import STARTED, identity, record

T5 = identity("t5", "cpu")


def took(
    seconds: float, test: Identity = T5, outcome: Outcome = Outcome.PASSED, at: float = 0.0
) -> TestRecord:
    return record(test, outcome, started=STARTED + at, ended=STARTED + at + seconds)


def estimate(test: Identity, *records: TestRecord, **aliases: str) -> float | None:
    return Estimator(observed(records), aliases)(test)


class TestEstimates:
    def test_nothing_known_is_none(self) -> None:
        assert estimate(T5) is None

    def test_the_upper_quartile_of_the_last_attempts(self) -> None:
        nights = [
            took(seconds, at=86_400 * i) for i, seconds in enumerate([900, 800, 10, 20, 30, 40, 50])
        ]
        assert estimate(T5, *nights) == 40  # what was long ago is forgotten

    @pytest.mark.parametrize(
        "outcome",
        [
            Outcome.SKIPPED,
            Outcome.NOT_RUN,
            Outcome.KILLED,
            Outcome.CRASHED,
            Outcome.TIMEOUT,
            Outcome.INFRA,
        ],
    )
    def test_who_did_not_come_to_an_end_teaches_nothing(self, outcome: Outcome) -> None:
        assert estimate(T5, took(0.01, outcome=outcome)) is None
        assert estimate(T5, took(60), took(0.01, outcome=outcome, at=99)) == 60

    @pytest.mark.parametrize("outcome", [Outcome.REACHED, Outcome.INCORRECT, Outcome.FAILED])
    def test_a_bad_end_is_an_end(self, outcome: Outcome) -> None:
        assert estimate(T5, took(60, outcome=outcome)) == 60

    def test_an_attempt_of_no_length_is_no_attempt(self) -> None:
        assert estimate(T5, took(0)) is None
        assert estimate(T5, record(T5, ended=None)) is None

    def test_devices_do_not_overwrite_each_other(self) -> None:
        n150 = identity("t5", "n150")
        found = [took(60), took(5, n150, at=99)]
        assert estimate(T5, *found) == 60
        assert estimate(n150, *found) == 5

    def test_a_new_device_starts_from_the_others(self) -> None:
        found = [took(60), took(20, identity("t5", "n150")), took(999, identity("bert", "p150"))]
        assert estimate(identity("t5", "p150"), *found) == 40

    def test_a_new_model_starts_from_its_flow(self) -> None:
        found = [took(60), took(20, identity("bert", "cpu"))]
        found += [took(700, identity("t5", "cpu", flow="op_by_op_torch"))]
        assert estimate(identity("new", "p150"), *found) == 40
        assert estimate(identity("new", "p150", flow="op_by_op_torch"), *found) == 700
        assert estimate(identity("new", "p150", flow="op_by_op_stablehlo"), *found) is None

    def test_an_unknown_test_lasts_as_its_model_does_and_else_as_its_family(self) -> None:
        known = Estimator(
            observed(
                took(seconds, identity(model, "cpu"))
                for model, seconds in (("qwen2", 50.0), ("bert", 5.0), ("clip", 9.0))
            )
        )
        assert known(replace(identity("qwen2", "n150"), variant="7b")) == 50.0
        assert known(identity("qwen_3_vl", "cpu")) == 50.0
        assert known(identity("new", "cpu")) == 9.0

    def test_what_holds_a_board_is_learnt_from_the_test_itself(self) -> None:
        stages = (
            StageResult(Stage.LOAD, ok=True, wall_s=3.0),
            StageResult(Stage.COMPILE, ok=True, wall_s=2.0),
            StageResult(Stage.EXECUTE, ok=True, wall_s=1.0),
            StageResult(Stage.VERIFY, ok=True, wall_s=4.0),
        )
        ran = replace(took(20.0), stages=stages)
        known = Estimator(observed([ran]))
        assert known.on_device(T5) == 20.0 * 0.3
        assert known.on_device(identity("t5", "n150")) is None
        compiled = replace(took(20.0), stages=stages[:2])
        walked = replace(took(20.0, identity("t5", "cpu", flow="op_by_op_torch")), stages=stages)
        broken = (*stages, StageResult(Stage.GOLDEN, ok=True, wall_s=math.nan))
        for other in (compiled, walked, replace(ran, stages=broken)):
            assert Estimator(observed([other])).on_device(other.identity) is None

    def test_phases_are_learnt_from_attempts_that_loaded_the_model_themselves(self) -> None:
        def stages(load: float, compiles: float, shared: bool = False) -> tuple[StageResult, ...]:
            of_another = {REUSED_FROM: "t5 on cpu"} if shared else {}
            return (
                StageResult(Stage.LOAD, ok=True, wall_s=load, attributes=of_another),
                StageResult(Stage.COMPILE, ok=True, wall_s=compiles),
                StageResult(Stage.VERIFY, ok=True, wall_s=1.0),
            )

        n150 = identity("t5", "n150")
        first = [replace(took(30, at=i), stages=stages(i + 10.0, i + 2.0)) for i in range(5)]
        then = [replace(took(9, n150, at=i), stages=stages(0.0, 4.0, shared=True)) for i in (1, 2)]
        known = Estimator(observed([*first, *then]))
        assert known.front(T5) == 13.0 and known.phase(T5, "front", 0.5) == 12.0
        assert (known.phase(T5, "device"), known.phase(T5, "verify")) == (5.0, 1.0)
        assert known.phase(n150, "front") is None and known.front(n150) == 13.0
        assert known.phase(n150, "device") == 4.0
        assert known.front(identity("other", "cpu")) is None
        odd = (StageResult(Stage.LOAD, ok=True, wall_s=-1.0), *stages(1.0, 2.0))
        (sample,) = observed([replace(took(9), stages=odd[:1])]).samples[T5.key]
        assert sample.phases is None, "a clock that was set"

    def test_a_night_with_nothing_kept_is_not_planned_by_nights_that_had_it(self) -> None:
        kept = StageResult(Stage.COMPILE, ok=True, wall_s=0.0, attributes={CACHED_FROM: "r1"})
        warm = [replace(took(5, at=100 + i), stages=(kept,)) for i in range(KEPT + 1)]
        found = observed([took(60), *warm])
        assert Estimator(found)(T5) == 5 and Estimator(found, cold=True)(T5) == 60
        assert Estimator(observed(warm), cold=True)(T5) is None
        walked = identity("t5", "cpu", flow="op_by_op_torch")
        by_ops = observed([took(60, walked), took(5, walked, at=9)], cached=[walked.key])
        assert [s.cached for s in by_ops.samples[walked.key]] == [True, True]
        assert len(combined(found).samples[T5.key]) == KEPT + 1, "of each kind the latest"

    def test_what_passes_now_is_not_expected_to_end_as_early_as_when_it_failed(self) -> None:
        failed = [took(4, outcome=Outcome.FAILED, at=i) for i in range(3)]
        passed = [took(60 + i, at=10 + i) for i in range(2)]
        assert estimate(T5, *failed, *passed) == 60.75
        assert estimate(T5, *failed, passed[0]) == 18.0, "once may be chance"

    def test_memory_is_learnt_from_the_model_and_from_no_other(self) -> None:
        samples = (Sample(1.0, STARTED, 7 << 30), Sample(1.0, STARTED + 1, 5 << 30))
        known = Estimator(Durations({T5.key: samples}))
        assert known.memory(replace(T5, variant="xxl", device="n150")) == 7 << 30
        assert known.memory(identity("t50", "cpu")) is None

    def test_a_quantile_lies_between_its_neighbours(self) -> None:
        assert quantile([7.0], 0.75) == 7.0
        assert quantile([3.0, 1.0], 0.75) == 2.5
        assert quantile([1.0, 2.0, 3.0, 4.0, 5.0], 0.75) == 4.0


class TestRenames:
    def test_history_follows_a_rename(self) -> None:
        new = identity("t5_encoder", "cpu")
        assert estimate(new, took(60), **{"t5[full-eval]": "t5_encoder[full-eval]"}) == 60

    def test_an_alias_may_be_for_one_device_only(self) -> None:
        aliases = {"t5[full-eval]@cpu": "t5[full-eval]@xla"}
        assert renamed("t5[full-eval]@cpu", aliases) == "t5[full-eval]@xla"
        assert renamed("t5[full-eval]@n150", aliases) == "t5[full-eval]@n150"

    def test_renames_follow_each_other_and_never_turn_in_circles(self) -> None:
        assert renamed("a@cpu", {"a": "b", "b": "c"}) == "c@cpu"
        assert renamed("a@cpu", {"a": "b", "b": "a"}) == "a@cpu"
        assert renamed("a@cpu", {"a": "a"}) == "a@cpu"

    def test_both_names_samples_count_together(self) -> None:
        new = identity("t5_encoder", "cpu")
        found = [took(10), took(20, new, at=99)]
        both = combined(observed(found), aliases={"t5[full-eval]": "t5_encoder[full-eval]"})
        times = {key: [(s.seconds, s.started) for s in each] for key, each in both.samples.items()}
        assert times == {new.key: [(10.0, STARTED), (20.0, STARTED + 99)]}


class TestTheFile:
    def test_an_absent_file_knows_nothing(self, tmp_path: Path) -> None:
        assert read_durations(tmp_path / "durations.json") == Durations()

    def test_the_same_records_twice_are_the_same_records(self, tmp_path: Path) -> None:
        path = tmp_path / "results/durations.json"
        add_durations(path, [took(60)])
        once = path.read_bytes()
        assert add_durations(path, [took(60)]) == read_durations(path)
        assert path.read_bytes() == once

    def test_the_order_of_merging_does_not_matter(self) -> None:
        chance = random.Random(3)
        nights = [observed([took(10 + i, at=1000 * i)]) for i in range(12)]
        wanted = combined(*nights)
        assert len(wanted.samples[T5.key]) == KEPT
        for _ in range(20):
            found = Durations()
            for night in chance.sample(nights, len(nights)):
                found = combined(found, night)
            assert found == wanted

    def test_writers_at_the_same_time_lose_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "durations.json"
        context = multiprocessing.get_context("fork")
        writers = [context.Process(target=write_some, args=(path, w)) for w in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(60)
        assert [writer.exitcode for writer in writers] == [0] * 4
        assert len(read_durations(path).samples) == 4 * 10

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "not a file of durations"),
            ("[]", "not a file of durations"),
            ('{"samples": {"a": [["x", 1]]}}', "not a file of durations"),
            ('{"samples": {}, "schema": 99}', "durations schema 99"),
        ],
    )
    def test_what_it_cannot_read_it_neither_uses_nor_overwrites(
        self, tmp_path: Path, text: str, sentence: str
    ) -> None:
        path = tmp_path / "durations.json"
        path.write_text(text)
        with pytest.raises(PipelineError, match=sentence):
            add_durations(path, [took(60)])
        assert path.read_text() == text

    def test_two_thousand_tests_stay_small(self, tmp_path: Path) -> None:
        path = tmp_path / "durations.json"
        fleet = [identity(f"model_number_{i}", "cpu") for i in range(2000)]
        add_durations(path, [took(61.234567, t, at=n * 86_400.5) for t in fleet for n in range(9)])
        assert path.stat().st_size < 900_000


def write_some(path: Path, writer: int) -> None:
    for i in range(10):
        add_durations(path, [took(1 + i, identity(f"w{writer}_{i}", "cpu"))])
