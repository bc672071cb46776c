# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run in a browser while it runs, and its documents afterwards: `report --serve`."""
