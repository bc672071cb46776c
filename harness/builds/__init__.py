# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What was lowered and compiled before, kept by its content: its keys, and how it is kept."""
