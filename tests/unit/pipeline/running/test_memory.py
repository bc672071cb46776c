# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the kernel says of memory, in both versions of its control groups."""

from pathlib import Path

from bringup.pipeline.running.memory import available, cgroup_of


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_a_version_2_group(tmp_path: Path) -> None:
    write(
        tmp_path / "job",
        memory__max="1000\n",
        memory__current="700\n",
        memory__stat="anon 500\ninactive_file 150\n",
        memory__events="oom 1\noom_kill 3\n",
    )
    group = cgroup_of("0::/job\n", tmp_path)
    assert group is not None and group.free() == 450
    (tmp_path / "job" / "memory.max").write_text("max\n")
    assert group.free() is None


def test_a_version_1_group(tmp_path: Path) -> None:
    write(
        tmp_path / "memory" / "job",
        memory__limit_in_bytes="1000\n",
        memory__usage_in_bytes="1100\n",
        memory__stat="inactive_file 1\ntotal_inactive_file 50\n",
        memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    )
    group = cgroup_of("5:devices:/\n4:cpu,memory:/job\n0::/\n", tmp_path)
    assert group is not None and group.free() == 0
    assert group.events.name == "memory.oom_control"


def test_the_root_group_has_no_limits(tmp_path: Path) -> None:
    assert cgroup_of("0::/\n", tmp_path) is None


def test_this_machine_has_memory() -> None:
    assert available() > 0
