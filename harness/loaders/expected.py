# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a repository's users expect of its tests, read from the YAML files that tt-xla keeps.

A file holds `test_config:`, by test id (`bert/masked_lm/pytorch-base-single_device-inference`) a
mapping of these fields; `arch_overrides` holds some of them again, by device.

===============  ==========================================================================
field            becomes
===============  ==========================================================================
status           what is expected (`STATUSES`)
reason           why; the first address in it is the issue
bringup_status   of a known failure: the stage it ends in, where the word says one
required_pcc...  of the test's tester, as are assert_pcc, required_atol, assert_atol and
                 assert_allclose
supported_archs  the devices it is run on: on all others it is left out
===============  ==========================================================================

The source of the format: `tests/runner/test_config` of tt-xla. `markers`, `batch_size`,
`execution_pass`, `filechecks`, the tolerances of allclose and what tt-xla tells its own compiler
(`optimization_level`, `enable_weight_bfp8_conversion`, `inject_custom_moe`) are taken and change
nothing here.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.records.expected import Expect, Expectation
from bringup.harness.records.values import Stage

FOLDERS = ("test_config", "tests/runner/test_config")
"""Where a repository, or the folder that pytest runs in, has its files."""
PATTERN = "test_config*.y*ml"
ANYWHERE = ""
"""The device of what holds for all without an override."""
_ADDRESS = re.compile(r"https?://[^\s<>\"'`)]+")


STATUSES: Mapping[str, Expect | None] = {
    "EXPECTED_PASSING": Expect.PASS,
    "KNOWN_FAILURE_XFAIL": Expect.XFAIL,
    "NOT_SUPPORTED_SKIP": Expect.SKIP,
    "EXCLUDE_MODEL": Expect.EXCLUDE,
    "UNSPECIFIED": None,
}
_STAGES = {"FAILED_RUNTIME": Stage.EXECUTE, "INCORRECT_RESULT": Stage.VERIFY}
_BRINGUP = (
    *("FAILED_FE_COMPILATION", "FAILED_TTMLIR_COMPILATION", "FAILED_RUNTIME"),
    *("INCORRECT_RESULT", "PASSED", "UNKNOWN", "NOT_STARTED"),
)


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, or what holds of it on a device."""

    status: str | None = None
    reason: str = ""
    bringup_status: str = ""
    required_pcc: float | None = None
    assert_pcc: bool = True
    required_atol: float | None = None
    assert_atol: bool = True
    assert_allclose: bool = False
    allclose_rtol: float | None = None
    allclose_atol: float | None = None
    supported_archs: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    batch_size: int | None = None
    execution_pass: str = ""
    filechecks: tuple[str, ...] = ()
    optimization_level: int | None = None
    enable_weight_bfp8_conversion: bool = False
    inject_custom_moe: bool = False
    overrides: Mapping[str, "Expected"] = {}
    """By device, what holds there."""

    def on(self, device: str) -> "Expected":
        """What holds on a device."""
        return self.overrides.get(device, self)

    def options(self) -> dict[str, Any]:
        """Those of a tester."""
        found: dict[str, Any] = {
            "required_pcc": self.required_pcc,
            "required_atol": self.required_atol,
            "assert_pcc": self.assert_pcc,
            "assert_atol": self.assert_atol,
            "assert_allclose": self.assert_allclose,
        }
        disabled = not (self.assert_pcc and self.assert_atol)
        return found | {"issue": self.reason or None} if disabled else found

    def expectation(self, device: str) -> Expectation | None:
        """As a list's entry says it; None where it says nothing."""
        if self.supported_archs and device not in self.supported_archs:
            archs = ", ".join(self.supported_archs)
            return Expectation(expect=Expect.EXCLUDE, reason=f"it is for {archs}")
        expect = STATUSES[self.status] if self.status else None
        if expect in (None, Expect.PASS):
            return None
        address = _ADDRESS.search(self.reason)
        why = self.reason or f"{self.status} in the repository's test_config"
        stage = _STAGES.get(self.bringup_status) if expect is Expect.XFAIL else None
        issue = address.group().rstrip(".,") if address else ""
        return Expectation(expect=expect, stage=stage, reason=" ".join(why.split()), issue=issue)


_FIELDS = tuple(n for n in Expected.__struct_fields__ if n != "overrides")
_WORDS = {
    "status": tuple(STATUSES),
    "bringup_status": _BRINGUP,
    "execution_pass": ("FORWARD", "BACKWARD"),
}


def read_expected(where: Path) -> dict[str, Expected]:
    """The entries of a file, or of all files below a folder, by test id; the last one counts.

    Raises:
        UsageError: one cannot be read, or says what is no expectation; the sentence names file and
            field.
    """
    files = sorted(where.rglob(PATTERN)) if where.is_dir() else [where]
    return {test: entry for file in files for test, entry in _entries(file)}


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # untyped
    """Plain values only, and no key twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise UsageError(f"line {node.start_mark.line + 1}: {twice} stands there twice")
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


def _entries(file: Path) -> Iterator[tuple[str, Expected]]:
    try:
        data = yaml.load(file.read_bytes(), _Loader)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        said = getattr(error, "problem", None) or type(error).__name__
        raise UsageError(f"{file}{line}: it is no YAML: {said}") from None
    tests = _mapping(
        _mapping(data or {}, str(file)).get("test_config") or {}, f"{file}: test_config"
    )
    for test, said in tests.items():
        where = f"{file}: test_config.{test}"
        yield str(test), _entry(_mapping(said or {}, where), where)


def _mapping(value: Any, where: str) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{where} is {value!r:.60}, and no mapping")
    return value


def _entry(said: Mapping[Any, Any], where: str) -> Expected:
    own = {name: value for name, value in said.items() if name != "arch_overrides"}
    entry = _read(own, where)
    overrides = _mapping(said.get("arch_overrides") or {}, f"{where}.arch_overrides")
    by_device = {}
    for device, more in overrides.items():
        place = f"{where}.arch_overrides.{device}"
        by_device[str(device)] = _read(own | _mapping(more or {}, place), place)
    return msgspec.structs.replace(entry, overrides=by_device)


def _read(said: Mapping[Any, Any], where: str) -> Expected:
    values = {}
    for name, value in said.items():
        if name not in _FIELDS:
            raise UsageError(f"{where}: there is no field {name!r}{hint(str(name), _FIELDS)}")
        values[name] = _word(name, value, where) if name in _WORDS else value
    values = {name: value for name, value in values.items() if value is not None}
    try:
        return msgspec.convert(values, Expected)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {error}") from None


def _word(name: str, value: Any, where: str) -> str | None:
    if value is None:
        return None
    word = str(value).strip().upper()
    if word not in _WORDS[name]:
        meant = hint(word, _WORDS[name])
        raise UsageError(
            f"{where}.{name} is {value!r}, and none of {', '.join(_WORDS[name])}{meant}"
        )
    return word
