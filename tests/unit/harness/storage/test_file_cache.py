# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is kept by key, whatever becomes of its files."""

import hashlib
import os
import resource
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest

from bringup.harness.storage.file_cache import FileCache

KEY, OTHER = (hashlib.sha256(text).hexdigest() for text in (b"one", b"two"))
CONTENT = b"stablehlo" * 1000


def test_what_is_put_is_there_for_all(tmp_path: Path) -> None:
    assert FileCache(tmp_path).get(KEY) is None
    assert FileCache(tmp_path).put(KEY, CONTENT)
    assert FileCache(tmp_path).get(KEY) == CONTENT
    assert FileCache(tmp_path).get(OTHER) is None
    FileCache(tmp_path).put(KEY, b"")
    assert FileCache(tmp_path).get(KEY) == b""


@pytest.mark.parametrize("at", [0, 31, 32, 40, -1])
def test_a_bit_that_turned_is_a_miss_and_can_be_put_again(tmp_path: Path, at: int) -> None:
    files = FileCache(tmp_path)
    files.put(KEY, CONTENT)
    whole = bytearray(files.path(KEY).read_bytes())
    whole[at] ^= 1
    files.path(KEY).write_bytes(whole)
    assert files.get(KEY) is None
    assert files.put(KEY, CONTENT)
    assert files.get(KEY) == CONTENT


def test_what_was_cut_or_lies_under_another_key_is_a_miss(tmp_path: Path) -> None:
    files = FileCache(tmp_path)
    files.put(KEY, CONTENT)
    files.path(OTHER).parent.mkdir()
    files.path(OTHER).write_bytes(files.path(KEY).read_bytes())
    assert files.get(OTHER) is None
    for size in (0, 10, 32, 50):
        os.truncate(files.path(KEY), size)
        assert files.get(KEY) is None


def test_what_is_no_file_is_a_miss(tmp_path: Path) -> None:
    files = FileCache(tmp_path)
    files.path(KEY).parent.mkdir()
    os.mkfifo(files.path(KEY))
    files.path(OTHER).mkdir(parents=True)
    assert files.get(KEY) is None and files.get(OTHER) is None


def test_two_writers_and_a_reader_see_whole_entries(tmp_path: Path) -> None:
    found: set[bytes | None] = set()
    done = threading.Event()

    def write(content: bytes) -> None:
        for _ in range(50):
            FileCache(tmp_path).put(KEY, content)

    def read() -> None:
        while not done.is_set():
            found.add(FileCache(tmp_path).get(KEY))

    FileCache(tmp_path).put(KEY, b"a" * 9000)
    reader = threading.Thread(target=read)
    reader.start()
    writers = [threading.Thread(target=write, args=(bytes([c]) * 9000,)) for c in b"ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    done.set()
    reader.join()
    assert found <= {b"a" * 9000, b"b" * 9000}
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [KEY]


def test_a_file_that_cannot_be_written_is_said_once_and_leaves_nothing(tmp_path: Path) -> None:
    """In a child, since the limit on a file's size stands for a full disk."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        said: list[str] = []
        files = FileCache(tmp_path, said.append)
        kept = [files.put(key, os.urandom(4000)) for key in (KEY, OTHER)]
        left = [path for path in tmp_path.rglob("*") if path.is_file()]
        right = kept == [False, False] and len(said) == 1 and not left
        os._exit(0 if right and "nothing added" in said[0] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_place_that_is_no_folder_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    files = FileCache(tmp_path / "file" / "kept", said.append)
    assert not files.put(KEY, CONTENT) and files.get(KEY) is None
    files.forget(KEY)
    assert files.prune(1.0, 1)[:2] == (0, 0)
    assert len(said) == 1 and "file/kept" in said[0]


@pytest.mark.parametrize("mode", [0o000, 0o555])
def test_anothers_folder_is_read_or_done_without(mode: int) -> None:
    """In a child, as a user who is nobody to the folder, which lies where all may look."""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        folder = Path(place) / "kept"
        FileCache(folder).put(KEY, CONTENT)
        Path(place).chmod(0o755)
        (folder / KEY[:2]).chmod(0o555)
        folder.chmod(mode)
        child = os.fork()
        if not child:
            if os.getuid() == 0:
                os.setuid(65534)
            said: list[str] = []
            files = FileCache(folder, said.append)
            seen = files.get(KEY)
            kept = files.put(OTHER, CONTENT), files.put(OTHER, b"")
            files.forget(KEY)
            left = files.prune(0.0, 0)
            right = (seen, left.kept) == ((CONTENT, 1) if mode else (None, 0))
            os._exit(0 if right and kept == (False, False) and len(said) == 1 else 1)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        folder.chmod(0o755)
        (folder / KEY[:2]).chmod(0o755)
    assert code == 0


def test_the_oldest_go_first_and_what_a_dead_writer_left_goes_too(tmp_path: Path) -> None:
    files, now = FileCache(tmp_path), time.time()
    keys = [hashlib.sha256(bytes([n])).hexdigest() for n in range(4)]
    for age, key in enumerate(keys):
        files.put(key, os.urandom(1000))
        os.utime(files.path(key), (now, now - 3600.0 * age))
    size = files.path(keys[0]).stat().st_size
    torn = files.path(keys[0]).with_name(f".{keys[0]}-12-ab")
    torn.write_bytes(b"half")
    os.utime(torn, (now, now - 7200.0))
    fresh = files.path(keys[0]).with_name(f".{keys[0]}-13-ab")
    fresh.write_bytes(b"half")
    left = files.prune(2.5 * 3600, 2 * size)
    assert (left.kept, left.removed) == (2, 2)
    assert [files.get(key) is not None for key in keys] == [True, True, False, False]
    assert fresh.exists() and not torn.exists()


def test_what_is_read_counts_as_used(tmp_path: Path) -> None:
    files = FileCache(tmp_path)
    files.put(KEY, CONTENT)
    old = time.time() - 30 * 86400.0
    os.utime(files.path(KEY), (old, old))
    assert files.get(KEY) == CONTENT
    assert files.prune(86400.0, 1 << 30).kept == 1
