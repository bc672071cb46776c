# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`summary`: the run for a job's summary and for a pull request, in what GitHub takes of each.

`cat summary.md >> "$GITHUB_STEP_SUMMARY"`, `gh pr comment --body-file comment.md`.
"""

from bringup.reports.reporter import Document, RunReport, Written

NAME = "summary"
WRITES = {
    "summary.md": "what changed, for a job's summary on GitHub; at most 1 MiB",
    "comment.md": "the same for a pull request; at most 65,536 characters",
}
_SUMMARY = (1 << 20) - 1024
"""Bytes: GitHub drops a step's summary above 1 MiB, and it may hold a line of somebody else's."""
_COMMENT = 65_536
"""GitHub's limit is of characters; so many bytes are never more."""


def write(report: RunReport) -> Written:
    """Write `summary.md` and `comment.md`."""
    from bringup.harness.storage.atomic import write_atomically
    from bringup.reports.summary import render

    limits = {
        "summary.md": ("job summary", _SUMMARY, "the 1 MiB of a job's summary"),
        "comment.md": ("comment", _COMMENT, "the 65,536 characters of a comment"),
    }
    documents = []
    for name, (label, most, limit) in limits.items():
        text = render(report.run, most, limit).encode("utf-8", "replace")
        documents.append(Document(label, write_atomically(report.folder / name, text)))
    return Written(tuple(documents))
