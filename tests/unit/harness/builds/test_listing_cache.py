# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A device that is nothing but libraries is opened once, and again when they have changed."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.builds.listing_cache import ListingCache
from bringup.harness.device_host import listing
from bringup.harness.devices import device_history
from bringup.harness.records.device_listing import DeviceState, ListedDevice
from bringup.harness.session import begin

SLOW_S = 60.0
"""A device that answers no sooner than another was kept gives up after so long."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BRINGUP_CACHE", str(tmp_path))
    with begin():
        yield


def listed(state: DeviceState = DeviceState.COMPILES, capacity: int | None = None) -> ListedDevice:
    return ListedDevice("n150", state, "a board", "1 x Wormhole_b0", "", capacity)


def test_what_was_found_holds_until_something_behind_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ListingCache().get("n150") is None
    ListingCache().put(listed())
    assert ListingCache().get("n150") == listed()
    assert ListingCache().get("n300") is None
    monkeypatch.setenv("TT_SOMETHING", "1")
    assert ListingCache().get("n150") is None
    monkeypatch.delenv("TT_SOMETHING")
    monkeypatch.setenv("BRINGUP_NO_CACHE", "1")
    assert ListingCache().get("n150") is None


@pytest.mark.parametrize(
    "found", [listed(DeviceState.MISSING), listed(DeviceState.EXECUTES, capacity=2)]
)
def test_what_may_be_otherwise_the_next_time_is_opened_again(found: ListedDevice) -> None:
    ListingCache().put(found)
    assert ListingCache().get("n150") is None


def test_a_device_that_executed_here_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ListingCache().put(listed())
    monkeypatch.setattr(device_history, "executed_before", lambda name: "2026-11-01")
    assert ListingCache().get("n150") is None


def test_what_is_known_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_one(chosen: list[str]) -> list[ListedDevice]:
        opened.extend(chosen)
        return [ListedDevice(n, DeviceState.COMPILES, n, "", "", None) for n in chosen]

    monkeypatch.setattr(listing, "_opened", open_one)
    ListingCache().put(listed())
    found = listing.list_devices(["cpu", "n150", "p150"], ListingCache())
    assert [each.name for each in found] == ["cpu", "n150", "p150"]
    assert opened == ["cpu", "p150"]
    assert listing.list_devices(["p150", "cpu"], ListingCache())[0].name == "p150"
    assert opened == ["cpu", "p150"]
    listing.list_devices(["n150"])
    assert opened[-1] == "n150"


def test_the_first_devices_are_looked_for_no_further_than_they_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states = [DeviceState.MISSING, DeviceState.COMPILES, DeviceState.MISSING, DeviceState.MISSING]
    states += [DeviceState.EXECUTES, *[DeviceState.COMPILES] * 7]
    names = [f"d{i}" for i in range(len(states))]
    opened: list[str] = []

    def open_some(chosen: list[str]) -> list[ListedDevice]:
        opened.extend(chosen)
        return [ListedDevice(n, states[names.index(n)], n, "", "", None) for n in chosen]

    monkeypatch.setattr(listing, "_opened", open_some)
    monkeypatch.setattr(listing, "installed_names", lambda: list(names))
    assert [one.name for one in listing.first_devices()] == opened == names[:8]
    states[4] = DeviceState.MISSING
    opened.clear()
    assert [one.name for one in listing.first_devices()] == opened == names


def test_each_is_kept_before_the_last_has_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = threading.Event()

    class Known(ListingCache):
        def put(self, listed: ListedDevice) -> None:
            super().put(listed)
            kept.set()

    def probe(name: str, server: object) -> ListedDevice:
        if name == "n150":
            return listed()
        state = DeviceState.COMPILES if kept.wait(SLOW_S) else DeviceState.MISSING
        return ListedDevice(name, state, name, "", "", None)

    monkeypatch.setattr(listing, "_probe", probe)
    found = listing.list_devices(["cpu", "n150"], Known())
    assert [(one.name, one.state) for one in found] == [
        ("cpu", DeviceState.COMPILES),
        ("n150", DeviceState.COMPILES),
    ]
