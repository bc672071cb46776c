# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The bare script: what somebody would write to take one model to XLA's CPU client, by hand.

It shares nothing with the harness but the model and its inputs.
"""

import sys
from typing import Any

import jax
import numpy as np
import torch
from jaxlib import _jax, xla_client
from torch_mlir import ir
from torch_mlir._mlir_libs import _stablehlo
from torch_mlir.dialects import torch as torch_dialect
from torch_mlir.extras.fx_decomp_util import get_decomposition_table
from torch_mlir.extras.fx_importer import FxImporter
from torch_mlir.passmanager import PassManager

from tests.models.bert import test_bert
from tests.models.resnet import test_resnet

FLEET: dict[str, Any] = {"resnet50": test_resnet, "bert": test_bert}


def run(name: str) -> float:
    """Take the model through every stage; returns the PCC of its first output."""
    with torch.no_grad():
        torch.manual_seed(0)
        tester = object.__new__(FLEET[name].ThisTester)  # its two loaders, nothing of the harness
        model = tester._load_model().eval()
        inputs = tester._load_inputs()
        kwargs = inputs if isinstance(inputs, dict) else {}
        args = () if kwargs else (inputs,)
        golden = model(*args, **kwargs)[0]
        exported = torch.export.export(model, args, kwargs, strict=False)
        decomposed = exported.run_decompositions(get_decomposition_table())
    artifact = lower(decomposed)
    values = [
        decomposed.state_dict.get(spec.target, decomposed.constants.get(spec.target))
        for spec in decomposed.graph_signature.input_specs
        if spec.target is not None
    ]
    leaves = torch.utils._pytree.tree_leaves((args, kwargs))
    arrays = [t.detach().numpy() for t in [*values, *leaves]]
    output = execute(artifact, arrays)[0]
    return float(np.corrcoef(golden.numpy().ravel(), output.ravel())[0, 1])


def lower(decomposed: torch.export.ExportedProgram) -> bytes:
    """torch dialect, torch backend IR, StableHLO, portable bytes."""
    context = ir.Context()
    torch_dialect.register_dialect(context)
    _stablehlo.register_dialect(context)
    importer = FxImporter(context=context)
    importer.import_stateless_graph(decomposed.graph)
    module = importer.module
    with context:
        for pipeline in (
            "builtin.module(torchdynamo-export-to-torch-backend-pipeline)",
            "builtin.module(torch-backend-to-stablehlo-backend-pipeline)",
        ):
            PassManager.parse(pipeline).run(module.operation)
        text = str(module).replace("arith.constant dense", "stablehlo.constant dense")
        clean = ir.Module.parse(text)
        version = _stablehlo.get_current_version()
        return bytes(_stablehlo.serialize_portable_artifact(clean, version))


def execute(artifact: bytes, arrays: list[Any]) -> list[Any]:
    """Compile and run on XLA's CPU client."""
    jax.config.update("jax_enable_x64", True)
    client = xla_client.make_cpu_client()
    device = client.local_devices()[0]
    program = client.compile_and_load(
        artifact, _jax.DeviceList((device,)), xla_client.CompileOptions()
    )
    sharding = jax.sharding.SingleDeviceSharding(device)
    buffers = [
        _jax.batched_device_put(
            jax.core.ShapedArray(a.shape, a.dtype), sharding, [np.ascontiguousarray(a)], [device]
        )
        for a in arrays
    ]
    results = program.execute_sharded(buffers).disassemble_into_single_device_arrays()
    return [np.asarray(shards[0]) for shards in results]


if __name__ == "__main__":
    pcc = run(sys.argv[1])
    print(f"PCC {pcc}")
    sys.exit(0 if pcc > 0.99 else 1)
