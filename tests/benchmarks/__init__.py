# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: ratios against a baseline measured in the same run, never asserted in tests."""
