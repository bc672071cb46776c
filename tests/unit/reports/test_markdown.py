# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Models op by op as a markdown table."""

import re
from pathlib import Path

from bringup.reports import markdown as ops_markdown
from tests.unit.reports.op_runs import HOSTILE, T5, VIT, low, summary_of
from tests.unit.run_builder import op_result


def test_markdown_has_a_row_per_model_that_no_name_can_break(tmp_path: Path) -> None:
    run = summary_of(tmp_path, {T5: [op_result(0), low(1)], VIT: []}, name=HOSTILE)
    text = ops_markdown.render(run.ops)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table[:4]}) == 1
    assert "<script>" not in text
    assert "1/2 (50 %)" in text
