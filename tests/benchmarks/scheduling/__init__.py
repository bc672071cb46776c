# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How near the bound a night is scheduled, on made fleets and on measured durations."""
