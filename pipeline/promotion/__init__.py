# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where tests stand, and when they move: by evidence of many nights, as a policy weighs it."""
