# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Between a pytest id and what the test is.

An entry of a list is a pytest id without a device, as tt-torch's users write it:
`tests/models/t5/test_t5.py::test_t5[op_by_op_torch-t5-base-eval]`. On a run over several devices
the plugin adds the device as the last parameter, `...-t5-base-eval-n150]`, and before it the size,
if that is not the published one. The function name gives the model (a trailing `_onnx` the
framework); among the parameters the flow and the mode are known words, and what is left, in order,
is the variant. The file plays no part.
"""

import shlex

from harness.records.schema import Identity

FLOWS = ("full", "op_by_op_torch", "op_by_op_stablehlo")
MODES = ("eval", "train")
SIZES = ("base", "tiny")
"""`base` is the published size and never written; `tiny` is a rehearsal, a variant of its own."""
ONNX_SUFFIX = "_onnx"


def is_op_by_op(identity: Identity) -> bool:
    """True for a test that takes its model op by op."""
    return identity.flow.startswith("op_by_op")


def identity_of(entry: str, device: str) -> Identity:
    """What the test named by a list entry (an id without a device) is on `device`."""
    name, params = split_params(entry.rpartition("::")[2])
    model = name.removeprefix("test_")
    onnx = model.endswith(ONNX_SUFFIX)
    return Identity(
        model=model.removesuffix(ONNX_SUFFIX) if onnx else model,
        variant="-".join(p for p in params if p not in FLOWS and p not in MODES),
        flow=next((p for p in params if p in FLOWS), FLOWS[0]),
        mode=next((p for p in params if p in MODES), MODES[0]),
        framework="onnx" if onnx else "torch",
        device=device,
    )


def identity_of_key(key: str) -> Identity:
    """Read an identity back from `Identity.key`."""
    name, _, device = key.rpartition("@")
    return identity_of(name, device)


def nodeid_on(entry: str, device: str) -> str:
    """The pytest id of a list entry in a run that names its devices."""
    return _with_param(entry, device)


def sized(entry: str, size: str) -> str:
    """A list entry as it is called in a run of another size."""
    return entry if size == SIZES[0] else _with_param(entry, size)


def size_of(identity: Identity) -> str:
    """The size a test ran at."""
    last = identity.variant.rpartition("-")[2]
    return last if last in SIZES else SIZES[0]


def entry_of(nodeid: str, device: str) -> str:
    """The list entry of a pytest id: without the device, and without a size before it."""
    entry = _without_param(nodeid, device)
    for size in SIZES[1:]:
        entry = _without_param(entry, size)
    return entry


def run_again(nodeid: str, identity: Identity) -> str:
    """The shell line that runs a test again, by itself, from the repository's root."""
    entry, size = entry_of(nodeid, identity.device), size_of(identity)
    words = ["nox", "-s", "run", "--", entry, "--device", identity.device]
    return shlex.join([*words, "--size", size] if size != SIZES[0] else words)


def _with_param(test: str, param: str) -> str:
    name, params = split_params(test)
    return f"{name}[{'-'.join([*params, param])}]"


def _without_param(test: str, param: str) -> str:
    name, bracket, params = test.partition("[")
    if bracket and params == f"{param}]":
        return name
    return f"{name}[{params.removesuffix(f'-{param}]')}]" if params.endswith(f"-{param}]") else test


def split_params(test: str) -> tuple[str, list[str]]:
    """`test_x[a-b]` into `test_x` and `[a, b]`."""
    name, bracket, params = test.partition("[")
    return name, params.removesuffix("]").split("-") if bracket else []
