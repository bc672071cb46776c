# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every source file starts with the SPDX header; `--fix` inserts it where it is missing.

`python -m tests.licence_header [--fix] [FILE ...]`; without files, all that git tracks.
Exit codes: 0 all have it, 1 some had not.
"""

import subprocess
import sys
from pathlib import Path

COPYRIGHT = "SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors"
LICENCE = "SPDX-License-Identifier: Apache-2.0"
COMMENTS = {
    **dict.fromkeys((".py", ".toml", ".yml", ".yaml", ".sh", ""), ("# ", "#\n", "")),
    **dict.fromkeys((".css", ".js"), ("   ", "\n", " */")),
    ".j2": ("   ", "\n", " #}"),
}
"""Suffix to (line start, empty line, end) of the comment that holds the header."""
OPENINGS = {".css": "/*", ".js": "/*", ".j2": "{#"}
SOURCES = frozenset(COMMENTS) - {""}


def is_source(path: Path) -> bool:
    """Does the file need a header?"""
    return path.suffix in SOURCES or path.parts[0] == ".ci"


def has_header(text: str) -> bool:
    """Do the first lines carry both SPDX lines?"""
    head = text[:600]
    return "SPDX-FileCopyrightText:" in head and LICENCE in head


def with_header(text: str, suffix: str) -> str:
    """The text with the header in front, after a #! line."""
    start, empty, end = COMMENTS[suffix]
    opening = OPENINGS.get(suffix, "")
    first = f"{opening} {COPYRIGHT}" if opening else f"{start}{COPYRIGHT}"
    header = f"{first}\n{empty}{start}{LICENCE}{end}\n"
    if text.startswith("#!"):
        line, _, rest = text.partition("\n")
        return f"{line}\n{header}\n{rest}"
    return f"{header}\n{text}" if text else header


def tracked() -> list[Path]:
    """Every file git tracks or would."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(line) for line in listed.stdout.splitlines()]


def main(arguments: list[str]) -> int:
    """Check or fix; returns the exit code."""
    fix = "--fix" in arguments
    paths = [Path(a) for a in arguments if a != "--fix"] or tracked()
    bare = [p for p in paths if is_source(p) and p.is_file() and not has_header(p.read_text())]
    for path in bare:
        print(f"{path}: {'inserted the' if fix else 'has no'} SPDX header")
        if fix:
            path.write_text(with_header(path.read_text(), path.suffix))
    return 1 if bare else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
