# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The lists: read with line numbers, checked with sentences, edited without losing a word."""

import random
import re
import shutil
import subprocess
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bringup.harness.records.moves import Move
from bringup.harness.storage.atomic import write_atomically
from bringup.pipeline.errors import ListError
from bringup.pipeline.lists import lists as lists_module
from bringup.pipeline.lists.list_file import parse
from bringup.pipeline.lists.lists import (
    apply,
    diff,
    naming_problems,
    problems,
    read_lists,
)
from bringup.pipeline.lists.specs import (
    NIGHTLY_E2E_COMPILE,
    NIGHTLY_FULL,
    NIGHTLY_OP_BY_OP,
    SHIPPED,
    WEEKLY_FULL,
    WEEKLY_OP_BY_OP,
    ListSpec,
)

RESNET = "tests/models/resnet/test_resnet.py::test_resnet50[full-eval]"
RESNET_OPS = "tests/models/resnet/test_resnet.py::test_resnet50[op_by_op_torch-eval]"
T5 = "tests/models/t5/test_t5.py::test_t5[full-t5-large-eval]"
T5_OPS = "tests/models/t5/test_t5.py::test_t5[op_by_op_torch-t5-large-eval]"
YOLO = "tests/models/yolo/test_yolo_onnx.py::test_yolo_onnx[full-eval]"
EVERY = [RESNET, RESNET_OPS, T5, T5_OPS, YOLO]
DEVICES = ["cpu", "n150", "n300", "iree-cpu"]

FULL = f"""\
# Models that run end to end.

# the reference
[cpu]  # every push
tests = [  # sorted by folder
  # --- vision
  "tests/models/alexnet/test_alexnet.py::test_alexnet[full-eval]",   # the first of its kind
  "{RESNET}",

  # --- language
  # two lines on purpose
  '{T5}' # needs 12 GB
  # the end
]  # cpu

["n150"]
tests = ["a/test_a.py::test_a[full-eval]", "b/test_b.py::test_b[full-eval]"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in SHIPPED:
        (tmp_path / name.file_name).write_text("# a list\n\n[cpu]\ntests = []\n")
    return tmp_path


def write(folder: Path, text: str, name: ListSpec = NIGHTLY_FULL) -> Path:
    path = folder / name.file_name
    path.write_text(text)
    return path


def listed(folder: Path, *tests: str, name: ListSpec = NIGHTLY_FULL) -> None:
    lines = "".join(f'  "{test}",\n' for test in tests)
    write(folder, f"[cpu]\ntests = [\n{lines}]\n", name)


def move(what: str, test: str, device: str = "cpu", name: ListSpec = NIGHTLY_FULL) -> Move:
    return Move(test, device, what, name.name, "because")


def comments(text: str) -> Counter[str]:
    return Counter(comment.strip() for comment in re.findall(r"#[^\n]*", text))


class TestReading:
    def test_the_projects_own_lists_are_lists(self) -> None:
        read_lists(Path(__file__).parents[3] / "lists")

    def test_entries_carry_list_device_and_line(self, folder: Path) -> None:
        write(folder, FULL)
        entries = read_lists(folder).of(NIGHTLY_FULL)
        assert [(e.device, e.line) for e in entries] == [
            ("cpu", 7),
            ("cpu", 8),
            ("cpu", 12),
            ("n150", 17),
            ("n150", 17),
        ]
        assert entries[2].test == T5

    def test_of_narrows_to_one_device(self, folder: Path) -> None:
        write(folder, FULL)
        assert len(read_lists(folder).of(NIGHTLY_FULL, "n150")) == 2

    def test_only_the_e2e_compile_list_stops_early(self) -> None:
        environments = {name: name.environment for name in SHIPPED if name.environment}
        assert environments == {NIGHTLY_E2E_COMPILE: {"TT_TORCH_COMPILE_DEPTH": "TTNN_IR"}}

    def test_every_list_says_what_it_is_for(self) -> None:
        assert len({name.description for name in SHIPPED}) == len(SHIPPED) == 5

    def test_an_absent_list_is_refused_rather_than_empty(self, folder: Path) -> None:
        (folder / "weekly_op_by_op.toml").unlink()
        with pytest.raises(ListError, match=r"weekly_op_by_op\.toml: No such file"):
            read_lists(folder)

    def test_a_folder_of_four_lists_is_as_good(self, folder: Path) -> None:
        write(folder, FULL)
        known = read_lists(folder).entries
        (folder / WEEKLY_FULL.file_name).unlink()
        assert read_lists(folder).entries == known != ()
        with pytest.raises(ListError, match="No such file"):
            read_lists(folder / "absent")

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("[cpu]\ntests = [\n", r"toml is not TOML: "),
            ("[cpu]\ntests = []\n[cpu]\ntests = []\n", r"toml is not TOML: "),
            (
                '[cpu]\ntests = [\n  "a::b[full-eval]",\n  5,\n]\n',
                r"toml:4: \[cpu\] tests\[1\] is `5`",
            ),
            ("[cpu]\ntests = [{ id = 'x' }]\n", r"toml:2: \[cpu\] tests\[0\] names no test"),
            ("[cpu]\ntests = [['x']]\n", r"toml:2: \[cpu\] tests\[0\] is `\['x'\]"),
            (
                "[cpu]\ntests = 'x'\n",
                r"toml:2: `tests = 'x'` stands where `tests = \[...\]` of \[cpu\]",
            ),
            (
                "[cpu]\ntest = []\n",
                r"toml:2: `test = \[\]` stands where `tests = \[...\]` of \[cpu\]",
            ),
            ("# x\n\ntests = []\n", r"toml:3: `tests = \[\]` stands where a \[device\] should"),
            ("[cpu]\n[n150]\ntests = []\n", r"toml:2: `\[n150\]` stands where `tests"),
            ("[n150]\n", r"toml:2: \[n150\] ends without `tests"),
            ("[cpu]\ntests = []\npcc = 1\n", r"toml:3: `pcc = 1` stands where a \[device\]"),
            ("[[cpu]]\ntests = []\n", r"toml:1: `\[\[cpu\]\]` stands where a \[device\]"),
            ('[cpu]\ntests = ["""a"""]\n', r"toml is TOML but not a list"),
        ],
    )
    def test_what_is_no_list_is_refused_with_file_line_and_field(
        self, folder: Path, text: str, sentence: str
    ) -> None:
        write(folder, text)
        with pytest.raises(ListError, match=sentence) as caught:
            read_lists(folder)
        assert "nightly_full_model_execute.toml" in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_bytes_that_are_no_text_are_refused(self, folder: Path) -> None:
        (folder / "nightly_op_by_op.toml").write_bytes(b"[cpu]\ntests = ['\xff']\n")
        with pytest.raises(ListError, match="not UTF-8"):
            read_lists(folder)
        (folder / "nightly_op_by_op.toml").write_bytes(b"\xef\xbb\xbf[cpu]\ntests = []\n")
        with pytest.raises(ListError, match="begins with a byte order mark"):
            read_lists(folder)


class TestEditing:
    def edited(self, folder: Path, *moves: Move) -> str:
        apply(folder, moves)
        return (folder / NIGHTLY_FULL.file_name).read_text()

    def test_nothing_to_do_leaves_every_byte(self, folder: Path) -> None:
        write(folder, FULL)
        moves = [move("add", RESNET), move("remove", YOLO), move("remove", RESNET, "n300")]
        assert apply(folder, moves) == []
        assert diff(folder, moves) == ""
        assert self.edited(folder) == FULL

    def test_a_new_entry_joins_its_relatives_above_the_next_groups_comment(
        self, folder: Path
    ) -> None:
        write(folder, FULL)
        bigger = RESNET.replace("resnet50", "resnet152")
        smaller = RESNET.replace("resnet50", "resnet18")
        text = self.edited(folder, move("add", bigger), move("add", smaller))
        assert text == FULL.replace(
            f'  "{RESNET}",\n', f'  "{bigger}",\n  "{smaller}",\n  "{RESNET}",\n'
        )

    def test_an_edit_of_lines_that_end_in_crlf_is_of_such_lines(self, folder: Path) -> None:
        path = folder / NIGHTLY_FULL.file_name
        path.write_bytes(FULL.replace("\n", "\r\n").encode())
        assert apply(folder, []) == []
        new = RESNET.replace("[full-eval]", "[full-train]")
        moves = [move("add", new), move("remove", T5)]
        shown = diff(folder, moves)
        assert shown.count("\n+  ") == shown.count("\n-  ") == 1
        apply(folder, moves)
        after = path.read_bytes().decode()
        assert after.count("\r\n") == after.count("\n") and new in after and T5 not in after
        path.write_bytes(FULL.encode())
        apply(folder, moves)
        assert after == path.read_text().replace("\n", "\r\n")

    def test_an_entry_goes_behind_the_last_of_a_group_not_into_the_next(self, folder: Path) -> None:
        write(folder, FULL)
        new = RESNET.replace("[full-eval]", "[full-train]")
        text = self.edited(folder, move("add", new))
        assert text == FULL.replace(f'  "{RESNET}",\n', f'  "{RESNET}",\n  "{new}",\n')

    def test_adding_last_mends_a_missing_comma_before_a_comment(self, folder: Path) -> None:
        write(folder, FULL)
        new = T5.replace("t5-large", "t5-small")
        text = self.edited(folder, move("add", new))
        assert f"  '{T5}',  # needs 12 GB\n  \"{new}\",\n  # the end\n]  # cpu\n" in text
        assert comments(text) == comments(FULL)

    @pytest.mark.parametrize("position", [0, 1, 2])
    def test_removing_takes_the_line_with_its_note_and_nothing_else(
        self, folder: Path, position: int
    ) -> None:
        path = write(folder, FULL)
        gone = parse(FULL, "x").tables[0].tests[position]
        apply(folder, [move("remove", gone)])
        assert path.read_text() == "".join(
            line for line in FULL.splitlines(keepends=True) if gone not in line
        )

    def test_removing_every_entry_keeps_the_comments_above_them(self, folder: Path) -> None:
        write(folder, FULL)
        gone = [move("remove", e.test) for e in read_lists(folder).of(NIGHTLY_FULL, "cpu")]
        text = self.edited(folder, *gone)
        assert comments(FULL) - comments(text) == Counter(
            ["# the first of its kind", "# needs 12 GB"]
        )
        assert tomllib.loads(text)["cpu"]["tests"] == []

    def test_an_empty_array_gets_one_entry_a_line(self, folder: Path) -> None:
        text = self.edited(folder, move("add", RESNET))
        assert text == f'# a list\n\n[cpu]\ntests = [\n  "{RESNET}",\n]\n'
        assert self.edited(folder, move("remove", RESNET)) == "# a list\n\n[cpu]\ntests = []\n"

    def test_a_device_gets_a_table_when_it_has_none(self, folder: Path) -> None:
        text = self.edited(folder, move("add", T5, "n150"), move("add", RESNET, "n150"))
        assert text == (
            f'# a list\n\n[cpu]\ntests = []\n\n[n150]\ntests = [\n  "{RESNET}",\n  "{T5}",\n]\n'
        )

    def test_a_file_of_comments_gets_its_first_table(self, folder: Path) -> None:
        write(folder, "# only words")
        assert self.edited(folder, move("add", RESNET)).startswith("# only words\n\n[cpu]\ntests")

    def test_entries_on_one_line_are_spread_out_when_edited(self, folder: Path) -> None:
        write(folder, FULL)
        text = self.edited(folder, move("remove", "a/test_a.py::test_a[full-eval]", "n150"))
        assert text.endswith('["n150"]\ntests = [\n  "b/test_b.py::test_b[full-eval]",\n]\n')

    def test_a_note_follows_its_entry_from_list_to_list(self, folder: Path) -> None:
        other = write(folder, f'[cpu]\ntests = [\n  "{T5_OPS}",  # slow\n]\n', NIGHTLY_OP_BY_OP)
        apply(
            folder,
            [
                move("add", T5_OPS, name=WEEKLY_OP_BY_OP),
                move("remove", T5_OPS, name=NIGHTLY_OP_BY_OP),
            ],
        )
        weekly = (folder / WEEKLY_OP_BY_OP.file_name).read_text()
        assert f'  "{T5_OPS}",  # slow\n' in weekly
        assert other.read_text() == "[cpu]\ntests = []\n"

    def test_a_test_that_changes_lists_is_on_one_of_them_after_every_write(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        listed(folder, T5)
        listed(folder, RESNET_OPS, name=NIGHTLY_OP_BY_OP)
        down = [move("remove", T5), move("add", T5_OPS, name=NIGHTLY_OP_BY_OP)]
        up = [move("add", RESNET), move("remove", RESNET_OPS, name=NIGHTLY_OP_BY_OP)]
        models = []

        def watched(path: Path, data: bytes) -> Path:
            write_atomically(path, data)
            models.append({e.identity.model for e in read_lists(folder).entries})
            return path

        monkeypatch.setattr(lists_module, "write_atomically", watched)
        apply(folder, [*down, *up])
        assert len(models) > 2 and all(len(there) == 2 for there in models)
        assert [e.test for e in read_lists(folder).of(NIGHTLY_FULL)] == [RESNET]
        assert [e.test for e in read_lists(folder).of(NIGHTLY_OP_BY_OP)] == [T5_OPS]

    def test_who_edits_at_once_waits_for_the_other(self, folder: Path) -> None:
        tests = [f"tests/models/m/test_m{i}.py::test_m[full-eval]" for i in range(24)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda test: apply(folder, [move("add", test)]), tests))
        assert {e.test for e in read_lists(folder).entries} == set(tests)

    def test_a_link_to_a_list_stays_one(self, folder: Path, tmp_path: Path) -> None:
        path = folder / NIGHTLY_FULL.file_name
        path.rename(tmp_path / "shared.toml")
        path.symlink_to(tmp_path / "shared.toml")
        assert apply(folder, [move("add", T5)]) == [path]
        assert path.is_symlink() and T5 in (tmp_path / "shared.toml").read_text()

    def test_what_python_takes_for_the_end_of_a_line_is_none_in_a_diff(self, folder: Path) -> None:
        write(folder, f'[cpu] # a\u0085b\ntests = [\n  "{RESNET}",  # x\u2028y\n]\n')
        assert "No newline" not in diff(folder, [move("add", T5)])

    def test_ids_with_quotes_and_backslashes_survive(self, folder: Path) -> None:
        odd = r'tests/models/x/test_x.py::test_x[full-a"b\u2191-é-eval]'
        apply(folder, [move("add", odd)])
        assert [e.test for e in read_lists(folder).entries] == [odd]
        assert apply(folder, [move("add", odd)]) == []

    def test_an_opening_comment_with_a_bracket_stays_a_comment(self, folder: Path) -> None:
        write(folder, f'[cpu]\ntests = [ # see [1]\n  "{RESNET}"\n]\n')
        text = self.edited(folder, move("remove", RESNET))
        assert text == "[cpu]\ntests = [ # see [1]\n]\n"

    def test_a_diff_shows_what_apply_does_and_writes_nothing(self, folder: Path) -> None:
        write(folder, FULL)
        moves = [move("add", YOLO), move("remove", T5), move("add", RESNET, "n300")]
        patch = diff(folder, moves)
        assert (folder / NIGHTLY_FULL.file_name).read_text() == FULL
        assert f'+  "{YOLO}",\n' in patch
        assert f"-  '{T5}' # needs 12 GB\n" in patch
        apply(folder, moves)
        assert diff(folder, moves) == ""

    @pytest.mark.skipif(shutil.which("git") is None, reason="git is what applies the patch")
    def test_a_diff_is_a_patch_that_git_takes(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder)
        write(folder, FULL.rstrip("\n"))
        moves = [move("add", YOLO), move("add", RESNET, "n300")]
        patch = diff(Path(), moves)
        subprocess.run(["git", "apply", "-"], input=patch, text=True, check=True, cwd=folder)
        assert apply(Path(), moves) == []

    @pytest.mark.parametrize(
        ("bad", "sentence"),
        [
            (Move(T5, "cpu", "add", "nightly_e2e", "x"), "did you mean nightly_e2e_compile?"),
            (Move(T5, "cpu", "promote", "nightly_e2e_compile", "x"), "neither `add` nor"),
            (Move("x\n]\n[evil]", "cpu", "add", "nightly_e2e_compile", "x"), "no pytest id"),
            (Move(T5, "a\nb", "add", "nightly_e2e_compile", "x"), "no pytest id"),
        ],
    )
    def test_a_move_that_makes_no_sense_touches_no_file(
        self, folder: Path, bad: Move, sentence: str
    ) -> None:
        with pytest.raises(ListError, match=re.escape(sentence)):
            apply(folder, [move("add", RESNET), bad])
        assert read_lists(folder).entries == ()

    @pytest.mark.parametrize("seed", range(300))
    def test_any_edit_of_any_layout_keeps_comments_values_and_validity(self, seed: int) -> None:
        chance = random.Random(seed)
        before = random_list(chance)
        found = parse(before, "random.toml")
        assert found.render() == before
        table = found.table("cpu")
        wanted = set(table.tests)
        gone = set()
        for step in range(chance.randint(1, 5)):
            if wanted and chance.random() < 0.5:
                test = chance.choice(sorted(wanted))
                wanted.remove(test)
                gone.add(table.remove(test))
            else:
                test = f"{chance.choice('abc')}/test_{step}.py::test[full-eval]"
                wanted.add(test)
                table.add(test)
        after = found.render()
        assert sorted(tomllib.loads(after)["cpu"]["tests"]) == sorted(wanted)
        assert set(comments(before) - comments(after)) <= gone
        assert parse(after, "again.toml").render() == after


def random_list(chance: random.Random) -> str:
    """A valid list as people write them: any layout, comments anywhere."""
    names = [
        f"{chance.choice('abc')}/test_v{i}.py::test[full-eval]" for i in range(chance.randint(0, 5))
    ]
    if chance.random() < 0.25:
        inside = ", ".join(f'"{name}"' for name in names)
        return f"# head\n[cpu] # device\ntests = [{inside}]{chance.choice(['', ' # tail'])}\n"
    lines = ["# head", "", "[cpu]", "tests = [" + chance.choice(["", " # open"])]
    for i, name in enumerate(names):
        lines += [
            chance.choice([f"  # above {i}", "", f"# left {i}"])
            for _ in range(chance.randint(0, 2))
        ]
        comma = "" if i == len(names) - 1 and chance.random() < 0.5 else ","
        lines.append(f'  "{name}"{comma}{chance.choice(["", f" # note {i}", f"   # wide {i}"])}')
    lines += [chance.choice(["  # below", ""]) for _ in range(chance.randint(0, 2))]
    return "\n".join([*lines, "]", "", "[n150]", "tests = [", "]", ""])


class TestProblems:
    def of(self, folder: Path, collected: list[str] = EVERY) -> list[str]:
        return problems(read_lists(folder), collected, DEVICES, root=folder)

    def test_a_clean_list_has_none(self, folder: Path) -> None:
        listed(folder, RESNET, T5, YOLO)
        listed(folder, RESNET_OPS, name=WEEKLY_OP_BY_OP)
        listed(folder, T5_OPS, name=NIGHTLY_OP_BY_OP)
        assert self.of(folder) == []

    def test_an_entry_that_does_not_collect_names_the_nearest_that_does(self, folder: Path) -> None:
        listed(folder, RESNET.replace("resnet50", "resnet5"))
        (said,) = self.of(folder)
        assert said.startswith(f"{folder.as_posix()}/nightly_full_model_execute.toml:3: ")
        assert "test_resnet.py holds no such test" in said
        assert said.endswith(f"did you mean {RESNET}?")

    def test_it_says_whether_the_file_is_there(self, folder: Path) -> None:
        broken = folder / "tests/models/vit/test_vit.py"
        broken.parent.mkdir(parents=True)
        broken.touch()
        vit = "tests/models/vit/test_vit.py::test_vit[full-eval]"
        listed(folder, vit, vit.replace("vit", "deit"))
        first, second = self.of(folder)
        assert "exists and pytest collects nothing from it" in first
        assert "tests/models/deit/test_deit.py does not exist" in second

    def test_one_test_twice_in_a_file_or_on_two_lists_is_named_with_its_first_place(
        self, folder: Path
    ) -> None:
        listed(folder, RESNET, T5, RESNET)
        listed(folder, T5, name=NIGHTLY_E2E_COMPILE)
        first, second = self.of(folder)
        assert ".toml:5: " in first
        assert "on cpu it is already at" in first
        assert "nightly_full_model_execute.toml:3" in first
        assert "nightly_e2e_compile.toml:3: " in second
        assert "nightly_full_model_execute.toml:4" in second

    def test_one_test_on_two_devices_is_no_duplicate(self, folder: Path) -> None:
        write(folder, f'[cpu]\ntests = ["{T5}"]\n[n150]\ntests = ["{T5}"]\n')
        assert self.of(folder) == []

    def test_two_ids_with_one_identity_are_found_across_files(self, folder: Path) -> None:
        moved = T5.replace("tests/models/t5/", "tests/models/encoders/")
        listed(folder, T5)
        listed(folder, moved, name=NIGHTLY_E2E_COMPILE)
        (said,) = self.of(folder, [*EVERY, moved])
        assert f"it is the same test as {T5}" in said
        assert "t5[full-t5-large-eval]@cpu" in said

    def test_an_unknown_device_is_named_with_the_nearest(self, folder: Path) -> None:
        write(folder, f'[n15O]\ntests = ["{T5}"]\n')
        (said,) = self.of(folder)
        assert said.endswith("there is no device `n15O`; did you mean n150?")

    def test_a_flow_on_the_wrong_list_is_told_where_it_belongs(self, folder: Path) -> None:
        listed(folder, T5_OPS)
        listed(folder, RESNET, name=WEEKLY_OP_BY_OP)
        first, second = self.of(folder)
        assert first.endswith(
            "the flow op_by_op_torch belongs in weekly_op_by_op or nightly_op_by_op"
        )
        assert second.endswith(
            "the flow full belongs in nightly_full_model_execute or nightly_e2e_compile or "
            "weekly_full_model_execute"
        )

    @pytest.mark.parametrize(
        ("test", "sentence"),
        [
            (
                "a/test_x.py::test_x_onnx[full-eval]",
                "`test_x_onnx` says ONNX and `test_x` does not",
            ),
            (
                "a/test_x_onnx.py::test_x[full-eval]",
                "`test_x_onnx` says ONNX and `test_x` does not",
            ),
            ("a/test_x.py::test_x[eval]", "carries no flow"),
            ("a/test_x.py::test_x[full-large]", "carries no mode"),
            ("a/test_x_onnx.py::test_x_onnx[op_by_op_torch-eval]", "through StableHLO only"),
        ],
    )
    def test_the_naming_rule_has_a_sentence_for_each_breach(self, test: str, sentence: str) -> None:
        (said,) = naming_problems(test)
        assert sentence in said

    def test_a_loaders_file_is_called_as_its_repository_has_it(self) -> None:
        assert naming_problems("models/x/onnx/loader.py::test_x_onnx[full-float32-eval]") == []

    @pytest.mark.parametrize("test", EVERY)
    def test_the_pages_own_examples_follow_the_naming_rule(self, test: str) -> None:
        assert naming_problems(test) == []
