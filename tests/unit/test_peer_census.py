# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Of tt-torch's 121 files of models, how many find by name what they need."""

from collections import Counter

from bringup.harness.peer.names import REFUSED, SERVED, refusal
from tests.peer_census import Standing, census


def test_nothing_is_lacking_and_what_is_refused_is_counted() -> None:
    found = census()
    standings = {need: need.standing for every in found.values() for need in every}
    assert len(found) == 121
    assert [need for need, s in standings.items() if s is Standing.LACKING] == []
    assert [need for need, s in standings.items() if s is Standing.REFUSED] == []
    whole = sum(all(n.standing is Standing.HAD for n in every) for every in found.values())
    assert whole == 121


def test_the_census_reads_every_kind_of_need() -> None:
    kinds = Counter(need.kind for every in census().values() for need in every)
    assert kinds.keys() == {"import", "option", "test_model", "setting", "attribute", "hook"}
    assert kinds["option"] > 600 and kinds["import"] > 500


def test_a_name_is_had_or_refused_and_the_refusal_says_why() -> None:
    assert not [pair for pair in REFUSED if pair[1] in SERVED.get(pair[0], ())]
    for module, name in REFUSED:
        assert refusal(module, name).startswith(f"{module}.{name} is tt-torch's and none here: ")
    assert "sockets and profiler" in refusal("tt_mlir", "open_mesh_device")
    assert "there is DeviceManager" in refusal("tt_torch.tools.device_manager", "Device")
