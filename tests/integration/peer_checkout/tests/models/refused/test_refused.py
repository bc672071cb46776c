# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
import torch
from tt_torch.dynamo.backend import BackendOptions
from tt_torch.tools.utils import CompilerConfig

from tests.utils import ModelTester


def test_cut_over_devices():
    cc = CompilerConfig()
    cc.device_map = {"0": 0, "1": "disk"}
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
    options = BackendOptions(compiler_config=cc)
    torch.compile(model, backend="tt", options=options)(torch.randn(1, 2))


def test_asynchronous():
    model = torch.compile(
        torch.nn.Linear(2, 2), backend="tt", options=BackendOptions(async_mode=True)
    )
    model(torch.randn(1, 2))


def test_mesh_of_weights():
    from tests.utils import create_device_mesh

    create_device_mesh((1, 2), ("batch", "model"))


def test_unknown_backend():
    ModelTester("m", "eval", backend="tt-xlaa")
