# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A graph cut into parts that run one after another, each on a device of its own.

`device_map` says which: by module of the model, as accelerate's `infer_auto_device_map` names them,
the number of a device. A part ends where the next operation belongs to a module on another device,
so that parts come in the graph's own order and one device may have several. What a module does
that has no entry stays with what is before it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.fx.passes.split_module import split_module

from bringup.harness.errors import UsageError
from bringup.harness.tester.compiled_graphs import CompiledGraphs

_STACK = "nn_module_stack"
_SELF = re.compile(r"^L\['\w+'\]\.?")
_INDEX = re.compile(r"(?:\._modules)?\[['\"]?(\w+)['\"]?\]")


def cut(
    module: torch.fx.GraphModule, device_map: Mapping[str, int]
) -> tuple[torch.fx.GraphModule, list[int]]:
    """Cut a graph of dynamo's into parts.

    Returns:
        A graph that calls its modules `submod_0`, `submod_1` and so on, and each one's device.

    Raises:
        UsageError: no module that the graph has operations of is in the map.
    """
    on, parts = dict[torch.fx.Node, int](), list[int]()
    for node in module.graph.nodes:
        device = _device_of(_module_of(node), device_map)
        if node.op.startswith("call") and device is not None and device not in parts[-1:]:
            parts.append(device)
        on[node] = max(len(parts) - 1, 0)
    if not parts:
        raise UsageError(
            f"device_map names no module of what is compiled: {', '.join(device_map) or 'nothing'}"
        )
    whole = split_module(module, module, on.__getitem__, keep_original_order=True)
    return whole, parts


def _module_of(node: torch.fx.Node) -> str:
    """The module that an operation is in, as `named_modules` spells it."""
    stack = [*node.meta.get(_STACK, {}).values()]
    inside = str(stack[-1][0]) if stack else ""
    return _INDEX.sub(r".\1", _SELF.sub("", inside)).lstrip(".")


def _device_of(module: str, device_map: Mapping[str, int]) -> int | None:
    """What the map says of a module, or of the nearest one around it that it names."""
    return device_map.get(_entry_of(module, device_map))


def _entry_of(module: str, device_map: Mapping[str, int]) -> str:
    """The map's name of a module, or of the nearest one around it."""
    while module and module not in device_map:
        module = module.rpartition(".")[0]
    return module


def device_numbers(device_map: Mapping[str, object], count: int, device: str) -> dict[str, int]:
    """A map whose devices are numbers below `count`.

    Raises:
        UsageError: another thing is one, `cpu` or `disk` for instance.
    """
    numbers = {}
    for module, number in device_map.items():
        if not isinstance(number, int) or isinstance(number, bool):
            raise UsageError(
                f"device_map puts {module or 'the model'} on {number!r}: the number of a device is"
                " wanted, and all weights are on devices"
            )
        if not 0 <= number < count:
            raise UsageError(
                f"device_map puts {module or 'the model'} on device {number}, and there are"
                f" {count} of {device}: --device names one that has more"
            )
        numbers[module] = number
    return numbers


class _Part(torch.nn.Module):
    def __init__(self, run: Callable[..., Any]) -> None:
        super().__init__()
        self.run = run

    def forward(self, *args: Any) -> Any:
        return self.run(*args)


class CutGraphs:
    """A backend of dynamo that cuts every graph by a `device_map`.

    Args:
        device_map: by module, the number of its device.
        graphs: by number, the backend whose device it is.
    """

    def __init__(self, device_map: Mapping[str, int], graphs: Sequence[CompiledGraphs]) -> None:
        self._device_map, self._graphs = device_map, graphs
        self.unused = set(device_map)
        """Entries of the map that no operation of a graph was in, so far."""

    def __call__(self, module: torch.fx.GraphModule, examples: Sequence[Any]) -> Callable[..., Any]:
        """Take a graph from dynamo; its parts are lowered when they are called first."""
        whole, devices = cut(module, self._device_map)
        self.unused -= {_entry_of(_module_of(n), self._device_map) for n in module.graph.nodes}
        for number, device in enumerate(devices):
            name = f"submod_{number}"
            part: Any = whole.get_submodule(name)
            setattr(whole, name, _Part(self._graphs[device](part, ())))
        disabled: Callable[..., Any] = torch._dynamo.disable(whole.forward)  # type: ignore[no-untyped-call]
        return disabled

    def release(self) -> None:
        """Free what is on the devices."""
        for graphs in self._graphs:
            graphs.release()
