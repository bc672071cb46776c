# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every environment variable the product reads: what it says, what it may hold, who may set it.

`check` is called once, when a command or a test session starts: nonsense in a variable is refused
there by name, before anything runs, and so is a name that begins like ours and is none of them.
Whoever reads a variable later may rely on that, or parse it by `Variable.read`.

Some variables change what a test does. A plan and a reproducer keep those of their test, and they
may come from anywhere, so `of_a_test` takes these from them and refuses every other one: a
library to preload, a plugin to load, a folder to write to.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bringup.harness.errors import UsageError
from bringup.harness.storage.writable import writable

Parse = Callable[[str], Any]
"""A variable's text to its value; raises ValueError with what was expected."""

_TRUE, _FALSE = ("1", "true", "on", "yes"), ("0", "false", "off", "no", "")
DEPTHS = ("TORCH_FX", "STABLEHLO", "TTNN_IR", "COMPILE_OP_BY_OP", "EXECUTE_OP_BY_OP", "EXECUTE")
SAVE_LEVELS = ("STABLEHLO", "TTIR", "TTNN")
_SHARE = re.compile(r"(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*(%?)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_PREFIXES = ("BRINGUP_", "TT_TORCH_", "RUN_GLOBAL_OP_", "RTI_PCC_")
_SHOWN = 80


@dataclass(frozen=True)
class Variable:
    """One environment variable."""

    name: str
    says: str
    parse: Parse
    of_tests: bool = False
    """Does it change what a test does, so that a plan or a reproducer keeps it?"""
    is_path: bool = False
    """Made absolute at the start: a test may change the working directory."""

    def read(self, environment: Mapping[str, str] | None = None) -> Any:
        """Its value; None where it is not set or empty.

        Raises:
            UsageError: it holds something else.
        """
        text = (os.environ if environment is None else environment).get(self.name, "")
        return self.value(text) if text.strip() else None

    def value(self, text: str) -> Any:
        """What a text means for it.

        Raises:
            UsageError: nothing.
        """
        try:
            return self.parse(text.strip())
        except (ValueError, OverflowError) as error:
            shown = writable(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
            why = writable(" ".join(str(error).split()))
            raise UsageError(f"{self.name}={shown!r}: {why}") from None


# --- what a text may be ---------------------------------------------------------------------


def flag(text: str) -> bool:
    """`1` or `0`, and the words for them."""
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("expected 1 or 0, true or false")


def one_of(*words: str) -> Parse:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in words:
            near = difflib.get_close_matches(text[:_SHOWN], words, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"expected one of {', '.join(words)}{hint}")
        return text

    return parse


def save_levels(text: str) -> tuple[str, ...]:
    """Levels separated by commas."""
    levels = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    unknown = [level for level in levels if level not in SAVE_LEVELS]
    if unknown:
        raise ValueError(f"{unknown[0][:_SHOWN]} is none of {', '.join(SAVE_LEVELS)}")
    return levels


def log_level(text: str) -> str:
    """INFO, DEBUG or nothing."""
    if text.upper() not in ("", "INFO", "DEBUG"):
        raise ValueError("expected INFO or DEBUG")
    return text.upper()


def whole(what: str, least: int = 0, most: int = 2**31) -> Parse:
    """A whole number in a range."""

    def parse(text: str) -> int:
        if not (text.isdecimal() and text.isascii() and len(text) < 20):
            raise ValueError(f"expected {what}, a whole number")
        if not least <= int(text) <= most:
            raise ValueError(f"expected {what}, from {least} to {most}")
        return int(text)

    return parse


def number(what: str, least: float = 0.0, *, strict: bool = False) -> Parse:
    """A finite number, at least or (`strict`) above `least`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not ((value > least if strict else value >= least) and value < float("inf")):
            raise ValueError(f"expected {what}, {'more than' if strict else 'at least'} {least:g}")
        return value

    return parse


def threshold(text: str) -> float:
    """A correlation."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not -1.0 <= value <= 1.0:
        raise ValueError("expected a correlation between -1 and 1")
    return value


def share(text: str) -> float:
    """`2%` or `0.02` as a number from 0 to 1."""
    match = _SHARE.fullmatch(text.strip())
    found = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= found <= 1:
        raise ValueError("expected a share of the cached verdicts, 2% or 0.02")
    return found


def name(text: str) -> str:
    """A name without what no name has: control characters, a dash in front."""
    if _CONTROL.search(text) or text.startswith("-") or len(text) > 1000:
        raise ValueError("expected a name")
    return text


def path(text: str) -> Path:
    """A path as the system takes it."""
    if "\0" in text or len(os.fsencode(text)) > 4000:
        raise ValueError("expected a path")
    return Path(text)


def anything(text: str) -> str:
    """Another program's variable: we take it as it is."""
    return text


# --- which there are ------------------------------------------------------------------------

SECONDS = number("seconds", strict=True)
_OF_TESTS = (
    Variable("TT_TORCH_COMPILE_DEPTH", "where a test stops", one_of(*DEPTHS)),
    Variable("TT_TORCH_PROFILE_OPS", "put the cost of each op on record", flag),
    Variable("TT_TORCH_CONSTEVAL", "fold what depends on constants", flag),
    Variable("TT_TORCH_CONSTEVAL_PARAMETERS", "fold what depends on parameters", flag),
    Variable("TT_TORCH_INLINE_PARAMETERS", "parameters are constants in the IR", flag),
    Variable("TT_TORCH_OPTIMIZER", "ask the device's compiler for its optimiser", flag),
    Variable("TT_TORCH_VERIFY_OP_BY_OP", "a wrong op fails its test", flag),
    Variable("TT_TORCH_VERIFY_INTERMEDIATES", "compare every intermediate value", flag),
    Variable("TT_TORCH_CHECK_ALL_OPS_EXECUTE", "an op that did not execute fails its test", flag),
    Variable("TT_TORCH_IR_LOG_LEVEL", "print IR", log_level),
    Variable("TT_TORCH_SAVE_MLIR", "levels to write as plain files", save_levels),
    Variable("TT_TORCH_SAVE_BINARY", "write the device's binary as a plain file", flag),
    Variable("RUN_GLOBAL_OP_IDX", "the one op to run", whole("an op's index")),
    Variable("RTI_PCC_FAIL_THRESH", "PCC below which an intermediate value is wrong", threshold),
    Variable("BRINGUP_OP_DEADLINE", "seconds for one op", SECONDS),
)
_OURS = (
    Variable("BRINGUP_DEVICE", "where tests run that name no device", name),
    Variable("BRINGUP_SIZE", "set for loaders by a session", one_of("base", "tiny")),
    Variable("BRINGUP_RUN_DIR", "where tests are recorded", path, is_path=True),
    Variable("BRINGUP_RUN_ID", "the run they are of", name),
    Variable("BRINGUP_RUN_DIR_FILE", "gets the run's directory", path, is_path=True),
    Variable("BRINGUP_TEST_DEADLINE", "when the running test is ended", number("a time")),
    Variable("BRINGUP_ATTEMPT", "which attempt at its test it is", whole("an attempt", 1, 10**6)),
    Variable("BRINGUP_RESUMED", "set by a run that was taken up again", anything),
    Variable("BRINGUP_PARENT", "the process to die with", whole("a process", 1)),
    Variable("BRINGUP_COMMON_TMPDIR", "the machine's temporary folder, for a host", path),
    Variable("BRINGUP_HISTORY", "where runs are remembered; none: nowhere", anything),
    Variable("BRINGUP_CACHE", "the verdict cache, a directory or a file", path, is_path=True),
    Variable(
        "BRINGUP_CACHE_DAYS", "when verdicts are forgotten", number("a number of days", strict=True)
    ),
    Variable(
        "BRINGUP_CACHE_GIB", "how large they may grow", number("a number of GiB", strict=True)
    ),
    Variable("BRINGUP_RECHECK", "share of cached verdicts to compute again", share),
    Variable("BRINGUP_NO_CACHE", "take nothing from the verdict cache", flag),
    Variable("BRINGUP_OP_WORKERS", "op workers of a process", whole("op workers", 1, 1024)),
    Variable("BRINGUP_REDUCE_SECONDS", "seconds to reduce a model that failed", number("seconds")),
    Variable("BRINGUP_DEVICE_KINDS", "modules with device kinds of one's own", anything),
    Variable("BRINGUP_REPORTERS", "modules with report formats of one's own", anything),
    Variable(
        "BRINGUP_FILE_LIMIT_GIB",
        "how large a download may be",
        number("a number of GiB", strict=True),
    ),
    Variable("BRINGUP_FILE_TIMEOUT", "seconds without a byte that end a try", SECONDS),
    Variable("BRINGUP_FAULTS", "faults on purpose, a file", path, is_path=True),
    Variable("BRINGUP_ENV", "where nox keeps the environment", path),
    Variable("BRINGUP_BENCHMARK_MARK", "marks processes of a benchmark", anything),
    Variable("BRINGUP_TEST_MARK", "marks processes of a test", anything),
    Variable("BRINGUP_KEY_MUTATIONS", "of a test of keys", anything),
)
_OTHERS = (
    Variable("TT_COMPILE_ONLY_SYSTEM_DESC", "the Tenstorrent plugin's system descriptor", anything),
    Variable("JAX_PLATFORMS", "jax's", anything),
    Variable("TF_CPP_MIN_LOG_LEVEL", "XLA's", anything),
    Variable("OMP_NUM_THREADS", "threads of a process", anything),
    Variable("PYTHONPATH", "Python's", anything),
    Variable("PYTEST_XDIST_WORKER", "xdist's", anything),
    Variable("PYTEST_XDIST_WORKER_COUNT", "xdist's", whole("a number of workers", 1)),
    Variable("DOCKER_CACHE_DIR", "files, as CI mounts them", anything),
    Variable("DOCKER_CACHE_ROOT", "likewise", anything),
    Variable("LOCAL_LF_CACHE", "where files are kept", anything),
    Variable("IRD_LF_CACHE", "where files are downloaded from", anything),
    Variable("GITHUB_OUTPUT", "where a job of GitHub Actions leaves its outputs", path),
    Variable("GITHUB_RUN_ID", "names a run of several jobs", name),
    Variable("GITHUB_API_URL", "where artifacts of a run are asked for", anything),
    Variable("GITHUB_TOKEN", "who asks for them", anything),
    Variable("GH_TOKEN", "the same, where GITHUB_TOKEN is not set", anything),
)
PLUGIN_PREFIX = "BRINGUP_PJRT_PLUGIN_"
"""With a plugin's name behind it: a library to load."""
VARIABLES: dict[str, Variable] = {
    **{v.name: Variable(v.name, v.says, v.parse, of_tests=True) for v in _OF_TESTS},
    **{v.name: v for v in (*_OURS, *_OTHERS)},
}
"""By name."""


# --- looking at an environment --------------------------------------------------------------


def check(environment: MutableMapping[str, str] | None = None) -> None:
    """Refuse nonsense; make paths absolute, so that they mean the same wherever a test goes.

    Raises:
        UsageError: a variable of ours holds what it cannot, or there is none of its name.
    """
    environment = os.environ if environment is None else environment
    for variable in _plugins(environment):
        library = Variable(variable, "a plugin's library", path).value(environment[variable])
        environment[variable] = str(library.absolute())
    for key in sorted(environment):
        known = VARIABLES.get(key)
        if known is None:
            _refuse_misspelled(key)
        elif known.of_tests or environment[key].strip():
            known.value(environment[key])
            if known.is_path:
                environment[key] = str(Path(environment[key]).absolute())


def of_a_test(variables: Mapping[str, str], where: object) -> dict[str, str]:
    """Variables that a plan or a reproducer wants set for its test.

    Raises:
        UsageError: one is not among those that change what a test does, or holds nonsense.
    """
    for key, text in variables.items():
        known = VARIABLES.get(key)
        if known is None or not known.of_tests:
            raise UsageError(
                f"{writable(str(where))} sets {writable(key)[:_SHOWN]!r}, which no test needs: only"
                " settings of tests (TT_TORCH_...) are taken from a run or a reproducer"
            )
        known.value(text)
    return dict(variables)


def _plugins(environment: Mapping[str, str]) -> Iterator[str]:
    return (key for key in list(environment) if key.startswith(PLUGIN_PREFIX))


def _refuse_misspelled(key: str) -> None:
    """A name that is like ours, and read by nobody."""
    if not key.startswith(_PREFIXES) or key.startswith(PLUGIN_PREFIX):
        return
    near = difflib.get_close_matches(key, VARIABLES, n=1, cutoff=0.85)
    if near or key.startswith("BRINGUP_"):
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no variable {writable(key)[:_SHOWN]}{hint}")
