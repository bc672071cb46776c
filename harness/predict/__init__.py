# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How far a model will get on a device, by what the verdict cache knows of its ops."""
