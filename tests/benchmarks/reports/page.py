# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the page of a large night costs, to make and to read.

html_mb         `index.html`
html_seconds    from a run that is read to the file
report_rss_mb   the peak of a process that reads the run and writes the page
first_paint_ms  first contentful paint in a real Chromium, the median of 5
filter_ms       processor time of Chromium's main thread from a keystroke to rows that fit: the
                slowest of letters and chips
jump_ms         the same, of a jump to rows none of which were drawn
dom_nodes       elements of the page while all of that is done, at most
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import Figure
from tests.benchmarks.reports.made_run import Size, write_made_run

LARGE = Size(models=1000, devices=10, nights=30, failing=0.1, ops=200_000)
QUICK = Size(models=30, devices=4, nights=30, failing=0.1, ops=400)
_MAKE = """
import resource, sys, time
from pathlib import Path
from bringup.reports.build import load
from bringup.reports.html.artifact_pages import ArtifactPages
from bringup.reports.html.run_page import write_html
run_dir = Path(sys.argv[1])
began = time.process_time()
run = load(run_dir)
read = time.process_time()
write_html(run_dir, run, ArtifactPages({}), ())
print(read - began, time.process_time() - read)
"""
_PEAK = (
    "lines = open('/proc/self/status').read().splitlines()\n"
    "print(next(int(n.split()[1]) for n in lines if n.startswith('VmHWM')) / 1000)"
)
_ACTS = (
    *(
        f"search.value = '{word}'; search.dispatchEvent(new Event('input'))"
        for word in ("m", "ma", "mam", "mamba", "legalize", "")
    ),
    *(
        f"document.querySelectorAll('#chips-outcome button, #chips-judgement button')[{at}].click()"
        for at in (0, 0, 2, 3, 2, 3, 4, 4)
    ),
    "document.getElementById('grid-box').scrollTop = 9000",
)
"""What a reader does: letters of a search, chips on and off, and at last a jump down."""
_BEFORE = "const search = document.getElementById('search');"
_AFTER = "; document.body.offsetHeight"  # laid out within the time
_PARTS = ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")
_PAINT = """
const done = arguments[0];
(function look() {
  const [paint] = performance.getEntriesByName('first-contentful-paint');
  const ready = !document.getElementById('state');
  if (paint && ready) done(paint.startTime); else setTimeout(look, 10);
})();
"""


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures of the page."""
    size = QUICK if options.quick else LARGE
    folder = Path(tempfile.mkdtemp(prefix="bringup-bench-"))
    try:
        write_made_run(folder / "run", size)
        return list(_figures(folder / "run", size))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _figures(run_dir: Path, size: Size) -> Iterator[Figure]:
    what = f"{size.models * size.devices} tests x {size.nights} nights, {size.ops} op rows"
    command = [sys.executable, "-c", _MAKE + _PEAK, str(run_dir)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
    read, made, peak = map(float, said.stdout.split())
    page = run_dir / "index.html"
    yield Figure("html_mb", page.stat().st_size / 1e6, "MB", "<= 2.5", what)
    yield Figure("html_seconds", made, "s of CPU", "<= 3", f"{what}; from a run that is read")
    yield Figure("html_read_seconds", read, "s of CPU", "", f"{what}; reading the run")
    yield Figure("report_rss_mb", peak, "MB", "<= 500", f"{what}; reading it and writing the page")
    with browser() as driver:
        paints = []
        for _ in range(5):
            driver.get("about:blank")
            driver.get(page.as_uri())
            paints.append(driver.execute_async_script(_PAINT))
        yield Figure("first_paint_ms", statistics.median(paints), "ms", "<= 200", "median of 5")
        nodes = 0
        spent = []
        driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        for act in _ACTS:
            before = _main_thread(driver)
            driver.execute_script(_BEFORE + act + _AFTER)
            spent.append(1000 * (_main_thread(driver) - before))
            nodes = max(nodes, driver.execute_script(_COUNT))
        *filters, jump = spent
        yield Figure("filter_ms", max(filters), "ms", "<= 16", f"slowest of {len(filters)} acts")
        yield Figure("jump_ms", jump, "ms", "", "to rows none of which were drawn")
        yield Figure("dom_nodes", nodes, "elements", "<= 5000", what)


_COUNT = "return document.querySelectorAll('*').length"


def _main_thread(driver: Any) -> float:
    """Seconds of processor time that the page's main thread took for scripts, styles and layout."""
    found = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return float(sum(metric["value"] for metric in found if metric["name"] in _PARTS))


@contextmanager
def browser() -> Iterator[Any]:
    """A Chromium without a window.

    Raises:
        SystemExit: chromium or its driver is not installed.
    """
    from selenium import webdriver

    found = shutil.which("chromium") or shutil.which("google-chrome")
    driver_path = shutil.which("chromedriver")
    if not found or not driver_path:
        raise SystemExit("needs chromium and chromedriver: apt-get install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = found
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,900"):
        options.add_argument(flag)
    service = webdriver.chrome.service.Service(driver_path)
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_script_timeout(60)
    try:
        yield driver
    finally:
        driver.quit()
