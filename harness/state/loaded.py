# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A model and its inputs as they were loaded: what every run is given, and what they are after it.

A run works on a copy of the inputs, and on the model itself, whose state is put back afterwards:
a copy of a module would not be the model (hooks and closures refer to the original), and copies of
its weights would not fit into memory. What a run wrote to parameters, buffers, inputs and
attributes, and what it left in containers and attributes, is an output of the model like any other,
and is kept under a path.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch.nn.parameter import is_lazy

from bringup.harness.errors import HarnessError
from bringup.harness.frontend.call import call_of, first_paths
from bringup.harness.frontend.held import Before, is_dense
from bringup.harness.frontend.paths import ATTRIBUTES, BUFFERS, LEFT, MUTATED, PARAMETERS
from bringup.harness.reach import reached
from bringup.harness.state.copies import copied, identical
from bringup.harness.state.objects import Restore, kept
from bringup.harness.state.tensors import TensorStates

T = TypeVar("T")


@dataclass
class Run:
    """One run of the model."""

    inputs: Any
    """A copy, the run's own."""
    _states: TensorStates
    mutated: dict[str, torch.Tensor] = field(default_factory=dict)
    """When it is over: what parameters, buffers and inputs became that are not as they were.

    And what was left in containers and attributes.
    """

    def outliving(self, outputs: T) -> T:
        """Outputs that keep their values when the model's state is put back."""
        return copied(outputs, keep=lambda tensor: not self._states.may_have_changed(tensor))


class Loaded:
    """A model and its inputs as they are now; made once, when both were loaded."""

    def __init__(
        self,
        model: Any,
        inputs: Any,
        beside: Iterable[object] = (),
        apart: Iterable[object] = (),
    ) -> None:
        """What `beside` the model holds state is put back too; what is `apart` is left alone."""
        self._model, self.inputs = model, inputs
        module = model if isinstance(model, torch.nn.Module) else None
        state = [*reached(model, *beside, apart=apart)] if module is not None else []
        self._objects: list[Restore] = [restore for value in state for restore in kept(value)]
        self._states = TensorStates(v for v in state if isinstance(v, torch.Tensor))
        self._named = _named_state(module) if module is not None else {}
        now = {path: place.now() for path, place in self._named.items()}
        before = _before(model, inputs)
        self._leaves = before.tensors if before else {}
        beside_buffers = (path for path in self._leaves if path.startswith(ATTRIBUTES))
        self._of_model = {*self._named, *beside_buffers}
        self._loaded = {  # handles of their own: a run may give the others other memory
            path: tensor.detach()
            for path, tensor in (now | self._leaves).items()
            if tensor is not None and not is_lazy(tensor)
        }
        first = first_paths({**now, **self._leaves})
        self._aliases = {path for path in first if first[path] != path}
        self._first = {MUTATED + path: MUTATED + first[path] for path in first}

    @contextlib.contextmanager
    def run(self, *, watched: bool = True) -> Iterator[Run]:
        """Lend the model, and a copy of the inputs, for one run.

        `watched`: real tensors are computed, and whatever is written is saved first; without it,
        as to export, only Python's objects and small tensors are put back.
        """
        run = Run(copied(self.inputs), self._states)
        before = _before(self._model, run.inputs)  # a run may take its containers apart
        try:
            with self._states.watched() if watched else contextlib.nullcontext():
                yield run
            if watched and before is not None:
                run.mutated = self._mutated(before.tensors) | _copies(before.left())
        finally:
            self.restore()

    def restore(self) -> None:
        """Put the model's state back."""
        for restore in self._objects:
            restore()
        self._states.restore()

    def mark(self) -> None:
        """Have `restored` tell whatever is written from now on, by whatever means."""
        self._states.mark()

    def restored(self) -> bool:
        """Put the model's state back; False when something was written that nobody saved."""
        self.restore()
        return self._states.intact()

    def value(self, path: str) -> torch.Tensor | None:
        """What a path of `Run.mutated` leads to in what was loaded; None when to nothing."""
        path = path.removeprefix(MUTATED).removeprefix(LEFT)
        found = self._loaded.get(path)
        return None if found is None else self._states.before(found)

    def after(self, mutated: Mapping[str, torch.Tensor], path: str) -> torch.Tensor | None:
        """What lies at a path when a run is over that changed, and left, what is in `mutated`."""
        written = self.first(path.replace(LEFT, MUTATED, 1)) if path.startswith(LEFT) else path
        return next(
            (mutated[p] for p in (path, written) if p in mutated),
            self.value(path),
        )

    def first(self, path: str) -> str:
        """The first of the paths that lead to the same tensor, a path of `Run.mutated`."""
        return self._first.get(path, path)

    def _mutated(self, leaves: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        now = {path: place.now() for path, place in self._named.items()} | dict(leaves)
        changed = {}
        for path, tensor in now.items():
            before = self.value(path)
            if path in self._aliases or tensor is None or before is None:
                continue
            if path in self._of_model and not self._states.may_have_changed(
                tensor, since=self._loaded[path]
            ):
                continue
            if not identical(before, tensor):
                changed[MUTATED + path] = tensor.detach().clone()
        return changed


@dataclass(frozen=True)
class _Place:
    """Where a module keeps a parameter or a buffer."""

    owner: torch.nn.Module
    name: str

    def now(self) -> torch.Tensor | None:
        """What is there."""
        found = getattr(self.owner, self.name, None)
        return found if isinstance(found, torch.Tensor) else None


def _named_state(module: torch.nn.Module) -> dict[str, _Place]:
    found = {}
    for prefix, owner in module.named_modules(remove_duplicate=False):
        dot = f"{prefix}." if prefix else ""
        for kind, names in ((PARAMETERS, owner._parameters), (BUFFERS, owner._buffers)):
            for name, value in names.items():
                if value is not None:
                    found[f"{kind}{dot}{name}"] = _Place(owner, name)
    return found


def _copies(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {path: t.detach().clone() for path, t in tensors.items() if is_dense(t)}


def _before(model: Any, inputs: Any) -> Before | None:
    """What a model and its inputs hold; None of what is no module, or takes nothing apart."""
    if not isinstance(model, torch.nn.Module):
        return None
    try:
        return Before(model, call_of(inputs))
    except HarnessError:  # an input that nobody can take apart; the export says so
        return None
