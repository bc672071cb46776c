# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Any bytes give every reader a value or one sentence: no traceback, no hang, nothing lost."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bringup.harness.errors import HarnessError
from tests.unit.mutations import mutated
from tests.unit.readers import Reader, readers

LONGEST_S = 2.0
NAMES = [
    *(
        "journal",
        "packed journal",
        "plan",
        "plan of all shards",
        "aliases",
        "run header",
        "records",
        "old records",
    ),
    *("old op results", "moves", "blob", "list", "durations", "devices", "junit"),
    *("cached verdict", "verdict cache", "op's reproducer", "model's reproducer"),
    *("places of tensors", "tensors", "fx graph", "onnx model", "plan of faults"),
    *("system descriptor", "chip file", "architecture file", "schema hashes"),
    *("wire frame", "stage log", "environment"),
]


@pytest.fixture(scope="module")
def by_name(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    return {reader.name: reader for reader in readers(tmp_path_factory.mktemp("seeds"))}


def test_every_reader_is_here(by_name: dict[str, Reader]) -> None:
    assert list(by_name) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_valid_bytes_are_read(by_name: dict[str, Reader], tmp_path: Path, name: str) -> None:
    for number, seed in enumerate(by_name[name].seeds):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            by_name[name].read(seed, folder)
        except HarnessError as error:
            assert name == "environment", error  # no text is good for every variable


@pytest.mark.parametrize("name", NAMES)
def test_any_bytes_are_a_value_or_one_sentence(
    by_name: dict[str, Reader], tmp_path: Path, name: str
) -> None:
    reader = by_name[name]
    made = st.builds(mutated, st.sampled_from(reader.seeds), st.integers(0, 2**32 - 1))

    @settings(
        max_examples=60,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.one_of(made, made, made, st.binary(max_size=300)))
    def survives(data: bytes) -> None:
        started = time.thread_time()
        try:
            reader.read(data, tmp_path)
        except HarnessError as error:
            said = str(error)
            assert said and "\n" not in said and len(said) < 1500, said
        assert time.thread_time() - started < LONGEST_S, "of CPU, whatever else runs here"

    survives()
