# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Between a pytest id and what the test is.

An entry of a list is a pytest id without a device, as tt-torch's users write it:
`tests/models/t5/test_t5.py::test_t5[op_by_op_torch-t5-base-eval]`. On a run over several
devices the plugin adds the device as the last parameter, `...-t5-base-eval-n150]`. The function
name gives the model (a trailing `_onnx` the framework); among the parameters the flow and the
mode are known words, and what is left, in order, is the variant. The file plays no part.
"""

from harness.records.schema import Identity

FLOWS = ("full", "op_by_op_torch", "op_by_op_stablehlo")
MODES = ("eval", "train")
ONNX_SUFFIX = "_onnx"


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
    name, params = split_params(entry)
    return f"{name}[{'-'.join([*params, device])}]"


def entry_of(nodeid: str, device: str) -> str:
    """The list entry of a pytest id that carries `device` as its last parameter."""
    name, bracket, params = nodeid.partition("[")
    if not bracket:
        return nodeid
    if params == f"{device}]":
        return name
    return (
        f"{name}[{params.removesuffix(f'-{device}]')}]"
        if params.endswith(f"-{device}]")
        else nodeid
    )


def split_params(test: str) -> tuple[str, list[str]]:
    """`test_x[a-b]` into `test_x` and `[a, b]`."""
    name, bracket, params = test.partition("[")
    return name, params.removesuffix("]").split("-") if bracket else []
