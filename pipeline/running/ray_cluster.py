# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The engine of a Ray cluster that is there already: `--engine ray://HOST:PORT`.

A device is a custom resource of the nodes that have it (`ray start --resources '{"n150": 4}'`). For
each there is one actor, which holds it and pulls: it has a participant (`ray_part`) run one test
after another out of the run's directory, which every node has to see, by leases as in a directory
that machines share. The driver runs nothing; it watches the journals and writes what the run comes
to. When a node dies Ray starts its actors anew where their device is, and others take its tests.

Ray is an extra, and is imported by who uses it. A need that no node has would wait there silently,
so it is refused before anything runs.
"""

import contextlib
import os
import shutil
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from bringup.harness.records.device_listing import DeviceState, ListedDevice
from bringup.harness.records.schema import Outcome, Plan, PlannedTest
from bringup.harness.records.variable_names import PYTHONPATH_VARIABLE
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.writable import encoded, said_by
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.lifeline import adopt_orphans
from bringup.pipeline.planning.fleet import refuse_unmet
from bringup.pipeline.planning.selection import Chosen, Refusal
from bringup.pipeline.planning.work import Runner
from bringup.pipeline.running.engine import End, Ended, Watcher
from bringup.pipeline.running.leases import HOLDERS, LEASES, Leases, holder_here
from bringup.pipeline.running.session import Settings
from bringup.pipeline.running.shared import tell_cut_off
from bringup.pipeline.running.supervisor import Signals, Supervisor, counted_signals

LOST_S = 60.0
"""A device that no node has had for so long is lost: Ray restarts what can be restarted in less."""
_ANSWER_S = 10.0
_LOOK_S = 2.0
"""Between two looks at the cluster."""
_MOST_RESTARTS = 3
"""A participant that ends before its tests is started anew so often on one device."""
_PASSED_ON = ("BRINGUP_", "TT_TORCH_", PYTHONPATH_VARIABLE, "PYTEST_")
_IN_MEMORY = "CPU"
"""The resource of a device that no node names and any number of processes may share."""


@dataclass(frozen=True)
class RayCluster:
    """The engine of an existing Ray cluster."""

    name: str = "ray"
    says: str = "the Ray cluster at ADDRESS, whose nodes name their devices as resources"
    takes_address: bool = True

    def seen_there(self, address: str, chosen: Chosen) -> Chosen:
        """As `Elsewhere` says."""
        with _connected(address) as ray:
            runners = _runners(ray, chosen)
        if not runners:
            raise PipelineError(f"ray://{address} has no node")
        refuse_unmet(chosen.tests, runners, f"ray://{address}")
        there = {kind for runner in runners for kind in runner.kinds or ()}
        devices = dict(chosen.devices)
        for name, device in chosen.devices.items():
            if device.state is DeviceState.MISSING and name in there:
                devices[name] = ListedDevice(name, DeviceState.EXECUTES, device.title)
        for name, device in devices.items():
            most = sum((runner.kinds or {}).get(name, 0) for runner in runners)
            devices[name] = msgspec.structs.replace(device, capacity=most or device.capacity)
        return replace(chosen, devices=devices)

    def run(
        self, plan: Plan, settings: Settings, watcher: Watcher, refused: Mapping[str, Refusal]
    ) -> Ended:
        """Run every test of `plan` to a record, as `Engine` says."""
        for folder in (LEASES, HOLDERS):  # of an attempt before, whose driver died with its actors
            shutil.rmtree(settings.run_dir / folder, ignore_errors=True)
            (settings.run_dir / folder).mkdir(parents=True)
        director = _Director(plan, settings, watcher)
        adopt_orphans()
        with counted_signals() as signals:
            director.refuse(refused)
            try:
                with _connected(settings.address) as ray:
                    ended = director.direct(ray, signals)
            except BaseException as error:
                broke = f"the driver broke: {said_by(error)}"
                director.finish(Ended(End.DIED, (broke,)))
                raise
            director.finish(ended)
        return ended


RAY = RayCluster()


class _Director(Supervisor):
    """Watches a run whose tests others run."""

    def __init__(self, plan: Plan, settings: Settings, watcher: Watcher) -> None:
        super().__init__(plan, settings, watcher)
        self._plan = plan
        self._leases = Leases(settings.run_dir, holder_here())

    def direct(self, ray: Any, signals: Signals) -> Ended:
        """Have actors pull until every test has its outcome, or nobody is left who could."""
        pullers = _Pullers(ray, self._plan, self.settings)
        seen: dict[str, float] = {}
        looked = float("-inf")
        try:
            while len(self.ledger.outcomes) < len(self.ledger.tests):
                signals.wait(_LOOK_S / 8)
                self.look()
                if signals.received:
                    return Ended(End.INTERRUPTED, ("the run was interrupted",))
                now = time.monotonic()
                if now - looked >= _LOOK_S:
                    looked = now
                    pullers.look({t.identity.device for t in self._open()})
                    seen |= dict.fromkeys(_counts(ray), now)
                    self._give_up_lost(pullers.resources, seen, now)
        finally:
            pullers.end()
        tell_cut_off(self._leases, self.ledger, self.journal)
        return Ended(End.FINISHED, pullers.sentences())

    def _open(self) -> Iterator[PlannedTest]:
        return (t for key, t in self.ledger.tests.items() if key not in self.ledger.outcomes)

    def _give_up_lost(
        self, resources: Mapping[str, str], seen: dict[str, float], now: float
    ) -> None:
        for test in list(self._open()):
            device = test.identity.device
            if now - seen.setdefault(resources[device], now) > LOST_S:
                reason = f"no node with {device} is left"
                self.stop(test.identity.key, Outcome.INFRA, "INFRA", reason)


class _Pullers:
    """One actor for each device there is."""

    def __init__(self, ray: Any, plan: Plan, settings: Settings) -> None:
        self._ray, self._plan, self._settings = ray, plan, settings
        self._actor = _actor_class(ray)
        self._begun: dict[Any, tuple[str, Any]] = {}
        """By the reference to what an actor runs: its device, and the actor."""
        self._failed: Counter[str] = Counter()
        self._said: list[str] = []
        counts, tests = _counts(ray), Counter(t.identity.device for t in plan.tests)
        self.resources = {device: device if counts[device] else _IN_MEMORY for device in tests}
        """By device, what an actor holds of a node."""
        for device, resource in sorted(self.resources.items()):
            for _ in range(min(counts[resource], tests[device])):
                self._begin(device, resource)

    def _begin(self, device: str, resource: str) -> None:
        options: dict[str, Any] = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1}
        if resource == _IN_MEMORY:
            options["num_cpus"] = 1
        else:
            options["resources"] = {resource: 1}
        actor = self._actor.options(**options).remote()
        self._start(device, actor)

    def _start(self, device: str, actor: Any) -> None:
        tests = tuple(t for t in self._plan.tests if t.identity.device == device)
        holder = f"{device}-{holder_here()}".replace("/", "_")
        part = msgspec.structs.replace(self._plan, tests=tests)
        path = self._settings.run_dir / f"ray-{holder}.json"
        write_atomically(path, encoded(part))
        mine = self._settings
        settings = replace(mine, plan=path, holder=holder, workers=1, processes=1, lock=None)
        if mine.until is not None:  # no other machine has our clock: from the moment of writing on
            settings = replace(settings, until=mine.left_s)
        command = (sys.executable, "-m", "bringup.pipeline.running.ray_part")
        spec = msgspec.json.encode(settings, enc_hook=str).decode()
        reference = actor.run.remote(command, spec, str(settings.root), _environment())
        self._begun[reference] = device, actor

    def look(self, open_devices: set[str]) -> None:
        """Start anew what ended before its tests."""
        done, _ = self._ray.wait(list(self._begun), num_returns=len(self._begun), timeout=0)
        for reference in done:
            device, actor = self._begun.pop(reference)
            if device not in open_devices:
                continue
            try:
                said = self._ray.get(reference)
            except Exception as error:  # whatever Ray says of an actor that is gone for good
                said = said_by(error)
            self._failed[device] += 1
            if self._failed[device] <= _MOST_RESTARTS:
                self._said.append(f"a participant on {device} ended early: {said}"[:500])
                self._start(device, actor)

    def sentences(self) -> tuple[str, ...]:
        """What went wrong and was mended."""
        return tuple(self._said)

    def end(self) -> None:
        """Have all actors gone, and with them what they started."""
        for _, actor in self._begun.values():
            with contextlib.suppress(Exception):  # it is gone with its node
                self._ray.kill(actor)
        for path in self._settings.run_dir.glob("ray-*.json"):
            path.unlink(missing_ok=True)


def _environment() -> dict[str, str]:
    """What of this process's environment is ours; a node has a home, and boards, of its own."""
    return {name: text for name, text in os.environ.items() if name.startswith(_PASSED_ON)}


def _actor_class(ray: Any) -> Any:
    """Made here, so that it reaches a node by value: only its participants import our packages."""

    class Puller:
        """Holds one device as long as it lives."""

        def run(
            self, command: Sequence[str], spec: str, root: str, environment: Mapping[str, str]
        ) -> str:
            """Run a participant to its end; why it failed, empty when it did not."""
            import os
            import subprocess

            done = subprocess.run(
                command,
                cwd=root,
                env={**os.environ, **environment},
                input=spec,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            return f"exit code {done.returncode}: {done.stdout[-400:]}" if done.returncode else ""

    return ray.remote(Puller)


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Ray, connected to the cluster at an address.

    Raises:
        PipelineError: it is not installed, or nobody answers.
    """
    try:
        import ray
    except ImportError:
        raise PipelineError("Ray is not installed; pip install 'bringup[ray]' brings it") from None
    _refuse_silence(address)
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except Exception as error:  # whatever Ray raises of a cluster that is not there
        raise PipelineError(f"no Ray cluster answers at {address}: {said_by(error)}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _refuse_silence(address: str) -> None:
    """Find out in seconds that nobody is there, which takes Ray minutes.

    Raises:
        PipelineError: nobody answers.
    """
    host, _, port = address.rpartition(":")
    if port.isdecimal():  # and not `auto`, which is the cluster of this very machine
        try:
            socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
        except (OSError, OverflowError, UnicodeError) as error:
            raise PipelineError(f"no Ray cluster answers at {address}: {said_by(error)}") from error


def _counts(ray: Any) -> Counter[str]:
    """How many of each resource the living nodes have together."""
    counts: Counter[str] = Counter()
    for node in ray.nodes():
        if node["Alive"]:
            counts.update({name: int(n) for name, n in node["Resources"].items()})
    return counts


def _runners(ray: Any, chosen: Chosen) -> list[Runner]:
    """The nodes as a plan sees them; a device in memory that none names is on all."""
    named = _counts(ray)
    shared = [n for n, d in chosen.devices.items() if d.capacity is None and not named[n]]
    shared = [n for n in shared if chosen.devices[n].state is not DeviceState.MISSING]
    runners = []
    for node in ray.nodes():
        if node["Alive"]:
            there = {name: int(n) for name, n in node["Resources"].items() if n >= 1}
            cores = there.get(_IN_MEMORY, 0)
            kinds = there | ({name: cores for name in shared} if cores else {})
            memory = int(node["Resources"].get("memory", 0)) or None
            runners.append(Runner(node["NodeManagerHostname"], kinds, max(cores, 1), memory))
    return runners
