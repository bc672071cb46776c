# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
import enum
from types import SimpleNamespace
from typing import ClassVar

import torch

from ...tools.utils import get_file


class ModelVariant(enum.StrEnum):
    SMALL = "small"
    WIDE = "wide"


class ModelGroup(enum.StrEnum):
    RED = "red"


class ModelLoader:
    _VARIANTS: ClassVar = {ModelVariant.SMALL: 8, ModelVariant.WIDE: 16}

    def __init__(self, variant=None):
        self.width = self._VARIANTS[variant or ModelVariant.SMALL]
        self.fetch = get_file

    @classmethod
    def query_available_variants(cls):
        return cls._VARIANTS

    @classmethod
    def get_model_info(cls, variant=None):
        return SimpleNamespace(name=f"tiny-{variant}", group=ModelGroup.RED)

    def load_model(self, dtype_override=None):
        model = torch.nn.Sequential(torch.nn.Linear(4, self.width), torch.nn.ReLU())
        return model.to(dtype_override or torch.float32)

    def load_inputs(self, dtype_override=None, batch_size=2):
        torch.manual_seed(7)
        return torch.randn(batch_size, 4).to(dtype_override or torch.float32)

    def decode_output(self, outputs):
        return outputs.argmax(-1).tolist()
