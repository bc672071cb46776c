# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How many accelerators compile for how much of the fleet, and how good estimates are."""
