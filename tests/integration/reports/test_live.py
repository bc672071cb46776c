# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A real run watched while it runs, in a real browser where there is one."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bringup.reports.build import build
from tests.integration.small_fleet import ENVIRONMENT, SmallFleet, eventually, finish

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
BODY = """
@full
def test_quick(flow): pass
@full
def test_bad(flow): raise ValueError("<script>no fft</script>")
@full
def test_waits(flow):
    while not os.path.exists("go"): time.sleep(0.05)
"""


@pytest.fixture
def fleet(tmp_path: Path) -> SmallFleet:
    fleet = SmallFleet(tmp_path)
    fleet.file("test_all", BODY)
    return fleet


@pytest.fixture
def served(fleet: SmallFleet) -> Iterator[str]:
    """The address of a run's server; both are there, the run is under way."""
    path = "tests/models/test_all.py"
    run = fleet.start("run", path, "--device", "cpu", "--workers", "1")
    eventually((fleet.output / "journal").exists)
    module = ["-m", "bringup.reports", "build", str(fleet.output), "--serve", "--port", "0"]
    server = subprocess.Popen(
        [sys.executable, *module],
        cwd=fleet.root,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())
    assert found
    yield found[0]
    (fleet.root / "go").touch()
    finish(run)
    server.terminate()
    finish(server)


def state(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}state.json", timeout=20) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """A browser with nothing left in its console; None where there is none."""
    driver_path = shutil.which("chromedriver")
    try:
        from selenium import webdriver
    except ImportError:
        driver_path = None
    if not BROWSER or not driver_path:
        yield None
        return
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for word in ("headless", "no-sandbox", "disable-gpu", "window-size=1200,800"):
        options.add_argument(f"--{word}")
    options.add_argument(f"--user-data-dir={tmp_path / 'profile'}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service(driver_path)
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    console = [m for m in driver.get_log("browser") if "favicon" not in m["message"]]
    driver.quit()
    assert console == []


def text(browser: Any) -> str:
    return str(browser.find_element("tag name", "body").text)


def test_a_run_is_seen_while_it_runs_and_its_page_afterwards(
    fleet: SmallFleet, served: str, browser: Any
) -> None:
    eventually(lambda: state(served)["done"] == 2 and state(served)["running"])
    seen = state(served)
    assert (seen["planned"], seen["good"], seen["failed"]) == (3, 1, 1)
    assert [one["test"] for one in seen["running"]] == ["waits[full-eval]"]
    assert seen["failures"][0]["why"].endswith("<script>no fft</script>")
    assert seen["failures"][0]["command"].startswith("bringup run ")
    assert not seen["over"] and seen["left_s"] is not None
    if browser is not None:
        browser.get(served)
        eventually(lambda: "2 of 3 tests done" in text(browser))
        assert "waits[full-eval]" in text(browser) and "<script>no fft</script>" in text(browser)
    (fleet.root / "go").touch()
    eventually(lambda: state(served)["over"])
    build(fleet.output)
    if browser is not None:  # it goes there by itself
        eventually(lambda: browser.current_url.startswith(f"{served}report/index.html"))
    with urllib.request.urlopen(served, timeout=20) as answer:
        assert answer.url == f"{served}report/index.html"
