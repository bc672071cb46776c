# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`import harness` in a checkout is `bringup.harness`: the same modules under a second name.

The folder lies at the top of the checkout, so Python finds it there too, and would load every
module twice: two `ModelTester` classes, two registries of devices. Installed, there is no such
name.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

OLD, NEW = "harness", "bringup.harness"


class _SecondName(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(f"{OLD}."):
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(NEW + spec.name.removeprefix(OLD))
        self._own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own  # the import system has just written the second name there


def install() -> None:
    """Let `harness` and all below it be what `bringup.harness` is."""
    if not any(isinstance(finder, _SecondName) for finder in sys.meta_path):
        sys.meta_path.insert(0, _SecondName())
    sys.modules[OLD] = sys.modules[NEW]
