# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""All runs of a folder as one page: the newest first, each with its sentence, counts and pages."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

from bringup.harness.records.night import Judgement
from bringup.reports.model.changes import ORDER
from bringup.reports.model.headline import counted
from bringup.reports.model.nights import Night
from bringup.reports.text.numbers import moment_text
from bringup.reports.text.untrusted import clean

_GLYPHS = {
    Judgement.REGRESSION: "✗",
    Judgement.SUSPECTED: "✗?",
    Judgement.NEW: "+✗",
    Judgement.MISSING: "○",
    Judgement.FIXED: "✓",
    Judgement.UNEXPECTED_PASS: "✓!",
    Judgement.FLAKE: "~",
    Judgement.DEVICE: "⚠",
    Judgement.KNOWN: "=",
    Judgement.NO_EVIDENCE: "»",
    Judgement.GOOD: "✓✓",
}
"""Beside the word, for a glance."""
_FILES = {
    "index.html": "page",
    "models.xlsx": "spreadsheet",
    "models_op_per_op.xlsx": "ops",
    "junit.xml": "JUnit",
    "summary.md": "summary",
}
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #b3261e; --quiet: #666 }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --quiet: #aaa } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 72rem;
  padding: 0 1rem }
h1 { font-size: 1.4rem } ol { list-style: none; padding: 0 }
li { border-top: 1px solid var(--line); padding: .6rem 0 .7rem }
.when, .counts { color: var(--quiet); font-size: .9rem } .counts span { margin-right: 1rem }
.sentence { margin: .1rem 0; overflow-wrap: anywhere } .regressed .sentence { color: var(--bad) }
.regressed .sentence::before { content: "✗ " } a { margin-right: .8rem }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(nights: Sequence[Night], folder: Path) -> bytes:
    """The page; addresses are relative to `folder`. The same runs give the same bytes."""
    items = "\n".join(_item(night, folder) for night in nights)
    count = counted(len(nights), "run")
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="alternate" type="application/atom+xml" title="Regressions" href="regressions.atom">
<title>Runs</title><style>{_STYLE}</style></head>
<body><main><h1>{count}, the newest first</h1>
<p>{_beside(folder)}</p>
<ol>
{items or "<li>There is no merged run here yet.</li>"}
</ol></main></body></html>
"""
    return page.encode("utf-8", "replace")


def _beside(folder: Path) -> str:
    links = '<a href="regressions.atom">feed of regressions</a>'
    if (folder / "models_op_per_op.xlsx").is_file():
        links += '<a href="models_op_per_op.xlsx">ops of all models</a>'
    return links


def _item(night: Night, folder: Path) -> str:
    header, regressed = night.header, bool(night.head and night.head.regressed)
    place = quote(night.run_dir.relative_to(folder).as_posix(), errors="replace")
    there = [(name, label) for name, label in _FILES.items() if (night.run_dir / name).is_file()]
    planned = counted(header.planned, "test")
    links = "".join(f'<a href="{escape(place)}/{name}">{label}</a>' for name, label in there)
    return (
        f"<li{' class=regressed' if regressed else ''}>"
        f'<div class="when">{moment_text(header.created) or "no date"} · '
        f"{_text(header.session)} · {_text(header.run_id)} · {planned}</div>"
        f'<p class="sentence">{_text(night.sentence)}</p>'
        f'<div class="counts">{"".join(_counts(night))}</div><div>{links}</div></li>'
    )


def _counts(night: Night) -> Iterator[str]:
    counts = night.head.counts if night.head else {}
    for judgement in ORDER:
        if count := counts.get(judgement):
            yield f"<span>{_GLYPHS[judgement]} {count} {judgement.value}</span>"


def _text(text: str) -> str:
    return escape(clean(text))
