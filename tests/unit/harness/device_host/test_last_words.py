# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Of all that a host wrote before it ended, one line says why."""

import pytest

from bringup.harness.device_host.last_words import last_words

STACKS = """
Fatal Python error: Aborted

Current thread 0x00007f (most recent call first):
  File "/env/jaxlib/xla_client.py", line 115 in load_pjrt_plugin_dynamically

Extension modules: msgspec._core, numpy._core._multiarray_umath (total: 2)"""
CHECKED = """WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1 12 client.cc:7] starting
F0000 00:00:1 12 board.cc:31] Check failed: board.ok()
*** Check failure stack trace: ***
    @     0x7f0000000000  absl::LogMessage::Fail()"""


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (CHECKED + STACKS, "F0000 00:00:1 12 board.cc:31] Check failed: board.ok()"),
        ("hello\nlooking for boards" + STACKS, "looking for boards"),
        ("terminate called after throwing\n  what():  no board\n" + STACKS, "what():  no board"),
        ("LLVM ERROR: no such chip\nStack dump:\n0.\tArguments" + STACKS, "LLVM ERROR"),
        (STACKS, "it said nothing"),
        ("", "it said nothing"),
        ("waiting for a board" + STACKS.replace("Fatal Python error: Aborted", ""), "waiting for"),
        ('process 7: python\nThread 7 (idle): "MainThread"\n    sleep (libc.so.6)', "it said"),
    ],
)
def test_the_last_words_are_the_librarys_and_not_those_of_a_stack(written: str, said: str) -> None:
    assert last_words(written).startswith(said)
