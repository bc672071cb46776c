# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a failure says, without what differs from run to run: its stage, its op, its diagnostic.

`VERSION|stage|op|text`. Texts are compared only within a version: whoever changes a mask or the
choice of the telling line counts it up: history keeps the messages beside the fingerprints, and
computes again what another version computed.

Everybody has this one: an op's verdict, a reproducer, a list's `xfail` and the history.

The op is the one that the diagnostic names, so that a whole model and an op alone that a compiler
refuses for the same reason meet; else the op that was run. The text is the telling line: the first
`error:` of a compiler, what a Tenstorrent assertion says below `info:`, the last line of a
traceback, else the first line. In it each number, shape, type, address, path, hash, SSA name, time
and place in a file is replaced by a word, and wrappers that say nothing (`RuntimeError:`,
`TT_FATAL:`, an issue's address) are taken away. A few families that everybody words otherwise
(correlation too low, past a deadline, no legal lowering, no room for a buffer) have one text each.
"""

import re

VERSION = 1
LENGTH = 240
"""Characters of the text; what differs only behind them is one failure."""
_READ = 4000
_LONGEST_LINE = 1000
_MOST_PASSES = 8

_DIALECTS = (
    "stablehlo|vhlo|chlo|mhlo|ttir|ttnn|ttcore|ttmetal|tt|sdy|torch|aten|prims|onnx|linalg|tosa|"
    r"tensor|arith|math|scf|cf|func|vector|memref|builtin|hal|flow|stream|util|iree_\w+"
)
_OP = rf"(?:{_DIALECTS})(?:\.|::)[a-z_]\w*(?:\.\w+)*"
_NAMED_OP = re.compile(
    rf"'({_OP})'|(?:^|[\s(])({_OP})(?='?\s+op\b)|^({_OP})\b|(?:node|operation|op)\s*:?\s+({_OP})"
)
_CARRIED = {
    "torch.operator": re.compile(
        r"torch\.operator'?(?:[^\n]*?\bname = )?\s*\(?'(?:torch\.)?([\w.]+)'"
    ),
    "stablehlo.custom_call": re.compile(
        r"stablehlo\.custom_call'?(?:[^\n]*?\bcall_target_name = '([\w.:$-]+)'|\s*@([\w.$-]+))"
    ),
}
"""Ops that stand for any other, and where they say for which."""
_NUMBERED = re.compile(r"(?:_\d+)+$")
"""What tells copies of one op apart."""
_NO_OP = re.compile(r"\.(?:nn|mlir|py|cpp|size|float\d+|bfloat\d+|int\d+)\b|^builtin\.|^func\.")
_LEFT_OVER = re.compile(r"torch\.constant\.")
"""What stays, and is named, when the op that takes it was not lowered."""

_ERROR_LINE = re.compile(r"(?:^|[\s:)])(?:fatal )?error: (?!Failed to parse using)(.+)")
_ASSERTION = re.compile(r"(TT_FATAL|TT_THROW|TT_ASSERT)\b[^\n]*\n\s*info:\s*\n\s*([^\n]+)")
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt)\b: ?\S", re.MULTILINE)
_DULL_LINE = re.compile(
    r"^(?:Error invoking IREE|Error code:|Diagnostics:|Traceback \(most|backtrace:|PLEASE submit|"
    r"Stack dump|\^*$|python exception: Failure while executing pass|Current thread|Thread 0x)"
)

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_QUOTES = str.maketrans({**dict.fromkeys('`"\u2018\u2019\u201c\u201d', "'"), "\xa0": " "})
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
_CODE = r"\.(?:hpp|cpp|cc|cu|h|c|py|rs|mlir|inc|td)"
_WRAPPERS = re.compile(
    rf"^(?:{_TIME}:?(?:\s*\|\s*\w+\s*\|\s*\w+\s*\|)?|[EWIF]\d{{4}} [\d:.]+\s+\d+ \S+\]|"
    rf"[EWIF] \S+{_CODE}:\d+\]|loc\([^()]*\):|(?:<[\w ]+>|-|[\w./+-]+):\d+(?::\d+)?:|"
    r"(?:fatal )?(?:python )?error:|TT_FATAL:|TT_THROW:|TT_ASSERT:|TT_FATAL|TT_THROW|info:|"
    r"(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception)(?::|\((?='))|"
    r"(?:UNKNOWN|INTERNAL|INVALID_ARGUMENT|FAILED_PRECONDITION|ABORTED):|severe |"
    r"(?:Comparison|Evaluation) result \S+ failed:|Out of memory:|TT-MLIR compilation - )\s*",
    re.IGNORECASE,
)
_ADDRESS_OF_ISSUE = re.compile(
    r"[\s(,;.-]*(?:\b(?:tracked (?:by|in|at)|see(?: also)?|fix(?:ed by)?|issue|cf\.?)\b:?\s*)?"
    r"https?://[^\s)\]'>]+[)\]]?",
    re.IGNORECASE,
)
_DTYPE = (
    r"(?:i1|[fiu](?:4|8|16|32|64)|c(?:64|128)|"  # not s8, s16: torch numbers symbolic sizes so
    r"(?:bf|tf|fp|[us]i|u?int|b?float|complex|bfp)(?:[12348]|16|19|32|64|128))"
    r"(?:_?e\d+m\d+\w*)?(?:_[ab])?"
)
_KEEPS_DIGITS = rf"(?:{_DTYPE}|L[12]|\w*(?:tan2|exp2|expm1|log2|log10|log1p|relu6|sha256|utf8|\dd))"
_UNIT = r"(?:\s?(?:[KMGT]i?B|[BbKkMG]|bytes|[mun]s|sec|seconds|minutes|min|hours|%)\b|%)?"
_DIGIT = "0"
"""Stands for any digit."""
_MASKS = (
    ("(", re.compile(rf"\s*\([\w./+-]+{_CODE}:\d+(?::\d+)?\)"), ""),
    ("loc(", re.compile(r"loc\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"), "LOC"),
    ("0", re.compile(rf"{_TIME}|\b\d\d:\d\d:\d\d(?:\.\d+)?\b"), "N"),
    ("0", re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "N"),
    ("0", re.compile(r"\b0[xX][0-9a-fA-F]+\b"), "N"),
    ("0", re.compile(r"(?<![\w.])[-+]?\d+\.\d+(?:[eE][-+]?\d+)?(?![\w.])"), "N"),
    ("0", re.compile(r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,64}\b"), "N"),
    ("", re.compile(
        r"(?<![\w.])(?:~|\.{1,2}|[A-Za-z]:)?(?:[/\\][\w.+@=,-]+){2,}(?::\d+)*"), "PATH"),
    ("0", re.compile(rf"(?<![\w/])[\w+-]+(?:/[\w.+-]+)*{_CODE}(?::\d+)+"), "PATH"),
    ("<", re.compile(r"!?\b(?:torch\.)?(?:tensor|vtensor|memref|vector|tuple|dense|array)<[^<>]*"
                r"(?:<[^<>]*(?:<[^<>]*>[^<>]*)*>[^<>]*)*>"), "TYPE"),
    ("0", re.compile(rf"\b(?:[\d?]+x)+(?={_DTYPE}\b)"), "SHAPE x "),
    ("0", re.compile(r"\b\d+(?:x\d+)+\b"), "SHAPE"),
    ("", re.compile(
                r"(?:torch\.Size\(|TensorShape\()?(?:\[\s*\]|[\[(]\s*[-*?\d]+(?:\s*[,x]\s*[-*?\d]+)*"
                r"\s*,?\s*[\])])\)?(?:\s+X\s+(?=\[))?"), " SHAPE "),
    ("SHAPE", re.compile(r"\bSHAPE(?:\s*(?:,|and|vs\.?|x)?\s*SHAPE\b)+"), "SHAPE"),
    ("dense_resource<", re.compile(r"(dense_resource<[^<>]*?\d)(?:_\d+)+(?=>)"), r"\1"),
    ("%", re.compile(r"%[A-Za-z_\d][\w.$-]*(?:#\d+)?(?::\d+)?"), "%"),
    ("0", re.compile(r"(?<=[A-Za-z])(?:_\d+)+(?=_|\b)"), ""),
    ("0", re.compile(rf"\b(?=[a-z]\d+[a-z]\d)(?!{_KEEPS_DIGITS}\b)(?:[a-z]\d+){{2,}}\b"), "N"),
    ("0", re.compile(
        rf"\b(?=[A-Za-z_]\w*\d\b)(?!{_KEEPS_DIGITS}\b)([A-Za-z_]+(?:\d+[A-Za-z_]+)*)\d+\b"), r"\1"),
    ("0", re.compile(
        rf"(?<![A-Za-z_\d])[-+~]?\d[\d_]*(?:[.,]\d+)*(?:[eE][-+]?\d+)?{_UNIT}(?!\w)"), "N"),
    ("N", re.compile(r"[<>]=?\s*N\b(?= required)"), "N"),
    ("N", re.compile(r"\bN(?:\s*[,x/]\s*N\b)+"), "N"),
    ("x=N", re.compile(r"\[?\(x=N,\s*y=N\)(?:\s*-\s*\(x=N,\s*y=N\))*\]?"), "CORES"),
    ("/", re.compile(r"(?:/[\w.+-]+)+/(?=\w)"), ""),
    ("", re.compile(r"\s+"), " "),
)  # fmt: skip
"""What a text must hold for a mask to have anything to do, the mask, and what replaces it."""
_FAMILIES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bpcc\b\W{0,3}\s*(?:is\s+)?nan\b|\bnan\b.{0,20}\bpcc\b", re.I), "pcc is nan"),
    (
        re.compile(
            r"\bpcc\b.{0,60}\b(?:fail|below|less than|decreas|drop|too low|not reach|mismatch)|"
            r"\b(?:low|bad|wrong|severe) pcc\b|\bpcc\b\s*(?:of|is|=|~|:)?\s*-?N?[\d.]*\s*<",
            re.I,
        ),
        "pcc is too low",
    ),
    (
        re.compile(
            r"^(?=.*\bcompil)(?:\S+\s+){0,8}?(?:hangs?|hung|tim(?:ed|es|e|ing)[ -]?out|"
            r"exceed\w* .{0,30}time)",
            re.I,
        ),
        "past its deadline in compilation",
    ),
    (
        re.compile(
            r"^(?:\S+\s+){0,6}?(?:hangs?\b|hung\b|tim(?:ed|es|ing)[ -]?out\b|"
            r"exceed\w* .{0,30}timeout|ran past its deadline)",
            re.I,
        ),
        "past its deadline",
    ),
    (re.compile(r"\b(?:illegal op|legaliz|legalis)", re.I), "no legal lowering"),
    (
        re.compile(r"not enough space to allocate .*?\b(?P<a>DRAM|L1(?:_SMALL)?|\w+) buffer", re.I),
        "no room for a buffer in {a}",
    ),
)


def fingerprint(stage: str, op_name: str, diagnostic: str) -> str:
    """`VERSION|stage|op|text`; empty where there is no diagnostic.

    Args:
        stage: one of `Stage`'s words, or nothing.
        op_name: of an op that ran alone; of a whole model nothing.
        diagnostic: whatever was said, in any number of lines.
    """
    if not diagnostic.strip():
        return ""
    said = _ANSI.sub("", diagnostic[:_READ]).translate(_QUOTES)
    named = named_op(said)
    op = op_name if op_name and _LEFT_OVER.match(named) else named or op_name
    return "|".join((str(VERSION), _field(stage), _field(op), normal(telling_line(said))))


def shown(mark: str) -> str:
    """A fingerprint as a person reads it: `stage, op: text`."""
    stage, op, text = parts(mark)
    return ": ".join(filter(None, (", ".join(filter(None, (stage, op))), text))) or mark


def is_current(mark: str | None) -> bool:
    """Is it a fingerprint of this version?"""
    return bool(mark) and str(mark).startswith(f"{VERSION}|")


def parts(mark: str) -> tuple[str, str, str]:
    """Stage, op and text of a fingerprint."""
    _, stage, op, text = (*mark.split("|", 3), "", "", "", "")[:4]
    return stage, op, text


def named_op(said: str) -> str:
    """The op that a diagnostic is about, in the first of its lines that names one; or nothing."""
    for line in _telling_first(said):
        for match in _NAMED_OP.finditer(line):
            found = next(group for group in match.groups() if group).replace("::", ".")
            if not _NO_OP.search(found):
                return _carried(found, said)
    return ""


def _carried(op: str, said: str) -> str:
    """The op that is meant, where one is named that stands for any: no lowering of one op is no
    lowering of another."""
    match = _CARRIED[op].search(said) if op in _CARRIED else None
    found = next((group for group in match.groups() if group), op) if match else op
    return _NUMBERED.sub("", found)


def telling_line(said: str) -> str:
    """The line that says most."""
    return next(iter(_telling_first(said)), "")


def _telling_first(said: str) -> list[str]:
    """The lines that say something, the most telling first; errors before all else."""
    if match := _ASSERTION.search(said):
        return [match[2]]
    if errors := _ERROR_LINE.findall(said):
        return [str(error) for error in errors[:4]]
    if "Traceback (most recent call last)" in said:
        raised = [match.start() for match in _RAISED.finditer(said)]
        said = said[raised[-1] :] if raised else said
    lines = [line.strip() for line in said.splitlines()]
    lines = [line for line in lines if line and not _DULL_LINE.match(line)] or lines
    lines = [line for line in lines if line]
    if len(lines) > 1 and lines[0].endswith(":") and "diagnostics" not in lines[0]:
        lines[0] = f"{lines[0]} {lines.pop(1)}"
    return lines[:1]


def normal(text: str) -> str:
    """A line with all that differs from run to run masked; idempotent."""
    text = " ".join(text[:_LONGEST_LINE].translate(_QUOTES).split())
    for _ in range(_MOST_PASSES):
        before, text = text, _once(text)
        if text == before:
            break
    return text


def _once(text: str) -> str:
    text = _unwrapped(_ADDRESS_OF_ISSUE.sub(" ", text).strip())
    for pattern, words in _FAMILIES:
        if match := pattern.search(text):
            return words.format(**match.groupdict()).replace("dram", "DRAM")
    numbered = any(map(str.isdecimal, text))
    for needs, pattern, word in _MASKS:
        if numbered if needs == _DIGIT else needs in text:
            text = pattern.sub(word, text)
    return text.strip(" .,;:-")[:LENGTH].strip(" .,;:-")


def _unwrapped(text: str) -> str:
    """Without what stands before the words; of a text that is nothing else it stays."""
    while match := _WRAPPERS.match(text):
        rest = text[match.end() :].strip()
        if len(rest.split()) < 2:
            break
        text = rest
    return text


def _field(text: str) -> str:
    return " ".join(text.replace("|", "/").split())
