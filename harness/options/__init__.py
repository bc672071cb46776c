# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Options of commands, declared once: their parser, help, variables and what a plan keeps."""
