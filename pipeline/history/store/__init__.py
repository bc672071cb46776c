# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The store: every finished run, added once, in Parquet files that nobody ever rewrites."""
