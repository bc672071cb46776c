# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A loaded model and a call of it by their content: all that an export of them depends on but code.

Everything that is reached through Python is written in one order: modules with their attributes and
hooks, configurations, containers, closures; tensors with their values but for parameters, of which
an export sees the layout; and what is held twice as one. What has a name in a module (a class, a
function) goes by it, since the sources of all modules are in the key beside this, and with what
code of the project's own reads in modules and classes (`project_code`). Of whatever may
hold more than Python shows (objects of compiled extensions, open files, weak containers) there is
no digest, and such a model is exported every time.
"""

import enum
import functools
import hashlib
import re
import sys
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any

import numpy as np
import torch

from bringup.harness.dense import as_bytes
from bringup.harness.errors import HarnessError
from bringup.harness.frontend.exported_digest import UnwrittenError
from bringup.harness.frontend.project_code import variables_read
from bringup.harness.reach import code_parts, filled, slots

_PLAIN = (type(None), bool, int, str, bytes, type(Ellipsis), range)
_NAMED = (torch.dtype, torch.device, torch.layout, torch.memory_format, slice, PurePath)
"""What `repr` says all of."""
_TENSORS = (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)
_BUILTIN = (
    *(object, dict, list, tuple, set, frozenset, str, int, float, bytes, OrderedDict, deque),
    *(defaultdict, torch.Size, Exception, BaseException),
)
"""What classes may inherit from that is not written in Python: their contents are written."""

_OF_ONE_PROCESS = frozenset({"_original_object_hash", "_use_default_values"})
"""What each process has of its own, by what its hashes are seeded: what a generation's settings
were (transformers), and in what order the names of settings that nobody gave (diffusers)."""

_OF_EVERY_CLASS = frozenset({"__dict__", "__weakref__", "__doc__", "__module__", "__qualname__"})


def digest_of_model(*values: object, parameters: bool = False) -> str:
    """A sha256 in hex that only equal models and calls have, in other processes too.

    With `parameters` their values are in it.

    Raises:
        UnwrittenError: something that is reached has no written form.
    """
    writer = _Writer(parameters)
    try:
        for value in values:
            writer.put(value)
        writer.put_read()
    except RecursionError:
        raise UnwrittenError("it is nested too deep") from None
    except (HarnessError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, UnwrittenError):
            raise
        raise UnwrittenError(f"{type(error).__name__}: {error}"[:300]) from error
    return writer.hexdigest()


class _Writer:
    """Writes values into a digest, each with what kind of value it is."""

    def __init__(self, parameters: bool) -> None:
        self._digest = hashlib.sha256()
        self._said: list[str] = []
        self._parameters = parameters
        self._places: dict[int, int] = {}
        self._held: list[object] = []  # so that no id is given out again
        self._storages: dict[int, int] = {}
        self._code: list[type | types.FunctionType] = []
        self._ways: dict[type, Callable[[Any], None]] = {}
        self._by_kind: tuple[tuple[Any, Callable[[Any], None]], ...] = (
            (type, self._class),
            (torch.Tensor, self._tensor),
            (torch.nn.Module, self._module),
            (types.FunctionType, self._function),
            (types.MethodType, self._parts("method", "__self__", "__func__")),
            (functools.partial, self._parts("partial", "func", "args", "keywords")),
            (types.CellType, lambda cell: self._list("cell", filled(cell))),
            (property, self._parts("property", "fget", "fset")),
            (weakref.ReferenceType, lambda found: self._list("weak", [found()])),
            (np.ndarray | np.generic, self._array),
            (re.Pattern, lambda found: self.say("pattern", found.pattern, found.flags)),
            (torch.Generator, lambda found: self._list("draws", [found.get_state()])),
        )

    def hexdigest(self) -> str:
        self._write()
        return self._digest.hexdigest()

    def say(self, *words: object) -> None:
        self._said.append(repr(words))
        if len(self._said) > 1000:
            self._write()

    def _write(self) -> None:
        text = "\n".join(self._said) + "\n"
        self._digest.update(text.encode("utf-8", "surrogatepass"))
        self._said.clear()

    def _bytes(self, content: Any) -> None:
        self._write()
        self._digest.update(content)

    def put(self, value: Any) -> None:
        kind = type(value)
        if kind in _PLAIN:
            self.say(kind.__name__, value)
        elif kind is float:
            self.say("float", value.hex())
        elif kind is complex:
            self.say("complex", value.real.hex(), value.imag.hex())
        elif id(value) in self._places:
            self.say("again", self._places[id(value)])
        elif kind is dict or kind is list:  # most of what there is
            self._place(value)
            self.say("object", kind.__name__)
            self._contents(value)
        elif isinstance(value, _NAMED):
            self.say(kind.__name__, repr(value))
        elif isinstance(value, enum.Enum):
            self.say("enum", _name_of(kind), value.name)
            self.put(value.value)
        elif _has_name(value):
            self.say("named", _name_of(value))
            if not isinstance(value, types.ModuleType | types.BuiltinFunctionType):
                self._code.append(value)
        elif kind in (tuple, torch.Size, frozenset):  # nobody can tell two equal ones apart
            self._contents(value)
        else:
            self._place(value)
            self._written_of(kind)(value)

    def put_read(self) -> None:
        """What code reads that was named so far, and what that holds."""
        said: set[str] = set()
        while self._code:
            code, self._code = self._code, []
            for name, value in sorted(variables_read(code).items()):
                if name not in said:
                    said.add(name)
                    self.say("variable", name)
                    self.put(value)

    def _place(self, value: object) -> None:
        self._places[id(value)] = len(self._places)
        self._held.append(value)

    def _written_of(self, kind: type) -> Callable[[Any], None]:
        """How values of a kind are written that have an identity."""
        if kind not in self._ways:
            found = (write for kinds, write in self._by_kind if issubclass(kind, kinds))
            self._ways[kind] = next(found, self._object)
        return self._ways[kind]

    def _parts(self, what: str, *names: str) -> Callable[[Any], None]:
        return lambda value: self._list(what, [getattr(value, name) for name in names])

    def _list(self, what: str, values: Iterable[object]) -> None:
        found = list(values)
        self.say(what, len(found))
        for value in found:
            self.put(value)

    def _items(self, what: str, values: dict[Any, Any]) -> None:
        self.say(what, len(values))
        for key, value in dict.items(values):
            self.put(key)
            if type(key) is not str or key not in _OF_ONE_PROCESS:
                self.put(value)

    def _object(self, value: Any) -> None:
        cls = type(value)
        _refuse_hidden(cls)
        self.say("object")
        self.put(cls)
        self._contents(value)
        held = getattr(value, "__dict__", {})
        self._items("attributes", held)
        self._items("slots", dict(slots(value)))

    def _contents(self, value: Any) -> None:
        """What a container holds, and what a number or a text that has a class of its own is."""
        if isinstance(value, dict):
            self._items("items", value)
            self.put(getattr(value, "default_factory", None))
        elif isinstance(value, set | frozenset):
            self._list("set", sorted(self._alone(held) for held in value))
        elif isinstance(value, list | tuple | deque):
            self._list(type(value).__name__, tuple(value))
        else:
            for plain in (str, bytes, int, float):
                if isinstance(value, plain):
                    self.say(plain.__name__, plain.__repr__(value))

    def _alone(self, held: object) -> str:
        """A member of a set, which has no place in any order."""
        writer = _Writer(self._parameters)
        writer.put(held)
        if writer._held:
            raise UnwrittenError(f"a set holds {held!r:.100}")
        return writer.hexdigest()

    def _module(self, module: torch.nn.Module) -> None:
        _refuse_hidden(type(module))
        self.say("module")
        self.put(type(module))
        held = vars(module)
        hooks = {name: each for name, each in held.items() if _is_hooks(name, each)}
        numbers = sorted({number for each in hooks.values() for number in each})
        ranks = {number: rank for rank, number in enumerate(numbers)}  # counted by the process
        for name, each in held.items():
            self.say("attribute", name)
            if name in hooks:
                self._items("hooks", {ranks[number]: hook for number, hook in each.items()})
            else:
                self.put(each)
        self._items("slots", dict(slots(module)))

    def _function(self, function: types.FunctionType) -> None:
        """One that no module has by its name: made in another, or a lambda."""
        self.say("function", function.__module__, function.__qualname__)
        self._code.append(function)
        for part in code_parts(function.__code__):
            self.put(part)
        self.put(function.__defaults__)
        self.put(function.__kwdefaults__)
        self.put(function.__closure__)
        self._items("attributes", vars(function))

    def _class(self, cls: type) -> None:
        """One that no module has by its name: made at run time, as of a parametrised module."""
        self.say("class", cls.__module__, cls.__qualname__)
        self._code.append(cls)
        self._list("bases", cls.__bases__)
        self._items("members", {k: v for k, v in vars(cls).items() if k not in _OF_EVERY_CLASS})

    def _tensor(self, tensor: torch.Tensor) -> None:
        if type(tensor) not in _TENSORS or tensor.layout is not torch.strided:
            raise UnwrittenError(f"a {type(tensor).__name__} of layout {tensor.layout}")
        if tensor.is_quantized or tensor.is_nested or tensor._backward_hooks:
            raise UnwrittenError("a tensor that is quantised, nested or has hooks")
        self.say(
            type(tensor).__name__,
            (str(tensor.dtype), tuple(tensor.shape), tensor.stride(), tensor.storage_offset()),
            (str(tensor.device), tensor.requires_grad, tensor.is_conj(), tensor.is_neg()),
            (tensor.grad_fn is None, tensor.is_inference()),
        )
        if tensor.numel() and not tensor.is_meta:
            memory = tensor.untyped_storage().data_ptr()
            self.say("memory", self._storages.setdefault(memory, len(self._storages)))
            if self._parameters or not isinstance(tensor, torch.nn.Parameter):
                plain = tensor.detach().resolve_conj().resolve_neg()
                self._bytes(as_bytes(plain.cpu()).numpy().data)
        self._items("attributes", vars(tensor))

    def _array(self, array: Any) -> None:
        if array.dtype.hasobject:
            raise UnwrittenError("a numpy array of objects")
        self.say("array", str(array.dtype), array.shape)
        self._bytes(np.ascontiguousarray(array).tobytes())


def _is_hooks(name: str, held: object) -> bool:
    """Is it what a module calls, by numbers of the whole process?"""
    return name.endswith(("_hooks", "_hooks_with_kwargs", "_hooks_always_called")) and (
        isinstance(held, dict) and all(type(number) is int for number in held)
    )


def _has_name(value: object) -> bool:
    """Has it a name in its module, by which that has the very same?"""
    if isinstance(value, types.ModuleType):
        return sys.modules.get(value.__name__) is value
    if not isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return False
    found: Any = sys.modules.get(str(getattr(value, "__module__", "")))
    for part in str(value.__qualname__).split("."):
        found = getattr(found, part, None)
    return found is value


def _name_of(value: Any) -> str:
    """The name of a module, a class or a function in its module.

    Raises:
        UnwrittenError: it has none by which that has the very same.
    """
    if not _has_name(value):
        raise UnwrittenError(f"{value!r:.100} has no name in a module")
    if isinstance(value, types.ModuleType):
        return value.__name__
    return f"{value.__module__}:{value.__qualname__}"


def _refuse_hidden(cls: type) -> None:
    """Refuse objects of a class that may hold what Python does not show.

    Raises:
        UnwrittenError: one that it inherits from is not written in Python.
    """
    for base in cls.__mro__:
        if base in _BUILTIN:
            continue
        file = getattr(sys.modules.get(base.__module__), "__file__", None)
        if not isinstance(file, str) or not file.endswith(".py"):
            raise UnwrittenError(f"{cls.__module__}.{cls.__qualname__} is not written in Python")
