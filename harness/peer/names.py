# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What tt-torch's test files import, and what each name is here.

The one table of them. A name is an object of ours, or it is refused with a reason; an import of
anything else from these modules is refused as unknown. Other modules of a checkout, such as those
of its models, are its own.
"""

from collections.abc import Mapping

BUILT_IN = "tt-mlir's own ops, sockets and profiler are not part of this; StableHLO is what goes in"
_NO_MESH_OBJECT = (
    "there is no mesh object: ModelTester(tensor_parallel_mode=True) with get_mesh_config and"
    " load_shard_spec splits weights, CompilerConfig.mesh_shape with automatic_parallelization the"
    " batch"
)

CONFIG = "bringup.harness.config"
TESTER = "bringup.harness.tester"
PEER = "bringup.harness.peer"

SERVED: Mapping[str, Mapping[str, str]] = {
    "tests.utils": {
        "ModelTester": f"{TESTER}.model_tester",
        "OnnxModelTester": f"{TESTER}.onnx_tester",
        "skip_full_eval_test": f"{PEER}.functions",
        "clear_dynamo_cache": f"{PEER}.functions",
    },
    "tt_torch": {},
    "tt_torch.tools": {},
    "tt_torch.tools.utils": {
        "CompilerConfig": CONFIG,
        "CompileDepth": CONFIG,
        "OpByOpBackend": CONFIG,
        "OpCompilationStatus": f"{PEER}.functions",
        "calculate_pcc": f"{PEER}.functions",
        "calculate_atol": f"{PEER}.functions",
        "onnx_output_to_torch": f"{PEER}.functions",
        "with_torch_dynamo_cleanup": f"{PEER}.functions",
    },
    "tt_torch.tools.verify": {
        "verify_module": f"{PEER}.verify",
        "verify_against_golden": f"{PEER}.functions",
        "calculate_pcc": f"{PEER}.functions",
        "calculate_atol": f"{PEER}.functions",
    },
    "tt_torch.tools.device_manager": {"DeviceManager": f"{PEER}.device_manager"},
    "tt_torch.tools.crashsafe_utils": {"crashsafe_suffix": f"{PEER}.functions"},
    "tt_torch.dynamo": {},
    "tt_torch.dynamo.backend": {
        "BackendOptions": f"{PEER}.backend",
        "backend": f"{PEER}.backend",
    },
    "tt_torch.dynamo.executor": {
        "Executor": "bringup.harness.executor",
        "OnnxExecutor": "bringup.harness.executor",
        "OpByOpExecutor": "bringup.harness.op_by_op.walk",
    },
    "tt_torch.dynamo.torch_backend": {"TorchExecutor": "bringup.harness.op_by_op.executors"},
    "tt_torch.dynamo.shlo_backend": {"StablehloExecutor": "bringup.harness.op_by_op.executors"},
    "tt_torch.dynamo.sharding_utils": {
        "setup_xla_spmd_environment": f"{PEER}.functions",
    },
    "tt_torch.dynamo.experimental": {},
    "tt_torch.dynamo.experimental.xla_backend": {},
    "tt_torch.onnx_compile": {},
    "tt_mlir": {
        "malloc_trim": f"{PEER}.device_manager",
        "get_arch": f"{PEER}.device_manager",
        "Arch": f"{PEER}.device_manager",
        "get_num_available_devices": f"{PEER}.device_manager",
        "is_runtime_debug_enabled": f"{PEER}.device_manager",
    },
    "third_party.tt_forge_models.tools.utils": {"get_file": "bringup.harness.files"},
}
"""By module, by name, the module of ours that has it under the same name."""

REFUSED: Mapping[tuple[str, str], str] = {
    ("tests.utils", "create_device_mesh"): _NO_MESH_OBJECT,
    ("tt_torch.dynamo.sharding_utils", "mark_sharding"): _NO_MESH_OBJECT,
    ("tt_torch.dynamo.sharding_utils", "get_sharding"): _NO_MESH_OBJECT,
    ("tt_torch.dynamo.sharding_utils", "create_device_mesh"): _NO_MESH_OBJECT,
    (
        "tt_torch.tools.verify",
        "verify_torch_module_async",
    ): "say ModelTester(data_parallel_mode=True), which checks what every device gives",
    (
        "tt_torch.onnx_compile",
        "compile_onnx",
    ): "say OnnxModelTester, which compiles and checks",
    (
        "tt_torch.tools.utils",
        "prepare_inference_session",
    ): "OnnxExecutor.run_onnxruntime(model, inputs) runs a model by onnxruntime",
    (
        "tt_torch.tools.utils",
        "run_model_proto",
    ): "OnnxExecutor.run_onnxruntime(model, inputs) runs a model by onnxruntime",
    (
        "tt_torch.tools.utils",
        "torch_input_to_onnx",
    ): "OnnxModelTester takes torch tensors",
    (
        "tt_torch.tools.utils",
        "RuntimeIntermediate",
    ): "register_intermediate_callback of an Executor gets the values",
    (
        "tt_torch.tools.utils",
        "MultiChipGraph",
    ): 'CompilerConfig.device_map has torch.compile(model, backend="tt") cut its graphs itself',
}
"""By module and name, why it is not had, and what there is instead."""

LOADERS = "third_party.tt_forge_models"
"""The package of tt-forge-models in a checkout; only `get_file` of it is ours."""
FUNCTIONS_OF_LOADERS = f"{LOADERS}.tools.utils"


def refusal(module: str, name: str) -> str:
    """Why `from module import name` has nothing here, a sentence."""
    said = REFUSED.get((module, name))
    if said is None:
        said = BUILT_IN if module == "tt_mlir" else _known(module)
    return f"{module}.{name} is tt-torch's and none here: {said}"


def _known(module: str) -> str:
    known = ", ".join(SERVED.get(module, ())) or "nothing"
    return f"of {module} there is {known}"


def is_served(module: str, name: str) -> bool:
    """Is there a name that test files import from a module of tt-torch?"""
    return name in SERVED.get(module, ())
