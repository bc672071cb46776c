# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From a model that is wrong or does not run to the smallest part of it that ends the same way."""
