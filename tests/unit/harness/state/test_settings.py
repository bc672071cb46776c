# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a model may set for the whole process is as it was afterwards."""

import gc
import io
import logging
import os
import signal
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from bringup.harness.state import settings

SETS: dict[str, Callable[[], object]] = {
    "handler of SIGTERM": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "standard output": lambda: setattr(sys, "stdout", io.StringIO()),
    "standard error": lambda: setattr(sys, "stderr", io.StringIO()),
    "exception hook": lambda: setattr(sys, "excepthook", print),
    "digits of integers": lambda: sys.set_int_max_str_digits(0),
    "file mode mask": lambda: os.umask(0o777),
    "log level": lambda: logging.getLogger().setLevel(5),
    "log switched off": lambda: logging.disable(logging.CRITICAL),
    "garbage collection": gc.disable,
    "numpy printing": lambda: np.set_printoptions(precision=2),
    "torch printing": lambda: torch.set_printoptions(precision=2),
    "hooks of all modules": lambda: torch.nn.modules.module.register_module_forward_hook(
        lambda module, given, result: result * 2
    ),
    "mkldnn enabled": lambda: setattr(torch.backends.mkldnn, "enabled", False),
    "opt_einsum enabled": lambda: setattr(torch.backends.opt_einsum, "enabled", False),
}


@pytest.mark.parametrize("name", SETS)
def test_what_is_set_within_is_put_back(name: str) -> None:
    before = settings.read()
    with settings.restored():
        SETS[name]()
        assert settings.changed(before, settings.read()) == {name}
    assert settings.changed(before, settings.read()) == set()


def test_a_hook_of_one_model_does_not_reach_the_next() -> None:
    with settings.restored():
        SETS["hooks of all modules"]()
    assert torch.nn.Identity()(torch.ones(1)).item() == 1
