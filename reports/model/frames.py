# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The line of the user's own code at which a test stopped, from a kept stack."""

import re

_FRAME = re.compile(r'^\s*File "([^"\n]{1,500})", line (\d{1,7})(?:,)? in ([^\n]{1,200})$', re.M)
_NEWEST_FIRST = "most recent call first"
"""What faulthandler writes above a stack; a traceback has its newest call last."""
_NOT_THE_USERS = re.compile(
    r"site-packages|dist-packages|/lib/python3|<frozen|<string>|(?:^|/)(?:harness|pipeline)/"
)


def innermost_own_frame(text: str) -> str:
    """`tests/models/t5/test_t5.py:31 in _load_model`; empty where no frame is the user's.

    Of several threads' stacks the first that has one is taken: faulthandler begins with the thread
    that crashed.
    """
    newest_first = _NEWEST_FIRST in text
    own = [m for m in _FRAME.finditer(text) if not _NOT_THE_USERS.search(m[1])]
    if not own:
        return ""
    frame = own[0] if newest_first else own[-1]
    path = frame[1]
    within = path.rfind("tests/models/")
    return f"{path[within:] if within >= 0 else path}:{frame[2]} in {frame[3]}"
