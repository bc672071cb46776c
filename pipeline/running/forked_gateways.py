# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Workers of xdist from a preloaded Python instead of from nothing.

xdist asks an execnet group for a gateway to each worker. For a local one that is a new interpreter
that reads a line of Python from its standard input; so is this one, only that it comes with its
imports. A preloaded Python that is gone, or never was fit to fork, costs nothing but time: the
worker comes from nothing.

Source: execnet 2.1, `multi.Group.makegateway`, `gateway_io.create_io` and `Popen2IOMaster`.
"""

import contextlib
from typing import Any

from execnet import gateway_io
from execnet.gateway_base import Popen2IO

from bringup.harness.preloaded.process import NotPreloadedError, PreloadedPython, Process


class ForkedIO(Popen2IO):
    """The two ends of a forked worker's pipes, with what execnet asks of a process."""

    def __init__(self, process: Process, execmodel: Any) -> None:
        super().__init__(process.stdin, process.stdout, execmodel)
        self.popen = process

    def wait(self) -> int:
        """Wait until it has ended; its exit code."""
        return self.popen.wait()

    def kill(self) -> None:
        """Kill it, unless it is gone."""
        self.popen.kill()


class ForkedGateways:
    """Stands in for execnet's way to start an interpreter, from its making until it is closed."""

    def __init__(self, python: PreloadedPython) -> None:
        self._python = python
        self._create_io = gateway_io.create_io
        gateway_io.create_io = self._create

    def parent_of(self, process: Any) -> int | None:
        """The process id of a worker's parent, if the worker was forked; else it is ours."""
        return self._python.pid if isinstance(process, Process) else None

    def close(self) -> None:
        """Give execnet its way back, and end the preloaded Python."""
        gateway_io.create_io = self._create_io
        self._python.close()

    def _create(self, spec: Any, execmodel: Any) -> Any:
        if spec.popen and not spec.python:
            with contextlib.suppress(NotPreloadedError):
                line = gateway_io.popen_bootstrapline
                return ForkedIO(self._python.start_piped(["-c", line]), execmodel)
        return self._create_io(spec, execmodel=execmodel)
