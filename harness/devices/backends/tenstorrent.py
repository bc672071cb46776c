# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tenstorrent boards through their PJRT plugin, with or without the hardware.

With a card in the machine the plugin opens it. Without one, `TT_COMPILE_ONLY_SYSTEM_DESC` names a
system descriptor that we generate from the board's chip file, and the plugin compiles for the
described board; executing in that mode returns default-initialised buffers, so it is never done.
One process can hold one descriptor only, which is one reason for device hosts.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from bringup.harness.devices.backend import Array, CompileError, Opening
from bringup.harness.devices.backends.pjrt import PjrtBackend, discover_plugins
from bringup.harness.devices.backends.tenstorrent_install import INSTALL, PLUGINS, has_card
from bringup.harness.devices.wire import Level, Placed
from bringup.harness.errors import DeviceError
from bringup.harness.records.variable_names import COMMON_FOLDER_VARIABLE, DESCRIPTOR_VARIABLE
from bringup.harness.storage.ownership import is_trusted, private_folder

ASSETS = "libtt-tt-metal-runtime-assets-*"
_LOCK_S = 20.0
"""Some four openings."""
_FOLDER = "bringup-tt-"
_LEVELS = {"ttir": "ttir", "ttnn": "ttnn"}
_DUMP_NAME = re.compile(r"(?P<level>[a-z_]+?)_\d+\.mlir")


def find_plugin() -> tuple[str, str, Path]:
    """The installed plugin: distribution, version, library.

    Raises:
        DeviceError: none is installed.
    """
    libraries = discover_plugins()
    for distribution, names in PLUGINS.items():
        try:
            version = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
        library = next((libraries[name] for name in names if name in libraries), None)
        if library is not None and library.is_file():
            return distribution, version, library
    raise DeviceError(f"no Tenstorrent PJRT plugin is installed; {INSTALL}")


class TenstorrentBackend:
    """One board, real or described."""

    def __init__(self, board: str) -> None:
        self._board = board

    def open(self) -> Opening:
        """Open the card, or the description of one."""
        from bringup.harness.devices.backends.system_desc import write_descriptor

        distribution, version, library = find_plugin()
        executes = has_card()
        note = f"{distribution} {version}"
        if not executes:
            note += "; no card: compiles against a generated system descriptor"
        self._pjrt = PjrtBackend("tt", library.resolve())
        # tt-metal writes `generated/` into the working directory, which is the user's
        with _shared_assets() as folder, contextlib.chdir(folder):
            if not executes:
                descriptor = folder / f"{self._board}.ttsys"
                write_descriptor(self._board, descriptor, distribution, version)
                os.environ[DESCRIPTOR_VARIABLE] = str(descriptor)
            opened = self._pjrt.open()
        if executes:
            self._check_board(opened)
        return Opening(
            platform=opened.platform,
            kind=opened.kind,
            count=opened.count,
            executes=executes,
            stablehlo_version=opened.stablehlo_version,
            note=note,
        )

    def _check_board(self, opened: Opening) -> None:
        from bringup.harness.devices.backends.system_desc import load_board

        board = load_board(self._board)
        arch, chips = board.arch, len(board.chips)
        if arch.lower() != opened.kind.lower() or chips != opened.count:
            raise DeviceError(
                f"this machine's card is {opened.count} x {opened.kind}, "
                f"not the {chips} x {arch} of a {self._board}"
            )

    def compile(self, stablehlo: bytes, options: dict[str, str]) -> tuple[Any, tuple[Level, ...]]:
        """Compile and collect the levels the plugin wrote, also of a compile that failed."""
        return self._collected(options, lambda told: self._pjrt.load(stablehlo, told))

    def compile_placed(
        self, stablehlo: bytes, options: dict[str, str], placed: Placed
    ) -> tuple[Any, tuple[Level, ...]]:
        """The same for some of the board's chips."""
        return self._collected(
            options, lambda told: self._pjrt.load_placed(stablehlo, told, placed)
        )

    def _collected(
        self, options: dict[str, str], load: Callable[[dict[str, str]], Any]
    ) -> tuple[Any, tuple[Level, ...]]:
        with tempfile.TemporaryDirectory(prefix=_FOLDER) as folder, contextlib.chdir(folder):
            try:
                executable = load({**options, "export_path": folder})
            except CompileError as error:
                raise CompileError(str(error), read_levels(Path(folder))) from error
            binaries = sorted(Path(folder).glob("*.ttnn"))
            self._binary = binaries[-1].read_bytes() if binaries else b""
            return (executable, self._binary), read_levels(Path(folder))

    def run(self, executable: Any, inputs: Sequence[Array]) -> list[Array]:
        """Run on the card."""
        return self._pjrt.run(executable[0], inputs)

    def serialize(self, executable: Any) -> bytes:
        """The TTNN flatbuffer."""
        return bytes(executable[1])


@contextlib.contextmanager
def _shared_assets() -> Iterator[Path]:
    """Open the plugin with a temporary folder of its own, but share what it unpacks.

    The plugin copies the descriptor to a fixed name in the temporary folder and reads it again at
    every compile: two processes with one folder compile for each other's board. It also unpacks
    about 420 MB there on its first use, which are moved to this user's part of the common folder
    and linked. What lies in the common folder itself is code that runs: it is used when it is
    root's or ours and nobody else can write it.

    The plugin writes all of it anew whenever it is opened, so that only one may do so in the common
    folder at a time. Who would have to wait for longer than others take to open, because one of
    them hangs, unpacks it for itself alone.
    """
    own, common = Path(tempfile.gettempdir()), Path(os.environ[COMMON_FOLDER_VARIABLE])
    mine = private_folder(common)
    lock = FileLock(mine / "tt-open.lock", timeout=_LOCK_S, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        yield own
        return
    try:
        for assets in (*mine.glob(ASSETS), *filter(is_trusted, common.glob(ASSETS))):
            if not (own / assets.name).is_symlink():
                (own / assets.name).symlink_to(assets)
        yield own
        for assets in own.glob(ASSETS):
            if not assets.is_symlink():
                _share(assets, mine / assets.name)
    finally:
        lock.release()


def _share(assets: Path, place: Path) -> None:
    """Move what was unpacked to where this user's others find it."""
    half = place.with_name("half-moved")  # it may lie on another disk, and we may be killed
    shutil.rmtree(half, ignore_errors=True)
    shutil.move(assets, half)
    half.rename(place)
    assets.symlink_to(place)


def levels_left(scratch: Path) -> tuple[Level, ...]:
    """The levels that a compilation had written when its host was stopped."""
    folders = sorted(scratch.glob(f"{_FOLDER}*"))
    return tuple(level for folder in folders for level in read_levels(folder))


def read_levels(folder: Path) -> tuple[Level, ...]:
    """TTIR and TTNN text among the files the plugin exported (`irs/ttir_<time>.mlir` ...)."""
    texts: dict[str, str] = {}
    for path in sorted((folder / "irs").glob("*.mlir")):
        match = _DUMP_NAME.fullmatch(path.name)
        level = _LEVELS.get(match["level"]) if match else None
        if level:
            texts[level] = path.read_text(errors="replace")
    return tuple(Level(name, texts[name]) for name in _LEVELS.values() if name in texts)
