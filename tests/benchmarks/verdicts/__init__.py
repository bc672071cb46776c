# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How often a verdict is wrong: over made pairs, faults in ops, malformed input and the fleet."""
