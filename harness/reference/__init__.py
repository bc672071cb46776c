# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Reference values of single ops: by torch, by the interpreter, by the `cpu` device."""
