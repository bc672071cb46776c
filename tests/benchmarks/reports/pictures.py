# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The documentation's pictures of dashboards: real pages of made nights in a real Chromium.

    python -m tests.benchmarks.reports.pictures docs

needs chromium, chromedriver and the packages pillow and pypdfium2, which nothing else here does.
"""

import base64
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from bringup.reports import catalog
from bringup.reports.build import build
from tests.benchmarks.reports.made_run import Size, write_made_run
from tests.benchmarks.reports.page import browser

NIGHT = Size(models=60, failing=0.12, ops=1200)
_COLOURS = 96
_GRID = "document.getElementById('grid').scrollIntoView()"
_FIRST_BAD = "document.querySelectorAll('#grid-body .cell.o-{0}')[{1}].click()"


@dataclass(frozen=True)
class Picture:
    """One page, as it is shown."""

    name: str
    size: Size = NIGHT
    view: str = ""
    """What follows `#` in the address."""
    act: str = ""
    """What a reader does then, as a script."""
    wide: int = 1200
    high: int = 760
    dark: bool = False


PICTURES = (
    Picture("dashboard", wide=1400, high=900),
    Picture("dashboard-1", Size(1, 1), high=420),
    Picture("dashboard-72", Size(12, 6, failing=0.12)),
    Picture("dashboard-3000", Size(300, 10), act=_GRID),
    Picture("dashboard-10000", Size(1000, 10, ops=20_000), "g=family", _GRID),
    Picture("dashboard-none-failing", Size(12, 6, failing=0.0), high=520),
    Picture("dashboard-all-failing", Size(12, 6, failing=1.0)),
    Picture("dashboard-dark", dark=True, act=_FIRST_BAD.format("INCORRECT", 0)),
    Picture("dashboard-test", act=_FIRST_BAD.format("CRASHED", 0)),
    Picture("dashboard-device", view="g=device&p=dev:n150"),
    Picture("dashboard-op", view="p=op:aten.add.Tensor"),
    Picture("dashboard-link", view="q=bert&o=FAILED&d=n150~p150", act=_GRID, high=360),
    Picture("dashboard-phone", wide=390, high=800),
)


def main(into: Path) -> None:
    """Write all pictures into a folder."""
    made: dict[Size, str] = {}
    with tempfile.TemporaryDirectory() as folder, browser() as driver:
        for picture in PICTURES:
            if picture.size not in made:
                run_dir = write_made_run(Path(folder) / str(len(made)), picture.size)
                build(run_dir, reporters=catalog.chosen(["html"]))
                made[picture.size] = (run_dir / "index.html").as_uri()
            _open(driver, picture, made[picture.size])
            _write(into / f"{picture.name}.png", driver.get_screenshot_as_png())
        driver.get(f"{made[NIGHT]}#f=all")
        for number, page in enumerate(_printed(driver)):
            if number in (0, 2):
                _write(into / f"dashboard-print-{number + 1}.png", page)


def _open(driver: Any, picture: Picture, address: str) -> None:
    size = {"width": picture.wide, "height": picture.high, "deviceScaleFactor": 1}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "mobile": False})
    scheme = {"name": "prefers-color-scheme", "value": "dark" if picture.dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    driver.get("about:blank")
    driver.get(f"{address}#{picture.view}")
    while driver.execute_script("return document.getElementById('state')"):
        time.sleep(0.1)
    driver.execute_script(picture.act)
    time.sleep(1)


def _printed(driver: Any) -> Iterator[bytes]:
    """The pages of a PDF of what is open, as PNG."""
    import pypdfium2  # type: ignore[import-not-found, import-untyped, unused-ignore]

    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    wanted = {"preferCSSPageSize": True, "printBackground": True}
    data = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", wanted)["data"])
    for page in pypdfium2.PdfDocument(data):
        out = BytesIO()
        page.render(scale=1.3).to_pil().save(out, "PNG")
        yield out.getvalue()


def _write(path: Path, png: bytes) -> None:
    """As few colours as nobody misses: a third of the bytes."""
    from PIL import Image

    few = Image.open(BytesIO(png)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
