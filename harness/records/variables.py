# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The table of environment variables: every one the product reads, what it says and may hold.

Those of libraries, vendors and platforms are in `variables_of_others.py`.
"""

from functools import partial

from bringup.harness.records import variable_names as names
from bringup.harness.records.variable import Variable
from bringup.harness.records.variable_values import (
    DEPTHS,
    SECONDS,
    anything,
    device,
    flag,
    log_level,
    name,
    number,
    one_of,
    path,
    paths,
    save_levels,
    share,
    threshold,
    whole,
)
from bringup.harness.records.variables_of_others import OTHERS

_of_test = partial(Variable, read_by="harness/config.py", of_tests=True)
_OF_TESTS = (
    _of_test(names.DEPTH_VARIABLE, "where a test stops", one_of(*DEPTHS), default="EXECUTE"),
    _of_test(names.PROFILE_OPS_VARIABLE, "put the cost of each op on record", flag, default="1"),
    _of_test(names.CONSTEVAL_VARIABLE, "fold what depends on constants", flag, default="0"),
    _of_test(
        names.CONSTEVAL_PARAMETERS_VARIABLE, "fold what depends on parameters", flag, default="0"
    ),
    _of_test(
        names.INLINE_PARAMETERS_VARIABLE, "parameters are constants in the IR", flag, default="0"
    ),
    _of_test(
        names.OPTIMIZER_VARIABLE, "ask the device's compiler for its optimiser", flag, default="0"
    ),
    _of_test(names.VERIFY_OP_BY_OP_VARIABLE, "a wrong op fails its test", flag, default="0"),
    _of_test(
        names.VERIFY_INTERMEDIATES_VARIABLE, "compare every intermediate value", flag, default="0"
    ),
    _of_test(
        names.CHECK_ALL_OPS_EXECUTE_VARIABLE,
        "an op that did not execute fails its test",
        flag,
        default="0",
    ),
    _of_test(names.IR_LOG_LEVEL_VARIABLE, "print IR", log_level, otherwise="prints none"),
    _of_test(
        names.SAVE_MLIR_VARIABLE, "levels to write as plain files", save_levels, otherwise="none"
    ),
    _of_test(
        names.SAVE_BINARY_VARIABLE, "write the device's binary as a plain file", flag, default="0"
    ),
    _of_test(
        names.ONLY_OP_VARIABLE, "the one op to run", whole("an op's index"), otherwise="all ops"
    ),
    _of_test(
        names.INTERMEDIATE_PCC_VARIABLE,
        "PCC below which an intermediate value is wrong",
        threshold,
        default="0.99",
    ),
    _of_test(names.OP_DEADLINE_VARIABLE, "seconds for one op", SECONDS, default="30"),
)
_IN_PLACE_OF_OPTIONS = (
    Variable(
        names.DEVICE_VARIABLE,
        "where tests run when no device is named",
        device,
        "harness/pytest_plugin.py",
        otherwise="pytest: cpu; commands: as --device says",
    ),
    Variable(
        names.WORKERS_VARIABLE,
        "tests at a time",
        whole("a number of tests", 1, 1024),
        "pipeline/options.py",
        otherwise="by cores, memory and tests",
    ),
    Variable(
        names.TIMEOUT_VARIABLE,
        "seconds for each test",
        SECONDS,
        "pipeline/options.py",
        otherwise="900, or three times its estimate",
    ),
    Variable(
        names.ENGINE_VARIABLE, "what runs the tests", name, "pipeline/options.py", default="local"
    ),
    Variable(
        names.RECHECK_VARIABLE,
        "share of cached verdicts and builds to compute again",
        share,
        "harness/records/verdicts",
        otherwise="2% in nightly and weekly, else none",
    ),
    Variable(
        names.SWEEP_LIMIT_VARIABLE,
        "of a swept op the first so many cases",
        whole("cases of an op", 1),
        "harness/sweep",
        otherwise="all",
        of_tests=True,
    ),
    Variable(
        names.NO_CACHE_VARIABLE,
        "take nothing from the cache of verdicts and builds",
        flag,
        "harness/records/verdicts",
        default="0",
    ),
)
_FOR_PEOPLE = (
    Variable(
        names.CACHE_VARIABLE,
        "the cache of verdicts and builds, a directory or a file",
        path,
        "harness/records/verdicts",
        otherwise="~/.cache/bringup",
        is_path=True,
    ),
    Variable(
        names.CACHE_DAYS_VARIABLE,
        "when cached verdicts and builds that nobody used are forgotten",
        number("a number of days", strict=True),
        "harness/records/verdicts",
        default="90",
    ),
    Variable(
        names.CACHE_GIB_VARIABLE,
        "how large the cache of verdicts and builds may grow",
        number("a number of GiB", strict=True),
        "harness/records/verdicts",
        default="4",
    ),
    Variable(
        names.OP_WORKERS_VARIABLE,
        "op workers of a process",
        whole("op workers", 1, 1024),
        "harness/op_by_op",
        otherwise="its share of the cores",
    ),
    Variable(
        names.FOLLOW_VARIABLE,
        "when ops are fed the device's own values too: always, never, or where one is wrong alone",
        one_of("always", "never", "wrong"),
        "harness/op_by_op",
        default="wrong",
    ),
    Variable(
        names.REDUCE_SECONDS_VARIABLE,
        "seconds to reduce a model that failed, at once",
        number("seconds"),
        "harness/reduce",
        default="0",
    ),
    Variable(
        names.KINDS_VARIABLE,
        "modules and files of figures with device kinds of one's own, with commas",
        anything,
        "harness/devices",
    ),
    Variable(
        names.HISTORY_VARIABLE,
        "where runs are remembered, a folder or an address; none: nowhere",
        anything,
        "pipeline/options.py",
        default="results/history",
    ),
    Variable(
        names.LISTS_VARIABLE,
        "modules with specs of lists of one's own, with commas",
        anything,
        "pipeline/lists",
    ),
    Variable(
        names.ENGINES_VARIABLE,
        "modules with engines of one's own, with commas",
        anything,
        "pipeline/running",
    ),
    Variable(
        names.PLANNERS_VARIABLE,
        "modules with planners of one's own, with commas",
        anything,
        "pipeline/planning",
    ),
    Variable(
        names.REPORTERS_VARIABLE,
        "modules with report formats of one's own, with commas",
        anything,
        "reports",
    ),
    Variable(
        names.FILE_LIMIT_VARIABLE,
        "how large a download may be",
        number("a number of GiB", strict=True),
        "harness/files",
        default="100",
    ),
    Variable(
        names.FILE_TIMEOUT_VARIABLE,
        "seconds without a byte that end a try",
        SECONDS,
        "harness/files",
        default="30",
    ),
    Variable(
        names.ENVIRONMENT_VARIABLE,
        "where nox keeps the Python environment",
        path,
        "noxfile.py",
        otherwise=".nox/bringup",
    ),
    Variable(
        names.MODELS_VARIABLE,
        "repositories of loaders in the shape of tt-forge-models",
        paths,
        "harness/loaders",
        otherwise="third_party/tt_forge_models of the tests' own checkout",
        is_path=True,
    ),
    Variable(
        names.EXPECTED_VARIABLE,
        "what is expected of loaders' tests: a file or a folder of test_config*.yaml",
        path,
        "harness/loaders",
        otherwise="test_config or tests/runner/test_config, here or in the repository",
        is_path=True,
    ),
    Variable(
        names.FAULTS_VARIABLE,
        "faults on purpose, a file",
        path,
        "harness/device_host",
        otherwise="none",
        is_path=True,
    ),
)
_BETWEEN_PROCESSES = (
    Variable(
        names.RUN_DIR_VARIABLE,
        "where tests are recorded",
        path,
        "harness/recording",
        otherwise="results/local-TIME-PID",
        is_path=True,
    ),
    Variable(
        names.RUN_ID_VARIABLE,
        "the run they are of",
        name,
        "harness/recording",
        otherwise="the run directory's name",
    ),
    Variable(
        names.STARTED_BY_VARIABLE,
        "how the run was started: its door, and the options that name places",
        name,
        "harness/records/advice.py",
        otherwise="by the working directory",
    ),
    Variable(
        names.DEADLINE_VARIABLE,
        "when the running test is ended, seconds since the epoch",
        number("a time"),
        "harness/deadline.py",
        otherwise="never",
    ),
    Variable(
        names.AVOID_VARIABLE,
        "boards that are taken only if no other is free, with commas",
        anything,
        "harness/devices/lease.py",
        otherwise="none",
    ),
    Variable(
        names.ATTEMPT_VARIABLE,
        "how often the run was taken up; CI sets it",
        whole("an attempt", 1, 10**6),
        "harness/records/journal.py",
        default="1",
    ),
    Variable(
        names.RESUMED_VARIABLE,
        "set by a run that was taken up again",
        anything,
        "harness/records/verdicts",
    ),
    Variable(
        names.SIZE_VARIABLE,
        "set by a session for models' loaders",
        one_of("base", "tiny"),
        "tests/models",
        default="base",
    ),
    Variable(
        names.PARENT_VARIABLE,
        "the process to die with",
        whole("a process", 1),
        "pipeline",
        otherwise="none",
    ),
    Variable(
        names.COMMON_FOLDER_VARIABLE,
        "the machine's temporary folder, for a device's host",
        path,
        "harness/devices",
    ),
)
_OF_OUR_TESTS = (
    Variable(
        names.BENCHMARK_MARK_VARIABLE,
        "marks processes of a benchmark",
        anything,
        "tests/benchmarks",
    ),
    Variable(names.TEST_MARK_VARIABLE, "marks processes of a test", anything, "tests/integration"),
    Variable(
        names.KEY_MUTATIONS_VARIABLE,
        "how many changed ops a test of keys tries",
        anything,
        "tests/unit",
        otherwise="2000",
    ),
)
VARIABLES: dict[str, Variable] = {
    v.name: v
    for v in (
        *_OF_TESTS,
        *_IN_PLACE_OF_OPTIONS,
        *_FOR_PEOPLE,
        *_BETWEEN_PROCESSES,
        *_OF_OUR_TESTS,
        *OTHERS,
    )
}
"""By name."""
