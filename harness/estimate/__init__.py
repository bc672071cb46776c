# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a program would take on a device that nobody has to run it on: memory and time.

`stablehlo_work` counts a program's operations and bytes, `roofline` makes an estimate of them, of
what the compiler said and of the device's figures. Nothing here is measured.
"""
