# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`nox -s help_env`: what every variable holds, and no secret."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bringup.harness.help_env import main
from bringup.harness.records.environment_listing import HIDDEN, listed, shown
from bringup.harness.records.variables import VARIABLES


def test_every_variable_is_listed_with_what_it_holds() -> None:
    found = {v.name: v for v in listed({"BRINGUP_WORKERS": "3", "BRINGUP_CACHE": ""})}
    assert found.keys() >= VARIABLES.keys()
    assert all(v.says and v.takes and v.read_by for v in found.values())
    assert (found["BRINGUP_WORKERS"].is_set, found["BRINGUP_WORKERS"].value) == (True, "3")
    assert (found["BRINGUP_CACHE"].is_set, found["BRINGUP_CACHE"].value) == (True, "")
    assert (found["BRINGUP_TIMEOUT"].is_set, found["BRINGUP_TIMEOUT"].value) == (False, None)
    assert found["BRINGUP_CACHE_DAYS"].default == "90"


def test_names_that_are_made_up_are_listed_where_they_are_set() -> None:
    held = {"BRINGUP_PJRT_PLUGIN_X": "/x.so", "FSSPEC_S3_SECRET": "hush", "HOME": "/root"}
    found = {v.name: v for v in listed(held)}
    assert found["BRINGUP_PJRT_PLUGIN_X"].value == "/x.so"
    assert found["FSSPEC_S3_SECRET"].value == HIDDEN
    assert "BRINGUP_PJRT_PLUGIN_NAME" in found and "HOME" not in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/mnt/cache", "/mnt/cache"),
        ("cache@home", "cache@home"),
        ("https://host/x", "https://host/x"),
        ("https://me:hush@host/x", "https://...@host/x"),
        ("https://me:hu/sh@host/x?sig=hush", "https://...@host/x?..."),
        ("s3://hush:hush@bucket/a", "s3://...@bucket/a"),
        ("https://host/x?token=hush", "https://host/x?..."),
        ("me:hush@host/x?token=hush", "...@host/x?..."),
        ("https://a:hush@b,https://c:hush@d", "...://...@d"),
    ],
)
def test_a_login_in_an_address_is_not_shown(text: str, said: str) -> None:
    assert shown(text) == said


@given(st.sampled_from([*VARIABLES]), st.text(max_size=20))
def test_a_secret_is_never_listed(name: str, text: str) -> None:
    secret = f"sesame{text}"
    for value in (f"https://me:{secret}@host", f"{secret}") if VARIABLES[name].secret else ():
        assert "sesame" not in repr(listed({name: value}))
    address = listed({name: "https://me:sesame@host"})
    assert "sesame" not in repr([v.value for v in address])


def test_what_holds_nonsense_is_said_and_is_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BRINGUP_RECHEK", "2%")
    monkeypatch.setenv("BRINGUP_TIMEOUT", "soon")
    assert main(["--json"]) == 2
    said = capsys.readouterr()
    wrong = {v["name"]: v["wrong"] for v in json.loads(said.out) if v["wrong"]}
    assert "did you mean BRINGUP_RECHECK?" in wrong["BRINGUP_RECHEK"]
    assert "expected seconds" in wrong["BRINGUP_TIMEOUT"] and len(wrong) == 2
    assert said.err.count("\n") == 2
    assert main(["timeout"]) == 2
    out = capsys.readouterr().out
    assert "BRINGUP_TIMEOUT=soon\n" in out and "BRINGUP_FILE_TIMEOUT is not set\n" in out
    assert "default: 30" in out and "BRINGUP_WORKERS" not in out
    assert main(["workers"]) == 0
