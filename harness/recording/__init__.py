# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Writing one process's records: the run, the test, the stage, and what its ops came to."""
