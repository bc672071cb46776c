# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Sphinx: `nox -s docs`, or `python -m sphinx docs build/docs` at the top of the checkout."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # docs.site, tests.rooms, and the rooms as `bringup`
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

project = "Bring-up"
author = "The Bring-up Authors"
project_copyright = f"2026 {author}"
release = _PROJECT["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "docs.site.pages"]
exclude_patterns = ["site/**"]
html_theme = "furo"
html_title = f"Bring-up {release}"
html_show_sourcelink = False
html_show_sphinx = False

myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 3

default_role = "code"  # docstrings have single backticks for code
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"no-value": True, "exclude-members": "__init__"}
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
