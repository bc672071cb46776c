# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What `docs/promotion.md` shows is what happens."""

import contextlib
import io
import re
from pathlib import Path

PAGE = (Path(__file__).parents[4] / "docs" / "promotion.md").read_text()


def test_the_example_prints_what_the_page_says() -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    [printed] = re.findall(r"prints\n\n```text\n(.*?)```", PAGE, re.DOTALL)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "docs/promotion.md", "exec"), {})
    assert said.getvalue() == printed
