# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the spreadsheets of a large night cost.

xlsx_ratio      processor time of the workbook of 800 models x 150 ops, from records to bytes,
                against XlsxWriter's for the same cells, which it is given
xlsx_mb         that workbook
report_seconds  all formats but those on demand, of 10,000 tests and 200,000 ops
report_rss_mb   the peak of the process that does it
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bringup.harness.records.schema import Artifact
from bringup.reports.addresses import Addresses, text_page_of
from bringup.reports.model.ops import models_of
from bringup.reports.xlsx.ops import render
from tests.benchmarks.figures import Figure
from tests.benchmarks.reports.made_models import made_tests, write_made_run
from tests.benchmarks.reports.xlsxwriter_cells import xlsxwriter_seconds

_REPORT = """
import json, resource, sys, time
from pathlib import Path
from bringup.reports.build import build
began = time.perf_counter(), time.process_time()
built = build(Path(sys.argv[1]))
spent = time.perf_counter() - began[0], time.process_time() - began[1]
assert not built.failures, built.failures
lines = open('/proc/self/status').read().splitlines()
peak = next(int(line.split()[1]) for line in lines if line.startswith('VmHWM'))
print(json.dumps([*spent, peak / 1000]))
"""


class _AllKept(Addresses):
    """As if every text were kept: the most links that there can be."""

    def text(self, run_dir: Path | None, artifact: Artifact, *, good: bool) -> str:
        return self.of(run_dir, text_page_of(artifact))


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of the spreadsheets, and of a whole report."""
    models, ops = (20, 50) if options.quick else (800, 150)
    tests, with_ops = (200, 10) if options.quick else (10_000, 1_333)
    with tempfile.TemporaryDirectory(prefix="bringup-bench-") as folder:
        scratch = Path(folder)
        run_dir = scratch / "run"
        made = models_of(made_tests(models, ops, run_dir))
        began = time.process_time()
        data = render(made, _AllKept(run_dir))
        ours = time.process_time() - began
        (scratch / "ours.xlsx").write_bytes(data)
        theirs, cells = xlsxwriter_seconds(scratch / "ours.xlsx", scratch / "theirs.xlsx")
        what = f"{models} models x {ops} ops, {cells} cells; XlsxWriter, constant_memory"
        write_made_run(run_dir, tests, with_ops, ops)
        command = [sys.executable, "-c", _REPORT, str(run_dir)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    wall, processor, peak = json.loads(said)
    size = f"{tests} tests, {with_ops * ops} op rows; {processor:.1f} s of processor time"
    return [
        Figure("xlsx_ratio", ours / theirs, "", "<= 0.8", what),
        Figure("xlsx_mb", len(data) / 1e6, "MB", "< 100", what),
        Figure("report_seconds", wall, "s", "<= 25", size),
        Figure("report_rss_mb", peak, "MB", "", size),
    ]
