# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""index.html: read back with a parser that believes nothing."""

import base64
import hashlib
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bringup.harness.records.moves import Move
from bringup.harness.records.night import NIGHT_SCHEMA, NightVerdict
from bringup.harness.records.outcomes import LEFT_OUT
from bringup.harness.records.reduced import Reduced
from bringup.harness.records.reproducible import reproducer_name
from bringup.harness.records.schema import (
    Artifact,
    Check,
    Failure,
    Identity,
    Metric,
    Outcome,
    OutputCheck,
    PlannedTest,
    Provenance,
    Shown,
    Stage,
    StageResult,
    Status,
    TestRecord,
)
from bringup.harness.reduce.model_reproducer import expected_of, write_model
from bringup.reports.build import load
from bringup.reports.html.artifact_pages import ArtifactPages
from bringup.reports.html.pack import LEAST, STEP
from bringup.reports.html.run_page import render
from bringup.reports.model.run import anchor_of
from bringup.reports.text.legend import OUTCOMES
from tests.unit.reports.html.unpacked import columns, details, texts
from tests.unit.run_builder import (
    PROVENANCE,
    identity,
    not_run,
    op_result,
    output,
    plan_of,
    record,
    stages,
    write_run,
)

NASTY = (
    "<script>alert(1)</script>",
    "</textarea></title></style></script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "' onmouseover='alert(4)",
    "javascript:alert(5)",
    "{{ 7 * 7 }}{% raw %}",
    "null \x00 byte \x1b[31mred",
    "right \u202e to left",
    "]]><!--<svg onload=alert(6)>",
    "&lt;script&gt;",
)


class Page(HTMLParser):
    """What a browser would make of a page: tags with attributes, and text."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        else:
            self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [a for t, a in self.tags if t == tag and wanted.items() <= a.items()]


@pytest.fixture
def source(tmp_path: Path) -> Any:
    """The page's source for a run of the given records."""

    def build(*records: TestRecord, pages: ArtifactPages | None = None, **run: Any) -> str:
        return render(load(write_run(tmp_path, records, **run)), pages or ArtifactPages({}))

    return build


def nasty_record(text: str) -> TestRecord:
    """A record in which everything that can hold text holds `text`."""
    artifact = Artifact(text, "0" * 64, 12)
    return TestRecord(
        identity=Identity(text, text, text, text, text, text),
        nodeid=text,
        outcome=Outcome.FAILED,
        status=Status.EXECUTED,
        model_status=record().model_status,
        model_name=text,
        model_group=text,
        depth=text,
        stages=(
            StageResult(Stage.LOAD, False, 1.0, artifacts=(artifact,), attributes={text: text}),
        ),
        outputs=(
            OutputCheck(text, (1,), text, (Check(text, Metric.of(1), 2.0, False, True, text),)),
        ),
        failure=Failure(Stage.LOAD, text, text, artifact),
        assertions={text: text},
        notes=(text, f"https://example.com/{text}"),
        warnings=(text,),
        shown=(Shown(name=text, text=text), Shown(name=text, picture=text.encode())),
        provenance="a",
    )


# --- nothing from a record runs or loads -----------------------------------------------------


@pytest.mark.parametrize("text", NASTY)
def test_nothing_of_a_hostile_record_becomes_markup(source: Any, text: str) -> None:
    provenance = Provenance((text,), text, 1, text, True, {text: text}, text, 0, 1, 1)
    first, second = nasty_record(text), nasty_record(text)
    lost = PlannedTest(identity(text, text, variant="lost"), text, text)
    plan = plan_of([first.identity])
    plan = type(plan)(run_id=text, created=0, session=text, tests=(*plan.tests, lost), total=2)
    html = source(
        first,
        second,
        plan=plan,
        moves=[Move(text, text, text, text, text)],
        missing=(text,),
        provenance=provenance,
        pages=ArtifactPages({"0" * 64: "ir/0.html"}, (text,)),
    )
    page = Page(html)
    names = {name for _, attributes in page.tags for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in ("src", "style")]
    assert {tag for tag, _ in page.tags} <= ALLOWED
    for link in page.all("a"):
        href = link.get("href", "")
        assert re.match(r"#|models\.xlsx$|https?://example\.com/", href), href
    said = [html, texts(details(html)), texts(columns(html, "grid-data"))]
    assert not [mark for mark in ("\x00", "\u202e", "\x1b") if mark in "".join(said)]
    assert len([s for s in page.all("script") if "type" not in s]) == 1


ALLOWED = set(
    """a aside b bdi body button code dd details div dl dt footer h1 h2 h3 head header html i input
    label legend li link main meta noscript ol option p polyline pre rect script section select
    small span style summary svg table tbody td th thead time title tr ul""".split()  # noqa: SIM905
)


PNG = b"\x89PNG\r\n\x1a\n rest"
SAID = (
    Shown(name="accuracy", number=Metric.of(0.96875)),
    Shown(name="text", text="HELLO <2026>"),
    Shown(name="picture", picture=PNG),
)


def test_what_a_model_said_is_in_a_table_and_in_the_panel(source: Any) -> None:
    html = source(record(identity("ppocr"), shown=SAID), record(identity("bert")))
    page, shown = Page(html), base64.b64encode(PNG).decode()
    (image,) = page.all("img")
    assert image == {"src": f"data:image/png;base64,{shown}", "alt": "picture"}
    assert "What models said 1 result" in page.text
    assert "HELLO <2026>" in page.text and "0.9688" in page.text
    (said,) = (detail["g"] for detail in details(html) if "g" in detail)
    assert said == [
        ["accuracy", "0.9688", ""],
        ["text", "HELLO <2026>", ""],
        ["picture", "", image["src"]],
    ]


def test_what_the_budget_left_out_is_judged_by_nobody(tmp_path: Path) -> None:
    left = Failure(None, LEFT_OUT, "the budget had no time for it")
    good, out = record(identity("a")), record(identity("b"), Outcome.NOT_RUN, failure=left)
    run = load(write_run(tmp_path, [good, out]))
    night = NightVerdict(schema=NIGHT_SCHEMA, run="n1", at=0.0, counts={}, tests=(), clusters=())
    found = columns(render(replace(run, night=night), ArtifactPages({})), "grid-data")
    good_word = found["judgements"].index("good") + 1
    assert found["judged"] == [good_word, 0]
    assert found["left_out"] == [0, 1]


def test_a_run_whose_models_said_nothing_has_no_such_table(source: Any) -> None:
    assert "What models said" not in Page(source(record())).text


def test_a_hostile_text_is_still_readable(source: Any) -> None:
    (detail,) = details(source(record(outcome=Outcome.FAILED, message=NASTY[0])))
    assert detail["x"][2] == NASTY[0]


def test_only_the_one_script_and_style_of_the_page_may_run(source: Any) -> None:
    html = source(record())
    (content,) = (
        meta["content"]
        for meta in Page(html).all("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in content
    assert "unsafe" not in content
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in content


def test_the_page_fetches_nothing(source: Any) -> None:
    page = Page(source(record()))
    assert not [a for _, a in page.tags if "src" in a or "srcset" in a]
    assert [a["href"] for a in page.all("link")] == ["data:,"]
    assert "@import" not in source(record())
    assert "url(" not in source(record())


def test_a_single_op_and_a_warning_are_said(source: Any) -> None:
    (detail,) = details(source(record(only_op=3, warnings=("the verdict cache is damaged",))))
    assert ["op", "only op 3"] in detail["f"]
    assert detail["w"] == ["the verdict cache is damaged"]
    (plain,) = details(source(record()))
    assert "w" not in plain and "only op" not in texts(plain)


# --- what is to be seen ----------------------------------------------------------------------


def test_the_title_names_the_run_and_the_head_says_with_what(source: Any) -> None:
    text = Page(source(record())).text
    assert "nightly 20261122-031200-7f3a" in text
    assert "Night of 22 Nov 2026" in text
    assert "2026-11-22 03:12:00 UTC" in text
    assert "4592669d1f0c" in text
    assert "ci-runner-07" in text


def test_a_dirty_tree_is_said(source: Any) -> None:
    dirty = Provenance((), "h", 1, "abc", True, {"torch": "1"}, "3.11", 0, 1, 1)
    assert "abc (dirty)" in Page(source(record(), provenance=dirty)).text


def test_every_cell_of_the_grid_has_its_anchor_and_its_detail(source: Any) -> None:
    tests = [identity("t5", "cpu"), identity("t5", "n150"), identity("vit", "n150")]
    html = source(*map(record, tests))
    grid = columns(html, "grid-data")
    assert (grid["names"], grid["devices"]) == (
        ["t5[full-eval]", "vit[full-eval]"],
        ["cpu", "n150"],
    )
    assert grid["outcome"] == [1, 1, 0, 1]
    halves = zip(grid["anchor"][::2], grid["anchor"][1::2], strict=True)
    anchors = [f"t-{high:08x}{low:08x}" for high, low in halves]
    assert [a for a in anchors if int(a[2:], 16)] == [anchor_of(test) for test in tests]
    assert len(details(html)) == 3


def test_rows_are_in_natural_order(source: Any) -> None:
    html = source(*(record(identity(f"vit_{size}")) for size in (10, 9, 1)))
    assert [n.split("[")[0] for n in columns(html, "grid-data")["names"]] == [
        "vit_1",
        "vit_9",
        "vit_10",
    ]


def test_a_cell_has_outcome_status_and_how_far_its_pcc_is_from_one(source: Any) -> None:
    grid = columns(source(record(outputs=(output(0.9999999),))), "grid-data")
    (outcome, status, off) = (grid[name][0] for name in ("outcome", "status", "pcc"))
    assert grid["outcomes"][outcome - 1][0] == "PASSED"
    assert grid["statuses"][status] == "EXECUTED"
    assert LEAST * math.exp((off - 1) * STEP) == pytest.approx(1e-7, rel=STEP)


def test_planned_minus_reported_is_a_section_of_its_own(source: Any) -> None:
    there, gone = identity("t5"), identity("vit")
    html = source(
        record(there), plan=plan_of([there, gone]), planned=3, missing=("shard 2 of 2 is gone",)
    )
    (section,) = re.findall(r'<section id="missing" class="alarm".*?</section>', html, re.DOTALL)
    text = Page(section).text
    assert "Planned minus reported: 2 of 3" in text
    assert "shard 2 of 2 is gone" in text
    assert "vit" in text
    assert "no record" in text


def test_a_torn_journal_is_an_alarm_of_another_name(source: Any) -> None:
    text = Page(source(record(), missing=("a.jsonl:8: the last line is torn",))).text
    assert "Records that did not arrive whole" in text
    assert "Planned minus reported" not in text


def test_a_whole_run_has_no_such_section(source: Any) -> None:
    assert not Page(source(record())).all("section", id="missing")


def test_failures_are_readable_without_a_script(source: Any) -> None:
    html = source(
        record(identity("a_good_one")),
        record(identity("z_bad_one"), Outcome.FAILED, message="it is so"),
    )
    (plain,) = re.findall(r"<noscript>.*?</noscript>", html, re.DOTALL)
    assert "it is so" in Page(plain).text and "test_z_bad_one.py" in Page(plain).text
    assert "a_good_one" not in plain


def test_what_repro_found_stands_with_the_test(tmp_path: Path) -> None:
    one = record(outcome=Outcome.FAILED)
    run_dir = write_run(tmp_path, [one])
    found = Reduced(
        directory="t5-part", fingerprint="f", ops=2, of=310, minimal=True, sentences=("It is <b>.",)
    )
    failure = Failure(Stage.COMPILE, "Error", "no")
    expected = expected_of(one.identity, one.nodeid, Status.EXECUTED, Outcome.FAILED, failure, "")
    write_model(run_dir, msgspec.structs.replace(expected, reduced=found), {})

    def blame() -> Any:
        (detail,) = details(render(load(run_dir), ArtifactPages({}), folder=run_dir))
        return detail.get("b")

    ops, of, minimal, said, again = blame()
    assert (ops, of, minimal, said) == (2, 310, 1, ["It is <b>."])
    assert again == f"nox -s repro -- {run_dir}/repro/t5-part"
    (run_dir / "repro" / reproducer_name(one.identity) / "expected.json").write_bytes(b"{")
    assert blame() is None  # torn: the page is whole without it


def test_a_detail_has_stages_checks_texts_and_the_command(source: Any) -> None:
    artifact = Artifact("ttnn", "a" * 64, 2048)
    pages = ArtifactPages({"a" * 64: "ir/aaaa-ttnn.html"})
    notes, assertions = ("https://example.com/1",), {"assert_pcc": "true"}
    one = record(
        outcome=Outcome.INCORRECT,
        stages=stages(artifacts=(artifact,)),
        outputs=(output(0.5, ok=False),),
        notes=notes,
        assertions=assertions,
    )
    (detail,) = details(source(one, pages=pages))
    assert detail["n"] == list(notes) and detail["a"] == [["assert_pcc", "true"]]
    assert ["parameters", "222,903,552"] in detail["f"]
    assert detail["s"][-1][5] == [["ttnn", "2.0 KiB", "ir/aaaa-ttnn.html"]]
    (path, shape, dtype, checks, *_) = detail["o"][0]
    assert (path, shape, dtype) == ("logits", "1x128x768", "float32")
    assert checks[1] == ["pcc", "0.5", 0.99, 2, "PCC is below 0.99"]
    assert checks[2][3] == 1  # holds, and is not asserted
    assert (
        detail["c"]
        == "nox -s run -- 'tests/models/t5/test_t5.py::test_t5[full-eval]' --device n150"
    )
    assert len(detail["s"]) == len(Stage)


def test_a_stage_that_did_not_come_back_has_no_time(source: Any) -> None:
    (detail,) = details(source(record(outcome=Outcome.CRASHED, status=Status.CREATED_GRAPH)))
    assert detail["s"][-1][1:3] == [0, None]


def test_a_text_without_a_page_is_named_and_not_linked(source: Any) -> None:
    one = record(stages=stages(artifacts=(Artifact("ttnn", "b" * 64, 2048),)))
    (detail,) = details(source(one))
    assert detail["s"][-1][5] == [["ttnn", "2.0 KiB", ""]]


def test_earlier_attempts_are_shown_as_history(source: Any) -> None:
    html = source(record(outcome=Outcome.CRASHED, message="gone", attempt=1), record(attempt=2))
    (detail,) = details(html)
    assert detail["e"] == [["CRASHED", "2026-11-22 03:12:00 UTC", "gone"]]
    assert ["attempt", "2"] in detail["f"]


def test_what_devices_have_seen_of_the_ops_is_a_table(tmp_path: Path) -> None:
    test = identity("t5", "cpu", flow="op_by_op_torch")
    lost = op_result(1, outcome=Outcome.INFRA, name="aten.lost.default", device="cpu")
    ops = {test: [op_result(0, device="cpu"), lost]}
    plan = plan_of([test, identity("t5", "n150")])
    source = render(
        load(write_run(tmp_path, [record(test)], ops=ops, plan=plan)), ArtifactPages({})
    )
    section = source.partition('id="coverage"')[2].partition("</section>")[0]
    said = " ".join(Page(section).text.split())
    assert "2 uses of 2 ops" in said and "t5, 2 of them" in said
    assert "1 that no device has seen" in said and "the machine failed: INFRA" in said
    assert "New tonight" not in said


def test_a_run_without_ops_says_nothing_of_coverage(source: Any) -> None:
    assert 'id="coverage"' not in source(record())


def test_moves_are_a_table_when_somebody_looked_for_them(source: Any) -> None:
    move = Move("a.py::test_a", "n150", "add", "nightly", "see https://example.com/9")
    assert "a.py::test_a" in Page(source(record(), moves=[move])).text
    assert "every test is on the list" in Page(source(record(), moves=[])).text


def test_without_moves_there_is_no_such_section(source: Any) -> None:
    assert not Page(source(record())).all("section", id="moves")


def test_every_word_is_explained(source: Any) -> None:
    text = Page(source(record())).text
    for outcome, look in OUTCOMES.items():
        assert outcome.value in text
        assert look.meaning in text


def test_a_run_of_nothing_is_a_page(source: Any) -> None:
    html = source()
    assert "Nothing ran that says anything of a model." in Page(html).text
    assert columns(html, "grid-data")["names"] == []


def test_a_run_that_lost_everything_is_a_page_of_alarm(source: Any) -> None:
    planned = [identity(model) for model in ("t5", "vit")]
    page = Page(source(not_run(planned[0]), plan=plan_of(planned)))
    assert "Planned minus reported: 2 of 2" in page.text
    assert "n/a" in page.text
    assert "100 %" not in page.text.replace("100 %.", "")


def test_what_needs_attention_is_never_counted_as_good(source: Any) -> None:
    html = source(*(record(identity(outcome.value), outcome) for outcome in Outcome))
    grid = columns(html, "grid-data")
    good = {name for name, _, _, is_good in grid["outcomes"] if is_good}
    assert good == {"PASSED", "REACHED"}
    assert "6 of 8 tests need attention." in Page(html).text


# --- size and sameness -----------------------------------------------------------------------


def test_two_thousand_results_fit_in_a_file_that_opens_at_once(source: Any) -> None:
    records = [
        record(identity(f"model_{i}", "cpu"), Outcome.FAILED, message="error: no\n" * 20)
        if i % 4 == 0
        else record(identity(f"model_{i}", "cpu"), outputs=(output(),) * 6)
        for i in range(2000)
    ]
    html = source(*records)
    assert len(details(html)) == 2000
    assert len(html) < 400_000


def test_the_same_records_give_the_same_page(source: Any) -> None:
    records = [record(identity("t5")), record(identity("vit"), Outcome.FAILED)]
    assert source(*records) == source(*reversed(records))
    assert PROVENANCE.host in source(*records)
