# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The kinds of devices, a file each: what the rest of the project knows of a device is here.

A module of this folder names its kinds in `KINDS`; one whose devices are named after what is
installed has a `FAMILY` besides. `bringup.harness.devices.catalog` finds them, and is who to ask. A
new kind of device is two files: its module here and its backend
(`bringup.harness.devices.backend`). A kind of somebody else's comes from outside, by an entry point
of the group `bringup.devices`.
"""
