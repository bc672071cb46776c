# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser, opened from a folder as a user does.

Needs Debian's chromium and chromium-driver and the package selenium; says which is absent.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bringup.harness.records.moves import Move
from bringup.harness.records.schema import Identity, Outcome, Status
from bringup.reports.build import build
from tests.unit.run_builder import (
    identity,
    keep,
    op_result,
    output,
    plan_of,
    record,
    stages,
    write_run,
)

webdriver: Any = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
Select: Any = pytest.importorskip("selenium.webdriver.support.select").Select
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
if not BROWSER or not DRIVER:
    absent = "chromedriver" if BROWSER else "chromium"
    pytest.skip(f"the binary {absent} is not installed", allow_module_level=True)

OPTIONS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
    --disable-background-networking --disable-component-update --window-size=1400,1000"""
NASTY = "</script><script>window.hit=1</script><img src=http://127.0.0.1:9/x onerror=window.hit=2>"
MLIR = "module @m {\n  // </script><script>window.hit=3</script> é\n}\n"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for option in OPTIONS.split():
        options.add_argument(option)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.chrome.service.Service(DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_script_timeout(20)
    yield driver
    driver.quit()


@pytest.fixture
def browser(started: Any) -> Iterator[Any]:
    """The browser as it comes: light, wide, with scripts; nothing may be left in its console."""
    started.get_log("performance")
    yield started
    started.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    started.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    started.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert started.get_log("browser") == []


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A night with something of everything, hostile text included."""
    run_dir = tmp_path_factory.mktemp("run")
    kept = stages(artifacts=(keep(run_dir, MLIR, "ttnn"),))
    evil = Identity(NASTY, NASTY, device=NASTY)
    records = [
        record(identity("bert", "cpu"), stages=kept, outputs=(output(0.5),), ended=None),
        record(identity("bert", "n150"), Outcome.FAILED, message="no stablehlo.fft here"),
        record(identity("vit", "cpu"), Outcome.CRASHED, attempt=1),
        record(identity("vit", "cpu"), attempt=2),
        record(identity("vit", "n150"), Outcome.REACHED, Status.CONVERTED_TO_TTNN),
        record(evil, Outcome.INCORRECT, message=NASTY, notes=(NASTY,), assertions={NASTY: NASTY}),
    ]
    lost = identity("gone", "cpu")
    plan = plan_of([*dict.fromkeys(r.identity for r in records), lost])
    moves = [Move(NASTY, NASTY, NASTY, NASTY, NASTY)]
    built = build(write_run(run_dir, records, plan=plan, moves=moves))
    return (built.folder / "index.html").as_uri()


@pytest.fixture(scope="module")
def ops_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that went op by op, hostile text included."""
    run_dir = tmp_path_factory.mktemp("ops-run")
    test = identity("t5", "n150", flow="op_by_op_torch")
    text = (keep(run_dir, MLIR),)
    low = Status.CONVERTED_TO_STABLE_HLO
    ops = [op_result(i, hit=i % 2 == 1) for i in range(40)]
    ops.append(op_result(40, low, Outcome.FAILED, name=NASTY, message=NASTY, artifacts=text))
    built = build(write_run(run_dir, [record(test, model_name=NASTY)], ops={test: ops}))
    return (built.folder / "index.html").as_uri()


def css(browser: Any, query: str) -> list[Any]:
    found: list[Any] = browser.find_elements("css selector", query)
    return found


def wait_for(browser: Any, condition: str) -> None:
    """Wait until a JavaScript expression holds."""
    script = """const done = arguments[0];
        (function look() { if (%s) done(); else setTimeout(look, 5); })();"""
    browser.execute_async_script(script % condition)


def click(browser: Any, element: Any) -> None:
    """Click where the element is once everything above it has been laid out."""
    for _ in range(2):
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def rows_shown(browser: Any) -> list[str]:
    return [row.text.split()[0] for row in css(browser, "#cells tbody tr") if row.is_displayed()]


def filtered(browser: Any, count: str) -> None:
    wait_for(browser, f"document.getElementById('shown').textContent === '{count}'")


# --- safe and offline ------------------------------------------------------------------------


def test_the_page_asks_for_nothing_but_itself(browser: Any, page: str) -> None:
    browser.get(page)
    for summary in css(browser, ".result summary"):
        click(browser, summary)
    wait_for(browser, "document.querySelectorAll('.result .facts').length === 5")
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    own = ("data:", "chrome://")  # the empty icon; the browser's own search box
    assert [url for url in asked if not url.startswith(own)] == [page]


def test_nothing_of_a_record_runs(browser: Any, page: str) -> None:
    browser.get(page)
    for summary in css(browser, ".result summary"):
        click(browser, summary)
    wait_for(browser, "document.querySelectorAll('.result .facts').length === 5")
    assert browser.execute_script("return window.hit") is None
    assert css(browser, "img") == []
    assert NASTY in browser.find_element("css selector", "[data-o=INCORRECT] .failure").text
    hrefs = [link.get_attribute("href") for link in css(browser, "a")]
    assert all(href.startswith(("file://", "http://127.0.0.1:9/")) for href in hrefs if href)


# --- finding one's way -----------------------------------------------------------------------


def test_a_cell_leads_to_its_detail(browser: Any, page: str) -> None:
    browser.get(page)
    click(browser, css(browser, "#cells td[data-o=FAILED] a")[0])
    wait_for(browser, "document.querySelector('[data-o=FAILED][open] .facts')")
    detail = browser.find_element("css selector", "details[data-o=FAILED]").text
    assert "no stablehlo.fft here" in detail
    assert "did not come back" in detail
    assert "nox -s run -- 'tests/models/bert/test_bert.py::test_bert[full-eval]'" in detail


def test_a_link_to_a_result_opens_it(browser: Any, page: str) -> None:
    browser.get(page)
    anchor = css(browser, "details[data-o=REACHED]")[0].get_attribute("id")
    browser.get("about:blank")
    browser.get(f"{page}#{anchor}")
    wait_for(browser, f"document.querySelector('#{anchor}[open] .facts')")


def test_the_history_of_attempts_is_in_the_detail(browser: Any, page: str) -> None:
    browser.get(page)
    (cell,) = (c for c in css(browser, "#cells td") if "2 attempts" in c.text)
    click(browser, cell.find_element("css selector", "a"))
    wait_for(browser, "document.querySelector('.result[open] .facts')")
    assert "Earlier attempts" in browser.find_element("css selector", ".result[open]").text


def test_filters_work_together(browser: Any, page: str) -> None:
    browser.get(page)
    filtered(browser, "6 results")
    browser.find_element("id", "find").send_keys("FFT")
    filtered(browser, "1 of 6 results")
    assert rows_shown(browser) == ["bert"]
    assert not browser.find_element("id", "good").is_displayed()
    browser.find_element("css selector", "[data-outcome=FAILED]").click()
    filtered(browser, "0 of 6 results")
    assert browser.find_element("id", "nothing").is_displayed()
    browser.find_element("id", "everything").click()
    filtered(browser, "6 results")
    Select(browser.find_element("id", "device")).select_by_value("2")
    filtered(browser, "2 of 6 results")
    assert rows_shown(browser) == ["bert", "vit"]
    assert "cpu" not in browser.find_element("css selector", "#cells thead").text


def test_columns_sort_both_ways(browser: Any, page: str) -> None:
    browser.get(page)
    before = rows_shown(browser)
    head = css(browser, "#cells thead button")[0]
    head.click()
    assert rows_shown(browser) == before[::-1]
    css(browser, "#cells thead button")[2].click()
    assert css(browser, "#cells thead th")[2].get_attribute("aria-sort") == "ascending"
    assert css(browser, "#cells thead th")[0].get_attribute("aria-sort") is None


def test_the_keyboard_is_enough(browser: Any, page: str) -> None:
    browser.get(page)
    link = css(browser, "#cells td[data-o=FAILED] a")[0]
    browser.execute_script("arguments[0].focus()", link)
    browser.switch_to.active_element.send_keys("\ue007")  # Enter
    wait_for(browser, "document.querySelector('[data-o=FAILED][open] .facts')")
    assert browser.switch_to.active_element.tag_name == "summary"
    browser.switch_to.active_element.send_keys("\ue007")
    wait_for(browser, "!document.querySelector('[data-o=FAILED][open]')")
    chip = browser.find_element("css selector", "[data-outcome=PASSED]")
    chip.send_keys(" ")
    assert chip.get_attribute("aria-pressed") == "false"


# --- kept texts ------------------------------------------------------------------------------


def test_a_kept_text_is_a_click_away(browser: Any, page: str) -> None:
    browser.get(page)
    for summary in css(browser, "#good summary"):
        click(browser, summary)
    wait_for(browser, "document.querySelector(\"a[href^='ir/']\")")
    browser.get(browser.find_element("css selector", "a[href^='ir/']").get_attribute("href"))
    wait_for(browser, "document.getElementById('text').textContent")
    assert browser.execute_script("return document.getElementById('text').textContent") == MLIR
    assert browser.find_element("id", "lines").text.split() == ["1", "2", "3"]
    assert browser.find_element("id", "save").get_attribute("download").endswith("-ttnn.txt")
    assert browser.execute_script("return window.hit") is None


# --- every screen ----------------------------------------------------------------------------


def test_a_phone_does_not_scroll_sideways(browser: Any, page: str) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.get(page)
    for summary in css(browser, ".result summary"):
        browser.execute_script("arguments[0].click()", summary)
    wait_for(browser, "document.querySelectorAll('.result .facts').length === 5")
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width == 390


def test_a_phone_shows_names_of_models_in_whole_words(browser: Any, ops_page: str) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.get(ops_page)
    (name,) = css(browser, ".models-ops tbody th")
    assert name.size["width"] >= 200
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390


def test_a_dark_screen_stays_dark(browser: Any, page: str) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    browser.get(page)
    light = browser.execute_script(ground)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert light == "rgb(245, 246, 248)"
    assert browser.execute_script(ground) == "rgb(17, 20, 23)"


def test_without_scripts_the_grid_and_the_failures_are_readable(browser: Any, page: str) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get("about:blank")
    browser.get(page)
    assert len(css(browser, "#cells tbody tr")) == 4
    assert not browser.find_element("id", "filters").is_displayed()
    failed = browser.find_element("css selector", "details[data-o=FAILED]")
    failed.find_element("css selector", "summary").send_keys("\ue007")
    assert "no stablehlo.fft here" in failed.text
    assert "Without JavaScript" in browser.find_element("tag name", "main").text


def test_two_thousand_results_open_and_the_last_one_too(browser: Any, tmp_path: Path) -> None:
    records = [record(identity(f"model_{i:04}", "cpu"), outputs=(output(),)) for i in range(2000)]
    browser.get((build(write_run(tmp_path, records)).folder / "index.html").as_uri())
    filtered(browser, "2000 results")
    browser.find_element("id", "find").send_keys("model_1999")
    filtered(browser, "1 of 2000 results")
    click(browser, css(browser, "#cells tbody tr:not([hidden]) a")[0])
    wait_for(browser, "document.querySelector('.result[open] .facts')")
    assert "org/model_1999-base" in browser.find_element("css selector", ".result[open]").text


# --- ops -------------------------------------------------------------------------------------


def test_from_an_op_that_blocks_to_its_row_and_its_text(browser: Any, ops_page: str) -> None:
    browser.get(ops_page)
    click(browser, css(browser, "#ops .blockers a")[0])
    wait_for(browser, "location.hash === '#op-40'")
    (row,) = css(browser, "tr:target")
    assert row.is_displayed()
    assert "nox -s repro -- " in row.text
    assert browser.execute_script("return window.hit") is None
    click(browser, row.find_element("css selector", ".kept a"))
    wait_for(browser, "(document.getElementById('text') || {}).textContent?.includes('module')")


def test_ops_are_found_by_word_and_by_need(browser: Any, ops_page: str) -> None:
    browser.get(ops_page)
    click(browser, css(browser, "#ops tbody th a")[0])
    filtered(browser, "41 ops")
    css(browser, "#find")[0].send_keys("cached")
    filtered(browser, "20 of 41 ops")
    css(browser, "#find")[0].clear()
    click(browser, css(browser, "#bad")[0])
    filtered(browser, "1 of 41 ops")
    assert browser.execute_script("return window.hit") is None
