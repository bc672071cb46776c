# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Verdicts on ops that outlive their run: the cache, its upkeep, rechecks, resumed runs."""
