# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Workflows of GitHub Actions carried out on this machine: their real `run` lines, in clean clones.

Only what our workflows use is there, and anything else is an error. Actions that they use are
stood in for by folders: a checkout is a clone, caches and artifacts are copies.
"""
