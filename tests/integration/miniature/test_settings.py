# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

"""Models that set what is the whole process's; every test looks whether the one before left it."""

import os
import random
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from bringup import ModelTester
from bringup.harness.state import settings

START = {}


def set_everything(folder):
    os.chdir(folder)
    os.environ["BRINGUP_LEFT_BEHIND"] = "1"
    sys.path.insert(0, "/nowhere")
    sys.setrecursionlimit(5000)
    warnings.simplefilter("error")
    random.seed(1)
    np.random.seed(1)
    np.seterr(all="raise")
    torch.manual_seed(1)
    torch.set_grad_enabled(False)
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("cpu")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.set_float32_matmul_precision("medium")
    torch.set_flush_denormal(True)
    torch.set_autocast_enabled("cpu", True)
    torch.set_autocast_enabled("cpu", False)
    torch.set_autocast_dtype("cpu", torch.float16)
    torch.autograd.set_detect_anomaly(True)
    torch.backends.cudnn.benchmark = True
    torch.backends.mha.set_fastpath_enabled(False)
    torch.backends.cuda.enable_flash_sdp(False)


@pytest.fixture(scope="module")
def shared():
    before = os.environ.get("BRINGUP_SHARED")
    os.environ["BRINGUP_SHARED"] = "held"
    torch.set_default_dtype(torch.bfloat16)
    yield
    torch.set_default_dtype(torch.float32)
    assert before is None
    del os.environ["BRINGUP_SHARED"]


def test_notes_how_it_is():
    START.update(settings.read())


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_sets(tmp_path, mode):
    class Setting(ModelTester):
        def _load_model(self):
            set_everything(tmp_path)
            return torch.nn.Linear(4, 4).half().float()

        def _load_inputs(self):
            return torch.randn(3, 4, dtype=torch.float32)

    tester = Setting("setting", mode)
    tester.test_model()
    tester.finalize()
    assert Path.cwd() == tmp_path


def left():
    return settings.changed(settings.read(), START)


def test_nothing_is_left():
    assert left() == set()


class Forward(torch.nn.Module):
    def forward(self, x):
        set_everything("/")
        torch.set_default_device("meta")
        return x * 2 + torch.ones(4, device="cpu")


@pytest.mark.parametrize("times", [1, 2])
def test_sets_in_forward(times):
    class Setting(ModelTester):
        def _load_model(self):
            return Forward()

        def _load_inputs(self):
            return torch.randn(3, 4)

    tester = Setting("sets in forward")
    for outputs in (tester.test_model() for _ in range(times)):
        assert outputs.dtype is torch.float64
    tester.finalize()
    assert left() <= settings.RANDOM


def test_leaves_the_meta_device():
    torch.rand(1)
    torch.set_default_device("meta")


def test_nothing_is_left_of_the_meta_device():
    assert left() == set()


def test_raises_after_setting(tmp_path):
    set_everything(tmp_path)
    raise RuntimeError("a body that fails")


def test_nothing_is_left_of_that():
    assert left() == set()


def test_first_of_a_shared_fixture(shared):
    assert torch.get_default_dtype() is torch.bfloat16
    torch.set_default_dtype(torch.float64)


def test_second_of_a_shared_fixture(shared):
    assert os.environ["BRINGUP_SHARED"] == "held"
    assert torch.get_default_dtype() is torch.bfloat16
