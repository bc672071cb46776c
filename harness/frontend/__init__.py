# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The front end: from a model to StableHLO, one level at a time.

`torch_program` exports and decomposes (torch), `onnx_program` imports (ONNX), `training` adds loss
and backward, `consteval` folds constants, `fx_import` makes torch dialect of a graph, `mlir` lowers
whatever came to StableHLO.
"""
