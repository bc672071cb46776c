# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Accelerators as files: a short TOML of figures is a kind of device.

`accelerators/NAME.toml` is the kind NAME; a user's own file is one too. The figures say how large
and how fast the device is, `route` says which compiler compiles for it, and `[target]` what that
compiler is told. A figure is of one chip, without sparsity; `sources` name the data sheets.
"""

import enum
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any

import msgspec

from bringup.harness.devices.figures import Figures, Rate
from bringup.harness.devices.kind import Arithmetic
from bringup.harness.errors import RecordError, UsageError
from bringup.harness.options.device_names import EVERY_DEVICE
from bringup.harness.storage.decoding import decode_toml, read_bytes, shown, why_not

ACCELERATORS = files("bringup.harness.devices.backends") / "accelerators"
"""The files of this package."""
SUFFIX = ".toml"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_WHERE = re.compile(r"^(?P<what>.*?) - at `\$\.?(?P<field>.*)`$", re.DOTALL)
_LACKS = re.compile(r"Object missing required field `(?P<name>.*)`")
_HAS = re.compile(r"Object contains unknown field `(?P<name>.*)`")


class Route(enum.StrEnum):
    """A compiler and what it compiles for."""

    XLA_TPU = "xla-tpu"
    XLA_CUDA = "xla-cuda"
    IREE_HIP = "iree-hip"
    IREE_CUDA = "iree-cuda"
    IREE_VULKAN = "iree-vulkan"
    IREE_METAL = "iree-metal"


Bytes = Annotated[int, msgspec.Meta(ge=1, le=1 << 50)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1 << 31)]
Word = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_:.-]{1,60}$")]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r'^[^"\\\n]*$')]
_PEAKS = ("f64", "f32", "tf32", "bf16", "f16", "f8", "i8")


class TpuTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What libtpu is told."""

    topology: Word
    """As libtpu names it, e.g. `v5e:2x2`."""
    accelerator_type: Word
    """As Google Cloud names a host of it, e.g. `v5litepod-4`."""
    chip_config: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{0,40}$")] = ""
    """`megacore` where two cores work as one and libtpu takes them apart unless told; empty: as it
    does by itself."""
    pci: tuple[Word, ...] = ()
    """Device ids by which a chip in this machine is known."""


class GpuTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What XLA is told of an NVIDIA GPU."""

    name: Line
    says: Line
    """What the device calls itself has this in it."""
    chips: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    compute_capability: tuple[Count, Annotated[int, msgspec.Meta(ge=0, le=99)]]
    cores: Count
    fpus_per_core: Count
    clock_ghz: Annotated[float, msgspec.Meta(gt=0, le=100)]
    l2_cache_bytes: Bytes
    shared_memory_per_core: Bytes
    shared_memory_per_block: Bytes
    threads_per_core: Count
    registers_per_core: Count


class IreeTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What IREE is told."""

    says: Line
    """What the device calls itself has this in it."""
    architecture: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_+-]{0,40}$")] = ""
    """Empty: the compiler has one target."""


class Accelerator(msgspec.Struct, frozen=True):
    """A file, read."""

    name: str
    """The file's, without its suffix."""
    title: str
    route: Route
    figures: Figures
    products: Arithmetic | None
    target: TpuTarget | GpuTarget | IreeTarget
    file: str
    """Where it was read, as sentences name it."""
    own: bool = False
    """Is it a user's own, of which nobody knows whether a compiler takes it?"""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    title: Line
    route: Route
    sources: Annotated[tuple[Line, ...], msgspec.Meta(min_length=1)]
    memory_bytes: Bytes
    memory_bandwidth: Rate
    products: Arithmetic | None = None
    peak: dict[str, Any] = {}
    target: dict[str, Any]


_TARGETS: dict[Route, type[TpuTarget | GpuTarget | IreeTarget]] = {
    Route.XLA_TPU: TpuTarget,
    Route.XLA_CUDA: GpuTarget,
}


def shipped() -> list[Accelerator]:
    """The accelerators of this package, by name."""
    entries = sorted(ACCELERATORS.iterdir(), key=lambda entry: entry.name)
    return [accelerator(entry) for entry in entries if entry.name.endswith(SUFFIX)]


def accelerator(file: Traversable | Path) -> Accelerator:
    """Read a file.

    Raises:
        UsageError: it cannot be read, is no TOML, its name can be no device's, or a field is wrong;
            names file and field.
    """
    name, where = file.name.removesuffix(SUFFIX), str(file) if isinstance(file, Path) else file.name
    if not _NAME.fullmatch(name) or name == EVERY_DEVICE:
        raise UsageError(
            f"{where}: a device is called like its file: letters, digits, . _ and -, and not"
            f" {EVERY_DEVICE}"
        )
    try:
        text = read_bytes(file) if isinstance(file, Path) else file.read_bytes()
        document = decode_toml(text.decode("utf-8", "replace"), where)
    except RecordError as error:
        raise UsageError(str(error)) from error
    read = _converted(document, _File, where, "")
    peak = _peak(read.peak, where)
    if read.products and read.products.value not in peak:
        raise UsageError(f"{where}: products: {read.products} has no rate in [peak]")
    target = _converted(read.target, _TARGETS.get(read.route, IreeTarget), where, "target")
    figures = Figures(
        memory=read.memory_bytes,
        bandwidth=read.memory_bandwidth,
        peak=peak,
        products=read.products.value if read.products else "",
    )
    own = isinstance(file, Path) and not _is_ours(file)
    return Accelerator(name, read.title, read.route, figures, read.products, target, where, own)


def _peak(rates: dict[str, Any], where: str) -> dict[str, float]:
    """The rates by type, each looked at alone: a decoder does not say which key it was at."""
    for key in rates:
        if key not in _PEAKS:
            types = ", ".join(_PEAKS)
            raise UsageError(f"{where}: peak.{shown(key)}: no type we count in; those: {types}")
    return {key: _converted(rate, Rate, where, f"peak.{key}") for key, rate in rates.items()}


def _is_ours(file: Path) -> bool:
    return file.parent.resolve() == Path(str(ACCELERATORS)).resolve()


def _converted(value: Any, kind: Any, where: str, table: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError) as error:
        raise UsageError(f"{where}: {_fault(error, value, table)}") from None


def _fault(error: Exception, value: Any, table: str) -> str:
    """`target.cores: expected int, got str`, of what msgspec says of a value."""
    placed = _WHERE.match(said := why_not(error))
    what, field = (placed["what"], placed["field"]) if placed else (said, "")
    if lacking := _LACKS.match(what):
        what, field = "is missing", f"{field}.{lacking['name']}".strip(".")
    elif unknown := _HAS.match(what):
        what, field = "there is no such field", f"{field}.{unknown['name']}".strip(".")
    elif "got" not in what:
        what += _there(value, field)
    place = f"{table}.{field}".strip(".")
    return f"{place or 'the file'}: {what[:1].lower()}{what[1:]}"


def _there(value: Any, field: str) -> str:
    """`, got nan`: a number that stands in a field, which the limit alone does not tell."""
    for key in filter(None, field.split(".")):
        value = value.get(key) if isinstance(value, dict) else None
    return f", got {value}" if isinstance(value, int | float) else ""
