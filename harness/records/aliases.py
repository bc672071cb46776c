# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tests that have another name now, so that their history goes on.

aliases.toml, beside the lists, has one table: an old name and the present one, both as records
have them, with a device or for all devices::

    [names]
    "resnet[full-tiny-eval]" = "resnet[full-eval]:tiny"
    "bert[full-eval]@n150" = "TestLarge.bert[full-eval]@n150"
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.naming import identity_of_key
from bringup.harness.records.schema import TestRecord
from bringup.harness.storage.decoding import decode_toml, read_bytes

ALIASES_NAME = "aliases.toml"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    names: dict[str, str] = {}


def read_aliases(folder: Path) -> dict[str, str]:
    """The aliases of a folder of lists, old to new; none where it has no such file.

    Raises:
        RecordError: the file cannot be read, or is none of aliases.
    """
    path = folder / ALIASES_NAME
    if not path.exists():
        return {}
    data = read_bytes(path)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise RecordError(f"{path} is not UTF-8 text: {error.reason} at {error.start}") from error
    try:
        return msgspec.convert(decode_toml(text, path), type=_File).names
    except msgspec.ValidationError as error:
        raise RecordError(f"{path} is no file of aliases: {error}") from error


def renamed(key: str, aliases: Mapping[str, str]) -> str:
    """A key's present name. An alias maps old to new, with or without `@device`.

    Renames may follow each other; a key whose renames lead back to it keeps its name.
    """
    now, seen = key, {key}
    while True:
        name, _, device = now.rpartition("@")
        new = aliases.get(now) or (f"{aliases[name]}@{device}" if name in aliases else now)
        if new == now:
            return now
        if new in seen:
            return key
        seen.add(new)
        now = new


def with_present_names(
    records: Iterable[TestRecord], aliases: Mapping[str, str]
) -> list[TestRecord]:
    """The records under the names their tests have now."""
    found = []
    for record in records:
        key = renamed(record.identity.key, aliases)
        if key != record.identity.key:
            record = msgspec.structs.replace(record, identity=identity_of_key(key))
        found.append(record)
    return found
