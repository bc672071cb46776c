# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The ways to run a loader's model that its methods offer, beside the whole model on one device."""

import enum
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from bringup.harness.loaders.repository import LoaderFile

SEQUENCE, BATCH = 128, 1
"""Tokens of a prefill and its prompts: the least of those that tt-xla sweeps."""


class Way(enum.Enum):
    """A way to run it, by its word in an id."""

    WHOLE = ""
    PREFILL = "prefill"
    DECODE = "decode"
    TENSOR_PARALLEL = "tensor_parallel"

    @property
    def method(self) -> str:
        """The loader's method without which there is no such way."""
        return _METHODS[self]


_METHODS = {
    Way.WHOLE: "",
    Way.PREFILL: "load_inputs_prefill",
    Way.DECODE: "load_inputs_decode",
    Way.TENSOR_PARALLEL: "load_shard_spec",
}
_TT_XLA = {
    Way.WHOLE: "single_device",
    Way.PREFILL: f"llm_prefill-seq_{SEQUENCE}-batch_{BATCH}-single_device",
    Way.DECODE: f"llm_decode-seq_1-batch_{BATCH}-single_device",
    Way.TENSOR_PARALLEL: "tensor_parallel",
}
_RUN_MODES = {"eval": "inference", "train": "training"}


def ways_of(methods: Collection[str]) -> tuple[Way, ...]:
    """The ways that a loader with these methods offers."""
    return tuple(way for way in Way if not way.method or way.method in methods)


def expected_ids(loader: LoaderFile, variant: str, way: Way, mode: str) -> Iterator[str]:
    """What tt-xla calls a loader's test, newer versions of it first."""
    name = f"{loader.inside}-{variant}" if variant else loader.inside
    if way in (Way.PREFILL, Way.DECODE):
        yield f"{name}-{_TT_XLA[way]}-mesh_default-{_RUN_MODES[mode]}"
    yield f"{name}-{_TT_XLA[way]}-{_RUN_MODES[mode]}"


def expected_of(
    entries: Mapping[str, Any], loader: LoaderFile, variant: str, way: Way, mode: str
) -> Any:
    """The entry that says what is expected of a loader's test; None where none does."""
    found = (entries.get(one) for one in expected_ids(loader, variant, way, mode))
    return next((entry for entry in found if entry is not None), None)
