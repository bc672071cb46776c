# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`bringup.try_model(model, inputs)`: a model that is in this process, say a notebook's, tried.

What is defined in `__main__` can be imported by nobody else and need not be picklable, so the test
runs in this process, by pytest, which is handed the objects. Devices are processes of their own as
always; what torch.export or the importer does to its process, it does to this one.
"""

import contextlib
import copy
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import pytest

from bringup.harness.errors import UsageError
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.outcomes import latest
from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import GOOD, Outcome, Status, TestRecord
from bringup.harness.records.variable_names import RUN_DIR_VARIABLE
from bringup.harness.storage.atomic import write_atomically
from bringup.pipeline.messages import Speaker
from bringup.pipeline.planning.collect import harness_plugin
from bringup.pipeline.results.finish import finish_runs
from bringup.pipeline.run_names import name_of_now
from bringup.pipeline.trying.answer import Blame, blamed, first_line, of_models, of_ops
from bringup.pipeline.trying.options import TryOptions
from bringup.pipeline.trying.test_file import HELD_BODY, identifier
from bringup.pipeline.trying.try_model import TRIED, to_take_apart
from bringup.pipeline.trying.try_model import try_model as try_by_name

_FLOW = "op_by_op_torch"


@dataclass(frozen=True)
class OnDevice:
    """How far a model got on one device."""

    model: str
    device: str
    outcome: Outcome
    status: Status
    why: str
    """The first line of what went wrong; empty where nothing did."""
    blame: tuple[Blame, ...]
    """Of a model that failed the ops that fail alone, the one that gets least far first."""


@dataclass(frozen=True)
class TryResult:
    """What came of a try: prints as the command line tells it, shows as a table in a notebook."""

    on: tuple[OnDevice, ...]
    """By model and device."""
    run_dir: Path
    lines: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Did every model do on every device what can be done there?"""
        return bool(self.on) and all(one.outcome in GOOD for one in self.on)

    def __getitem__(self, device: str) -> OnDevice:
        """What came of it on a device; of several models the first."""
        for one in self.on:
            if one.device == device:
                return one
        raise KeyError(device)

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{t}</th>" for t in ("model", "device", "outcome", "how far", "why"))
        rows = "".join(map(_row, self.on))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(one: OnDevice) -> str:
    ops = "".join(
        f"<br><code>{escape(b.op)}</code> {escape(b.outcome)}: {escape(b.why)}"
        f"<br><code>{escape(b.command)}</code>"
        for b in one.blame
    )
    how = f"{one.status.name.lower().replace('_', ' ')} ({one.status.value})"
    cells = (one.model, one.device, one.outcome.value, how)
    texts = (*map(escape, cells), f"{escape(one.why)}{ops}")
    left = '<td style="text-align: left">'  # notebooks have figures in tables, on the right
    return "<tr>" + "".join(f"{left}{text}</td>" for text in texts) + "</tr>"


def try_model(
    model: Any, inputs: Any = None, *, devices: Sequence[str] = ("cpu", "n150"), name: str = ""
) -> TryResult:
    """Try a model on some devices: whole, and op by op where that fails.

    Args:
        model: a `torch.nn.Module` or a function of tensors, which stays as it is; or what
            `bringup try` takes: a path of an ONNX or `.pt2` file, a folder, `package.module:NAME`.
        inputs: a tensor, a tuple (arguments) or a dict (keyword arguments); of a name or a path
            what `--input` takes, or None: as the model declares them.
        devices: the devices, as `--device` names them.
        name: what the model is called; by default its class or function.

    Raises:
        UsageError: it is no model, there are no inputs, or a device is not known.
        PipelineError: there is no such file or module.
    """
    if isinstance(devices, str):
        devices = tuple(devices.split(","))
    if isinstance(model, str | os.PathLike):
        return _by_name(os.fspath(model), inputs, tuple(devices))
    if not callable(model):
        raise UsageError(f"try_model takes a model, and {model!r:.60} is none")
    if inputs is None:
        raise UsageError("try_model needs the inputs: a tensor, a tuple or a dict of them")
    called = identifier(name or getattr(model, "__name__", type(model).__name__))
    run_dir = Path("results") / name_of_now(f"try-{called}", datetime.now(UTC))
    return _held(model, inputs, called, tuple(devices), run_dir.absolute())


def _by_name(model: str, inputs: Any, devices: tuple[str, ...]) -> TryResult:
    texts = (inputs,) if isinstance(inputs, str) else tuple(inputs or ())
    if not all(isinstance(text, str) for text in texts):
        raise UsageError("a file's inputs are said as --input takes them, e.g. 'x=1x3x224x224'")
    stem = identifier(Path(model.rpartition(":")[2] if ":" in model else model).stem)
    run_dir = Path("results") / name_of_now(f"try-{stem}", datetime.now(UTC))
    options = TryOptions(model=model, inputs=texts, devices=devices, output=run_dir)
    code = try_by_name(options, Speaker(io.StringIO()))
    if code is ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    ops = run_dir.with_name(f"{run_dir.name}-ops")
    return _result(run_dir, ops if ops.is_dir() else None)


def _held(model: Any, inputs: Any, name: str, devices: tuple[str, ...], run_dir: Path) -> TryResult:
    test = TRIED / f"{name}-held" / f"test_{name}.py"
    test.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(test, HELD_BODY.format(name=name, flow=_FLOW).encode())
    held = _Held(model, inputs)
    _run(test, f"test_{name}[full-eval]", devices, held, run_dir)
    failed = to_take_apart(latest(read_merged(run_dir)[1]))
    ops = run_dir.with_name(f"{run_dir.name}-ops")
    if failed:
        on = tuple(dict.fromkeys(record.identity.device for record in failed))
        _run(test, f"test_{name}[{_FLOW}-eval]", on, held, ops)
    return _result(run_dir, ops if failed else None)


class _Held:
    """A pytest plugin that hands the test the objects, each time as they were given."""

    def __init__(self, model: Any, inputs: Any) -> None:
        self._model, self._inputs = model, inputs

    @pytest.fixture
    def held(self) -> tuple[Any, Any]:
        """The model and its inputs; copies, where they can be copied."""
        try:
            return copy.deepcopy((self._model, self._inputs))
        except Exception:  # a lock, a generator, a tensor within a graph: then it is the object
            return self._model, self._inputs


def _run(test: Path, name: str, devices: tuple[str, ...], held: _Held, run_dir: Path) -> None:
    """Run one test of the file by pytest, in this process, and merge what it left."""
    words = [
        f"{test}::{name}",
        f"--device={','.join(devices)}",
        f"--rootdir={Path.cwd()}",
        "--quiet",
        *("-p", "no:cacheprovider", "-p", "no:xdist"),
        *("-c", os.devnull),
        *harness_plugin(),
    ]
    said = io.StringIO()
    with _in_run(run_dir), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main(words, plugins=[held])
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if not run_dir.is_dir():  # nothing was begun: pytest says why
        raise UsageError(said.getvalue().strip().rpartition("\n")[2] or "pytest ran nothing")
    finish_runs([run_dir], Speaker(io.StringIO()))


@contextlib.contextmanager
def _in_run(run_dir: Path) -> Iterator[None]:
    """Have what runs meanwhile keep its records in a run directory."""
    before = os.environ.get(RUN_DIR_VARIABLE)
    os.environ[RUN_DIR_VARIABLE] = str(run_dir)
    try:
        yield
    finally:
        del os.environ[RUN_DIR_VARIABLE]
        if before is not None:
            os.environ[RUN_DIR_VARIABLE] = before


def _result(run_dir: Path, ops: Path | None) -> TryResult:
    records = latest(read_merged(run_dir)[1])
    to_blame = blamed(ops) if ops else {}
    lines = (*of_models(records), *(of_ops(ops) if ops else ()))
    on = (_on_device(record, to_blame) for record in sorted(records, key=lambda r: r.identity))
    return TryResult(tuple(on), run_dir, lines)


def _on_device(record: TestRecord, to_blame: Mapping[str, Sequence[Blame]]) -> OnDevice:
    named = record.identity
    model = f"{named.model} {named.variant}".strip()
    return OnDevice(
        model,
        named.device,
        record.outcome,
        record.status,
        first_line(record.failure, 200),
        tuple(to_blame.get(f"{model} on {named.device}", ())),
    )
