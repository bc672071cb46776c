# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test gives to `record_property`, for its record: numbers, texts, small pictures."""

import io
import numbers
import sys
import time
from collections.abc import Iterable

from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.schema import Metric, OutputsShown, Shown
from bringup.harness.storage.writable import writable

OURS = frozenset({"model_name", "device", "status", "outcome", "tags", "group", "config"})
"""Properties that the harness itself gives to the JUnit file: they are on record elsewhere."""
MOST_SHOWN = 20
MOST_TEXT = 1000
"""Characters; what is longer is cut, as a record is read by people."""
MOST_PICTURE = 16 << 10
"""Bytes of a PNG. A night's records are read as a whole, so pictures in them are small."""
_SIDES = (480, 320, 160, 64)


def note_shown(recorder: TestRecorder, properties: Iterable[tuple[str, object]]) -> None:
    """Record what a test made of its outputs, unless a tester had but golden's to give it."""
    shown = shown_of(properties)
    if shown and not any(share.gave_golden for share in recorder.testers):
        event = OutputsShown(time=time.time(), key=recorder.key, shown=shown)
        recorder.run.journal.append(event, sync=False)


def shown_of(properties: Iterable[tuple[str, object]]) -> tuple[Shown, ...]:
    """What of a test's properties is its own, in order.

    A number of any kind is a number, a picture of Pillow's is made small, and anything else is
    what `str` says of it.
    """
    own = [(str(name), value) for name, value in properties if str(name) not in OURS]
    return tuple(_shown(writable(name), value) for name, value in own[:MOST_SHOWN])


def without_pictures(properties: Iterable[tuple[str, object]]) -> list[tuple[str, object]]:
    """The same for JUnit and for workers of xdist, which take none."""
    return [(name, _said(value) if _is_picture(value) else value) for name, value in properties]


def _shown(name: str, value: object) -> Shown:
    number = _number(value)
    if number is not None:
        return Shown(name=name, number=Metric.of(number))
    picture = _png(value) if _is_picture(value) else b""
    return Shown(name=name, picture=picture) if picture else Shown(name=name, text=_said(value))


def _number(value: object) -> float | None:
    """None of what is no number, or none that there is a float of: 10**400, a tensor on meta."""
    try:
        if _is_a("torch", "Tensor", value) and value.numel() == 1:  # type: ignore[attr-defined]
            value = value.item()  # type: ignore[attr-defined]
        if isinstance(value, numbers.Real) and not isinstance(value, bool):
            return float(value)
    except (OverflowError, RuntimeError):
        pass
    return None


def _is_picture(value: object) -> bool:
    return _is_a("PIL.Image", "Image", value)


def _is_a(module: str, name: str, value: object) -> bool:
    """Is it one of a class of a module that nobody imports to find out?"""
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(value, kind)


def _png(picture: object) -> bytes:
    """A PNG of at most `MOST_PICTURE`, as large as fits; nothing where even a tiny one does not,
    or of what Pillow cannot write: one without pixels, or whose file is cut off."""
    try:
        for side in _SIDES:
            small = picture.copy()  # type: ignore[attr-defined]
            if small.mode not in ("1", "L", "P", "RGB", "RGBA"):
                small = small.convert("RGB")
            small.thumbnail((side, side))
            file = io.BytesIO()
            small.save(file, "png", optimize=True)
            if file.tell() <= MOST_PICTURE:
                return file.getvalue()
    except (OSError, ValueError):
        pass
    return b""


def _said(value: object) -> str:
    if _is_picture(value):
        return "a picture of {} x {}".format(*value.size)  # type: ignore[attr-defined]
    try:
        said = str(value)
    except Exception as error:  # whatever a test's own class raises
        said = f"nothing, since its __str__ raises {type(error).__name__}"
    return writable(said)[:MOST_TEXT]
