# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Devices: lower StableHLO to the device's own IR, compile it, run it.

A device is opened in a *device host*, a child process without torch (`host`, `client`), so that
a compiler's crash, hang or leak costs one stage and nothing else, and so that two devices whose
plugins cannot share a process can serve one test session. What runs inside the host is one small
protocol (`backend`) with three implementations: `pjrt`, `tenstorrent` (PJRT with a described
system) and `iree`. One op alone is one request (`op_stages` in the host, `op_run` its values), and
`fork_server` makes hosts in a fraction of the time. What is to be known of a device is in its kind
(`kinds`), which `catalog` finds by name; `toolchain` is what its verdicts depend on, `lease` shares
real ones between processes, and `device_history` remembers whether one executed, and hung.
"""
