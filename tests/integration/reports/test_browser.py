# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser, opened from a folder as a user does.

Needs Debian's chromium and chromium-driver and the package selenium; says which is absent.
"""

import base64
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.selenium import Axe
from PIL import Image

from bringup.harness.recording.shown import shown_of
from bringup.harness.records.moves import Move
from bringup.harness.records.outcomes import LEFT_OUT
from bringup.harness.records.schema import Failure, Identity, Outcome, Stage, Status
from bringup.harness.records.trends import TRENDS_SCHEMA, EarlierText, Trends, write_trends
from bringup.reports import catalog
from bringup.reports.build import build
from bringup.reports.model.run import anchor_of
from tests.benchmarks.reports.made_run import Size, write_made_run
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
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
if not BROWSER or not DRIVER:
    absent = "chromedriver" if BROWSER else "chromium"
    pytest.skip(f"the binary {absent} is not installed", allow_module_level=True)

OPTIONS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
    --disable-background-networking --disable-component-update --window-size=1400,900"""
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
    return built(write_run(run_dir, records, plan=plan, moves=moves))


def built(run_dir: Path) -> str:
    """The address of a run's page, built without the other documents."""
    build(run_dir, reporters=catalog.chosen(["html"]))
    return (run_dir / "index.html").as_uri()


@pytest.fixture(scope="module")
def ops_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that went op by op, hostile text included."""
    run_dir = tmp_path_factory.mktemp("ops-run")
    test = identity("t5", "n150", flow="op_by_op_torch")
    text = (keep(run_dir, MLIR),)
    low = Status.CONVERTED_TO_STABLE_HLO
    ops = [op_result(i, hit=i % 2 == 1) for i in range(40)]
    ops.append(op_result(40, low, Outcome.FAILED, name=NASTY, message=NASTY, artifacts=text))
    return built(write_run(run_dir, [record(test, model_name=NASTY)], ops={test: ops}))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> str:
    """60 models on 6 devices with 30 nights, causes and ops."""
    size = Size(models=60, failing=0.12, ops=1200)
    return built(write_made_run(tmp_path_factory.mktemp("night"), size))


def css(browser: Any, query: str) -> list[Any]:
    found: list[Any] = browser.find_elements("css selector", query)
    return found


def said(browser: Any, query: str) -> str:
    """The text of the one element."""
    (one,) = css(browser, query)
    text: str = one.text
    return text


def wait_for(browser: Any, condition: str) -> None:
    """Wait until a JavaScript expression holds."""
    script = """const done = arguments[0];
        (function look() { if (%s) done(); else setTimeout(look, 5); })();"""
    browser.execute_async_script(script % condition)


def opened(browser: Any, address: str) -> None:
    """Open a page anew, and wait until its table is drawn and its panel, if it has one, is too."""
    browser.get("about:blank")
    browser.get(address)
    wait_for(browser, "!document.getElementById('state')")
    if "p=" in address or "#t-" in address:
        wait_for(browser, "document.getElementById('panel-title').textContent")


def rows_shown(browser: Any) -> list[str]:
    names = browser.execute_script(
        "return [...document.querySelectorAll('#grid-body .row:not(.group) .name')]"
        ".sort((a, b) => a.parentElement.dataset.at - b.parentElement.dataset.at)"
        ".map((name) => name.firstChild.textContent)"
    )
    return [name.split("[")[0] for name in names]


def cells(browser: Any, outcome: str) -> list[Any]:
    return css(browser, f"#grid-body .cell.o-{outcome}")


def keys(browser: Any, *words: str) -> None:
    for word in words:
        browser.switch_to.active_element.send_keys(word)


ENTER, ESCAPE, DOWN, RIGHT, LEFT = "\ue007", "\ue00c", "\ue015", "\ue014", "\ue012"

# --- safe and offline ------------------------------------------------------------------------


def test_the_page_asks_for_nothing_but_itself(browser: Any, page: str) -> None:
    opened(browser, page)
    cells(browser, "FAILED")[0].click()
    wait_for(browser, "document.querySelector('#panel .facts')")
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    # the empty icon; the browser's own pages and search box
    own = ("data:", "chrome://", "chrome-untrusted://", "about:")
    assert [url for url in asked if not url.startswith(own)] == [page]


def test_nothing_of_a_record_runs(browser: Any, page: str) -> None:
    opened(browser, page)
    cells(browser, "INCORRECT")[0].click()
    wait_for(browser, "document.querySelector('#panel .facts')")
    assert browser.execute_script("return window.hit") is None
    assert css(browser, "img") == []
    assert NASTY in said(browser, "#panel .failure")
    assert said(browser, "#panel-title").startswith(NASTY[:20])
    hrefs = [link.get_attribute("href") for link in css(browser, "a")]
    assert all(href.startswith(("file://", "http://127.0.0.1:9/")) for href in hrefs if href)


def test_nothing_of_a_hostile_address_runs(browser: Any, page: str) -> None:
    opened(browser, f"{page}#q={NASTY}&g=<img>&s=__proto__&o=constructor&c=x&p=op:{NASTY}")
    assert browser.execute_script("return window.hit") is None
    assert said(browser, "#panel-title") == "Not in this run"


# --- finding one's way -----------------------------------------------------------------------


def test_a_cell_leads_to_its_panel_and_back(browser: Any, page: str) -> None:
    opened(browser, page)
    assert css(browser, ".cell.none") and not css(browser, ".cell.chosen")
    cells(browser, "FAILED")[0].click()
    wait_for(browser, "document.querySelector('#panel .facts')")
    assert len(css(browser, ".cell.chosen")) == 1
    panel = said(browser, "#panel")
    assert "no stablehlo.fft here" in panel
    assert not re.search(r"\b(false|null|undefined|NaN)\b", panel)
    assert "did not come back" in panel
    assert "nox -s run -- 'tests/models/bert/test_bert.py::test_bert[full-eval]'" in panel
    browser.back()
    wait_for(browser, "document.getElementById('panel').hidden")
    assert not css(browser, ".cell.chosen")


def test_an_address_opens_what_it_names(browser: Any, page: str) -> None:
    opened(browser, page)
    cells(browser, "REACHED")[0].click()
    wait_for(browser, "location.hash.startsWith('#p=t-')")
    anchor = browser.execute_script("return location.hash").removeprefix("#p=")
    for address in (f"{page}#{anchor}", f"{page}#o=REACHED&p={anchor}"):
        opened(browser, address)
        assert said(browser, "#panel-title").startswith("vit")
    assert rows_shown(browser) == ["vit"]


def test_what_a_model_said_is_to_be_seen(browser: Any, tmp_path: Path) -> None:
    picture = Image.new("RGB", (60, 20), "teal")
    said = shown_of([("accuracy", 0.96875), ("text", NASTY), ("picture", picture)])
    test = record(identity("ppocr", "cpu"), shown=said)
    address = built(write_run(tmp_path, [test], plan=plan_of([test.identity])))
    for place, where in (("", "#shown-outputs"), (f"#{anchor_of(test.identity)}", "#panel .facts")):
        opened(browser, address + place)
        wait_for(browser, f"document.querySelector('{where} img')?.naturalWidth === 60")
        told = css(browser, where)[0].text
        assert "0.9688" in told and NASTY in told
    assert browser.execute_script("return window.hit") is None


def test_what_a_budget_left_out_does_not_bury_what_ran(browser: Any, tmp_path: Path) -> None:
    left = Failure(None, LEFT_OUT, "the budget had no time for it")
    ran = [record(identity("bert", "cpu"), Outcome.FAILED), record(identity("vit", "cpu"))]
    out = [record(identity(f"m{i}"), Outcome.NOT_RUN, failure=left) for i in range(60)]
    night = built(write_run(tmp_path, [*ran, *out]))
    opened(browser, f"{night}#g=family")
    said_of = [row.text.split("\n") for row in css(browser, "#grid-body .row.group")]
    assert ["m0", "1 · 1 left out"] in said_of, "nothing of it ran, so it is not good"
    opened(browser, night)
    assert rows_shown(browser) == ["bert"]
    assert said(browser, "#fold") == "show 1 good row and 60 left out by the budget"
    browser.find_element("id", "fold").click()
    assert said(browser, "#fold") == "fold good rows"
    assert rows_shown(browser)[0] == "bert" and len(rows_shown(browser)) > 20


def test_the_history_of_attempts_is_in_the_panel(browser: Any, page: str) -> None:
    opened(browser, f"{page}#q=vit")
    cells(browser, "PASSED")[0].click()
    wait_for(browser, "document.querySelector('#panel .facts')")
    assert "Earlier attempts" in said(browser, "#panel")


def test_filters_work_together_and_stay_in_the_address(browser: Any, page: str) -> None:
    opened(browser, page)
    assert said(browser, "#shown") == "6 results"
    browser.find_element("id", "search").send_keys("FFT")
    assert said(browser, "#shown") == "1 of 6 results"
    assert rows_shown(browser) == ["bert"]
    browser.find_element("css selector", "[data-word=PASSED]").click()
    assert said(browser, "#shown") == "0 of 6 results"
    assert browser.find_element("id", "nothing").is_displayed()
    address = browser.current_url
    browser.find_element("id", "everything").click()
    assert said(browser, "#shown") == "6 results"
    opened(browser, address)
    assert said(browser, "#shown") == "0 of 6 results"
    opened(browser, f"{page}#d=n150")
    assert rows_shown(browser) == ["bert", "vit"]


def test_columns_sort_and_rows_go_into_groups(browser: Any, night: str) -> None:
    opened(browser, f"{night}#f=all")
    before = rows_shown(browser)
    assert before == sorted(before)
    button = browser.find_element("css selector", "#grid-head .cell button")
    button.click()
    head = button.find_element("xpath", "..")
    assert head.get_attribute("aria-sort") == "descending"
    first = css(browser, "#grid-body .row[data-at='0'] .cell")[0]
    assert not re.search("o-(PASSED|REACHED)", first.get_attribute("class"))
    opened(browser, f"{night}#g=owner")
    assert "frontend" in said(browser, "#grid-body .row[data-at='0']")
    opened(browser, f"{night}#g=device&o=CRASHED")
    wanted = ("cpu", "n150", "n300", "p150", "p300", "iree-cpu")
    assert said(browser, "#grid-body .row[data-at='0']").startswith(wanted)


def test_a_family_says_how_many_of_it_are_good_on_each_device(browser: Any, page: str) -> None:
    def shares() -> dict[str, list[str]]:
        found = css(browser, "#grid-body .row.group")
        texts = [[e.text for e in css(row, "bdi, .share")] for row in found]
        return {text[0]: text[-len(heads) :] for text in texts}

    opened(browser, f"{page}#g=family")
    heads = [e.text for e in css(browser, "#grid-head > *")][1:-1]
    cpu, n150 = heads.index("cpu"), heads.index("n150")
    by_family = shares()
    assert (by_family["bert"][cpu], by_family["bert"][n150]) == ("1/1", "0/1")
    assert (by_family["vit"][cpu], by_family["vit"][n150]) == ("1/1", "1/1"), "folded, and counted"
    assert (by_family["gone"][cpu], by_family["gone"][n150]) == ("0/1", "")
    opened(browser, f"{page}#g=family&o=FAILED")
    assert (shares()["bert"][cpu], shares()["bert"][n150]) == ("1/1", "0/1"), "not of what fits"
    assert "vit" not in shares()
    opened(browser, f"{page}#g=device")
    assert (shares()["n150"][cpu], shares()["n150"][n150]) == ("", "1/2")


def test_the_keyboard_is_enough(browser: Any, night: str) -> None:
    opened(browser, night)
    browser.find_element("tag name", "body").send_keys("/")
    assert browser.switch_to.active_element.get_attribute("id") == "search"
    browser.execute_script("document.querySelector(\"#grid-body [tabindex='0']\").focus()")
    keys(browser, DOWN, RIGHT, RIGHT, ENTER)
    wait_for(browser, "document.querySelector('#panel .facts')")
    assert browser.switch_to.active_element.get_attribute("id") == "panel-title"
    shown, where = said(browser, "#panel-title"), said(browser, "#panel-where")
    assert where == "n150"
    keys(browser, RIGHT)
    wait_for(browser, "document.getElementById('panel-where').textContent !== 'n150'")
    keys(browser, LEFT)
    wait_for(browser, "document.getElementById('panel-where').textContent === 'n150'")
    assert said(browser, "#panel-title") == shown
    keys(browser, ESCAPE)
    assert not browser.find_element("id", "panel").is_displayed()
    focused = browser.switch_to.active_element
    assert focused.get_attribute("role") == "gridcell"
    assert "on n150" in focused.get_attribute("aria-label")


# --- what is said ----------------------------------------------------------------------------


def test_the_head_says_what_is_new_and_a_cause_leads_to_its_tests(browser: Any, night: str) -> None:
    opened(browser, night)
    assert said(browser, "h1").startswith("Worse: 1 new cause breaks ")
    assert said(browser, ".cause:first-child .tag") == "NEW"
    assert "Fix first" in said(browser, ".fixes")
    browser.find_element("css selector", ".cause:first-child a").click()
    shown = said(browser, "#shown")
    assert "of the cause" in shown
    count = int(shown.split()[0])
    assert said(browser, "h1").startswith(f"Worse: 1 new cause breaks {count} test")
    assert len(css(browser, "#grid-body .cell.new:not(.dim)")) == count


def test_the_panel_of_a_test_has_its_history(browser: Any, night: str) -> None:
    opened(browser, f"{night}#o=INCORRECT")
    cells(browser, "INCORRECT")[0].click()
    wait_for(browser, "document.querySelector('#panel .facts')")
    assert len(css(browser, "#panel .night")) == 30
    assert len(css(browser, "#panel .chart svg .line")) == 3
    assert css(browser, "#panel .chart .limit") and css(browser, "#panel .chart .mark")
    checks = said(browser, "#panel .checks")
    assert "≥ 0.99" in checks and "0.71" in checks
    opened(browser, f"{night}#o=CRASHED")
    cells(browser, "CRASHED")[0].click()
    wait_for(browser, "document.querySelector('#panel .frame')")
    assert "tests/models/vit/test_vit.py:31 in _load_model" in said(browser, "#panel .frame")


def test_the_panel_of_a_device_has_its_night(browser: Any, night: str) -> None:
    opened(browser, f"{night}#p=dev:n150")
    assert said(browser, "#panel-where").startswith("60 tests, 03:12 to ")
    assert len(css(browser, "#panel .timeline rect")) == 60
    assert "lanes busy" in said(browser, "#panel")
    counts = [int(b.text) for b in css(browser, "#panel .funnel b")]
    assert counts == sorted(counts, reverse=True) and counts[0] == 60


def test_an_op_has_a_history(browser: Any, night: str) -> None:
    opened(browser, f"{night}#p=op:aten.add.Tensor")
    wait_for(browser, "document.querySelectorAll('#panel figure.chart').length == 2")
    bad, results = [figure.text for figure in css(browser, "#panel figure.chart")]
    assert bad.startswith("not good") and results.startswith("results")
    assert len(css(browser, "#panel figure.chart circle")) == 60
    assert [e.get_attribute("class") for e in css(browser, "#panel circle.bad")] == ["bad"] * 7


def test_from_an_op_that_blocks_to_its_models_and_its_text(browser: Any, ops_page: str) -> None:
    opened(browser, ops_page)
    browser.execute_script("document.querySelector('#ops .blockers a').click()")
    wait_for(browser, "location.hash.startsWith('#p=op')")
    wait_for(browser, "document.getElementById('panel-title').textContent")
    assert "Models it blocks: 1" in said(browser, "#panel")
    assert browser.execute_script("return window.hit") is None
    css(browser, "#panel tbody th a")[0].click()
    wait_for(browser, "document.querySelector('#panel .ops .op-name')")
    assert "Ops: 41 unique" in said(browser, "#panel")
    css(browser, "#panel .op-name")[0].click()
    unfolded = said(browser, "#panel .unfolded")
    assert "nox -s repro -- " in unfolded and "1x128x808 float32" in unfolded
    browser.execute_script("document.querySelector('#panel .unfolded .kept a').click()")
    wait_for(browser, "(document.getElementById('text') || {}).textContent?.includes('module')")


def test_a_kept_text_is_a_click_away(browser: Any, page: str) -> None:
    opened(browser, f"{page}#q=bert")
    cells(browser, "PASSED")[0].click()
    wait_for(browser, "document.querySelector(\"#panel a[href^='ir/']\")")
    browser.get(css(browser, "#panel a[href^='ir/']")[0].get_attribute("href"))
    wait_for(browser, "document.getElementById('text').textContent")
    assert browser.execute_script("return document.getElementById('text').textContent") == MLIR
    assert browser.find_element("id", "lines").text.split() == ["1", "2", "3"]
    assert browser.find_element("id", "save").get_attribute("download").endswith("-ttnn.txt")
    assert browser.execute_script("return window.hit") is None


def test_two_nights_ir_are_side_by_side(browser: Any, tmp_path: Path) -> None:
    test, lines = identity("t5", "n150"), [f"  %{i} = op" for i in range(60)]
    before = keep(tmp_path, "\n".join(lines), "ttir")
    lines[30] = "  %30 = </script><b>other"
    lines[31:] = [f"  %{i + 1} = op" for i in range(31, 60)]  # as one op more renumbers them
    now = keep(tmp_path, "\n".join(lines), "ttir")
    write_run(tmp_path, [record(test, Outcome.FAILED, stages=stages(artifacts=(now,)))])
    earlier = (EarlierText(test.key, "nightly-1", before),)
    outcomes = tuple(Outcome)
    trends = Trends(schema=TRENDS_SCHEMA, run="n", outcomes=outcomes, earlier=earlier)
    write_trends(tmp_path, trends)
    opened(browser, f"{built(tmp_path)}#o=FAILED")
    cells(browser, "FAILED")[0].click()
    wait_for(browser, "document.querySelector('#panel .chip')")
    (button,) = [b for b in css(browser, "#panel .chip") if "side by side" in b.text]
    browser.execute_script("arguments[0].click()", button)
    wait_for(browser, "document.querySelector('#panel .beside')")
    assert [e.text for e in css(browser, "#panel .out")] == ["  %30 = op"]
    assert [e.text for e in css(browser, "#panel .in")] == ["  %30 = </script><b>other"]
    assert "27 lines alike" in said(browser, "#panel .beside")
    opened(browser, browser.current_url)  # the view can be sent
    wait_for(browser, "document.querySelectorAll('#panel .beside .out').length == 1")
    browser.execute_script("document.getElementById('panel-close').click()")
    wait_for(browser, "document.getElementById('panel').hidden")
    assert "i=" not in browser.current_url


# --- every reader ---------------------------------------------------------------------------


def test_axe_finds_nothing(browser: Any, page: str, ops_page: str, night: str) -> None:
    test = f"{night}#o=FAILED&p={first_failure(browser, night)}"
    of_op, of_device = f"{night}#p=op:aten.mm.default", f"{night}#p=dev:n150"
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    for address in (page, ops_page, night, of_op, of_device, test):
        browser.get("about:blank")
        opened(browser, address)
        assert violations(browser) == [], address
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert violations(browser) == []


def test_axe_finds_nothing_in_what_devices_have_seen_of_the_ops(
    browser: Any, tmp_path: Path
) -> None:
    low = Status.CONVERTED_TO_TORCH_IR
    kept_from = Stage.TORCH_BACKEND_IR
    refused = op_result(9, low, Outcome.FAILED, name=NASTY, message=NASTY, stage=kept_from)
    walks = {
        identity("t5", "cpu", flow="op_by_op_torch"): [op_result(1), op_result(2), refused],
        identity("bert", "n150", flow="op_by_op_torch"): [op_result(1, name="aten.other")],
    }
    opened(browser, built(write_run(tmp_path, [record(test) for test in walks], ops=walks)))
    assert len(css(browser, "#coverage table.coverage tbody tr")) == 2
    unfold = "document.querySelectorAll('#coverage details').forEach(d => d.open = true)"
    browser.execute_script(unfold)
    assert violations(browser) == []


def violations(browser: Any) -> list[tuple[str, str]]:
    """Rules that the page as it is now breaks, each with the first element that does."""
    found = Axe().run(browser)["violations"]
    return [(rule["id"], rule["nodes"][0]["html"]) for rule in found]


def first_failure(browser: Any, night: str) -> str:
    """The anchor of a test that failed."""
    opened(browser, night)
    cells(browser, "FAILED")[0].click()
    wait_for(browser, "location.hash.includes('p=')")
    return str(browser.execute_script("return /p=([^&]+)/.exec(location.hash)[1]"))


# --- every screen ----------------------------------------------------------------------------


def test_a_phone_does_not_scroll_sideways(browser: Any, page: str, night: str) -> None:
    phone = {"width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    for address in (page, night, f"{night}#p=dev:n150"):
        opened(browser, address)
        assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    opened(browser, night)
    assert css(browser, "#grid-body .cell")[0].size["width"] >= 24


@pytest.mark.parametrize("width", [1240, 1241, 1280, 1345, 1346, 1440])
def test_the_figures_of_devices_stay_in_their_frame(browser: Any, night: str, width: int) -> None:
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    opened(browser, night)
    rows = "[...document.querySelectorAll('.device')]"
    assert browser.execute_script(f"return {rows}.length > 1")
    assert browser.execute_script(f"return {rows}.every((e) => e.scrollWidth <= e.clientWidth)")


def test_names_that_are_nothing_or_endless_fit_a_phone_and_can_be_read_out(
    browser: Any, tmp_path: Path
) -> None:
    names = ("x" * 10_000, "\x00\x1b[31m", "\u202ea b\n")
    tests = [Identity(name, name, device=name) for name in names]
    records = [record(t, Outcome.FAILED, message=t.model, notes=(t.model,)) for t in tests]
    place = tmp_path / "a #1 night?"
    phone = {"width": 375, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    address = built(write_run(place, records))
    opened(browser, address)
    named = "[...document.querySelectorAll('.device h2, #chips-device button, .head button')]"
    assert browser.execute_script(f"return {named}.every((e) => e.textContent.trim())")
    for link in [e.get_attribute("href") for e in css(browser, ".device h2 a")]:
        opened(browser, link)
        assert said(browser, "#panel-title") != "Not in this run"
    for at in range(len(tests)):
        opened(browser, address)
        cells(browser, "FAILED")[at].click()
        wait_for(browser, "document.querySelector('#panel .failure')")
        wide = "Math.max(document.getElementById('panel').scrollWidth, document.body.scrollWidth)"
        assert browser.execute_script(f"return {wide}") <= 375


def test_a_dark_screen_stays_dark(browser: Any, page: str) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    browser.get(page)
    light = browser.execute_script(ground)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert light == "rgb(250, 251, 252)"
    assert browser.execute_script(ground) == "rgb(16, 19, 22)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_smaller_than_12_pixels_or_too_pale(
    browser: Any, night: str, scheme: str
) -> None:
    chosen = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", chosen)
    opened(browser, f"{night}#p=dev:n150")
    small, pale = browser.execute_script(LEGIBLE)
    assert small == [] and pale == []


LEGIBLE = """
const small = [], pale = [];
const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
const pen = canvas.getContext('2d', {willReadFrequently: true});
function over(below, colour) {  // one colour upon another, whatever syntax it is computed to
  pen.fillStyle = `rgb(${below.join()})`;
  pen.fillRect(0, 0, 1, 1);
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}
function light(colour) {  // relative luminance, WCAG 2.2
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = colour.map((c) => linear(c / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function ground(element) {
  const chain = [];
  for (let e = element; e; e = e.parentElement) chain.unshift(getComputedStyle(e).backgroundColor);
  return chain.reduce(over, [255, 255, 255]);
}
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const aside = element.closest('.dim, .spoken, noscript, script');
  if (!own || aside || !element.checkVisibility()) continue;
  const style = getComputedStyle(element), behind = ground(element);
  if (parseFloat(style.fontSize) < 12) small.push(element.outerHTML.slice(0, 120));
  const [a, b] = [light(over(behind, style.color)), light(behind)].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) pale.push(element.outerHTML.slice(0, 120));
}
return [small.slice(0, 5), pale.slice(0, 5)];
"""


def test_without_scripts_the_head_and_the_failures_are_readable(browser: Any, page: str) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get("about:blank")
    browser.get(page)
    assert not browser.find_element("id", "grid").is_displayed()
    main = said(browser, "main")
    assert "no stablehlo.fft here" in main and "Without JavaScript" in main
    assert "1 of 6 planned tests is missing" in said(browser, "h1")


def test_paper_has_every_row_and_every_column(browser: Any, night: str) -> None:
    opened(browser, f"{night}#f=all")
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    rows = css(browser, "table.printed tbody tr")
    assert len(rows) == 60 and len(rows[0].find_elements("css selector", "td, th")) == 8
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert not css(browser, "table.printed")
    sheets = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", sheets)) >= 2
    assert not css(browser, "table.printed")


# --- every size ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("models", "devices", "failing"),
    [(1, 1, 0.0), (1, 1, 1.0), (12, 6, 0.0), (12, 6, 1.0), (300, 10, 0.1)],
)
def test_a_night_of_any_size_is_shown(
    browser: Any, tmp_path: Path, models: int, devices: int, failing: float
) -> None:
    size = Size(models, devices, nights=30 if models > 1 else 1, failing=failing)
    opened(browser, built(write_made_run(tmp_path, size)))
    many = "result" if models * devices == 1 else "results"
    assert said(browser, "#shown") == f"{models * devices} {many}"
    wanted = {0.0: "Nothing", 1.0: ""}.get(failing, "Worse")
    assert said(browser, "h1").startswith(wanted)
    width = "return document.documentElement.scrollWidth <= innerWidth"
    assert browser.execute_script(width)
    assert browser.execute_script("return document.querySelectorAll('*').length") < 5000


def test_ten_thousand_results_open_and_the_last_one_too(browser: Any, tmp_path: Path) -> None:
    opened(browser, built(write_made_run(tmp_path, Size(10_000, 1, nights=2))))
    assert said(browser, "#shown") == "10000 results"
    browser.execute_script("document.getElementById('grid-box').scrollTop = 1e9")
    last = "[...document.querySelectorAll('#grid-body .row')].at(-1)"
    wait_for(browser, f"{last}.offsetTop >= 0 && document.querySelector('#grid-body .row')")
    browser.find_element("id", "search").send_keys("yolo-499")
    assert said(browser, "#shown") == "1 of 10000 results"
    css(browser, "#grid-body .cell")[0].click()
    wait_for(browser, "document.querySelector('#panel .facts')")
    assert "org/yolo-yolo-499" in said(browser, "#panel")
    assert browser.execute_script("return document.querySelectorAll('*').length") < 5000
