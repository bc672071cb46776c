# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One run at a time in a directory, whoever of it is still alive."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bringup.pipeline.errors import PipelineError
from bringup.pipeline.merge_command import merge_runs
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions
from bringup.pipeline.running.run_lock import NAME, RunLock, refuse_if_held


def test_a_second_run_is_told_who_holds_the_directory(tmp_path: Path) -> None:
    options = RunOptions(run_dirs=(tmp_path,), into=tmp_path / "whole")
    with RunLock(tmp_path):
        with pytest.raises(PipelineError, match=rf"still going on \(process {os.getpid()}\)"):
            RunLock(tmp_path)
        with pytest.raises(PipelineError, match="still going on"):
            merge_runs(options, Speaker(sys.stdout))
    assert list(tmp_path.iterdir()) == []
    refuse_if_held(tmp_path)
    with RunLock(tmp_path):
        assert (tmp_path / NAME).exists()


def test_the_lock_is_held_until_the_last_process_that_inherited_it_is_gone(tmp_path: Path) -> None:
    lock = RunLock(tmp_path)
    child = subprocess.Popen(["sleep", "1000"], pass_fds=(lock.descriptor,))
    os.pwrite(lock.descriptor, b"4194999", 0)  # as if the supervisor had been another process
    os.close(lock.descriptor)
    with pytest.raises(PipelineError, match="still going on"):
        RunLock(tmp_path, patience_s=0.0)
    child.kill()
    child.wait()
    with RunLock(tmp_path, patience_s=0.0):
        assert int((tmp_path / NAME).read_text()) == os.getpid()
