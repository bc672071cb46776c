# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from hypothesis import settings

settings.register_profile("bringup", deadline=None)  # how long a case takes is the machine's matter
settings.load_profile("bringup")
