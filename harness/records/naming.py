# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Between a pytest id and what the test is.

An entry of a list is a pytest id without a size and a device, as tt-torch's users write it:
`tests/models/t5/test_t5.py::test_t5[op_by_op_torch-t5-base-eval]`. On a run over several devices
the plugin adds the device as the last parameter, `...-t5-base-eval-n150]`, and before it the size,
if that is not the published one. Both are fields of plans and records, and nobody reads them out
of an id again: a variant may end in `-tiny` or `-cpu`.

The function name gives the model (a trailing `_onnx` the framework). Where pytest is at hand, what
it says of the parameters counts (:mod:`bringup.harness.records.collected`); here is what an id
alone says. Of its words one is the flow and one is the mode, each told by its place, and what is
left, in order, is the variant. Classes and a file that says more than its function
(`test_resnet50.py::test_resnet`) are the qualifier; the folder plays no part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from bringup.harness.records.advice import Advice, advice_here
from bringup.harness.records.schema import Identity, PlannedTest, TestRecord
from bringup.harness.records.values import BASE_SIZE

FLOWS = ("full", "op_by_op_torch", "op_by_op_stablehlo")
MODES = ("eval", "train")
SIZES = (BASE_SIZE, "tiny")
"""`base` is the published size and never written; `tiny` is a rehearsal, a test of its own."""
ONNX_SUFFIX = "_onnx"
ALL_LOADERS = ":loaders:"
"""An argument of pytest that stands for all repositories of loaders."""
LOADER = "loader.py"
"""What a loader's file is called in each of them."""


def is_loaders(test: str) -> bool:
    """Is it the id of a test of a repository of loaders?"""
    return test.partition("::")[0].rpartition("/")[2] == LOADER


@dataclass(frozen=True)
class Parts:
    """A pytest id taken apart; parameters may hold `::`, `[` and `]` themselves."""

    path: str
    classes: tuple[str, ...]
    function: str
    params: str | None
    """Between the brackets; None without brackets."""

    @property
    def words(self) -> list[str]:
        """The parameters' words, between hyphens."""
        return [] if self.params is None else self.params.split("-")

    @property
    def qualifier(self) -> str:
        """What tells it from tests of its name in other classes and in files that say more."""
        stem = self.path.rpartition("/")[2].removesuffix(".py").removesuffix(ONNX_SUFFIX)
        own = self.function.removesuffix(ONNX_SUFFIX)
        says_more = stem.startswith(own) and stem != own
        file = [stem.removeprefix("test_")] if says_more else []
        return ".".join([*file, *self.classes])

    @property
    def model(self) -> str:
        """The function's name without what every test has."""
        return self.function.removeprefix("test_").removesuffix(ONNX_SUFFIX)

    @property
    def framework(self) -> str:
        """`onnx` or `torch`, by the function's name."""
        return "onnx" if self.function.endswith(ONNX_SUFFIX) else "torch"


class Places(NamedTuple):
    """Where among an id's words its flow and its mode stand; None where it says none."""

    flow: int | None
    mode: int | None


def parts_of(test: str) -> Parts:
    """Take a pytest id apart: `file.py::Class::function[parameters]`, the file and all but the
    function may be absent."""
    path, mark, rest = test.partition(".py::")
    if not mark or "[" in path.rpartition("/")[2]:
        path, rest = "", test
    else:
        path += ".py"
    names, bracket, params = rest.partition("[")
    *classes, function = names.split("::")
    inside = params.removesuffix("]") if bracket else None
    return Parts(path, tuple(classes), function, inside)


def places_of(words: Sequence[str]) -> Places:
    """Tell the flow and the mode among an id's words by their places.

    A variant may have any word, so the places of our and our peers' ids come first: the flow at
    the start or just before the mode, the mode at the end or just behind the flow. Only where
    none stands there is the flow the first such word, and the mode the last.
    """
    flows = [i for i, word in enumerate(words) if word in FLOWS]
    modes = [i for i, word in enumerate(words) if word in MODES]
    last = len(words) - 1
    mode = None
    if modes:
        behind = [i for i in modes if i - 1 in flows]
        mode = last if last in modes else (behind or modes)[-1]
    flow = None
    if flows:
        before = [i for i in flows if mode is not None and i == mode - 1]
        flow = 0 if 0 in flows else (before or flows)[0]
    return Places(flow, mode)


def identity_of(entry: str, device: str, size: str = BASE_SIZE) -> Identity:
    """What an id without size and device says that the test is on `device` at `size`."""
    return _identity(parts_of(entry), device, size)


def identity_of_key(key: str) -> Identity:
    """Read an identity back from `Identity.key`, whose flow comes first and whose mode last."""
    name, _, device = key.rpartition("@")
    inside, _, size = name.rpartition("]")
    function, _, params = inside.partition("[")
    qualifier, _, model = function.rpartition(".")
    if not (params and model):
        return identity_of(name, device)
    parts = Parts("", (), f"test_{model}", params)  # a key has no path, whatever its words are
    identity = _identity(parts, device, size.removeprefix(":") or BASE_SIZE)
    return msgspec.structs.replace(identity, qualifier=qualifier)


def _identity(parts: Parts, device: str, size: str) -> Identity:
    words = parts.words
    places = places_of(words)
    return Identity(
        model=parts.model,
        variant="-".join(word for i, word in enumerate(words) if i not in places),
        flow=FLOWS[0] if places.flow is None else words[places.flow],
        mode=MODES[0] if places.mode is None else words[places.mode],
        framework=parts.framework,
        device=device,
        qualifier=parts.qualifier,
        size=size,
    )


def same_test(one: str, other: str, key: str) -> str:
    """The sentence that refuses two tests of one identity."""
    return (
        f"{one} and {other} are the same test, {key}, so their histories would mix; rename one, "
        "its class or its file"
    )


def is_op_by_op(identity: Identity) -> bool:
    """True for a test that takes its model op by op."""
    return identity.flow.startswith("op_by_op")


def nodeid_on(entry: str, device: str, size: str = BASE_SIZE) -> str:
    """The pytest id of a list entry in a run that names its devices."""
    return _with_param(sized(entry, size), device)


def sized(entry: str, size: str) -> str:
    """A list entry as it is called in a run of another size."""
    return entry if size == BASE_SIZE else _with_param(entry, size)


def listed_as(test: TestRecord | PlannedTest) -> str:
    """The list entry of a test; of one that older versions wrote, what its id says."""
    return test.entry or entry_of(test.nodeid, test.identity.device)


def entry_of(nodeid: str, device: str, size: str | None = None) -> str:
    """The list entry of a pytest id: without the device, and without a size before it.

    Without `size` any size goes: that is for ids whose size nobody wrote down.
    """
    entry = _without_param(nodeid, device)
    for known in SIZES[1:] if size is None else (size,):
        entry = _without_param(entry, known)
    return entry


def run_again(
    nodeid: str, identity: Identity, entry: str = "", advice: Advice | None = None
) -> str:
    """The shell line that runs a test again, by itself, where its run was: by default here."""
    size = identity.size
    if not entry:  # an older version's record
        entry = entry_of(nodeid, identity.device)
        size = next((s for s in SIZES[1:] if nodeid_on(entry, identity.device, s) == nodeid), size)
    words = [entry, "--device", identity.device]
    how = advice or advice_here()
    return how.run(*words, "--size", size) if size != BASE_SIZE else how.run(*words)


def _with_param(test: str, param: str) -> str:
    return f"{test[:-1]}-{param}]" if parts_of(test).params is not None else f"{test}[{param}]"


def _without_param(test: str, param: str) -> str:
    if parts_of(test).params == param:
        return test.removesuffix(f"[{param}]")
    return f"{test.removesuffix(f'-{param}]')}]" if test.endswith(f"-{param}]") else test
