# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What computes: our code, the libraries that lower, Python, and what the environment tells them.

Part of the key of everything that is kept. Versions alone will not do, since a library that was
built anew, or edited where it is installed, has the version that it had.
"""

import functools
import hashlib
import os
import platform
import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib import util
from pathlib import Path

from bringup.harness.errors import RecordError
from bringup.harness.records.provenance import versions
from bringup.harness.records.variable_names import PYTHONPATH_VARIABLE, THREADS_VARIABLE
from bringup.harness.records.verdicts.file_digest import digest_of_code

_HARNESS = Path(__file__).resolve().parents[1]
_OURS = (".py", ".toml", ".json")
_LOWERING = ("torch", "torch_mlir")
"""Packages whose every file may have a part in what a model is lowered to."""
_BESIDE = ("sympy", "ml-dtypes", "functorch", "typing-extensions")
_ENVIRONMENT = (
    *("TORCH*", "PYTORCH*", "ATEN_*", "MLIR_*", "LLVM_*", "LD_*", "PYTHON*", "MALLOC_*"),
    *("OMP_*", "MKL_*", "KMP_*", "DNNL_*", "ONEDNN_*"),
)
"""Variables, by pattern, that those libraries and the loader of all of them read."""
_WHEREABOUTS = frozenset(
    {
        *(PYTHONPATH_VARIABLE, "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"),
        *("TORCHINDUCTOR_CACHE_DIR", "TORCH_HOME"),
    }
)
"""Variables that say where code lies, which is in the key by its content, or what is printed; and
folders of PyTorch that nothing is lowered by, one of which it sets itself the first time that it
comes by: a test would hit or miss by what ran before it."""


def code() -> Mapping[str, object]:
    """All of it, for devices that only compile: what lowers is not among it."""
    return {
        "ours": _our_code(),
        "python": sys.version,
        "machine": platform.machine(),
        "environment": _environment(),
    }


def cores() -> tuple[object, ...]:
    """How many cores there are, and what libraries are told of them: compilers for the processor
    divide work by it."""
    told = os.environ.get(THREADS_VARIABLE)
    return len(os.sched_getaffinity(0)), os.cpu_count(), told


def lowering_code() -> Mapping[str, object]:
    """As `code`, with what takes part in lowering a model.

    Raises:
        RecordError: a library cannot be read, so that nobody knows what it does.
    """
    return {**code(), "versions": versions(_BESIDE), "libraries": _libraries(_LOWERING)}


def onnx_code() -> Mapping[str, object]:
    """As `lowering_code`, for ONNX models.

    Raises:
        RecordError: as there.
    """
    libraries = _libraries(("torch_mlir", "onnx"))
    return {**code(), "versions": versions(("ml-dtypes", "numpy")), "libraries": libraries}


@functools.cache
def _libraries(names: tuple[str, ...]) -> dict[str, str]:
    """Digests of what lowers, as this process found it: it is loaded once."""
    libraries = {name: digest_of_code(folder) for name, folder in _packages(names).items()}
    if not all(libraries.values()):
        raise RecordError(f"one of {', '.join(libraries)} cannot be read")
    return libraries


@functools.cache
def _our_code() -> str:
    """A digest of the whole harness, by its content: what a checkout of any state computes with."""
    found = hashlib.sha256()
    for path in sorted(p for p in _HARNESS.rglob("*") if p.suffix in _OURS):
        content = path.read_bytes()
        found.update(f"{path.relative_to(_HARNESS)} {len(content)}\n".encode() + content)
    return found.hexdigest()


def _packages(names: tuple[str, ...]) -> dict[str, Path]:
    """Their folders, without importing them."""
    specs = {name: util.find_spec(name) for name in names}
    places = {
        name: next(iter(spec.submodule_search_locations or ()), "")
        for name, spec in specs.items()
        if spec is not None
    }
    return {name: Path(place) for name, place in places.items() if place}


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _WHEREABOUTS and any(fnmatchcase(name, p) for p in _ENVIRONMENT)
    }
