# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

"""Runs after `test_settings.py` in one session: its fixture is gone by then."""

import os

import torch

from tests.integration.miniature.test_settings import left


def test_nothing_is_left_of_the_fixture():
    assert "BRINGUP_SHARED" not in os.environ
    assert torch.get_default_dtype() is torch.float32
    assert left() == set()
