# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The table of the fleet is the sources', which nobody imports for it."""

import re
from pathlib import Path

from docs.site.fleet import FLEET, TESTS, counts, families, full_tests, table, unlisted

SOURCE = '''"""A net.

Configuration: its paper, table 1.
"""

@model_test(
    ThisTester,
    *generating("net-small"),
    "net-large",
    modes=("train", "eval"),
    dtypes=("own", "bf16"),
)
def test_net(results): ...


@model_test(Other, Variant("", "net"))
def test_net_onnx(results): ...


def test_nothing(): ...
'''


def test_a_family_is_read_from_its_source(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "test_net.py").write_text(SOURCE)
    one, other = families(tmp_path)
    assert (one.title, one.configuration) == ("A net.", "its paper, table 1.")
    assert one.variants == ("net-small", "generate", "net-large")
    assert (one.modes, one.dtypes) == (("train", "eval"), ("own", "bf16"))
    assert (other.name, other.framework, other.variants) == ("net", "onnx", ("net",))
    assert (other.modes, other.dtypes) == (("eval",), ("own",))
    assert one.full == (
        *("net[full-train]", "net[full-eval]", "net[full-bf16-eval]"),
        "net[full-generate-eval]",
        *(f"net[full-net-large-{case}]" for case in ("train", "eval", "bf16-eval")),
    )
    assert other.full == ("net_onnx[full-eval]",)


def test_a_page_counts_the_tests_and_names_those_on_no_list() -> None:
    assert f"These are {len(full_tests())} tests." in counts()
    page = (TESTS.parent / "docs" / "fleet.md").read_text("utf-8")
    rows = [row.split(" | ")[0] for row in page.splitlines() if row.startswith("| `")]
    assert sorted(re.findall(r"`(.*?)`", " ".join(rows))) == sorted(unlisted())


def test_every_folder_of_the_fleet_is_in_the_table() -> None:
    folders = {path.parent.name for path in FLEET.glob("*/test_*.py")}
    assert len(folders) > 100
    listed = {
        row.split(" | ")[0].removeprefix("| ").removesuffix(" (ONNX)")
        for row in table().split("\n")
    }
    assert folders <= listed


def test_every_family_that_is_new_says_where_its_configuration_comes_from() -> None:
    unsaid = [f.name for f in families() if f.title and not f.configuration]
    assert not unsaid
