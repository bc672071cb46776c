# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A repository of loaders in the shape of tt-forge-models, of every shape that loaders have."""

from pathlib import Path

_LICENCE = """\
# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""
_CONFIG = """
import enum
from dataclasses import dataclass


class StrEnum(enum.Enum):
    def __str__(self):
        return self.value


class ModelGroup(StrEnum):
    RED = "red"
    GENERALITY = "generality"


@dataclass(frozen=True)
class ModelInfo:
    model: str
    variant: object
    group: ModelGroup

    @property
    def name(self):
        return f"pytorch_{self.model}_{self.variant}"


@dataclass
class ModelConfig:
    pretrained_model_name: str
"""
_BASE = """
from abc import ABC

from .config import ModelGroup, ModelInfo


class ForgeModel(ABC):
    _VARIANTS = {}
    DEFAULT_VARIANT = None

    def __init__(self, variant=None):
        if self._VARIANTS and variant is None:
            variant = self.DEFAULT_VARIANT
        if variant is not None and variant not in self._VARIANTS:
            raise ValueError(f"no variant {variant}")
        self._variant = variant

    @classmethod
    def query_available_variants(cls):
        return {variant: config for variant, config in cls._VARIANTS.items()}

    @classmethod
    def get_model_info(cls, variant=None):
        return ModelInfo("made", variant or cls.DEFAULT_VARIANT, ModelGroup.RED)

    def get_mesh_config(self, num_devices):
        '''Of a model that is not divided.'''
        return None, ()

    def load_shard_spec(self, model):
        return None

    def load_inputs_prefill(self, batch_size=1, seq_len=128):
        raise NotImplementedError(f"{type(self).__name__} must implement it")
"""
_MODEL = """
import torch


class Model(torch.nn.Module):
    def __init__(self, wide=4):
        super().__init__()
        self.fc = torch.nn.Linear(3, wide)

    def forward(self, x):
        return torch.relu(self.fc(x))
"""
_OVERRIDES = """
    def load_model(self, dtype_override=None):
        model = Model()
        return model if dtype_override is None else model.to(dtype_override)

    def load_inputs(self, dtype_override=None, batch_size=1):
        return torch.ones(batch_size, 3, dtype=dtype_override or torch.float32)
"""
_VARIANTS = (
    """
from third_party.tt_forge_models.base import ForgeModel
from third_party.tt_forge_models.config import ModelConfig, StrEnum
"""
    + _MODEL
    + """

class ModelVariant(StrEnum):
    SMALL = "small"
    WIDE = "Wide 2.0 (train)/<b>"


class ModelLoader(ForgeModel):
    _VARIANTS = {
        ModelVariant.SMALL: ModelConfig("small"),
        ModelVariant.WIDE: ModelConfig("wide"),
    }
    DEFAULT_VARIANT = ModelVariant.SMALL

    def load_model(self, dtype_override=None):
        model = Model(8 if self._variant == ModelVariant.WIDE else 4)
        return model if dtype_override is None else model.to(dtype_override)

    def load_inputs(self, dtype_override=None):
        return torch.ones(2, 3, dtype=dtype_override or torch.float32)

    def decode_output(self, outputs):
        return f"best is {int(outputs.argmax())}"
"""
)
_PLAIN = (
    "from ...base import ForgeModel\n" + _MODEL + "\n\nclass ModelLoader(ForgeModel):" + _OVERRIDES
)
_WAYS = (
    _PLAIN
    + """
    def load_inputs_prefill(self, dtype_override=None, batch_size=1, seq_len=128):
        return torch.ones(batch_size, seq_len, 3, dtype=dtype_override or torch.float32)

    def load_inputs_decode(self, dtype_override=None, batch_size=1):
        return torch.ones(batch_size, 1, 3, dtype=dtype_override or torch.float32)

    def get_mesh_config(self, num_devices):
        return (2, num_devices // 2), ("batch", "model")

    def load_shard_spec(self, model):
        return {model.fc.weight: ("model", None), model.fc.bias: ("model",)}
"""
)
_NO_OVERRIDE = (
    "from ..base import ForgeModel\n"
    + _MODEL
    + """

class ModelLoader(ForgeModel):
    def load_model(self):
        return Model()

    def load_inputs(self):
        return {"x": torch.ones(2, 3)}
"""
)
_LIST = (
    "from ...base import ForgeModel\nfrom .src.parts import Sum\nimport torch\n"
    + """

class ModelLoader(ForgeModel):
    def load_model(self, **kwargs):
        return Sum().to(kwargs.get("dtype_override", torch.float32))

    def load_inputs(self, **kwargs):
        given = kwargs.get("dtype_override", torch.float32)
        return [torch.ones(2, 3, dtype=given), torch.ones(2, 3, dtype=given)]
"""
)
_SUM = """
import torch


class Sum(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 3)

    def forward(self, a, b):
        return self.fc(a) + b, {"last": a * b}
"""
_UNPACK = (
    "from ...base import ForgeModel\n"
    + _MODEL
    + """

class Nested(Model):
    def forward(self, x):
        return {"ids": torch.arange(3), "parts": [super().forward(x).long(), super().forward(x)]}


class ModelLoader(ForgeModel):
    def load_model(self, dtype_override=None):
        return Nested().to(dtype_override or torch.float32)

    def load_inputs(self, dtype_override=None):
        return torch.ones(2, 3, dtype=dtype_override or torch.float32)

    def unpack_forward_output(self, output):
        return output["parts"][1]

    def decode_output(self, outputs):
        raise KeyError("nothing to decode")
"""
)
_ONNX = """
from onnx import TensorProto, helper

import numpy as np

from ..pytorch.loader import ModelLoader as Other
from ..pytorch.loader import ModelVariant


class ModelLoader(Other):
    def load_model(self, onnx_tmp_path, **kwargs):
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])
        graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
        opsets = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def load_inputs(self, **kwargs):
        return [np.ones((2, 3), dtype=np.float32)]
"""
_COMPUTED = (
    "from ...base import ForgeModel\nimport os\n"
    + _MODEL
    + "\nprint('a loader that talks')\n\n\nclass ModelLoader(ForgeModel):"
    + "\n    _VARIANTS = {f'v{i}': i for i in range(2)}\n    DEFAULT_VARIANT = 'v0'\n"
    + _OVERRIDES
)
_QUERY = (
    _MODEL
    + """

class ModelLoader:
    @staticmethod
    def query_available_variants():
        return ["a", "b"]

    def __init__(self, variant="a"):
        self.variant = variant

    def load_model(self):
        return Model()

    def load_inputs(self):
        return (torch.ones(2, 3),)
"""
)
_BROKEN = "import torch\nimport a_package_that_nobody_has\n\n\nclass ModelLoader:\n    pass\n"
_HANGS = "import time\n\nwhile True:\n    time.sleep(0.01)\n"
_DIES = "import os\n\nos._exit(7)\n"
_WRONG = "def nothing(:\n"
_NO_CLASS = "import torch\n"
_RAISES = """
from ...base import ForgeModel


class ModelLoader(ForgeModel):
    def load_model(self):
        raise RuntimeError("<script>alert(1)</script> no weights here")
"""

GOOD = {
    "bert/masked_lm/pytorch/loader.py": _VARIANTS,
    "bert/masked_lm/onnx/loader.py": _ONNX,
    "plain/task/pytorch/loader.py": _PLAIN.replace("...base", "....base"),
    "flat/pytorch/loader.py": _PLAIN,
    "flatter/loader.py": _NO_OVERRIDE,
    "listed/pytorch/loader.py": _LIST,
    "listed/pytorch/src/parts.py": _SUM,
    "nested/pytorch/loader.py": _UNPACK,
    "ways/pytorch/loader.py": _WAYS,
    "computed/pytorch/loader.py": _COMPUTED,
    "asked/pytorch/loader.py": _QUERY,
    "v1.5 <b>[x]/pytorch/loader.py": _PLAIN,
    "v1-5/pytorch/loader.py": _PLAIN,
    "v1_5/pytorch/loader.py": _PLAIN,
}
BAD = {
    "broken/pytorch/loader.py": _BROKEN,
    "hangs/pytorch/loader.py": _HANGS,
    "dies/pytorch/loader.py": _DIES,
    "wrong/pytorch/loader.py": _WRONG,
    "empty/pytorch/loader.py": _NO_CLASS,
    "raises/pytorch/loader.py": _RAISES,
}
OTHERS = {"bert/masked_lm/jax/loader.py": "import jax\n", "x/paddlepaddle/loader.py": ""}


def make_loaders(root: Path, files: dict[str, str]) -> Path:
    """Write a repository; returns its folder."""
    shared = {"base.py": _BASE, "config.py": _CONFIG, "__init__.py": ""}
    for name, text in (shared | files).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_LICENCE + text, "utf-8")
    package = root / "bert" / "masked_lm" / "pytorch" / "__init__.py"
    if package.parent.is_dir():
        package.write_text("from .loader import ModelLoader, ModelVariant\n", "utf-8")
    return root
