# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
# As in a checkout of tt-torch: without tt-mlir this file cannot be loaded, and is not meant to be.
import tt_mlir  # noqa: F401
import tt_torch  # noqa: F401

raise ImportError("tt-torch's own file was loaded")
