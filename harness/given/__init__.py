# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A model that somebody has and wrote no test for: in a file, a folder or under a Python name."""

from bringup.harness.given.testers import GivenOnnxTester, GivenTorchTester, HeldTester

__all__ = ["GivenOnnxTester", "GivenTorchTester", "HeldTester"]
