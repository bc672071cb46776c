# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The entry of a model that is exported: tensors in, tensors out, whatever structure it takes.

`torch.export` knows the containers that somebody registered with pytree, and refuses a KV cache, a
dataclass or a tokenizer's dict. What is exported here is therefore a module around the model that
takes every tensor of one call by name, puts the call together inside, and takes the result apart:
the program's inputs and outputs are flat, and the containers stay on this side.
"""

import keyword
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from bringup.harness.frontend.call import Call, first_paths, named_tensors
from bringup.harness.frontend.held import Before, held
from bringup.harness.frontend.paths import BUFFERS, INPUTS, MUTATED, PARAMETERS
from bringup.harness.frontend.program import SignatureError
from bringup.harness.frontend.traced import quiet_gradient_modes
from bringup.harness.verify.structure import UnsupportedOutputError, map_tensors, outline_of

MODEL = "model."
"""What the names of an entry's parameters and buffers begin with."""
_TAKEN = {"self", "input", "args", "kwargs"}
_UNKNOWN = object()


class Entry(torch.nn.Module):
    """A model to be exported for one call.

    `of` makes of the model's result what the program gives; `extract` makes of a result that
    cannot be taken apart one that can, and is not called for any other.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        call: Call,
        of: Callable[[Any], Any] = lambda result: result,
        extract: Callable[[Any], Any] = lambda result: result,
    ) -> None:
        super().__init__()
        self.model = model
        self._ways = _Ways(model, call, of, extract)

    def forward(self, /, **tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Every tensor of the result, in the order of `flatten`, and then what is beside it."""
        call = self._ways.call_with(list(tensors.values()))
        state, before = _State(self.model), Before(self.model, call)
        with quiet_gradient_modes():
            given = self._ways.taken_apart(self.model(*call[0], **call[1]))
        left, self._ways.uncompared = before.given()
        outputs, replaced = state.put_back((*given, *left.values()))
        self._ways.beside = (*left, *replaced)
        return (*outputs, *replaced.values())

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """The call's tensors by the names they have in the program, none in another's memory.

        Without lazy bits: what is traced would begin by taking them off, which nobody lowers.
        """
        found = {}
        for name, (path, given) in zip(self._ways.names, self._ways.given.items(), strict=True):
            plain = given.resolve_conj().resolve_neg()
            found[name] = plain.clone() if path in self._ways.sharing else plain
        return found

    @property
    def sharing(self) -> dict[str, str]:
        """By path, another input in whose memory an input lies; none of them may be written to."""
        return self._ways.sharing

    @property
    def places(self) -> dict[str, str]:
        """Paths by the names that a program has for the tensors of the call, `inputs.x`.

        Those of attributes that `holds` was asked for too, `attributes.last`.
        """
        inputs = (INPUTS + path for path in self._ways.given)
        return dict(zip(self._ways.names, inputs, strict=True)) | self._ways.found

    def holds(self, tensor: object, name: str) -> bool:
        """Is a tensor an attribute of the model? From then on its `name` is one of `places`."""
        for path, attribute in self._ways.attributes.items():
            if attribute is tensor:
                self._ways.found[name] = path
                return True
        return False

    @property
    def beside(self) -> tuple[str, ...]:
        """Paths of what the program's last outputs are, which its caller does not get.

        That is what forward leaves in containers and attributes, and parameters and buffers of
        another shape than before. Known once the model is exported.
        """
        return self._ways.beside

    @property
    def uncompared(self) -> list[str]:
        """Paths of what forward leaves and the program cannot give, once it is exported."""
        return self._ways.uncompared

    def flatten(self, call: Call) -> list[torch.Tensor]:
        """The tensors of another such call, in the program's order.

        Raises:
            SignatureError: it has other tensors than the call that was exported.
        """
        return self._ways.flat(named_tensors(self.model, call))

    def restore(self, tensors: Sequence[Any]) -> Any:
        """The result in the model's own structure, from the program's outputs."""
        return self._ways.restored(tensors)

    @property
    def extracted(self) -> bool:
        """Is the result what `extract` made of the model's?"""
        return self._ways.extracted

    @property
    def attributes(self) -> dict[str, torch.Tensor]:
        """Tensors that the model holds beside its parameters and buffers, by `holds`' paths."""
        return self._ways.attributes

    @property
    def outline(self) -> str:
        """The structure of the result, once the model is exported; see `structure.outline_of`."""
        return outline_of(self._ways.result)

    def as_exported(
        self,
        found: Mapping[str, str],
        beside: Sequence[str],
        uncompared: Sequence[str],
        result: Callable[[], Any],
    ) -> None:
        """Know without an export what one found out: an earlier one, of the same model and call.

        `found` are the places of attributes; `result` gives a result, of `extract` never, or
        exports; it is called once something is to be restored.
        """
        self._ways.found, self._ways.beside = dict(found), tuple(beside)
        self._ways.uncompared, self._ways.make_result = list(uncompared), result


class _Ways:
    """What an entry knows of both structures.

    An object of its own, since what a module's attributes hold is looked through when the module is
    exported, and must not change then.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        call: Call,
        of: Callable[[Any], Any],
        extract: Callable[[Any], Any],
    ) -> None:
        self._of, self._extract = of, extract
        every = named_tensors(model, call)
        self._first = first_paths(every)
        self.given = {path: every[path] for path in dict.fromkeys(self._first.values())}
        places = {path: place for place, path in enumerate(self.given)}
        self._places = [places[path] for path in self._first.values()]
        self.names = _identifiers(self.given)
        self.sharing = _sharing(self.given)
        self._call: Call = map_tensors(call, _hole, whole=True)
        self.result: Any = _UNKNOWN
        self.make_result: Callable[[], Any] | None = None
        self.attributes = held(model, ((), {}))
        self.found: dict[str, str] = {}
        self.beside: tuple[str, ...] = ()
        self.uncompared: list[str] = []
        self.extracted = False

    def call_with(self, tensors: Sequence[torch.Tensor]) -> Call:
        """The call with these tensors in it; its containers are new.

        A tensor that was given twice is given twice again: what is written to one is in the other.
        """
        left = iter([tensors[place] for place in self._places])
        call: Call = map_tensors(self._call, lambda path, hole: next(left), whole=True)
        return call

    def flat(self, given: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
        for path in self._first:
            if path not in given:
                raise SignatureError(f"input {path} is missing")
        for path, tensor in given.items():
            if path not in self._first:
                raise SignatureError(f"input {path} is no tensor of the call that was exported")
            if tensor is not given[self._first[path]]:
                raise SignatureError(
                    f"inputs {self._first[path]} and {path} were one tensor when it was exported"
                )
        return [given[path] for path in self.given]

    def taken_apart(self, result: Any) -> tuple[torch.Tensor, ...]:
        """A result's tensors; its structure is remembered."""
        result = self._of(result)
        found: list[torch.Tensor] = []

        def take(path: str, tensor: torch.Tensor) -> torch.Tensor:
            found.append(tensor)
            return _hole(path, tensor)

        try:
            self.result = map_tensors(result, take)
        except UnsupportedOutputError:
            extracted = self._extract(result)
            if extracted is result:
                raise
            found.clear()
            self.result, self.extracted = map_tensors(extracted, take), True
        return tuple(found)

    def restored(self, tensors: Iterable[Any]) -> Any:
        if self.result is _UNKNOWN and self.make_result is not None:
            made = self.make_result()  # it may export, which sets this one
            self.result = map_tensors(made, _hole) if self.result is _UNKNOWN else self.result
        left = iter(tensors)
        return map_tensors(self.result, lambda path, hole: next(left))


class _State:
    """A model's parameters and buffers before its forward.

    `torch.export` sees what is written to any of them, and of `self.n = self.n + 1` only what is
    assigned to one of the outermost module: the model's, inside an entry, is none. An assignment
    becomes a write. One of another shape, which cannot be written, becomes an output of its own.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        self._before = [
            (f"{kind}{prefix}.{name}" if prefix else f"{kind}{name}", held, name, value)
            for prefix, module in model.named_modules()
            for kind, held in ((PARAMETERS, module._parameters), (BUFFERS, module._buffers))
            for name, value in held.items()
            if value is not None
        ]

    def put_back(
        self, given: Sequence[torch.Tensor]
    ) -> tuple[tuple[torch.Tensor, ...], dict[str, torch.Tensor]]:
        """Write what was assigned.

        Returns the outputs, none of them in memory that this writes to, and by its whole path what
        there is no room for.
        """
        assigned = [
            (path, held, name, value, held[name])
            for path, held, name, value in self._before
            if held.get(name) is not None and held[name] is not value
        ]
        if not assigned:
            return tuple(given), {}
        given = [value.clone() for value in given]  # it may be a view of what is written below
        new = [now.detach().clone() for *_, now in assigned]  # two may have changed places
        larger: dict[str, torch.Tensor] = {}
        for (path, where, name, value, _), now in zip(assigned, new, strict=True):
            where[name] = value
            if now.shape == value.shape:
                with torch.no_grad():
                    value.copy_(now)
            else:
                larger[MUTATED + path] = now
        return tuple(given), larger


def _hole(path: str, tensor: torch.Tensor) -> torch.Tensor:
    """What stands where a tensor is to be put: a tensor still, for containers that look."""
    return torch.empty(0, device="meta", dtype=tensor.dtype)


def _sharing(tensors: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """By path, another tensor of the same storage."""
    places: dict[int, list[str]] = {}
    for path, tensor in tensors.items():
        if tensor.layout is torch.strided and tensor.numel():
            places.setdefault(tensor.untyped_storage().data_ptr(), []).append(path)
    together = [paths for paths in places.values() if len(paths) > 1]
    return {path: paths[path == paths[0]] for paths in together for path in paths}


def _identifiers(paths: Iterable[str]) -> list[str]:
    """A name for each path by which a tensor can be handed to a function."""
    names: list[str] = []
    for path in paths:
        name = re.sub(r"\W+", "_", path, flags=re.ASCII).strip("_") or "tensor"
        if name[0].isdigit() or keyword.iskeyword(name) or name in _TAKEN:
            name = f"tensor_{name}"
        while name in names:
            name += "_"
        names.append(name)
    return names
