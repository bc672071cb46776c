# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How every page is made: one file, nothing fetched, nothing from a record able to run.

Jinja escapes everything; `clean` goes over every value before that; and the page carries a
content security policy that lets only the one script and the one style of this package run,
by their hashes, and nothing load from anywhere.
"""

import base64
import hashlib
import zlib
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bringup.reports.text.untrusted import clean


@cache
def environment() -> Environment:
    """The one Jinja environment, with autoescape on and every value cleaned."""
    return Environment(
        loader=PackageLoader("bringup.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
        auto_reload=False,  # nor does anybody edit the package while it writes
    )


def _finalize(value: object) -> object:
    if value is None:
        return ""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache  # a run's pages are a hundred thousand
def asset(name: str) -> str:
    """The text of one of this package's own style sheets or scripts."""
    return resources.files("bringup.reports.html").joinpath("templates", name).read_text("utf-8")


@cache
def policy(style: str, script: str) -> str:
    """A content security policy for a page with exactly this inline style and script."""
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src {_source(style)}; script-src {_source(script)}"
    )


def _source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def packed(data: bytes) -> str:
    """Bytes for a `<script type="text/plain">` that the page's own script unpacks."""
    return base64.b64encode(zlib.compress(data, 6)).decode()
