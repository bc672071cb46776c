# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""pytest-xdist's scheduling protocol around :mod:`bringup.pipeline.planning.work_queue`.

An xdist worker starts an item only when it knows the one after it, which would tie a real test
to a busy worker. So every test is collected with a *rest*, an item that does nothing, right
behind it. A worker is sent one pair: it runs the test, reports it complete, and holds the rest
until the next pair arrives. No test is ever queued behind another one, and pytest still tears
down exactly the fixtures that the next real test does not share.

Source: xdist 3.8, `remote.WorkerInteractor.run_one_test` (the worker's loop),
`dsession.DSession` (who calls what) and `scheduler.protocol.Scheduling` (the contract).
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from bringup.harness.records.schema import PlannedTest
from bringup.pipeline.planning.slots import may_start, offered_to
from bringup.pipeline.planning.work import Group, WorkUnit, units_of
from bringup.pipeline.planning.work_queue import WorkQueue
from bringup.pipeline.running.memory import MEMORY_PER_WORKER


class Node(Protocol):
    """What is used of `xdist.workermanage.WorkerController`."""

    @property
    def shutting_down(self) -> bool:
        """True when it was told to end, or is gone."""
        ...

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        """Queue items by their index in the worker's own collection."""
        ...

    def shutdown(self) -> None:
        """Let it end after what is queued."""
        ...


class Room(NamedTuple):
    """What all tests of a session together may take."""

    capacities: Mapping[str, int] = {}
    """The most tests a device runs at a time; absent: any number."""
    memory: int | None = None
    """Bytes; None: nobody counts."""
    workers: int = 1
    """Processes that run tests."""
    until: float | None = None
    """On `time.monotonic`, when no further test starts; None: there is time for all."""
    slots: int | None = None
    """Tests that compute at a time, while others wait for a board; None: as many as there are
    workers."""

    @property
    def unknown_bytes(self) -> int:
        """What a test is taken to need of which nothing is known: what large models do, but no more
        than leaves as much for each worker."""
        if self.memory is None:
            return 0
        return min(MEMORY_PER_WORKER, self.memory // self.workers)


BOUNDLESS = Room()


@dataclass(eq=False)
class Worker:
    """One xdist node's part."""

    node: Node
    positions: dict[str, int] | None = None
    """Index of each planned test by pytest id; None until it has collected."""
    running: WorkUnit | None = None
    since: float = 0.0
    last_group: Group | None = None


@dataclass(eq=False)
class PlanScheduling:
    """Hands out a plan's tests one by one; implements `xdist.scheduler.Scheduling`."""

    tests: Sequence[PlannedTest]
    room: Room = BOUNDLESS
    claim: Callable[[str], bool] | None = None
    """May this session run the test of a key? Of a run that several sessions share; whoever else
    has it runs it, and it is gone from here."""
    clock: Callable[[], float] = time.monotonic
    queue: WorkQueue = field(init=False)
    waiting_for_board: Collection[str] = ()
    """Keys of tests that wait for a board."""
    workers: dict[Node, Worker] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        units = units_of(self.tests, self.room.unknown_bytes)
        limited = self.room.until is not None
        turns = {t.identity.key: t.turn for t in self.tests if t.turn and limited}
        self._expected = {key: turn.expected_s for key, turn in turns.items()}
        out = {key: turn.place for key, turn in turns.items() if not turn.in_time}
        self._if_time = deque(
            sorted((u for u in units if u.key in out), key=lambda unit: out[unit.key])
        )
        """Left out as far as was known when the run was planned, in their turn."""
        own = [unit for unit in units if unit.key not in out]
        self.queue = WorkQueue(own, self.room.capacities, self.room.memory)
        self._by_key = {t.identity.key: t for t in self.tests}
        self._nodeids = {t.nodeid for t in self.tests}

    @property
    def nodes(self) -> list[Node]:
        """All workers that are ready."""
        return list(self.workers)

    @property
    def collection_is_completed(self) -> bool:
        """True as soon as one worker has collected: nobody waits for the others."""
        return any(w.positions is not None for w in self.workers.values())

    @property
    def tests_finished(self) -> bool:
        """True when nothing waits and nothing runs."""
        return not self.anything_left and not self.has_pending

    @property
    def anything_left(self) -> bool:
        """True while a test waits, or is to be run if time is left."""
        return bool(self.queue or self._if_time)

    @property
    def has_pending(self) -> bool:
        """True while a test runs."""
        return any(w.running for w in self.workers.values())

    def running_on(self, node: Node) -> tuple[PlannedTest, float] | None:
        """The test a worker was given and has not completed, and for how many seconds."""
        worker = self.workers.get(node)
        if worker is None or worker.running is None:
            return None
        return self._by_key[worker.running.key], self.clock() - worker.since

    def give_back(self, node: Node) -> None:
        """Let another worker run what this one was given and never started."""
        worker = self.workers[node]
        if worker.running is not None:
            self.queue.give_back(worker.running.key)
        worker.running = worker.positions = None

    def again_alone(self, node: Node) -> bool:
        """Let what this worker died of be run once more with nothing beside it; False where there
        was nothing beside it."""
        worker = self.workers[node]
        if worker.running is None or len(self.queue.running) < 2:
            return False
        self.queue.alone(worker.running.key)
        worker.running = worker.positions = None
        return True

    def add_node(self, node: Node) -> None:
        """A worker is up; it collects next."""
        self.workers[node] = Worker(node)

    def add_node_collection(self, node: Node, collection: Sequence[str]) -> None:
        """A worker has collected; tests it does not know cannot be sent to it."""
        self.workers[node].positions = {
            nodeid: index for index, nodeid in enumerate(collection) if nodeid in self._nodeids
        }

    def schedule(self) -> None:
        """Give every idle worker a test, or let it go when no test is left."""
        self._drop_uncollected()
        self._heed_time()
        idle = {
            node: worker.last_group
            for node, worker in self.workers.items()
            if worker.positions is not None and worker.running is None
        }
        for node in offered_to(idle, self.queue):
            self._give(self.workers[node])

    def boards_seen(self, waiting: Collection[str], left: Iterable[str]) -> None:
        """Which tests wait for a board now, and which of those that run are through with theirs:
        somebody else may start."""
        self.waiting_for_board = waiting
        for key in left:
            self.queue.left_device(key)
        self.schedule()

    def mark_test_complete(self, node: Node, item_index: int, duration: float = 0) -> None:
        """An item is through; when it was the worker's test, the worker is free."""
        worker = self.workers[node]
        if worker.running is None or worker.positions is None:
            return
        if worker.positions[self._nodeid(worker.running)] == item_index:
            self.queue.done(worker.running.key)
            worker.running = None
            self.schedule()

    def mark_test_pending(self, item: str) -> None:
        """xdist's offer to run a crashed test again: never taken, it would crash again."""

    def remove_pending_tests_from_node(self, node: Node, indices: Sequence[int]) -> None:
        """Answer to a `steal` command, which is never sent."""

    def remove_node(self, node: Node) -> str | None:
        """A worker is gone; the id of the test it was running, if any.

        Raises:
            KeyError: the worker was never added, which xdist expects.
        """
        worker = self.workers.pop(node)
        if worker.running:
            self.queue.done(worker.running.key)
        self.schedule()
        return self._nodeid(worker.running) if worker.running else None

    def _heed_time(self) -> None:
        """Let nothing wait any more that may not be done in time."""
        if self.room.until is None:
            return
        left_s = self.room.until - self.clock()
        expected = self._expected
        self.queue.drop([key for key in self.queue.waiting if expected.get(key, 0.0) > left_s])
        self._if_time = deque(unit for unit in self._if_time if expected[unit.key] <= left_s)

    def _one_more(self) -> bool:
        """Let the next wait of those that were left out; False where there is none."""
        if not self._if_time:
            return False
        self.queue.add(self._if_time.popleft())
        self._drop_uncollected()
        return True

    def _give(self, worker: Worker) -> None:
        if worker.node.shutting_down:
            return
        self._heed_time()
        if not self.anything_left:
            worker.node.shutdown()
            return
        slots = self.room.slots or len(self.workers)
        if not may_start(self.queue.running, self.waiting_for_board, slots):
            return
        positions = worker.positions
        assert positions is not None
        chosen = self._claimed(worker, positions)
        while chosen is None and self._one_more():
            chosen = self._claimed(worker, positions)
        if chosen is None:
            if not self.queue:  # others took all that was left
                worker.node.shutdown()
            return
        worker.running, worker.last_group = chosen, chosen.group
        worker.since = self.clock()
        index = positions[self._nodeid(chosen)]
        try:
            worker.node.send_runtest_some([index, index + 1])
        except OSError:  # it died a moment ago; xdist is about to say so
            self.give_back(worker.node)

    def _claimed(self, worker: Worker, positions: Mapping[str, int]) -> WorkUnit | None:
        """Take the next test that nobody else has."""
        while True:
            chosen = self.queue.take(
                worker.last_group,
                min(self.room.slots or len(self.workers), len(self.workers)),
                lambda unit: self._nodeid(unit) in positions,
            )
            if chosen is None or self.claim is None or self.claim(chosen.key):
                return chosen
            self.queue.give_up(chosen.key)

    def _drop_uncollected(self) -> None:
        """Forget tests that no worker found; the supervisor gives them their outcome."""
        collected = [w.positions for w in self.workers.values() if w.positions is not None]
        if collected and len(collected) == len(self.workers):
            found: set[str] = set().union(*collected)
            waiting = self.queue.waiting.items()
            self.queue.drop([key for key, unit in waiting if self._nodeid(unit) not in found])

    def _nodeid(self, unit: WorkUnit) -> str:
        return self._by_key[unit.key].nodeid
