# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How well a night is judged: causes found among made failures, breaks among seeded series."""
