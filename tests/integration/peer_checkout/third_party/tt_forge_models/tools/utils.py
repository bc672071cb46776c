# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
import a_library_that_nobody_has  # noqa: F401


def get_file(path):
    raise NotImplementedError(path)
