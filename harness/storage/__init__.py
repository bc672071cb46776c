# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Bytes in and out: atomic writes, untrusted bytes decoded, text made writable, names, owners."""
