# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a new project gets from `bringup init`: texts, by the path each is written to."""

from collections.abc import Mapping

from bringup.pipeline.lists.specs import (
    NIGHTLY_E2E_COMPILE,
    NIGHTLY_FULL,
    NIGHTLY_OP_BY_OP,
    WEEKLY_OP_BY_OP,
)

PROJECT = "pyproject.toml"
NOX = "noxfile.py"
IGNORED = ".gitignore"
_SAMPLE_TEST = '''\
"""A model, taken through every stage on every device that the lists name. Yours look like it."""

import pytest
import torch

from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend


class ThisTester(ModelTester):
    def _load_model(self):
        torch.manual_seed(0)
        layers = (torch.nn.Linear(32, 64), torch.nn.GELU(), torch.nn.Linear(64, 10))
        return torch.nn.Sequential(*layers)

    def _load_inputs(self):
        return torch.linspace(-1, 1, 64).reshape(2, 32)


@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize(
    "op_by_op", [OpByOpBackend.TORCH, None], ids=["op_by_op_torch", "full"]
)
def test_sample(record_property, mode, op_by_op):
    cc = CompilerConfig()
    if op_by_op:
        cc.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        cc.op_by_op_backend = op_by_op
    tester = ThisTester("sample", mode, compiler_config=cc, record_property_handle=record_property)
    tester.test_model()
    tester.finalize()
'''
_LIST = """\
# {says}
# One table for each device, one test on a line, without the device; `bringup lists` checks it.

[cpu]
tests = [{tests}]
"""
_WORKFLOW = """\
name: bringup
on:
  schedule:
    - cron: "17 2 * * *"
  workflow_dispatch:
permissions: {}
concurrency:
  group: ${{ github.workflow }}-${{ github.ref }}
  cancel-in-progress: false
jobs:
  nightly:
    name: nightly
    runs-on: ubuntu-24.04
    timeout-minutes: 180
    permissions:
      contents: read # the checkout
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with:
          persist-credentials: false
      - uses: actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c # v6.0.0
        with:
          python-version: "3.12"
      - run: pip install bringup
      - uses: actions/cache/restore@0057852bfaa89a56745cba8c7296529d2fc39830 # v4.3.0
        with:
          path: results/history
          key: bringup-history-${{ github.run_id }}
          restore-keys: bringup-history-
      - run: bringup nightly --output results/night
      - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        if: always()
        with:
          name: night
          path: results/night
      - uses: actions/cache/save@0057852bfaa89a56745cba8c7296529d2fc39830 # v4.3.0
        if: always()
        with:
          path: results/history
          key: bringup-history-${{ github.run_id }}
"""
SECTION = """\
[tool.bringup]
tests = "tests/models"
lists = "tests/lists"
"""
_NOXFILE = '''\
"""The verbs of bringup as nox sessions; what stands after `--` goes to the verb."""

import subprocess
import sys

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["nightly"]


def verb(session, name):
    """Run a verb with the Python that runs nox, and end with its exit code."""
    code = subprocess.call([sys.executable, "-m", "bringup", name, *session.posargs])
    if code:
        raise SystemExit(code)
'''
_SESSION = '''

@nox.session(name="{name}")
def {function}(session):
    """{says}"""
    verb(session, "{name}")
'''
_SESSIONS = {
    "nightly": "Run the nightly lists, report.",
    "run": "Run any tests, report.",
    "op_by_op": "Run every op of a model alone, report.",
    "try": "Try a model that has no test.",
    "report": "Build a run's documents again.",
    "repro": "Run a failure's reproducer.",
    "why": "Tell what a night came to beside the ones before.",
    "explain": "Tell where a test stands.",
    "promote": "Print the list moves that nights support.",
    "lists": "Say everything that is wrong with the lists.",
    "devices": "List the devices of this machine.",
    "doctor": "Say what is missing, and how to get it.",
}
_TEST = "sample/test_sample.py::test_sample[{flow}-eval]"
_LISTED = {NIGHTLY_FULL: "full", NIGHTLY_OP_BY_OP: "op_by_op_torch"}
_SAYS = {
    NIGHTLY_FULL: "Nightly full model execute: compiled whole, executed, compared with its golden.",
    NIGHTLY_E2E_COMPILE: "Nightly end-to-end compile: everything up to the device's compiler.",
    NIGHTLY_OP_BY_OP: "Nightly op by op: every op of a model alone.",
    WEEKLY_OP_BY_OP: "Weekly op by op: what is too large for every night.",
}


def project_files(tests: str, lists: str) -> Mapping[str, str]:
    """Text by path, all but pyproject.toml and the noxfile; `tests` and `lists` are folders."""
    written = {f"{tests}/sample/test_sample.py": _SAMPLE_TEST}
    for spec, says in _SAYS.items():
        flow = _LISTED.get(spec)
        listed = f'\n  "{tests}/{_TEST.format(flow=flow)}",\n' if flow else ""
        written[f"{lists}/{spec.file_name}"] = _LIST.format(says=says, tests=listed)
    return written | {
        ".github/workflows/bringup.yml": _WORKFLOW,
        IGNORED: "results/\n__pycache__/\n",
    }


def noxfile() -> str:
    """The noxfile of a project that wants one."""
    sessions = (
        _SESSION.format(name=name, says=says, function="try_model" if name == "try" else name)
        for name, says in _SESSIONS.items()
    )
    return _NOXFILE + "".join(sessions)
