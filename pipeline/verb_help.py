# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What each verb's help says beside its options: a line, its own examples, its own notes."""

from bringup.harness.options.command_line import Command

_TIME = """\
Each test may run 900 s, or three times its estimate if that is longer; --timeout sets another
limit for all."""
_FILTERS = """\
--model, --flow, --mode, --variant and --framework narrow together; one of them repeated widens.
Each is the whole name or, where nothing is called exactly that, a part of it."""
_CACHE = """\
Op by op takes verdicts out of a cache, BRINGUP_CACHE (a directory, or a file such as
verdicts.sqlite; default: ~/.cache/bringup). After a run, once a day, verdicts not used for
BRINGUP_CACHE_DAYS (90) days are forgotten, and the least recently used above
BRINGUP_CACHE_GIB (4)."""
_PROMISES = """\
A full model keeps its promise when it passes, or compiles where the device only compiles; the
end-to-end compile list when it stops where asked."""
_IDS = """\
An ID is a test without size and device, or what all its tests are in: a function, class, file or
folder. No ID is ever taken for a model's name, nor the other way round."""


def _verb(name: str, says: str, *examples: tuple[str, str], notes: tuple[str, ...] = ()) -> Command:
    return Command(name, "", says, examples, "\n\n".join(notes))


_ALL = (
    _verb(
        "nightly",
        "Run the nightly lists: full model execute, end-to-end compile, op by op.",
        ("", "on every device that is here"),
        ("--device cpu,n150 --dry-run", "what would run, in which order, and why"),
        ("--model bert --flow full", "bert alone, as a whole model"),
        ("--budget 15m", "the tests that tell most and fit into so long"),
        ("--plan results/plan.json --shard 2/5", "one job of five, of a plan by `plan`"),
        ("--resume", "go on with the newest night that was cut off"),
        notes=(_FILTERS, _PROMISES, _TIME, _CACHE),
    ),
    _verb(
        "weekly",
        "Run the weekly op-by-op list.",
        ("", "on every device that is here"),
        ("--framework onnx", "what comes from ONNX"),
        ("--no-cache", "computing every op anew"),
        notes=(_FILTERS, _TIME, _CACHE),
    ),
    _verb(
        "e2e_compile",
        "Run the nightly end-to-end compile list: everything up to the device's compiler.",
        ("--device n150", "for one board, whether it is here or not"),
        ("--mode train", "what trains"),
        notes=(_FILTERS, _PROMISES, _TIME),
    ),
    _verb(
        "op_by_op",
        "Run every op alone: of the models named, of --all, or of the nightly list.",
        ("--model bert --device n150", "every op of bert"),
        ("--model bert --split stablehlo", "of its StableHLO graph"),
        ("--model bert --recheck 2%", "audit a fiftieth of what the verdict cache says"),
        ("--all --size tiny", "a rehearsal with every model there is"),
        notes=(_FILTERS, _IDS, _TIME, _CACHE),
    ),
    _verb(
        "op_sweep",
        "Run generated cases of single ops: shapes, dtypes, values and layouts that models lack.",
        ("", "every case on the devices that execute here"),
        ("--device cpu,n150 --op convolution", "of one op, also for a board that is not here"),
        ("--limit 100", "a hundred cases, spread over the ops"),
        ("--list --op softmax", "the names of cases, without running them"),
        ("--resume", "go on with the newest sweep that was cut off"),
        notes=(_TIME, _CACHE),
    ),
    _verb(
        "run",
        "Run any tests, listed or not: by id, function, class, file or folder, or by filters.",
        ("tests/models/t5/test_t5.py --flow full --device cpu", "a file's whole models"),
        ("--model bert --model t5 --mode eval", "two models"),
        ("'tests/models/bert/test_bert.py::test_bert[full-eval]'", "one test"),
        ("--resume results/run-20261128T021700Z", "go on with a run that was cut off"),
        notes=(_IDS, _FILTERS, _TIME, _CACHE),
    ),
    _verb(
        "try",
        "Try a model that has no test: how far it gets on each device, and which op is to blame.",
        ("model.onnx", "an ONNX file, with inputs as it declares them"),
        ("zoo/ --device cpu,n150,n300", "every ONNX file of a folder"),
        ("mypackage.models:Net --input 1x3x224x224", "a class, a function or a model"),
        ("exported.pt2", "what torch.export saved, with its example inputs"),
        ("model.onnx --device all --predict", "how far its ops let expect it to get; runs nothing"),
        ("bert/ --input input_ids=1x128:i64", "a folder that transformers saved"),
        notes=(
            "The test that it makes lies below results/tried; copied to your tests, it is yours.",
        ),
    ),
    _verb(
        "plan",
        "Choose a run's tests once, for all its shards.",
        ("--shards 5", "which of five jobs of a night runs which test"),
        ("--session op_by_op --all --shards 8 --output plan.json", "of another session"),
        ("--shards 5 --dry-run", "what would be planned"),
        notes=(
            "SESSION with --plan FILE --shard I/N carries it out, `merge` merges.",
            _FILTERS,
        ),
    ),
    _verb(
        "merge",
        "Make one run of many shards, and say which tests nobody ran.",
        ("shards --plan results/plan.json --into night", "all runs in a folder"),
        ("shard-1 shard-2 --into night", "shards without the plan of all"),
        notes=("With --plan no shard has to have arrived.",),
    ),
    Command(
        "finish",
        "",
        "Merge runs in place that plain pytest left, or a kill cut off.",
        (("results/local-20261128T021700Z-17", "as `report` does by itself"),),
    ),
    _verb(
        "promote",
        "Propose the list moves that a run's records support.",
        ("", "by the newest run below results/"),
        ("results/night", "by another; --write makes the moves"),
        ("results/night --pr --commit", "as a pull request, on a branch of its own"),
    ),
    _verb(
        "why",
        "Tell what a night came to beside the ones before: new, known, fixed, flaky, what to fix.",
        ("", "the newest run in the history"),
        ("results/nightly-20261128T021700Z", "another"),
        ("--against nightly-20261120T021700Z", "held against a run of last week"),
        notes=("Exit code 1: a test of a list that gates was good and is bad.",),
    ),
    _verb(
        "explain",
        "Tell where a test stands, since when, on what evidence, what would move it; its story.",
        ("'bert[full-eval]@cpu'", "one test on one device"),
        ("bert --device n150", "where a part of its key is enough"),
    ),
    _verb(
        "issues",
        "Tell which causes break what lists promise, since when, and where each is tracked.",
        ("", "after the newest run in the history"),
        ("--write", "keep the incidents beside the lists, and write the texts of new issues"),
        ("--opened 1f0c8a7be7c2=https://example.com/issues/7", "where a cause's issue is"),
    ),
    _verb(
        "compare",
        "Tell one run against another, the most urgent test first.",
        ("results/monday results/tuesday", "two run directories"),
        ("nightly-20261127T021700Z nightly-20261128T021700Z", "two runs of the history"),
        ("results/monday results/tuesday --html", "and as a page, results/tuesday/against/.../"),
        notes=("Exit code 1: a test of a list that gates was good in the first and is bad.",),
    ),
    _verb(
        "history",
        "Add runs and other people's reports to what is remembered, and take care of it.",
        ("add results/nightly-20261128T021700Z", "a run; every finished one is added by itself"),
        ("add junit.xml --device n150", "what another tool reported"),
        ("add github:OWNER/NAME/12345", "the artifacts of a workflow's run"),
        ("rebuild results", "all anew, from run directories"),
        ("verify", "is every file as it was written?"),
        ("prune --days 365", "forget what is older"),
        ("renames", "tests that likely were called something else before"),
    ),
    _verb(
        "lists",
        "Say everything that is wrong with the lists.",
        ("", "of this checkout"),
        ("--devices-from devices.json", "against the devices of another machine"),
    ),
)
VERBS = {command.name: command for command in _ALL}
"""By name, in the order in which they are listed."""
