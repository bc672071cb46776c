# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What somebody else's reader finds in our JUnit file."""

from pathlib import Path
from xml.etree import ElementTree

from bringup.harness.records.schema import Outcome
from bringup.pipeline.results.junit import LOSS_SUITE


def junit_outcomes(path: Path) -> dict[str, Outcome]:
    """Outcomes by `Identity.key`, by the properties that every case of a test carries."""
    found = {}
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        for case in suite.iter("testcase") if suite.get("name") != LOSS_SUITE else ():
            properties = {p.get("name"): p.get("value", "") for p in case.iter("property")}
            key = properties["key"].encode("ascii").decode("unicode_escape")
            found[key] = Outcome(properties["outcome"])
    return found
