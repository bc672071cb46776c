# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The one refusal of what a newer version wrote.

Whatever of ours has a `schema` is read by `decode_versioned`, or its first line is held against
what this version knows by `refuse_newer`. What is older is read: fields that came later have
defaults.
"""

from typing import TypeVar

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.storage.decoding import Json, decode_json

T = TypeVar("T")


class NewerError(RecordError):
    """A newer version wrote it."""


class _Versioned(msgspec.Struct):
    schema: int = 0


_DECODER: Json[_Versioned] = Json(_Versioned, "a record")


def refuse_newer(data: bytes, where: object, known: int, of: str = "record") -> None:
    """Refuse JSON whose `schema`, `of` records or something else, is above `known`.

    What says no schema, or is no JSON, passes.

    Raises:
        NewerError: it is.
    """
    found = _DECODER.decode_or_none(data)
    if found is not None and found.schema > known:
        raise NewerError(
            f"{where}: written with {of} schema {found.schema}, this version reads up to "
            f"{known}; upgrade bringup to read it"
        )


def decode_versioned(
    data: bytes, kind: type[T], where: object, what: str, known: int, of: str = "record"
) -> T:
    """JSON of a type whose newest schema that we know is `known`; `what` is what it is called.

    Raises:
        NewerError: a newer version wrote it.
        RecordError: it is none.
    """
    refuse_newer(data, where, known, of)
    return decode_json(data, kind, where, what)
