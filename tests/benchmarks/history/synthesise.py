# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A made year straight into the tables of a store, by SQL.

Random numbers are hashes of test and night, so any part of the year can be made by itself.
"""

import hashlib
import re
import tempfile
from collections import Counter
from pathlib import Path

import duckdb
import msgspec

from bringup.harness.records.fingerprint import fingerprint
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.index import write_container
from bringup.pipeline.history.store.parquet import GROUP, quoted
from bringup.pipeline.history.store.tables import (
    ORDER,
    TABLES,
    DeviceCounts,
    Run,
    Versions,
    columns,
)
from tests.benchmarks.history.year import BAD, CAUSES, DAY, GOOD, START, Year

TOGETHER = 12
"""Nights of one container, as folding leaves them."""
OPS_A_TEST = 50
UNIQUE_OPS = 5_000
OP_NAMES = 90
OP_FLAKE, OP_BAD = 0.001, 0.08
"""Of an op result: how often it fails at random; the share of ops that always fail."""


def write_year(history: History, year: Year, until: int | None = None) -> None:
    """Write the nights before `until`, as a store has them that folded as it went."""
    last = year.nights if until is None else until
    whole = last - last % TOGETHER
    with duckdb.connect(config={"threads": "2"}) as db, tempfile.TemporaryDirectory() as folder:
        _load(db, year, Path(folder))
        spans = [range(n, n + TOGETHER) for n in range(0, whole, TOGETHER)]
        spans += [range(n, n + 1) for n in range(whole, last)]
        for span in spans:
            runs = [_run(year, n) for n in span]
            tables = {t: _parquet(db, t, year, span, Path(folder)) for t in TABLES}
            write_container(history.place, runs, tables)


def _run(year: Year, night: int) -> Run:
    bad: Counter[tuple[str, bool]] = Counter(
        (t.identity.device, t.nights[night] != GOOD) for t in year.truths
    )
    devices = sorted({t.identity.device for t in year.truths})
    versions = Versions(
        git_commit=hashlib.sha1(b"%d" % night).hexdigest(),
        python="3.11.7",
        versions={"torch": "2.13.0", "jax-tt-plugin": f"0.{night // 7}.0"},
    )
    return Run(
        run=f"nightly-{night:03}",
        state=state_of(night),
        session="nightly",
        created=START + night * DAY,
        planned=len(year.truths),
        reported=len(year.truths),
        devices={d: DeviceCounts(bad[d, False], bad[d, True]) for d in devices},
        lists=("nightly_full_model_execute",),
        versions={f"v{night}": versions},
        rows={"attempts": len(year.truths), "ops": op_tests(year) * OPS_A_TEST},
    )


def state_of(night: int) -> str:
    """The name of a night's state."""
    return hashlib.sha256(f"night {night}".encode()).hexdigest()[:16]


def op_tests(year: Year) -> int:
    """Tests that go op by op, each through `OPS_A_TEST` ops."""
    going = sum(t.identity.flow != "full" for t in year.truths)
    return min(going, year.ops // OPS_A_TEST)


def _load(db: duckdb.DuckDBPyConnection, year: Year, folder: Path) -> None:
    """The truth as tables of the database."""
    tests, op_number = [], 0
    for i, truth in enumerate(year.truths):
        goes = truth.identity.flow != "full" and op_number < op_tests(year)
        tests.append(
            {
                "i": i,
                "test": truth.identity.key,
                "device": truth.identity.device,
                "model": truth.identity.model,
                "flow": truth.identity.flow,
                "kind": truth.kind,
                "cause": truth.cause,
                "onset": truth.onset,
                "fixed": truth.fixed,
                "nights": truth.nights,
                "seconds": truth.seconds,
                "memory": truth.memory,
                "op_base": op_number * 7919 if goes else None,
            }
        )
        op_number += goes
    causes = [{"cause": i, "stage": s, "message": m} for i, (s, m) in enumerate(CAUSES)]
    marks = [
        {"cause": i, "op": op, "mark": fingerprint(s, op, re.sub(r"\{[^}]*\}", "11", m))}
        for i, (s, m) in enumerate(CAUSES)
        for op in ("", *(f"stablehlo.op{n}" for n in range(OP_NAMES)))
    ]
    for name, rows in (("truth", tests), ("causes", causes), ("marks", marks)):
        path = folder / f"{name}.json"
        path.write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
        db.execute(f"CREATE TABLE {name} AS SELECT * FROM read_json({quoted(str(path))})")
    db.execute(
        "CREATE MACRO draw(a, b, c) AS (hash(a, b, c) % 1000003) / 1000003.0;"
        "CREATE MACRO digest(a) AS sha256(a::VARCHAR);"
        "CREATE MACRO filled(m, a, b) AS regexp_replace(regexp_replace("
        "m, '\\{[^}]*\\}', (hash(a, b, 1) % 4096)::VARCHAR), "
        "'\\{[^}]*\\}', (hash(a, b, 2) % 65536)::VARCHAR);"
    )


def _parquet(
    db: duckdb.DuckDBPyConnection, table: str, year: Year, span: range, folder: Path
) -> bytes:
    target = folder / f"{table}.parquet"
    nights = ", ".join(f"({n}, '{state_of(n)}')" for n in span)
    source = {"attempts": _ATTEMPTS, "ops": _OPS}[table].replace("NIGHTS", nights)
    typed = ", ".join(f'"{c}"::{kind} AS "{c}"' for c, kind in columns(TABLES[table]).items())
    db.execute(
        f"COPY (SELECT run, {typed} FROM ({source}) ORDER BY {ORDER[table]}) TO "
        f"{quoted(str(target))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP[table]})"
    )
    return target.read_bytes()


_STAGES = (
    "['load', 'golden', 'export', 'decompose', 'torch_ir', 'torch_backend_ir', 'stablehlo', "
    "'compile', 'execute', 'verify']"
)
_ATTEMPTS = f"""
WITH one AS (
    SELECT t.*, n.night, n.run, c.stage AS where_, c.message AS said, m.mark,
        substr(t.nights, n.night + 1, 1) AS word,
        n.night >= t.onset AND n.night < t.fixed AND t.onset >= 0 AS changed,
        1 + 0.05 * sqrt(-2 * ln(draw(t.i, n.night, 3) + 1e-9)) * cos(6.2832 * draw(t.i, n.night, 4))
            AS noise
    FROM truth t, (VALUES NIGHTS) n(night, run), causes c, marks m
    WHERE c.cause = t.cause AND m.cause = t.cause AND m.op = ''
)
SELECT run, test, device, 1 AS attempt, true AS last, true AS planned, false AS missing,
    CASE word WHEN '{GOOD}' THEN 'PASSED' WHEN '{BAD}' THEN 'FAILED' ELSE 'INFRA' END AS outcome,
    outcome AS shown, CASE word WHEN 'N' THEN 'machine' ELSE '' END AS excluded,
    CASE word WHEN '{GOOD}' THEN 7 ELSE 4 END AS status,
    CASE word WHEN '{GOOD}' THEN NULL WHEN '{BAD}' THEN where_ ELSE 'execute' END AS stage,
    '' AS failed_op, CASE word WHEN '{GOOD}' THEN '' ELSE 'RuntimeError' END AS kind,
    CASE word WHEN '{GOOD}' THEN '' WHEN '{BAD}' THEN filled(said, i, night)
        ELSE 'device lost' END AS message,
    CASE word WHEN '{GOOD}' THEN '' WHEN '{BAD}' THEN mark
        ELSE '{fingerprint("execute", "", "device lost")}' END AS mark,
    (word = '{GOOD}')::INT AS passed, (word = '{BAD}')::INT AS failed, 0 AS incorrect,
    {START} + night * {DAY} + 40000 * draw(i, night, 5) AS started,
    round(seconds * noise * CASE WHEN changed AND kind = 'slower' THEN 1.5 ELSE 1 END, 3)
        AS seconds,
    round(2 * seconds * noise, 3) AS cpu_s,
    (memory * (1 + 0.02 * draw(i, night, 6)))::BIGINT >> 12 << 12 AS memory,
    CASE word WHEN '{GOOD}' THEN 'value' END AS pcc_state,
    CASE word WHEN '{GOOD}' THEN 0.9999 - 0.0001 * draw(i, night // 7, 7)
        - CASE WHEN changed AND kind = 'less exact' THEN 0.005 ELSE 0 END END AS pcc,
    'EXECUTE' AS depth, NULL AS only_op, CASE WHEN op_base IS NULL THEN 0 ELSE {OPS_A_TEST} END
        AS ops, model AS model_name, 'nightly_full_model_execute' AS list_name,
    'tests/models/' || model || '/test_' || model || '.py::test_' || model || '[' || flow || '-eval'
        AS said_as, said_as || '-' || device || ']' AS nodeid, said_as || ']' AS entry,
    'v' || night AS versions, substr(digest(i), 1, 16) AS ir_hash,
    substr(digest(i || ' ' || night // 7), 1, 16) AS artifact_hash,
    list_transform({_STAGES}, lambda s: {{'stage': s, 'ok': true,
        'wall_ms': (100 * seconds * noise * (0.9 + 0.2 * draw(i, night, s)))::INT,
        'cpu_ms': (190 * seconds * noise * (0.9 + 0.2 * draw(i, night, s)))::INT,
        'peak_kib': ((memory >> 10) * (0.98 + 0.02 * draw(i, night, s)))::INT}}) AS stages,
    [{{'path': 'logits', 'dtype': 'float32', 'state': pcc_state, 'pcc': pcc,
        'atol': 0.01 * draw(i, night // 7, 8), 'failing': ''}}] AS outputs,
    list_transform(['torch_fx', 'torch_backend_ir', 'stablehlo', 'ttir', 'ttnn'],
        lambda l: {{'level': l, 'size': 30000 + i,
            'sha256': digest(i || l || CASE WHEN l LIKE 'tt%' THEN night // 7 ELSE 0 END)}})
        AS texts
FROM one
"""
_OPS = f"""
WITH one AS (
    SELECT t.test, t.i, n.night, n.run, k.k, (t.op_base + k.k) % {UNIQUE_OPS} AS op,
        draw(op, t.device, 9) < {OP_BAD} AS broken,
        broken OR draw(t.i * 1000 + k.k, n.night, 10) < {OP_FLAKE} AS bad
    FROM truth t, (VALUES NIGHTS) n(night, run), range({OPS_A_TEST}) k(k)
    WHERE t.op_base IS NOT NULL
)
SELECT run, test, digest('op ' || one.op) AS op_key,
    'stablehlo.op' || one.op % {OP_NAMES} AS name, k AS index,
    1 + one.op % 7 AS count, CASE WHEN bad THEN 4 ELSE 7 END AS status,
    CASE WHEN bad THEN 'FAILED' ELSE 'PASSED' END AS outcome,
    CASE WHEN bad THEN c.stage END AS stage,
    CASE WHEN bad THEN filled(c.message, one.op, night) ELSE '' END AS message,
    CASE WHEN bad THEN m.mark ELSE '' END AS mark,
    CASE WHEN NOT bad THEN 'value' END AS pcc_state,
    CASE WHEN NOT bad THEN 1 - 0.0001 * draw(one.op, night // 7, 11) END AS pcc,
    draw(one.op, night, 12) < 0.5 AS hit,
    CASE WHEN bad THEN [{{'level': 'diagnostic', 'size': 900,
        'sha256': digest(one.op || ' said')}}] ELSE [] END AS texts
FROM one JOIN causes c ON c.cause = one.op % {len(CAUSES)}
    JOIN marks m ON m.cause = c.cause AND m.op = 'stablehlo.op' || one.op % {OP_NAMES}
"""
