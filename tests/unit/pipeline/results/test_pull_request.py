# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Moves as a change to review; as a commit; and taken back by somebody, in a real repository."""

import io
import subprocess
from pathlib import Path

import pytest

from bringup.harness.records.expected import Expectation
from bringup.harness.records.moves import Evidence, Move
from bringup.harness.records.night import Moment
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.lists.lists import apply, edited_texts, read_lists
from bringup.pipeline.lists.specs import NIGHTLY_FULL, SHIPPED
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.list_change import prepare
from bringup.pipeline.results.list_commits import commit_moves, suggested_pins, uncommitted, undone
from bringup.pipeline.results.pull_request import LIMIT, pull_request, write_pull_request
from tests.unit import run_builder as made

NIGHT = Moment("nightly-13", made.STARTED)
BERT = "tests/models/bert/test_bert.py::test_bert[full-eval]"
T5 = "tests/models/t5/test_t5.py::test_t5[full-eval]"
FULL = NIGHTLY_FULL.name
ISSUE = "https://example.com/issues/7"


def move(model: str = "t5", was: str = "op by op", to: str = "full", **fields: object) -> Move:
    values: dict[str, object] = {
        "test": f"tests/models/{model}/test_{model}.py::test_{model}[full-eval]",
        "device": "cpu",
        "move": "add" if to == "full" else "remove",
        "list": FULL,
        "reason": "20 good attempts one after another",
        "key": f"{model}[full-eval]@cpu",
        "was": was,
        "to": to,
        "evidence": Evidence(flake_rate=0.013),
        "owner": "@ada",
    }
    return Move(**(values | fields))  # type: ignore[arg-type]


def test_a_reviewer_sees_what_moves_and_on_what_evidence() -> None:
    moves = [move(), move("bert", "full", "op by op"), move("vit", "new", "op by op")]
    found = pull_request(moves, NIGHT, {"t5[full-eval]@cpu": "FF...."}, ["a pin would keep it"])
    assert found.title == "Lists after the night of 2026-11-22: 1 up, 1 down, 1 new"
    assert found.branch.startswith("promote/2026-11-22-")
    for part in ("## Up (1)", "## Down (1)", "## New (1)", "FF....", "flake rate 1.3%", '"up" : 1'):
        assert part in found.body
    assert "`@ada`" in found.body and " @ada" not in found.body, "nobody is mentioned"
    assert "`a pin would keep it`" in found.body
    assert pull_request(moves[::-1], NIGHT).branch == found.branch


def test_moves_of_one_test_are_one_row() -> None:
    weekly = move(list="weekly_op_by_op")
    body = pull_request([move(), weekly, move(list="x", move="remove")], NIGHT).body
    assert "## Up (1)" in body and body.count("`t5[full-eval]`") == 1


def test_a_body_is_never_longer_than_the_platform_takes(tmp_path: Path) -> None:
    moves = [move(f"m{i:04}", reason="because " * 40) for i in range(2000)]
    found = pull_request(moves, NIGHT)
    assert len(found.body.encode()) <= LIMIT
    shown = found.body.count("`cpu`")
    assert f"{2000 - shown} more tests are left out here" in found.body and shown > 100
    paths = write_pull_request(tmp_path, found, "diff")
    assert [p.name for p in paths] == ["branch", "title", "body.md", "lists.diff", "commands.sh"]
    assert f"git push origin {found.branch}" in paths[-1].read_text()


def test_a_night_without_moves_may_have_incidents() -> None:
    found = pull_request([], NIGHT, incidents={"0ca5.toml": "x"})
    assert found.title.endswith(": incidents") and "the incident 0ca5.toml goes along" in found.body


# --- git ------------------------------------------------------------------------------------


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "lists"
    folder.mkdir()
    for spec in SHIPPED:
        (folder / spec.file_name).write_text("")
    (folder / f"{FULL}.toml").write_text(f'# ours\n[cpu]\ntests = [\n  "{BERT}",\n]\n')
    git(tmp_path, "init", "-q", "-b", "main")
    for name in ("name", "email"):
        git(tmp_path, "config", f"user.{name}", "somebody")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "the lists")
    return tmp_path


MOVES = [
    move(expectation=Expectation(disabled="pcc", issue=ISSUE)),
    move("bert", "full", "op by op"),
]
KEYS = {(T5, "cpu"): "t5[full-eval]@cpu", (BERT, "cpu"): "bert[full-eval]@cpu"}


def committed(root: Path, branch: str = "promote") -> str:
    return commit_moves(root, branch, "They move", MOVES, edited_texts(root / "lists", MOVES))


def taken_back(root: Path) -> list[tuple[str, str]]:
    return [(u.move, u.test) for u in undone(root, read_lists(root / "lists"))]


def test_moves_are_committed_beside_the_work_tree_and_once(root: Path) -> None:
    (root / "lists" / f"{FULL}.toml").open("a").write("# not saved yet\n")
    first = committed(root)
    assert git(root, "rev-parse", "promote") == first == committed(root)
    assert git(root, "status", "--short") == "M lists/nightly_full_model_execute.toml"
    assert git(root, "diff", "--stat", "main", "promote").endswith("(+), 1 deletion(-)")
    git(root, "branch", "-f", "promote", "main")
    with pytest.raises(PipelineError, match="a branch promote with something else on it"):
        committed(root)


def test_lists_outside_the_checkout_cannot_be_committed(root: Path, tmp_path: Path) -> None:
    outside = {tmp_path.parent / "nightly.toml": ""}
    with pytest.raises(PipelineError, match=r"nightly\.toml is not in the checkout"):
        commit_moves(root, "b", "t", MOVES, outside)


def test_what_is_not_committed_of_a_folder_goes_along(root: Path) -> None:
    folder = root / "lists" / "incidents"
    assert uncommitted(root, folder) == {}
    folder.mkdir()
    (folder / "a b.toml").write_text("a")
    assert uncommitted(root, folder) == {folder / "a b.toml": "a"}
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    (folder / "a b.toml").write_text("b")
    assert list(uncommitted(root, folder).values()) == ["b"]
    assert uncommitted(root.parent, root.parent / "x") == {}


def test_a_revert_and_an_edit_that_undo_a_move_are_seen(root: Path) -> None:
    assert taken_back(root) == []
    committed(root)
    git(root, "merge", "-q", "promote")
    assert taken_back(root) == []
    git(root, "revert", "--no-edit", "HEAD")
    assert taken_back(root) == [("remove", BERT), ("add", T5)]
    git(root, "reset", "-q", "--hard", "HEAD~1")
    path = root / "lists" / f"{FULL}.toml"
    path.write_text(f'[cpu]\ntests = [\n  "{T5}",\n]\n')  # the check is on again
    assert taken_back(root) == [("add", T5)]
    [said] = suggested_pins(undone(root, read_lists(root / "lists")), KEYS, ())
    assert 'a pin "t5[full-eval]@cpu" in [pins] of policy.toml' in said
    assert suggested_pins(undone(root, read_lists(root / "lists")), KEYS, set(KEYS.values())) == []


def test_a_later_move_of_ours_is_nobodys_edit(root: Path) -> None:
    committed(root)
    git(root, "merge", "-q", "promote")
    back = [move("bert"), move(to="op by op", was="full")]
    commit_moves(root, "back", "They are back", back, edited_texts(root / "lists", back))
    git(root, "merge", "-q", "back")
    assert taken_back(root) == []


@pytest.mark.parametrize("detached", [False, True])
def test_what_somebody_edits_in_a_list_does_not_go_along(
    root: Path, monkeypatch: pytest.MonkeyPatch, detached: bool
) -> None:
    monkeypatch.chdir(root)
    if detached:
        git(root, "checkout", "-q", "--detach")
    run_dir = made.write_run(root / "run", [made.record()])
    (root / "other.txt").write_text("not ours")  # whatever else is edited is nobody's business
    lists, said = Path("lists"), io.StringIO()
    path = root / lists / f"{FULL}.toml"
    before = path.read_text()
    path.write_text(before.replace("# ours", "# not yet committed"))
    with pytest.raises(PipelineError, match=f"{FULL}.toml has changes that are not committed"):
        prepare(run_dir, lists, MOVES, [], [], True, Speaker(said))
    assert git(root, "branch", "--list", "promote/*") == ""
    path.write_text(before)
    prepare(run_dir, lists, MOVES, [], [], True, Speaker(said))
    [branch] = git(root, "branch", "--list", "promote/*").split()
    assert "# ours" in git(root, "show", f"{branch}:lists/{FULL}.toml")
    prepare(run_dir, lists, MOVES, [], [], True, Speaker(said))  # twice is once
    assert git(root, "branch", "--list", "promote/*").split() == [branch]


def test_without_git_nothing_is_remembered(tmp_path: Path) -> None:
    for spec in SHIPPED:
        (tmp_path / spec.file_name).write_text("")
    assert undone(tmp_path, read_lists(tmp_path)) == []
    apply(tmp_path, [move()])
    with pytest.raises(PipelineError, match="git read-tree: "):
        commit_moves(tmp_path, "b", "t", [move()], {})
