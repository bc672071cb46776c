# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One model, or a folder of them, tried without a test: `bringup try model.onnx`."""
