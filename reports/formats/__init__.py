# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The report formats, a module each, as `bringup.reports.reporter.Reporter` has it.

A new format is two files: its module here, and a line in `bringup.reports.catalog`. One of somebody
else's comes from outside, by an entry point of the group `bringup.reporters`.
"""
