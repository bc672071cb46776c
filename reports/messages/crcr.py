# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run as the callback of PyTorch's Cross-Repository CI Relay (CRCR), which HUD shows.

What only the job knows is taken from GitHub's own variables: the run's number, its attempt, the
workflow, and, where PyTorch's event started the job, the event that has to come back whole. A
nightly of our own names the PyTorch commit it tested in `CRCR_DELIVERY_ID`. Nothing is sent from
here: the relay wants the job's OpenID token, and the action `cross-repo-ci-relay-callback` has it.

Source: pytorch/test-infra, `.github/actions/cross-repo-ci-relay-callback` and
`aws/lambda/cross_repo_ci_relay/callback`: at most 1,000 failed tests, a message of 1 KB.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bringup.harness.records.night import NEW_FAILURES
from bringup.harness.records.schema import Outcome
from bringup.harness.records.variable_names import (
    CRCR_VARIABLE,
    GITHUB_EVENT_VARIABLE,
    GITHUB_RUN_VARIABLE,
)
from bringup.reports.errors import ReportError
from bringup.reports.model.run import Result, RunSummary
from bringup.reports.text.numbers import moment
from bringup.reports.text.untrusted import clean

_MOST_FAILURES = 1_000
_LONGEST_MESSAGE = 1_024
_SCHEMA = "1"


def render(run: RunSummary, environment: Mapping[str, str]) -> bytes:
    """The body of the callback, as JSON.

    Raises:
        ReportError: the event that started the job cannot be read.
    """
    body = {**_dispatch(environment), "workflow": _workflow(run, environment)}
    return json.dumps(body, ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n"


def _dispatch(environment: Mapping[str, str]) -> dict[str, Any]:
    """What PyTorch's event said, or what a night of our own says in its place."""
    path = environment.get(GITHUB_EVENT_VARIABLE, "")
    try:
        event = json.loads(Path(path).read_text("utf-8")) if path else {}
    except (OSError, ValueError) as error:
        raise ReportError(f"GITHUB_EVENT_PATH: {path} is no event: {error}") from error
    payload = event.get("client_payload") if isinstance(event, dict) else None
    if isinstance(payload, dict):
        return {key: value for key, value in payload.items() if key != "workflow"}
    commit = environment.get(CRCR_VARIABLE, "")
    repository = {"repository": {"full_name": "pytorch/pytorch"}, "head_sha": commit}
    return {"event_type": "nightly", "delivery_id": commit, "payload": repository}


def _workflow(run: RunSummary, environment: Mapping[str, str]) -> dict[str, Any]:
    run_id = environment.get(GITHUB_RUN_VARIABLE) or run.header.run_id
    attempt = environment.get("GITHUB_RUN_ATTEMPT") or "1"
    server, repository = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    url = f"{server}/{repository}/actions/runs/{run_id}" if server and repository else ""
    ended = max((r.record.ended or 0.0 for r in run.results), default=0.0) or run.header.created
    workflow = {
        "schema_version": _SCHEMA,
        "status": "completed",
        "conclusion": "failure" if _is_broken(run) else "success",
        "name": environment.get("GITHUB_WORKFLOW") or run.header.session,
        "url": url,
        "run_id": run_id,
        "run_attempt": attempt,
        "job_name": environment.get("GITHUB_JOB") or run.header.session,
        "check_run_id": f"{run_id}-{attempt}",
        "started_at": None,
        "completed_at": _iso(ended),
        "test_results": _counts(run),
        "failed_tests_detail": list(_failures(run))[:_MOST_FAILURES],
    }
    verdict = _verdict(run)
    return {**workflow, "triage_verdict": verdict} if verdict else workflow


def _is_broken(run: RunSummary) -> bool:
    """By the run's verdict, which knows what is promised; else by whether anything failed."""
    if run.night is not None:
        return run.night.regressed
    return bool(run.attention) or run.anything_missing


def _counts(run: RunSummary) -> dict[str, int]:
    counts = run.overall.counts
    passed = counts.get(Outcome.PASSED, 0) + counts.get(Outcome.REACHED, 0)
    skipped = counts.get(Outcome.SKIPPED, 0) + counts.get(Outcome.NOT_RUN, 0)
    return {"passed": passed, "failed": len(run.attention) - _skips(run), "skipped": skipped}


def _skips(run: RunSummary) -> int:
    return sum(1 for r in run.attention if r.record.outcome is Outcome.SKIPPED)


def _failures(run: RunSummary) -> Iterator[dict[str, Any]]:
    for result in run.attention:
        if result.record.outcome is not Outcome.SKIPPED:
            yield {
                "name": clean(result.identity.planned.key),
                "classname": clean(result.identity.model),
                "message": _message(result),
                "duration": result.seconds,
            }


def _message(result: Result) -> str:
    said = clean(f"{result.record.outcome.value}: {result.failure_line}").encode("utf-8", "replace")
    return said[:_LONGEST_MESSAGE].decode(errors="ignore")


def _verdict(run: RunSummary) -> dict[str, Any] | None:
    """Why it is red, where the history knows: advisory, and never more certain than it is."""
    night = run.night
    if night is None or not _is_broken(run):
        return None
    new = [t for t in night.tests if t.judgement in NEW_FAILURES]
    names = {c.name.split(" ")[0] for t in new for c in t.changes}
    category = "unknown"
    if names and all(name == "torch" or name.startswith("torch-") for name in names):
        category = "upstream"
    settled = all(test.settled for test in new)
    return {
        "schema_version": 1,
        "category": category,
        "confidence": "medium" if settled and category != "unknown" else "low",
        "summary": clean(night.head)[:1_000],
        "reproduced_on_retry": settled,
        "analyzer": {"name": "bringup"},
    }


def _iso(epoch: float) -> str | None:
    if moment(epoch) is None:
        return None
    return datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z")
