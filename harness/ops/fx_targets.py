# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the text of an FX graph may call: an allow-list, for the text may be a stranger's.

`aten.add.Tensor` is parsed into namespace, name and overload and looked up among the operators of
PyTorch's dispatcher; `operator.add` and `higher_order.cond` are entries of two short lists. No
attribute is followed beyond that, so no name reaches a function that opens, loads or runs
something. With `trust` any registered operator counts, e.g. torchvision's: still an operator, and
still no walk.
"""

import operator
import re
from typing import Any

import torch

from bringup.harness.errors import HarnessError

_OVERLOAD = re.compile(r"(\w+)\.(\w+)\.(\w+)", re.ASCII)
_NAMESPACES = ("aten", "prims")
_REACH_OUT = frozenset({"from_file", "save", "_print", "warn", "record_stream"})
"""Operators of those namespaces that touch files, streams or the terminal."""
_OPERATORS = {
    f"operator.{function.__name__}": function
    for function in (
        *(operator.getitem, operator.add, operator.sub, operator.mul, operator.neg),
        *(operator.truediv, operator.floordiv, operator.mod, operator.abs, operator.pos),
        *(operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge),
        *(operator.and_, operator.or_, operator.xor, operator.not_, operator.invert),
    )
}
_HIGHER_ORDER = ("cond", "while_loop", "scan", "associative_scan", "map_impl", "out_dtype")


class TargetError(HarnessError):
    """A name that is none of what a graph may call."""


def target_of(name: object, *, trust: bool = False) -> Any:
    """The operator or function that a name stands for.

    Raises:
        TargetError: it stands for nothing that a graph may call.
    """
    if not isinstance(name, str):
        raise TargetError("a target is no text")
    if name in _OPERATORS:
        return _OPERATORS[name]
    kind, _, rest = name.partition(".")
    if kind == "higher_order" and (rest in _HIGHER_ORDER or (trust and rest.isidentifier())):
        found = torch._ops._higher_order_ops.get(rest)
        if isinstance(found, torch._ops.HigherOrderOperator):
            return found
    match = _OVERLOAD.fullmatch(name)
    if match and (trust or (match[1] in _NAMESPACES and match[2] not in _REACH_OUT)):
        found = _overload(*match.groups())
        if found is not None:
            return found
    hint = "" if trust else "; if you know who wrote it, --trust takes any registered operator"
    raise TargetError(f"`{name[:80]}` is no operator that a graph may call{hint}")


def is_plain(target: Any) -> bool:
    """Is it a function of Python, which takes values and numbers only?"""
    return target in _OPERATORS.values()


def _overload(namespace: str, name: str, overload: str) -> Any:
    """An operator of the dispatcher: what TorchScript alone has is none."""
    space = getattr(torch.ops, namespace, None)
    if not isinstance(space, torch._ops._OpNamespace):
        return None
    packet = getattr(space, name, None)
    if not isinstance(packet, torch._ops.OpOverloadPacket):
        return None
    suffix = "" if overload == "default" else f".{overload}"
    if not torch._C._dispatch_has_kernel(f"{namespace}::{name}{suffix}"):
        return None
    found = getattr(packet, overload, None)
    return found if isinstance(found, torch._ops.OpOverload) else None
