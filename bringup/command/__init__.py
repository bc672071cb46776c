# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The one command line: `bringup VERB`. It stands above harness, pipeline and reports."""
