# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a chat, a feed reader and HUD are told: within their limits, and inert whatever is in it."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bringup.harness.records.schema import Outcome
from bringup.reports.build import build_results, load
from bringup.reports.catalog import chosen
from bringup.reports.errors import ReportError
from bringup.reports.messages import crcr, slack
from tests.unit.reports.nights import DAY, EVIL, judged_run
from tests.unit.run_builder import STARTED, identity, record, write_run

ATOM = "{http://www.w3.org/2005/Atom}"


def many(count: int) -> list[Any]:
    return [
        record(identity(f"m{i}"), Outcome.FAILED, message=EVIL + "x" * 1_900) for i in range(count)
    ]


def test_a_chat_reads_the_sentence_the_causes_and_the_commands(tmp_path: Path) -> None:
    payload = json.loads(slack.render(load(judged_run(tmp_path))))
    assert payload["text"] == (
        "Worse: 1 new cause breaks 1 test. 1 of 4 planned tests is missing. 1 fixed. "
        "1 bad as before (1 cause)."
    )
    said = [block["text"]["text"] for block in payload["blocks"]]
    assert said[0] == "Night of 22 Nov 2026, nightly, 4 tests on 1 device"
    assert said[2].startswith("*NEW* stablehlo.scatter") and "`nox -s repro -- new`" in said[2]
    assert said[3].startswith("*KNOWN* aten.fft") and "#412, owner: frontend" in said[3]
    assert len(said) == 5 and said[4] == "*Planned minus reported: 1 of 4*"


def test_a_message_keeps_the_limits_and_mentions_nobody(tmp_path: Path) -> None:
    text = EVIL + "<!channel> <@U1> <http://x|y>" + "z" * 9_000
    run = load(judged_run(tmp_path, head=text, text=text, more=many(60)))
    payload = json.loads(slack.render(run))
    assert len(payload["blocks"]) <= 50
    for block in payload["blocks"]:
        limit = 150 if block["type"] == "header" else 3_000
        assert len(block["text"]["text"]) <= limit
        assert "<" not in block["text"]["text"] and "\x1b" not in block["text"]["text"]
    assert "<" not in payload["text"]


def test_hud_gets_counts_and_failures(tmp_path: Path) -> None:
    body = json.loads(crcr.render(load(judged_run(tmp_path)), {"CRCR_DELIVERY_ID": "ab12"}))
    assert (body["event_type"], body["delivery_id"]) == ("nightly", "ab12")
    assert body["payload"]["head_sha"] == "ab12"
    workflow = body["workflow"]
    assert (workflow["status"], workflow["conclusion"]) == ("completed", "failure")
    assert workflow["test_results"] == {"passed": 1, "failed": 2, "skipped": 0}
    assert [one["name"] for one in workflow["failed_tests_detail"]] == [
        "vit[full-eval]@n150",
        "bert[full-eval]@n150",
    ]
    verdict = workflow["triage_verdict"]
    assert verdict["category"] in {"upstream", "backend", "infra", "flake", "unknown"}
    assert verdict["confidence"] in {"high", "medium", "low"} and verdict["schema_version"] == 1


def test_hud_gets_back_what_its_event_said_and_what_the_job_knows(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    sent = {"event_type": "pull_request", "delivery_id": "d", "payload": {"x": 1}}
    event.write_text(json.dumps({"client_payload": sent}))
    job = {
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_RUN_ID": "77",
        "GITHUB_RUN_ATTEMPT": "3",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_WORKFLOW": "nightly",
        "GITHUB_JOB": "report",
    }
    body = json.loads(crcr.render(load(write_run(tmp_path / "run", [record()])), job))
    assert {key: body[key] for key in sent} == sent
    workflow = body["workflow"]
    assert (workflow["run_id"], workflow["run_attempt"], workflow["job_name"]) == (
        "77",
        "3",
        "report",
    )
    assert workflow["url"] == "https://github.com/o/r/actions/runs/77"
    assert workflow["conclusion"] == "success" and "triage_verdict" not in workflow


@pytest.mark.parametrize("content", [None, "{", "\udcff"])
def test_an_event_that_cannot_be_read_is_a_sentence(tmp_path: Path, content: str | None) -> None:
    event = tmp_path / "event.json"
    if content is not None:
        event.write_bytes(content.encode("utf-8", "surrogateescape"))
    run = load(write_run(tmp_path / "run", [record()]))
    with pytest.raises(ReportError, match="GITHUB_EVENT_PATH"):
        crcr.render(run, {"GITHUB_EVENT_PATH": str(event)})


def test_hud_gets_at_most_a_thousand_failures_of_a_kilobyte(tmp_path: Path) -> None:
    body = json.loads(crcr.render(load(write_run(tmp_path, many(1_005))), {}))
    failed = body["workflow"]["failed_tests_detail"]
    assert len(failed) == 1_000 and body["workflow"]["test_results"]["failed"] == 1_005
    assert max(len(one["message"].encode()) for one in failed) <= 1_024


def built(results: Path) -> tuple[ElementTree.Element, str]:
    made = build_results(results, chosen(["feed", "index"]))
    assert not made.failures
    feed = ElementTree.parse(results / "regressions.atom").getroot()
    return feed, (results / "index.html").read_text()


def test_a_feed_has_an_entry_for_each_night_that_broke_something(tmp_path: Path) -> None:
    judged_run(tmp_path / "one", "night-1")
    judged_run(tmp_path / "two", "night-2", STARTED + DAY, head=EVIL, text=EVIL)
    write_run(tmp_path / "unjudged", [record()])
    feed, index = built(tmp_path)
    entries = feed.findall(f"{ATOM}entry")
    titles = [str(entry.findtext(f"{ATOM}title")) for entry in entries]
    assert [title.split(":")[0] for title in titles] == ["nightly night-2", "nightly night-1"]
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == 2
    assert feed.findtext(f"{ATOM}updated") == "2026-11-23T03:12:00Z"
    links = [str(entry.find(f"{ATOM}link").get("href")) for entry in entries]  # type: ignore[union-attr]
    assert links == ["two/index.html", "one/index.html"]
    content = str(entries[0].findtext(f"{ATOM}content"))
    assert "bert[full-eval]@n150" in content and "vit[" not in content
    assert "<script" not in content and "&lt;script&gt;" in content
    assert "<script>alert" not in index and "\x1b" not in index
    assert index.index("night-2") < index.index("night-1") < index.index("nobody compared it")
    assert "✗ 1 regression" in index and "= 1 known" in index


def test_feed_and_index_are_the_same_when_built_again(tmp_path: Path) -> None:
    judged_run(tmp_path / "one")
    built(tmp_path)
    before = [(tmp_path / name).read_bytes() for name in ("regressions.atom", "index.html")]
    built(tmp_path)
    assert [(tmp_path / n).read_bytes() for n in ("regressions.atom", "index.html")] == before


def test_a_folder_that_is_a_run_keeps_its_page(tmp_path: Path) -> None:
    judged_run(tmp_path)
    (tmp_path / "index.html").write_text("the run's page")
    made = build_results(tmp_path, chosen(["feed", "index"]))
    assert not made.documents and (tmp_path / "index.html").read_text() == "the run's page"


def test_a_run_that_cannot_be_read_is_said_and_costs_no_other(tmp_path: Path) -> None:
    judged_run(tmp_path / "one")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.json").write_text("{")
    made = build_results(tmp_path, chosen(["index"]))
    assert len(made.documents) == 1 and "bad/run.json" in made.failures[0]
