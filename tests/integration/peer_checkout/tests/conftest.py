# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
# What a conftest of tt-torch's does: options of its own, and memory given back after each test.
import pytest
import tt_mlir
import tt_torch.dynamo.sharding_utils as sharding_utils
from tt_torch.tools.crashsafe_utils import crashsafe_suffix
from tt_torch.tools.utils import OpByOpBackend

assert crashsafe_suffix.endswith(".xml") and sharding_utils.setup_xla_spmd_environment


def pytest_addoption(parser):
    parser.addoption("--op_by_op_torch", action="store_true", default=False)
    parser.addoption("--crashsafe", action="store_true", default=False)


def pytest_collection_modifyitems(config, items):
    if config.getoption("--op_by_op_torch"):
        items[:] = [i for i in items if i.callspec.params.get("op_by_op") is OpByOpBackend.TORCH]


@pytest.fixture(autouse=True)
def memory_given_back():
    yield
    tt_mlir.malloc_trim()
