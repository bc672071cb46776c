# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What pytest says that a collected test is.

An id is a string in which parameters stand behind each other; pytest knows where each begins, what
it is called and what its value is. So the flow is the parameter `op_by_op` (or `flow`) and the mode
the parameter `mode`, wherever they stand and whatever words other parameters have; the size and the
device are the plugin's own parameters. What no parameter says is told by the places of the words,
as :mod:`bringup.harness.records.naming` tells it of an id alone.
"""

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import pytest

from bringup.harness.errors import UsageError
from bringup.harness.records.expected import Expectation
from bringup.harness.records.naming import FLOWS, MODES, identity_of, places_of
from bringup.harness.records.schema import DeclaredNeeds, Identity

DEVICE_PARAMETER = "bringup_device"
SIZE_PARAMETER = "bringup_size"
EXPECTED = pytest.StashKey[Mapping[str, Expectation]]()
"""Of a test: by device, what its repository expects of it; by the empty name, on all others."""
LEFT_OUT = pytest.StashKey[dict[str, str]]()
"""Of a session: by place, a sentence on what became no tests."""
_FLOW_PARAMETERS = ("op_by_op", "flow")
_MODE_PARAMETERS = ("mode",)


class _Piece(NamedTuple):
    """What one call of `parametrize` gave an id."""

    names: tuple[str, ...]
    """Of the parameters it set."""
    text: str
    value: object
    """Of the first of them."""


def entry_of_item(item: pytest.Item) -> str:
    """The test as a list names it: its id without the size and the device, where it has them."""
    callspec = getattr(item, "callspec", None)
    params = {} if callspec is None else callspec.params
    ours = [str(params[name]) for name in (SIZE_PARAMETER, DEVICE_PARAMETER) if name in params]
    if not ours:
        return item.nodeid
    end = "-".join(ours) + "]"
    if item.nodeid.endswith(f"[{end}"):
        return item.nodeid.removesuffix(f"[{end}")
    return f"{item.nodeid.removesuffix(f'-{end}')}]"


def identity_of_item(item: pytest.Item, device: str, size: str) -> Identity:
    """What a collected test is, on `device` at `size`."""
    identity = identity_of(entry_of_item(item), device, size)
    pieces = [p for p in _pieces(item) if p.names not in ((SIZE_PARAMETER,), (DEVICE_PARAMETER,))]
    flow = next((p for p in pieces if _is_called(p, _FLOW_PARAMETERS) and _flow_of(p)), None)
    mode = next((p for p in pieces if _is_called(p, _MODE_PARAMETERS) and p.text in MODES), None)
    rest = "-".join(p.text for p in pieces if p is not flow and p is not mode)
    if flow is None and mode is None:
        return identity
    words = rest.split("-") if rest else []
    places = places_of(words)
    taken = (places.flow if flow is None else None, places.mode if mode is None else None)
    return msgspec.structs.replace(
        identity,
        variant="-".join(word for i, word in enumerate(words) if i not in taken),
        flow=_flow_of(flow) if flow else _word(words, places.flow, FLOWS),
        mode=mode.text if mode else _word(words, places.mode, MODES),
    )


def _is_called(piece: _Piece, names: Collection[str]) -> bool:
    return len(piece.names) == 1 and piece.names[0] in names


def _flow_of(piece: _Piece) -> str:
    """The flow that a parameter called so says, by its id or by its value; empty for none."""
    if piece.text in FLOWS:
        return piece.text
    if piece.value is None or piece.value is False:
        return FLOWS[0]
    if isinstance(piece.value, enum.Enum):
        word = f"op_by_op_{piece.value.name.lower()}"
        return word if word in FLOWS else ""
    return ""


def _word(words: Sequence[str], place: int | None, known: Sequence[str]) -> str:
    return known[0] if place is None else words[place]


def _pieces(item: pytest.Item) -> list[_Piece]:
    """The parts of an item's id, in order; none where pytest does not tell them apart.

    Every call of `parametrize` sets one or more parameters and gives the id one text. Those of
    marks are told apart by the marks; those of hooks and fixtures set one parameter each.
    """
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return []
    calls = {name: names for names in _marked(item) for name in names}
    groups = list(dict.fromkeys(calls.get(name, (name,)) for name in callspec.params))
    texts = list(callspec._idlist)
    if len(groups) != len(texts):
        return []
    return [
        _Piece(names, text, callspec.params[names[0]])
        for names, text in zip(groups, texts, strict=True)
    ]


def _marked(item: pytest.Item) -> Iterable[tuple[str, ...]]:
    for mark in item.iter_markers("parametrize"):
        names = mark.args[0] if mark.args else mark.kwargs.get("argnames", ())
        listed = names.split(",") if isinstance(names, str) else names
        yield tuple(name.strip() for name in listed if name.strip())


NEEDS_MARKER = (
    "needs(kinds=(), chips=1, memory_gib=0, exclusive=False): what a runner must have for the test"
)


def needs_of_item(item: pytest.Item) -> DeclaredNeeds:
    """What a test's marker `needs` says; the innermost counts.

    Raises:
        UsageError: it says what no test can need.
    """
    marker = item.get_closest_marker("needs")
    if marker is None:
        return DeclaredNeeds()
    if marker.args:
        raise UsageError(f"{item.nodeid}: needs({marker.args[0]!r}): name it, {NEEDS_MARKER}")
    try:
        return msgspec.convert(marker.kwargs, DeclaredNeeds)
    except msgspec.ValidationError as error:
        raise UsageError(f"{item.nodeid}: the marker needs: {error}") from None
