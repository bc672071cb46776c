# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What other systems are told of a run: a chat, a feed reader, PyTorch's HUD."""
