# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What every format says in one way: numbers, the legend, and text that may be hostile."""
