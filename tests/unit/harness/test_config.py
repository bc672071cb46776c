# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""CompilerConfig: the environment beats code; what cannot be read is refused."""

import copy

import pytest

from bringup.harness.config import CompileDepth, CompilerConfig, OpByOpBackend
from bringup.harness.errors import UsageError
from bringup.harness.tester.routing import executor_name

OVERRIDES = [
    ("TT_TORCH_COMPILE_DEPTH", "TTNN_IR", "compile_depth", CompileDepth.TTNN_IR),
    ("TT_TORCH_PROFILE_OPS", "0", "profile_ops", False),
    ("TT_TORCH_VERIFY_OP_BY_OP", "1", "verify_op_by_op", True),
    ("TT_TORCH_VERIFY_INTERMEDIATES", "true", "enable_intermediate_verification", True),
    ("TT_TORCH_CHECK_ALL_OPS_EXECUTE", "1", "check_all_ops_execute", True),
    ("TT_TORCH_CONSTEVAL", "1", "enable_consteval", True),
    ("TT_TORCH_CONSTEVAL_PARAMETERS", "1", "consteval_parameters", True),
    ("TT_TORCH_OPTIMIZER", "1", "enable_optimizer", True),
    ("TT_TORCH_INLINE_PARAMETERS", "1", "inline_parameters", True),
    ("TT_TORCH_IR_LOG_LEVEL", "DEBUG", "ir_log_level", "DEBUG"),
    ("TT_TORCH_SAVE_MLIR", "STABLEHLO,TTNN", "save_mlir", ("STABLEHLO", "TTNN")),
    ("TT_TORCH_SAVE_BINARY", "1", "save_binary", True),
    ("RUN_GLOBAL_OP_IDX", "17", "run_global_op_idx", 17),
    ("RTI_PCC_FAIL_THRESH", "0.95", "rti_pcc_fail_thresh", 0.95),
]


@pytest.mark.parametrize(("variable", "text", "attribute", "value"), OVERRIDES)
def test_the_environment_beats_code(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, attribute: str, value: object
) -> None:
    config = CompilerConfig()
    default = getattr(config, attribute)
    assert default != value, "the case proves nothing"
    monkeypatch.setenv(variable, text)
    overridden = CompilerConfig()
    setattr(overridden, attribute, default)
    assert getattr(overridden, attribute) == value
    monkeypatch.delenv(variable)
    assert getattr(CompilerConfig(), attribute) == default


@pytest.mark.parametrize("text", ["0", "false", "off", "no", ""])
def test_zero_is_not_true(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TT_TORCH_CONSTEVAL", text)
    config = CompilerConfig()
    config.enable_consteval = True
    assert config.enable_consteval is False


@pytest.mark.parametrize(
    ("variable", "text", "sentence"),
    [
        ("TT_TORCH_COMPILE_DEPTH", "TTIR", "expected one of TORCH_FX, STABLEHLO, TTNN_IR"),
        ("TT_TORCH_CONSTEVAL", "maybe", "expected 1 or 0"),
        ("TT_TORCH_SAVE_MLIR", "STABLEHLO,LLVM", "LLVM is none of STABLEHLO, TTIR, TTNN"),
        ("TT_TORCH_IR_LOG_LEVEL", "LOUD", "expected INFO or DEBUG"),
        ("RUN_GLOBAL_OP_IDX", "-3", "expected an op's index"),
        ("RTI_PCC_FAIL_THRESH", "99", "expected a correlation"),
    ],
)
def test_what_cannot_be_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, sentence: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(UsageError, match=f"{variable}='{text}': {sentence}"):
        CompilerConfig()


T, S = OpByOpBackend.TORCH, OpByOpBackend.STABLEHLO


@pytest.mark.parametrize(
    ("framework", "depth", "backend", "executor"),
    [
        ("torch", CompileDepth.EXECUTE_OP_BY_OP, T, "TorchExecutor"),
        ("torch", CompileDepth.COMPILE_OP_BY_OP, S, "StablehloExecutor"),
        ("torch", CompileDepth.EXECUTE_OP_BY_OP, None, "TorchExecutor"),
        ("torch", CompileDepth.EXECUTE, None, "Executor"),
        ("torch", CompileDepth.TTNN_IR, T, "Executor"),
        ("onnx", CompileDepth.EXECUTE_OP_BY_OP, S, "StablehloExecutor"),
        ("onnx", CompileDepth.EXECUTE, None, "OnnxExecutor"),
        ("onnx", CompileDepth.STABLEHLO, S, "OnnxExecutor"),
    ],
)
def test_routing(
    framework: str, depth: CompileDepth, backend: OpByOpBackend | None, executor: str
) -> None:
    assert executor_name(framework, depth, backend) == executor


@pytest.mark.parametrize(
    ("framework", "depth", "backend", "allowed"),
    [
        ("torch", CompileDepth.EXECUTE, S, "TORCH"),
        ("torch", CompileDepth.STABLEHLO, S, "TORCH"),
        ("onnx", CompileDepth.EXECUTE_OP_BY_OP, T, "STABLEHLO"),
        ("onnx", CompileDepth.EXECUTE, T, "STABLEHLO"),
    ],
)
def test_a_forbidden_pair_is_refused_and_the_allowed_one_named(
    framework: str, depth: CompileDepth, backend: OpByOpBackend, allowed: str
) -> None:
    with pytest.raises(
        UsageError,
        match=f"{framework} models at CompileDepth.{depth.name} take OpByOpBackend.{allowed}, "
        f"not OpByOpBackend.{backend.name}",
    ):
        executor_name(framework, depth, backend)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("enable_constevaal", "is no setting: did you mean enable_consteval?"),
        ("op_by_op_backnd", "is no setting: did you mean op_by_op_backend?"),
        ("colour", "is no setting: it has arg_type_map_override, automatic_parallelization"),
        ("unique_ops", "is tt-torch's and none here: the ops of a model are on its record"),
        ("xla_mesh", "is tt-torch's and none here: give the tester tensor_parallel_mode"),
        ("splits_fx", "follows from others"),
    ],
)
def test_a_setting_that_there_is_not_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=rf"CompilerConfig\.{name} {sentence}"):
        setattr(CompilerConfig(), name, True)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("typecast_inputs", False, "is not done here: inputs are always cast"),
        ("push_outputs_to_cpu", False, "is not done here: outputs always come back"),
        ("arg_type_map_override", True, "is not done here: which arguments are parameters"),
        ("mesh_shape", [1, 2, 3], "give two whole numbers from 1"),
        ("mesh_shape", "12", "give two whole numbers from 1"),
        ("mesh_shape", [0, 2], "give two whole numbers from 1"),
    ],
)
def test_a_value_of_tt_torchs_that_is_not_done_is_refused(
    name: str, value: object, sentence: str
) -> None:
    with pytest.raises(UsageError, match=rf"CompilerConfig\.{name} = .* ?{sentence}|{sentence}"):
        setattr(CompilerConfig(), name, value)


def test_settings_of_tt_torchs_do_what_they_say() -> None:
    config = CompilerConfig()
    config.dump_info = True
    assert config.ir_log_level == "INFO" and config.dump_info and not config.dump_debug
    config.dump_debug = True
    assert config.ir_log_level == "DEBUG" and config.dump_info
    config.dump_debug = False
    assert config.ir_log_level == "INFO"
    config.save_mlir_override, config.dump_binary = ["TTIR"], True
    assert config.save_mlir == ("TTIR",) and config.save_binary
    config.mesh_shape = [1, 2]
    assert config.mesh_devices == 1, "nobody asked for the batch to be split"
    config.automatic_parallelization = True
    assert config.mesh_devices == 2
    config.cache_preprocessed_constants = config.typecast_inputs = config.push_outputs_to_cpu = True
    assert config.to_dict()["mesh_shape"] == (1, 2) and config.to_dict()["dump_info"] is True


class Coloured(CompilerConfig):
    shade: str

    def __init__(self) -> None:
        super().__init__()
        self.colour = "red"


def test_a_subclass_has_attributes_of_its_own_and_no_others() -> None:
    config = Coloured()
    config.colour, config.shade, config.save_binary = "blue", "dark", True
    config._private = 1
    assert (config.colour, config.shade, config.save_binary) == ("blue", "dark", True)
    with pytest.raises(UsageError, match=r"Coloured\.color is no setting"):
        config.color = "green"  # type: ignore[attr-defined]
    assert copy.deepcopy(config).colour == "blue"


def test_a_misspelled_setting_is_refused_in_the_init_of_a_subclass_too() -> None:
    class Misspelled(CompilerConfig):
        def __init__(self) -> None:
            super().__init__()
            self.enable_consteva = True

    with pytest.raises(UsageError, match="did you mean enable_consteval"):
        Misspelled()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("compile_depth", "EXECUTE", "= 'EXECUTE': expected CompileDepth.EXECUTE"),
        ("compile_depth", "EXECUT", "did you mean EXECUTE?"),
        ("compile_depth", 6, "expected a CompileDepth: TORCH_FX, STABLEHLO"),
        ("op_by_op_backend", "torch", "expected a OpByOpBackend: TORCH, STABLEHLO"),
        ("op_by_op_backend", None, "expected a OpByOpBackend"),
        ("enable_consteval", "false", "= 'false': expected True or False"),
        ("profile_ops", 0, "expected True or False"),
        ("save_mlir", "STABLEHLO", "expected a tuple of texts"),
        ("save_mlir", ("LLVM",), "LLVM is none of STABLEHLO, TTIR, TTNN"),
        ("ir_log_level", "VERBOSE", "expected INFO or DEBUG"),
        ("run_global_op_idx", -1, "expected an op's index"),
        ("single_op_timeout", 0, "expected seconds"),
        ("rti_pcc_fail_thresh", float("nan"), "expected a correlation"),
        ("single_op_timeout", True, "expected a number"),
    ],
)
def test_a_value_that_a_setting_cannot_have_is_refused(
    name: str, value: object, sentence: str
) -> None:
    config = CompilerConfig()
    before = getattr(config, name)
    with pytest.raises(UsageError, match=f"^CompilerConfig.{name} = ") as refused:
        setattr(config, name, value)
    assert sentence in str(refused.value)
    assert getattr(config, name) == before


def test_a_value_is_read_as_its_variable_is() -> None:
    config = CompilerConfig()
    config.save_mlir = ["stablehlo", "TTNN"]  # type: ignore[assignment]
    config.single_op_timeout = 5
    config.run_global_op_idx = None
    assert config.save_mlir == ("STABLEHLO", "TTNN")
    assert config.single_op_timeout == 5.0
    assert config.run_global_op_idx is None
