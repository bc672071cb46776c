# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The documents of the project as text: their links, their code blocks, what they name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.site.pages import MARK

ROOT = Path(__file__).parents[1]
_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>\{?[\w-]*\}?)[^\n]*$")
_LINK = re.compile(r"\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"(?<!`)`(?P<code>[^`\n]+)`(?!`)")
_HEADING = re.compile(r"^#{1,6} +(?P<text>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    language: str
    """`console`, `sh`, `{toctree}` ...; empty where none is given."""
    lines: tuple[str, ...]
    line: int
    """1-based, of its first line in the page."""


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path
    """Relative to the checkout."""

    @property
    def text(self) -> str:
        return (ROOT / self.path).read_text("utf-8")

    @property
    def blocks(self) -> list[Block]:
        """Its fenced blocks; one within another belongs to the outer one."""
        found: list[Block] = []
        inside: list[str] | None = None
        indent, ticks, language, begun = 0, "", "", 0
        for number, line in enumerate(self.text.splitlines(), start=1):
            match = _FENCE.match(line)
            if inside is None and match:
                inside, indent, begun = [], len(match["indent"]), number + 1
                ticks, language = match["ticks"], match["language"]
            elif inside is not None and line.strip() == ticks:
                found.append(Block(language, tuple(inside), begun))
                inside = None
            elif inside is not None:
                inside.append(line[indent:])
        assert inside is None, f"{self.path}: a block is not closed"
        return found

    @property
    def prose(self) -> str:
        """Its text without fenced blocks and comments."""
        kept, inside = [], ""
        for line in re.sub(r"<!--.*?-->", "", self.text, flags=re.DOTALL).splitlines():
            match = _FENCE.match(line)
            if inside:
                inside = "" if line.strip() == inside else inside
            elif match:
                inside = match["ticks"]
            else:
                kept.append(line)
        return "\n".join(kept)

    @property
    def codes(self) -> list[str]:
        """What stands between single backticks; in tables, `|` without its escape."""
        return [code.replace("\\|", "|") for code in _CODE.findall(self.prose)]

    @property
    def links(self) -> list[str]:
        """The targets of its links and pictures."""
        prose = _CODE.sub("", self.prose)
        figures = re.findall(r"^```\{figure\} (\S+)$", self.text, re.MULTILINE)
        return [*_LINK.findall(prose), *figures]

    @property
    def anchors(self) -> set[str]:
        """What `#...` may name, as GitHub and MyST make it of headings."""
        return {
            re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-")
            for head in _HEADING.findall(self.prose)
        }

    @property
    def toctree(self) -> Iterator[str]:
        """Pages that it has in a table of contents, relative to its folder."""
        for block in self.blocks:
            if block.language == "{toctree}":
                yield from (s for s in map(str.strip, block.lines) if s and not s.startswith(":"))

    @property
    def marks(self) -> list[str]:
        """What it has generated."""
        return MARK.findall(self.text)


def site() -> list[Page]:
    """The pages of the site."""
    return [Page(p.relative_to(ROOT)) for p in sorted((ROOT / "docs").rglob("*.md"))]


def pages() -> list[Page]:
    """These, and the documents at the top of the checkout and in the fleet."""
    others = [*sorted(ROOT.glob("*.md")), ROOT / "tests" / "models" / "README.md"]
    return [*(Page(p.relative_to(ROOT)) for p in others), *site()]
