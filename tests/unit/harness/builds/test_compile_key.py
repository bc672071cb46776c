# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The key of a compilation, and what is made of what was kept under it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bringup.harness.builds import compiled
from bringup.harness.builds.code import code
from bringup.harness.builds.compiled import CompiledBefore, compile_key
from bringup.harness.devices.toolchain import Toolchain, toolchain_of
from bringup.harness.devices.wire import Analysis, Level, Opened, Placed, Usage
from bringup.harness.errors import RecordError
from bringup.harness.records.verdicts.file_digest import digest_of_code

OPENED = Opened("PJRT 1", "Wormhole_b0", 1, False, "1.14.0", "", Usage(0.0, 0.0, 0))
GIVEN: dict[str, Any] = {
    "artifact": b"stablehlo",
    "device": "n150",
    "opened": OPENED,
    "options": {"a": "1"},
    "placed": None,
}
TOOLCHAIN = Toolchain({"plugin": "1.0"}, {"plugin.so": "12ab"}, {"TT_X": "1"}, ("--flag",))


@pytest.fixture
def toolchain(monkeypatch: pytest.MonkeyPatch) -> list[Toolchain]:
    """What stands behind every device; the last one holds."""
    held = [TOOLCHAIN]
    monkeypatch.setattr(compiled, "toolchain_of", lambda device: held[-1])
    return held


@pytest.mark.parametrize(
    "change",
    [
        {"artifact": b"stablehlo "},
        {"device": "n300"},
        {"options": {"a": "2"}},
        {"options": {"a": "1", "b": "1"}},
        {"options": {}},
        {"placed": Placed((0, 1))},
        {"opened": msgspec.structs.replace(OPENED, platform="PJRT 2")},
        {"opened": msgspec.structs.replace(OPENED, kind="Blackhole")},
        {"opened": msgspec.structs.replace(OPENED, stablehlo_version="1.13.0")},
    ],
)
@pytest.mark.usefixtures("toolchain")
def test_whatever_is_given_otherwise_is_another_key(change: dict[str, Any]) -> None:
    assert compile_key(**GIVEN) == compile_key(**GIVEN)
    assert compile_key(**(GIVEN | change)) != compile_key(**GIVEN)


@pytest.mark.parametrize(
    "change",
    [
        {"versions": {"plugin": "1.1"}},
        {"libraries": {"plugin.so": "12ac"}},
        {"environment": {"TT_X": "2"}},
        {"environment": {}},
        {"flags": ()},
    ],
)
def test_another_toolchain_is_another_key(
    toolchain: list[Toolchain], change: dict[str, Any]
) -> None:
    before = compile_key(**GIVEN)
    toolchain.append(msgspec.structs.replace(TOOLCHAIN, **change))
    assert compile_key(**GIVEN) != before


def test_a_library_that_cannot_be_read_has_no_key(toolchain: list[Toolchain]) -> None:
    toolchain.append(msgspec.structs.replace(TOOLCHAIN, libraries={"plugin.so": ""}))
    with pytest.raises(RecordError, match="a library of n150 cannot be read"):
        compile_key(**GIVEN)


def test_the_devices_own_toolchain_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = compile_key(**GIVEN)
    assert toolchain_of("n150").libraries
    monkeypatch.setenv("TT_SOMETHING", "1")
    changed = compile_key(**GIVEN)
    monkeypatch.delenv("TT_SOMETHING")
    assert changed != before == compile_key(**GIVEN)
    monkeypatch.setenv("LD_PRELOAD", "libother.so")
    assert compile_key(**GIVEN) != before


def test_the_code_that_computes_is_in_every_key() -> None:
    found = code()
    assert {"ours", "python", "machine", "environment"} == found.keys()
    assert len(str(found["ours"])) == 64


def test_a_package_is_known_by_its_content(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "part").mkdir(parents=True)
    (package / "part" / "a.py").write_text("x = 1")
    (package / "lib.so.1").write_bytes(b"12")
    (package / "readme.txt").write_text("one")
    before = digest_of_code(package)
    (package / "readme.txt").write_text("two")
    assert digest_of_code(package) == before
    (package / "part" / "a.py").write_text("x = 2")
    other = digest_of_code(package)
    (package / "lib.so.1").write_bytes(b"13")
    third = digest_of_code(package)
    (package / "part" / "a.py").rename(package / "a.py")
    assert len({before, other, third, digest_of_code(package)}) == 4
    (package / "a.py").rename(package / "part" / "a.py")
    assert digest_of_code(package) == third
    assert digest_of_code(tmp_path / "nowhere") == ""


LEVELS = (Level("ttir", "module {}"),)


def test_what_is_compiled_again_is_held_to_what_was_kept() -> None:
    kept = CompiledBefore.of(LEVELS, Analysis(), "night")
    same = CompiledBefore.of((Level("ttir", "other names"),), Analysis(), "next")
    assert kept.disagreement(same) == ""
    fewer = CompiledBefore.of((), Analysis(), "next")
    assert "levels kept of run night is ttir, compiled again it is none" in kept.disagreement(fewer)
    larger = CompiledBefore.of(LEVELS, Analysis(code=1), "next")
    assert "analysis" in kept.disagreement(larger)
