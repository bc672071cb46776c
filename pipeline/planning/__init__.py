# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which tests run, where and in which order: collected, chosen, dealt out to shards."""
