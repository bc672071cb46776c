# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a model, or a test's body, may set for the whole process, and setting it back.

Whatever is not imported has no settings: a session that tests no model does not wait for PyTorch.
"""

import contextlib
import gc
import locale
import logging
import os
import pickle
import random
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Values = dict[str, Any]
"""Settings by name; an environment variable is one, called `$NAME`."""

_PYTESTS_OWN = frozenset({"PYTEST_CURRENT_TEST"})
RANDOM = frozenset({"random", "numpy random", "torch random"})
"""Names of the states of random number generators."""


@dataclass(frozen=True)
class _Setting:
    """One setting of the whole process. What `read` returns can be compared, and written back."""

    read: Callable[[], Any]
    write: Callable[[Any], object]


def read() -> Values:
    """Everything as it is now."""
    values: Values = {name: setting.read() for name, setting in _settings().items()}
    for name, value in os.environ.items():
        if name not in _PYTESTS_OWN:
            values[f"${name}"] = value
    return values


def random_states() -> Values:
    """The states of the random number generators."""
    return {name: setting.read() for name, setting in _settings().items() if name in RANDOM}


def write(values: Values) -> None:
    """Set everything that is otherwise."""
    now = read()
    settings = _settings()
    for name in changed(now, values):
        if name.startswith("$"):
            _write_variable(name[1:], values.get(name))
        elif name in values and name in settings:
            settings[name].write(values[name])


def changed(before: Values, after: Values) -> set[str]:
    """Names of what differs; a variable of the environment may be on one side only."""
    missing = object()
    names = before.keys() | after.keys()
    return {name for name in names if before.get(name, missing) != after.get(name, missing)}


def take(values: Values, names: Iterable[str], now: Values) -> None:
    """Have `values` say of `names` what `now` says."""
    for name in names:
        values.pop(name, None)
        if name in now:
            values[name] = now[name]


@contextlib.contextmanager
def restored(but: Iterable[str] = ()) -> Iterator[Values]:
    """Within it anything may be set; afterwards all is as its value, which may be edited, says.

    What is named in `but` stays as it was set.
    """
    before = read()
    for name in but:
        before.pop(name, None)
    try:
        yield before
    finally:
        write(before)


def _write_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _settings() -> dict[str, _Setting]:
    found = dict(_PYTHON)
    if "numpy" in sys.modules:
        found |= _of_numpy()
    if "torch" in sys.modules:
        found |= _of_torch()
    return found


# --- Python ---------------------------------------------------------------------------------


def _cwd() -> str:
    try:
        return str(os.getcwd())  # noqa: PTH109
    except OSError:  # somebody removed it
        return ""


def _chdir(directory: str) -> None:
    with contextlib.suppress(OSError):
        os.chdir(directory)


def _set_path(path: tuple[str, ...]) -> None:
    sys.path[:] = path


def _set_filters(filters: tuple[Any, ...]) -> None:
    warnings.resetwarnings()  # this also has them looked at again
    warnings.filters[:] = filters  # type: ignore[index]


def _umask() -> int:
    """Read where it changes nothing: what other threads write meanwhile has its usual mode."""
    try:
        found = re.search(
            r"^Umask:\s*([0-7]+)$", Path("/proc/self/status").read_text(), re.MULTILINE
        )
    except OSError:  # no Linux
        found = None
    return int(found[1], 8) if found else 0o022


def _handled(number: signal.Signals) -> "_Setting":
    """What is done on a signal; SIGALRM is left to the timeouts of tests, which count down."""

    def write(handler: Any) -> None:
        # other threads may not, and what was not set by Python cannot be set by it
        with contextlib.suppress(ValueError, TypeError):
            signal.signal(number, handler)

    return _Setting(lambda: signal.getsignal(number), write)


_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGCHLD")
_PYTHON = {
    "working directory": _Setting(_cwd, _chdir),
    "import path": _Setting(lambda: tuple(sys.path), _set_path),
    "recursion limit": _Setting(sys.getrecursionlimit, sys.setrecursionlimit),
    "warning filters": _Setting(lambda: tuple(warnings.filters), _set_filters),
    "random": _Setting(random.getstate, random.setstate),
    "standard output": _Setting(lambda: sys.stdout, lambda stream: setattr(sys, "stdout", stream)),
    "standard error": _Setting(lambda: sys.stderr, lambda stream: setattr(sys, "stderr", stream)),
    "exception hook": _Setting(
        lambda: sys.excepthook, lambda hook: setattr(sys, "excepthook", hook)
    ),
    "digits of integers": _Setting(sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    "file mode mask": _Setting(_umask, os.umask),
    "locale": _Setting(
        lambda: locale.setlocale(locale.LC_ALL), lambda name: locale.setlocale(locale.LC_ALL, name)
    ),
    "log level": _Setting(lambda: logging.root.level, logging.root.setLevel),
    "log switched off": _Setting(lambda: logging.root.manager.disable, logging.disable),
    "garbage collection": _Setting(gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
    **{f"handler of {name}": _handled(signal.Signals[name]) for name in _SIGNALS},
}


# --- numpy ----------------------------------------------------------------------------------


def _of_numpy() -> dict[str, _Setting]:
    import numpy as np

    return {
        "numpy random": _Setting(
            lambda: pickle.dumps(np.random.get_state()),
            lambda state: np.random.set_state(pickle.loads(state)),
        ),
        "numpy errors": _Setting(np.geterr, lambda errors: np.seterr(**errors)),
        "numpy printing": _Setting(np.get_printoptions, lambda given: np.set_printoptions(**given)),
    }


# --- PyTorch --------------------------------------------------------------------------------

_KERNELS = ("flash", "math", "mem_efficient", "cudnn")
_FLAGS = (
    *(("cudnn", name) for name in ("enabled", "benchmark", "deterministic", "allow_tf32")),
    *(("cuda.matmul", name) for name in ("allow_tf32",)),
    ("mkldnn", "enabled"),
    ("opt_einsum", "enabled"),
)
"""Attributes below `torch.backends`."""


def _of_torch() -> dict[str, _Setting]:
    import torch

    found = {
        "gradients": _Setting(torch.is_grad_enabled, torch.set_grad_enabled),
        "default dtype": _Setting(torch.get_default_dtype, torch.set_default_dtype),
        "default device": _Setting(_default_device, torch.set_default_device),
        "threads": _Setting(torch.get_num_threads, torch.set_num_threads),
        "deterministic": _Setting(_deterministic, _set_deterministic),
        "matmul precision": _Setting(
            torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
        ),
        "anomalies": _Setting(
            lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
            lambda both: torch.set_anomaly_enabled(*both),
        ),
        "denormals": _Setting(_flushes_denormals, torch.set_flush_denormal),
        "torch random": _Setting(
            lambda: torch.get_rng_state().numpy().tobytes(),
            lambda state: torch.set_rng_state(
                torch.tensor(bytearray(state), dtype=torch.uint8, device="cpu")
            ),
        ),
        "fused attention": _Setting(
            torch.backends.mha.get_fastpath_enabled, torch.backends.mha.set_fastpath_enabled
        ),
        "hooks of all modules": _Setting(_hooks, _set_hooks),
        "torch printing": _Setting(
            lambda: dict(vars(torch._tensor_str.PRINT_OPTS)),
            lambda given: vars(torch._tensor_str.PRINT_OPTS).update(given),
        ),
    }
    for kind in ("cpu", "cuda"):
        found[f"autocast on {kind}"] = _autocast(kind)
    for kernel in _KERNELS:
        found[f"attention by {kernel}"] = _Setting(
            getattr(torch.backends.cuda, f"{kernel}_sdp_enabled"),
            getattr(torch.backends.cuda, f"enable_{kernel}_sdp"),
        )
    return found | {f"{owner} {name}": _flag(owner, name) for owner, name in _FLAGS}


def _all_hooks() -> dict[str, dict[int, Any]]:
    """What PyTorch calls for every module of the process, another model's too."""
    from torch.nn.modules import module

    return {
        name: held
        for name, held in vars(module).items()
        if name.startswith("_global_") and isinstance(held, dict)
    }


def _hooks() -> dict[str, dict[int, Any]]:
    return {name: dict(held) for name, held in _all_hooks().items()}


def _set_hooks(before: dict[str, dict[int, Any]]) -> None:
    for name, held in _all_hooks().items():
        held.clear()
        held.update(before[name])


def _default_device() -> "torch.device | None":
    import torch

    context = getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
    return context.device if context is not None else None


def _deterministic() -> tuple[bool, bool, bool]:
    import torch

    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,  # type: ignore[attr-defined]
    )


def _set_deterministic(flags: tuple[bool, bool, bool]) -> None:
    import torch

    mode, warn_only, fill = flags
    torch.use_deterministic_algorithms(mode, warn_only=warn_only)
    torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]


def _flushes_denormals() -> bool:
    """PyTorch does not tell, so it is seen by what becomes of a number below the normal ones."""
    import torch

    half = torch.full((), torch.finfo(torch.float64).tiny, dtype=torch.float64, device="cpu") / 2
    return half.numpy().tobytes() == bytes(8)


def _autocast(kind: str) -> _Setting:
    import torch

    def put_back(both: tuple[bool, torch.dtype]) -> None:
        torch.set_autocast_enabled(kind, both[0])
        torch.set_autocast_dtype(kind, both[1])

    return _Setting(
        lambda: (torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)), put_back
    )


def _flag(owner: str, name: str) -> _Setting:
    import torch

    module: Any = torch.backends
    for part in owner.split("."):
        module = getattr(module, part)
    return _Setting(lambda: getattr(module, name), lambda value: setattr(module, name, value))
