# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every option of every verb: in the help of those that take it, kept by plans, resumed alike."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bringup.harness.errors import HarnessError
from bringup.harness.options.command_line import parser_of, read
from bringup.harness.options.option import Kept, Source, Takes, declared, sources_of
from bringup.harness.records.schema import Plan
from bringup.harness.records.variables import VARIABLES
from bringup.pipeline.cli import history_options_of, main, options_of, options_type_of
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.history_options import OF_HISTORY, HistoryOptions
from bringup.pipeline.option_values import Shard
from bringup.pipeline.options import RUNS, RunOptions
from bringup.pipeline.planning.recorded_options import KEPT, as_planned, choosing
from bringup.pipeline.running import resume
from bringup.pipeline.trying.options import TryOptions
from bringup.pipeline.verb_help import VERBS

DECLARED = declared(RunOptions)
OF_VERB = {v: options_type_of(v) for v in VERBS}
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(
        [
            *("ids", "models", "flows", "modes", "variants", "frameworks", "devices", "swept"),
            "loaders",
        ],
        st.lists(NAMES, max_size=3, unique=True).map(lambda names: tuple(sorted(names))),
    ),
    "all": st.booleans(),
    "no_cache": st.booleans(),
    "limit": st.none() | st.integers(1, 5000),
    "changed": st.sampled_from(["", "HEAD~1"]),
    "split": st.sampled_from(DECLARED["split"].choices),
    "size": st.sampled_from(DECLARED["size"].choices),
    "recheck": st.sampled_from(["", "2%", "0.5", "0"]),
    "lists": st.sampled_from([Path("tests/lists"), Path("elsewhere")]),
    "tests": st.sampled_from(["tests/models", "tests/models/bert"]),
}


def test_every_option_is_in_the_help_of_the_verbs_that_take_it_and_of_no_other() -> None:
    for options in (RunOptions, HistoryOptions, TryOptions):
        for name, made in declared(options).items():
            assert made.verbs and made.verbs <= VERBS.keys(), name
            assert made.help and not made.help.endswith("."), name
    for verb, command in VERBS.items():
        parser = parser_of(command, OF_VERB[verb])
        taken = {action.dest for action in parser._actions} - {"help"}
        assert taken == declared(OF_VERB[verb], verb).keys()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_of_its_own_whose_examples_it_takes(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    for words, why in VERBS[verb].examples:
        assert words in said and why in said
        if verb in OF_HISTORY:
            assert history_options_of(verb, shlex.split(words))
        elif verb == "try":
            assert read(VERBS[verb], TryOptions, shlex.split(words)).values["model"]
        else:
            options = options_of(verb, shlex.split(words))
            assert verb not in RUNS or options.session == verb
    others = {e for v, c in VERBS.items() if v != verb for e in c.examples if e[0]}
    assert not others & set(VERBS[verb].examples) and len(said.splitlines()) < 115


@pytest.mark.parametrize(
    ("verb", "words", "every"),
    [
        ("run", "--tests here", True),
        ("plan", "--session run --tests here --shards 2", True),
        ("run", "--tests here --model bert", False),
        ("run", "here/test_one.py --tests here", False),
        ("run", "--resume results/one --tests here", False),
        ("run", "", False),
        ("nightly", "--tests here", False),
    ],
)
def test_a_folder_that_is_named_alone_is_run_whole(verb: str, words: str, every: bool) -> None:
    assert options_of(verb, shlex.split(words)).all is every


def test_a_variable_that_stands_for_an_option_is_in_the_table() -> None:
    named = {made.variable for made in DECLARED.values() if made.variable}
    assert len(named) == 7 and named <= VARIABLES.keys()


# --- plans and resume -----------------------------------------------------------------------


def test_every_option_that_says_which_tests_run_is_kept_and_tried_here() -> None:
    assert KEPT.keys() == VALUES.keys()


@given(st.fixed_dictionaries(VALUES))
def test_what_a_plan_keeps_comes_back_and_says_so(values: dict[str, Any]) -> None:
    planned = choosing(RunOptions("op_by_op", **values), values["devices"])
    back = as_planned(planned, RunOptions("op_by_op"), "here", "x")
    for name, value in values.items():
        assert getattr(back, name) == value
        assert (back.sources.get(name) is Source.PLAN) == bool(planned[name])
    said = dict.fromkeys(values, Source.COMMAND_LINE)
    again = RunOptions("op_by_op", **values, sources=said)
    assert as_planned(planned, again, "here", "x").sources == said


@given(st.fixed_dictionaries(VALUES), st.fixed_dictionaries(VALUES), st.sampled_from([*VALUES]))
def test_what_is_given_otherwise_is_refused_and_named(
    values: dict[str, Any], others: dict[str, Any], name: str
) -> None:
    plan = Plan(
        run_id="r",
        created=1.0,
        session="op_by_op",
        chosen=choosing(RunOptions("op_by_op", **values), values["devices"]),
    )
    said = RunOptions("op_by_op", **{name: others[name]}, sources={name: Source.COMMAND_LINE})
    if values[name] == others[name]:
        assert getattr(resume.options_of(plan, Path("d"), said), name) == values[name]
        return
    with pytest.raises(PipelineError) as refused:
        resume.options_of(plan, Path("d"), said)
    called = "for " if name == "ids" else f" {DECLARED[name].flag}"
    assert called in str(refused.value) and "resume it with `--resume d` alone" in str(
        refused.value
    )


def test_what_the_environment_says_beside_a_plan_does_not_count() -> None:
    planned = choosing(RunOptions("nightly", devices=("cpu",)), ["cpu"])
    ambient = {"devices": Source.ENVIRONMENT, "workers": Source.ENVIRONMENT}
    options = RunOptions("nightly", devices=("n150",), workers=3, sources=ambient)
    back = as_planned(planned, options, "here", "x")
    assert back.devices == ("cpu",) and back.workers == 3
    assert back.sources["devices"] is Source.PLAN
    assert back.sources["workers"] is Source.ENVIRONMENT


def test_a_plan_of_before_a_filter_was_there_means_its_default() -> None:
    planned = choosing(RunOptions("run", models=("bert",)), ["cpu"])
    later = [name for name, made in KEPT.items() if made.kept is Kept.LATER]
    assert {"flows", "modes", "variants", "frameworks"} <= set(later)
    old = {name: texts for name, texts in planned.items() if name not in later}
    assert as_planned(old, RunOptions("run"), "here", "x").flows == ()
    for name in planned.keys() - later:
        with pytest.raises(PipelineError, match=f"does not say which {name}"):
            less = {n: texts for n, texts in planned.items() if n != name}
            as_planned(less, RunOptions("run"), "here", "x")


@pytest.mark.parametrize(
    ("name", "texts", "sentence"),
    [
        ("size", ("huge",), "--size: invalid choice: 'huge'"),
        ("recheck", ("200%",), "no share of the cached verdicts"),
        ("split", ("torch", "stablehlo"), "--split has one value, and not 2"),
        ("colour", ("red",), "'colour', which this version of bringup does not know"),
    ],
)
def test_a_plan_that_says_what_cannot_be_is_refused(
    name: str, texts: tuple[str, ...], sentence: str
) -> None:
    planned = choosing(RunOptions("run"), ["cpu"]) | {name: texts}
    with pytest.raises(HarnessError, match=sentence):
        as_planned(planned, RunOptions("run"), "here", "x")


# --- single verbs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--session", "op_sweep", "--all"], "op_sweep takes no --all"),
        (["some/id"], "nightly takes no ID"),
        (["--session", "run", "--split", "torch"], "run takes no --split"),
        (["--all", "--budget", "15m"], "--all and --budget exclude each other"),
        (["--session", "nihgtly"], "--session: invalid choice: 'nihgtly'; there are nightly"),
        (["--shards", "0"], "`0` is no number of shards"),
        (["--session", "op_by_op", "--split", "torch", "--flow", "full"], "exclude each other"),
    ],
)
def test_a_plan_takes_what_its_session_takes(words: list[str], sentence: str) -> None:
    with pytest.raises(HarnessError, match=sentence):
        options_of("plan", ["--shards", "2", *words])
    assert options_of("plan", ["--shards", "2", "--session", "op_by_op", "--all"]).all


def test_options_are_spoken_as_they_are_given() -> None:
    words = ["a.py", "--model", "x", "--model", "y", "--shard", "2/5", "--dry-run", "--resume"]
    options = options_of("run", words)
    said = dict(sources_of(options, options.sources, "run"))
    for text in ("a.py", "--model x --model y", "--shard 2/5", "--dry-run", "--resume"):
        assert said[text] is Source.COMMAND_LINE
    assert said["--size base"] is said["--no-cache"] is Source.DEFAULT


def test_a_shard_reads_as_it_is_written() -> None:
    assert str(options_of("nightly", ["--shard", "2/5"]).shard) == "2/5"
    assert options_of("nightly", []).shard == Shard(1, 1) == (1, 1)


def test_values_that_are_parsed_have_their_declared_defaults() -> None:
    for name, made in DECLARED.items():
        assert getattr(RunOptions("run"), name) == made.default or name == "session"
        assert (made.default == ()) == (made.takes is Takes.VALUES), name
