# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a person sees while a plan runs.

`snapshot` makes a value of the ledger, `render` makes a picture of the value; both are pure.
Drawing is apart: on a terminal the picture is redrawn in place, elsewhere (a pipe, a CI log)
each finished test is one plain line, with a line now and then that says it is still alive.
"""

import contextlib
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bringup.harness.records.naming import is_op_by_op
from bringup.harness.records.schema import GOOD, Outcome, Plan, Stage
from bringup.pipeline.planning.budget import is_in_time
from bringup.pipeline.planning.plan import deadline
from bringup.pipeline.planning.work import fill_estimates
from bringup.pipeline.running.ledger import Ledger, OpCounts

HEARTBEAT_S = 60.0
_BAR_WIDTH = 24  # columns
_LATE = 0.8  # of its deadline: a test that may be about to be ended


@dataclass(frozen=True)
class Running:
    """One test on its worker."""

    name: str
    device: str
    pid: int
    since: float
    """Seconds since the epoch."""
    deadline_s: float
    stage: Stage | None = None
    ops: str = ""
    """How far it got with its ops; empty unless it goes op by op."""


@dataclass(frozen=True)
class State:
    """Everything a picture shows."""

    title: str
    total: int
    outcomes: Mapping[Outcome, int]
    running: tuple[Running, ...]
    workers: int
    remaining_s: float
    """Expected seconds of work not done yet, all workers together."""
    longest_s: float
    """Expected seconds of the longest test not done yet."""
    ops: str = ""
    """Ops of all tests so far; empty when none goes op by op."""

    @property
    def done(self) -> int:
        """Tests that have their outcome."""
        return sum(self.outcomes.values())

    @property
    def good(self) -> int:
        """Tests nobody needs to look at."""
        return sum(n for outcome, n in self.outcomes.items() if outcome in GOOD)

    @property
    def eta_s(self) -> float:
        """Expected seconds to the end."""
        return max(self.remaining_s / max(self.workers, 1), self.longest_s)


@dataclass(frozen=True)
class Frame:
    """What stays the same during a run."""

    title: str
    workers: int
    deadlines: Mapping[str, float]
    """Seconds, by key."""
    expected: Mapping[str, float]
    """Seconds, by key."""


def frame_of(plan: Plan, workers: int, timeout_s: float | None) -> Frame:
    """The frame of a plan's run."""
    i, n = plan.shard
    left_out = [t.identity.key for t in plan.tests if not is_in_time(t)]  # nobody waits for them
    return Frame(
        title=plan.session if n == 1 else f"{plan.session} {i}/{n}",
        workers=workers,
        deadlines={t.identity.key: deadline(t.estimate_s, timeout_s) for t in plan.tests},
        expected=fill_estimates(plan.tests) | dict.fromkeys(left_out, 0.0),
    )


def snapshot(ledger: Ledger, frame: Frame, now: float) -> State:
    """The ledger as a value."""
    expected = frame.expected
    running = ledger.running
    left = [expected[t.identity.key] for t in ledger.waiting]
    left += [
        _left_of(ledger, key, expected[key] - (now - running[key].time), now) for key in running
    ]
    return State(
        title=frame.title,
        total=len(ledger.tests),
        outcomes=ledger.counts,
        running=tuple(
            Running(
                name=event.identity.name,
                device=event.identity.device,
                pid=event.pid,
                since=event.time,
                deadline_s=frame.deadlines[key],
                stage=ledger.stages.get(key),
                ops=ops_text(ledger.ops[key], now) if key in ledger.ops else "",
            )
            for key, event in sorted(running.items(), key=lambda pair: pair[1].pid)
        ),
        workers=frame.workers,
        remaining_s=sum(left),
        longest_s=max(left, default=0.0),
        ops=_all_ops(ledger),
    )


def _left_of(ledger: Ledger, key: str, expected_s: float, now: float) -> float:
    """Of a running test: by the pace of its ops, else by what it was expected to take."""
    paced = ledger.ops[key].left_s(now) if key in ledger.ops else None
    return max(expected_s, 0.0) if paced is None else paced


def ops_text(counts: OpCounts, now: float | None = None) -> str:
    """`57/82 ops, 12 cached, 1 failed, 12 s left`; without `now` nothing is foretold."""
    said = [f"{counts.done}/{counts.total} ops", *_not_plain([counts])]
    left_s = None if now is None else counts.left_s(now)
    return ", ".join(said if left_s is None else [*said, f"{clock(left_s)} left"])


def _all_ops(ledger: Ledger) -> str:
    """`139/164 ops, 12 cached, 1 failed`; `139/164+` while not every model is split."""
    counts = ledger.ops.values()
    if not counts:
        return ""
    total = sum(c.total for c in counts)
    unsplit = any(
        is_op_by_op(t.identity) and not _is_split(ledger, k) for k, t in ledger.tests.items()
    )
    done = sum(c.done for c in counts)
    more = "+" if unsplit else ""
    return ", ".join([f"{done:,}/{total:,}{more} ops", *_not_plain(counts)])


def _is_split(ledger: Ledger, key: str) -> bool:
    return key in ledger.ops or key in ledger.outcomes


def _not_plain(counts: Collection[OpCounts]) -> list[str]:
    """What is worth saying beside the number of ops."""
    words = ("cached", "rechecked", "failed")
    sums = {word: sum(getattr(c, word) for c in counts) for word in words}
    return [f"{n:,} {word}" for word, n in sums.items() if n]


def render(state: State, now: float, width: int) -> RenderableType:
    """The picture: a bar, then one line per running test; `width` is in columns."""
    return Group(_head(state, width), *_running_lines(state, now, width))


def _head(state: State, width: int) -> RenderableType:
    said = Text.assemble((state.title, "bold"), f" {summary(state)}")
    if width < 2 * _BAR_WIDTH:
        return _fitted(said, width)
    bar = ProgressBar(total=max(state.total, 1), completed=state.done, width=_BAR_WIDTH)
    head = Table.grid(padding=(0, 1))
    head.add_row(bar, _fitted(said, width - _BAR_WIDTH - 2))
    return head


def _running_lines(state: State, now: float, width: int) -> list[Text]:
    """Names give way first when the terminal is narrow."""
    rows = [
        (r, f"{clock(now - r.since)} of {clock(r.deadline_s)}", r.ops or r.stage or "")
        for r in state.running
    ]
    device_width = max((len(r.device) for r, _, _ in rows), default=0)
    stage_width = max((len(stage) for _, _, stage in rows), default=0)
    time_width = max((len(time) for _, time, _ in rows), default=0)
    room = max(width - device_width - stage_width - time_width - 5, 8)
    name_width = min(room, max((len(r.name) for r, _, _ in rows), default=0))
    lines = []
    for running, taken, stage in rows:
        name = Text(running.name)
        name.truncate(name_width, overflow="ellipsis", pad=True)
        late = now - running.since > _LATE * running.deadline_s
        line = Text.assemble(
            "  ",
            name,
            (f" {running.device:<{device_width}}", "cyan"),
            (f" {stage:<{stage_width}}", "dim"),
            (f" {taken:>{time_width}}", "red" if late else "dim"),
        )
        lines.append(_fitted(line, width))
    return lines


def _fitted(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line


def summary(state: State) -> str:
    """`12/40, 10 ok, 1 FAILED, 1 CRASHED, about 3:20 left; 620/980 ops, 98 cached`."""
    bad = [f"{n} {outcome}" for outcome, n in sorted(state.outcomes.items()) if outcome not in GOOD]
    left = f"about {clock(state.eta_s)} left" if state.done < state.total else "done"
    said = ", ".join([f"{state.done}/{state.total}", f"{state.good} ok", *bad, left])
    return f"{said}; {state.ops}" if state.ops else said


def clock(seconds: float) -> str:
    """`59 s`, `3:20`, `2:03:20`."""
    whole = max(int(seconds), 0)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"


def finished_lines(ledger: Ledger, finished: Sequence[str]) -> list[tuple[Outcome, str]]:
    """`[12/40] PASSED t5[full-eval]@cpu 12.3 s` for each of the latest, with its outcome."""
    lines = []
    for number, key in enumerate(finished, start=len(ledger.outcomes) - len(finished) + 1):
        seconds = ledger.seconds(key)
        took = "" if seconds is None else f" {seconds:.1f} s"
        took += f", {ops_text(ledger.ops[key])}" if key in ledger.ops else ""
        outcome = ledger.shown(key)
        lines.append((outcome, f"[{number}/{len(ledger.tests)}] {outcome} {key}{took}"))
    return lines


@dataclass
class LivePicture:
    """Redraws the picture in place on a terminal."""

    console: Console
    frame: Frame
    _live: Live = field(init=False)

    def __post_init__(self) -> None:
        self._live = Live(console=self.console, auto_refresh=False, transient=True)

    def __enter__(self) -> "LivePicture":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._live.stop()

    def update(self, ledger: Ledger, finished: list[str]) -> None:
        """Draw; what needs attention stays on the screen above the picture."""
        now = time.time()
        state = snapshot(ledger, self.frame, now)
        with contextlib.suppress(OSError):  # the terminal is gone; the run is not
            for outcome, line in finished_lines(ledger, finished):
                if outcome not in GOOD:
                    self.console.print(Text(line))
            self._live.update(render(state, now, self.console.width), refresh=True)


@dataclass
class PlainLines:
    """Writes one line per finished test, and a heartbeat."""

    stream: TextIO
    frame: Frame
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self._last = time.time()

    def __enter__(self) -> "PlainLines":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, ledger: Ledger, finished: list[str]) -> None:
        """Write what is new."""
        now = time.time()
        for _, line in finished_lines(ledger, finished):
            self._write(line)
        if finished:
            self._last = now
        elif abs(now - self._last) >= HEARTBEAT_S:  # a clock that went back is no silence
            self._last = now
            state = snapshot(ledger, self.frame, now)
            at = ", ".join(
                f"{r.name}@{r.device} {clock(now - r.since)}" + (f" ({r.ops})" if r.ops else "")
                for r in state.running
            )
            self._write(f"{state.title}: {summary(state)}; running: {at or 'nothing yet'}")

    def _write(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # the reader is gone; the run is not
            print(line, file=self.stream, flush=True)


def watcher(stream: TextIO, frame: Frame) -> LivePicture | PlainLines:
    """The picture on a terminal, lines elsewhere. rich itself heeds NO_COLOR."""
    if stream.isatty():
        console = Console(file=stream, highlight=False, emoji=False)
        if not console.is_dumb_terminal:
            return LivePicture(console, frame)
    return PlainLines(stream, frame)
