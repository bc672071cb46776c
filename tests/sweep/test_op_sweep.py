# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import pytest

from bringup import CompileDepth, CompilerConfig, OpByOpBackend
from bringup.harness.sweep.catalog import ops
from bringup.harness.sweep.tester import OpTester


@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("op", ops())
@pytest.mark.parametrize("op_by_op", [OpByOpBackend.TORCH], ids=["op_by_op_torch"])
def test_op_sweep(record_property, op_by_op, op, mode):
    cc = CompilerConfig()
    cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
    cc.op_by_op_backend = op_by_op

    tester = OpTester(op, mode, compiler_config=cc, record_property_handle=record_property)
    tester.test_model()
    tester.finalize()
