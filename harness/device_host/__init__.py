# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The process that has a device: started, talked to, watched, ended; and pools of them."""
