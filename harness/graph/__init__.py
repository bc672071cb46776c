# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A graph, of PyTorch or ONNX, as windows of nodes that are cut out, run and compared."""
