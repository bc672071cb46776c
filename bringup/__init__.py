# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test of a model imports: `from bringup import ModelTester`.

In a checkout the three rooms beside this file are links to the folders of the same name at its top;
installed, they are folders. Names are imported on first use, as in `bringup.harness`.
"""

from typing import TYPE_CHECKING, Any

from bringup import harness

if TYPE_CHECKING:
    from bringup.harness import *  # noqa: F403
    from bringup.pipeline.trying.from_python import try_model

__all__ = [*harness.__all__, "try_model"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "try_model":
        from bringup.pipeline.trying.from_python import try_model

        return try_model
    return getattr(harness, name)
