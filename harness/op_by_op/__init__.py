# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Op by op: every op of a model alone, known by what it computes and never by where it stands."""
