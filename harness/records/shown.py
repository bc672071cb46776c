# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test itself made of a device's outputs: a metric, a text, a small picture."""

import msgspec

from bringup.harness.records.values import Event, Metric


class Shown(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """One of them: a number, a text or a picture."""

    name: str
    """As the test calls it, e.g. `accuracy`, `text`."""
    number: Metric | None = None
    text: str = ""
    picture: bytes = b""
    """A PNG of at most 16 KiB; in JSON it is base64."""

    @property
    def is_png(self) -> bool:
        """Does the picture begin as a PNG does? What is on record is not trusted."""
        return self.picture.startswith(b"\x89PNG\r\n\x1a\n")


class OutputsShown(Event, frozen=True, tag="outputs_shown", kw_only=True):
    """What the test's function gave to `record_property`; the device's outputs, not golden's."""

    key: str
    shown: tuple[Shown, ...]
