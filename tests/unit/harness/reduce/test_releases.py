# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which releases are asked for, of which compilers; what is asked wrongly is one sentence."""

import re
from importlib import metadata

import pytest

from bringup.harness.devices.catalog import kind_of
from bringup.harness.errors import UsageError
from bringup.harness.reduce.releases import asked_for, installed


@pytest.mark.parametrize(
    ("text", "device", "name"),
    [
        ("jaxlib", "cpu", "jaxlib"),
        ("jax", "cpu", "jaxlib"),
        ("XLA", "cpu", "jaxlib"),
        ("torch_mlir", "cpu", "torch-mlir"),
        ("iree", "iree-cpu", "iree-base-compiler"),
        ("iree-base-runtime>=3.9", "mi300x", "iree-base-compiler"),
        ("xla", "tpu-v5e", "libtpu"),
        ("jaxlib", "tpu-v5e", "jaxlib"),
        ("jax-cuda12-pjrt", "h100", "jax-cuda12-pjrt"),
    ],
)
def test_a_compiler_goes_by_several_names(text: str, device: str, name: str) -> None:
    assert asked_for(text, kind_of(device)).compiler.name == name


def test_limits_say_which_releases_and_may_go_below_what_can_be_opened() -> None:
    cpu = kind_of("cpu")
    assert [asked_for("jaxlib", cpu).takes(v) for v in ("0.6.2", "0.7.0", "9")] == [0, 1, 1]
    some = asked_for("jaxlib>=0.5,<0.8,!=0.7.1", cpu)
    assert [some.takes(v) for v in ("0.4.38", "0.5", "0.7.1", "0.7.2", "0.8.0")] == [0, 1, 0, 1, 0]
    assert not asked_for("jaxlib<0.8", cpu).takes("0.6.0")


@pytest.mark.parametrize(
    ("text", "device", "said"),
    [
        ("iree", "cpu", "cpu does not go through iree, but through jaxlib, torch-mlir"),
        ("jaxlib", "rdna3-vulkan", "rdna3-vulkan does not go through jaxlib"),
        ("jaxlib >> 3", "cpu", "expected the name of a compiler, with limits such as"),
        ("", "cpu", "expected the name of a compiler"),
    ],
)
def test_what_is_no_compiler_of_the_device_is_a_sentence(text: str, device: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        asked_for(text, kind_of(device))


def test_what_is_installed_is_what_its_metadata_says() -> None:
    assert installed("jaxlib") == metadata.version("jaxlib")
    with pytest.raises(UsageError, match="no-such-compiler is not installed here"):
        installed("no-such-compiler")
