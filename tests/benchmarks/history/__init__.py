# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What it costs to keep a year of nights and to ask it, on a made year whose truth is known."""
