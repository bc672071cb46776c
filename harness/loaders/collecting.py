# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin of loaders: every `loader.py` of a repository is a module of tests.

A loader's tests are the product of its flows, variants, dtypes and modes, e.g.
`tt_forge_models/bert/masked_lm/pytorch/loader.py::test_bert_masked_lm[full-base-bfloat16-eval]`.
Collecting imports nothing of a repository; a loader that cannot be imported is one test, which says
so.
"""

import hashlib
import itertools
import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from bringup.harness.config import CompileDepth, CompilerConfig, OpByOpBackend
from bringup.harness.device_host.shared import device as device_called
from bringup.harness.devices.catalog import DEFAULT_DEVICE
from bringup.harness.errors import UsageError
from bringup.harness.loaders.asked import Answer, ask
from bringup.harness.loaders.declared import declared_methods, declared_variants
from bringup.harness.loaders.expected import ANYWHERE, FOLDERS, Expected, read_expected
from bringup.harness.loaders.importing import importable
from bringup.harness.loaders.plugin import REPOSITORIES
from bringup.harness.loaders.repository import (
    LoaderFile,
    Repository,
    untested,
)
from bringup.harness.loaders.tester import LoaderTester, OnnxLoaderTester
from bringup.harness.loaders.ways import Way, expected_of, ways_of
from bringup.harness.peer.plugin import IMPORTS_NOTHING
from bringup.harness.records.collected import DEVICE_PARAMETER, EXPECTED, LEFT_OUT
from bringup.harness.records.expected import Expect, Expectation
from bringup.harness.records.naming import ALL_LOADERS, LOADER, MODES
from bringup.harness.records.variable_names import (
    DEVICE_VARIABLE,
    EXPECTED_VARIABLE,
)
from bringup.harness.records.variables import VARIABLES

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_FLOWS = {
    "op_by_op_torch": OpByOpBackend.TORCH,
    "op_by_op_stablehlo": OpByOpBackend.STABLEHLO,
    "full": None,
}
_LONGEST = 100
_expected = pytest.StashKey[Mapping[str, Expected]]()
"""By tt-xla's id of a test, what is expected of it."""
_answers = pytest.StashKey[dict[Path, Answer]]()


def pytest_configure(config: pytest.Config) -> None:
    """Read what is expected of the repositories, and find the files that arguments name by them."""
    found = config.stash[REPOSITORIES]
    try:
        config.stash[_expected] = _read_expected(found, config.rootpath)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[_answers] = {}
    config.stash[LEFT_OUT] = {}
    start = config.invocation_params.dir
    config.args = [path for argument in config.args for path in _located(argument, found, start)]


def _located(argument: str, repositories: Sequence[Repository], start: Path) -> list[str]:
    """An argument that names a repository by its name, by its path."""
    if argument == ALL_LOADERS:
        return [str(one.root) for one in repositories]
    path, mark, rest = argument.partition("::")
    for one in repositories:
        if path.split("/")[0] == one.name and not (start / path).exists():
            return [f"{one.root}{path.removeprefix(one.name)}{mark}{rest}"]
    return [argument]


def _read_expected(found: Sequence[Repository], root: Path) -> dict[str, Expected]:
    """What the variable's file or folder says, or else those in their usual places."""
    if not found:
        return {}
    named = VARIABLES[EXPECTED_VARIABLE].read()
    if named is not None and not named.exists():
        raise UsageError(f"{EXPECTED_VARIABLE}={named}: there is no such file or folder")
    usual = [start / folder for start in (root, *(r.root for r in found)) for folder in FOLDERS]
    entries: dict[str, Expected] = {}
    for place in [named] if named is not None else filter(Path.is_dir, usual):
        entries |= read_expected(place)
    return entries


def _repository_of(config: pytest.Config, path: Path) -> Repository | None:
    return next((r for r in config.stash[REPOSITORIES] if path.is_relative_to(r.root)), None)


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A folder of a repository is no package of tests: nobody imports its `__init__.py`."""
    if _repository_of(parent.config, path) is None:
        return None
    folder: pytest.Collector = pytest.Dir.from_parent(parent, path=path)
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[Any], list[Any]]:
    """A loader is a module of tests, also where its name is asked for as any Python file's is."""
    found = yield
    repository = _repository_of(parent.config, file_path)
    if file_path.name != LOADER or repository is None:
        return found
    loader = repository.loaders.get(file_path)
    if loader is None:
        return found
    if not loader.tested and not parent.session.isinitpath(file_path):
        parent.config.stash[LEFT_OUT][repository.name] = repository.left_out()
        return []
    nodeid = _nodeid(parent.config, repository, file_path)
    module = LoaderModule.from_parent(parent, path=file_path, nodeid=nodeid)
    module.repository, module.loader = repository, loader
    module.stash[IMPORTS_NOTHING] = True
    return [module]


def _nodeid(config: pytest.Config, repository: Repository, path: Path) -> str:
    """Relative to where pytest runs; of a repository elsewhere its name and the place in it."""
    if path.is_relative_to(config.rootpath):
        return path.relative_to(config.rootpath).as_posix()
    return f"{repository.name}/{path.relative_to(repository.root).as_posix()}"


class LoaderModule(pytest.Module):
    """The tests of one loader."""

    repository: Repository
    loader: LoaderFile

    def _getobj(self) -> ModuleType:
        if not self.loader.tested:
            raise self.CollectError(untested(self.loader))
        answer = _variants(self)
        module = ModuleType(self.loader.function.removeprefix("test_"))
        expected = self.config.stash[_expected]
        setattr(module, self.loader.function, _test(self.repository, self.loader, answer, expected))
        return module

    def funcnamefilter(self, name: str) -> bool:
        """Its function is a test, however those of the project are called."""
        return name == self.loader.function


def pytest_itemcollected(item: pytest.Item) -> None:
    """Note what is expected of a loader's test: of all its flows that it is skipped or left out,
    of its full flow that it fails."""
    module = item.getparent(LoaderModule)
    if module is None:
        return
    params = item.callspec.params  # type: ignore[attr-defined]
    entries, mode = module.config.stash[_expected], params["mode"]
    entry = expected_of(entries, module.loader, params["variant"], params["way"], mode)
    if entry is not None:
        devices = (ANYWHERE, *entry.overrides, *entry.supported_archs)
        by_device = {device: entry.expectation(device) for device in devices}
        full = params["op_by_op"] is None
        item.stash[EXPECTED] = {
            device: said or Expectation()
            for device, said in by_device.items()
            if full or said is None or said.expect is not Expect.XFAIL
        }


def _variants(module: LoaderModule) -> Answer:
    """Read them; where only an import says, ask for all that are about to be collected at once."""
    path = module.loader.path
    declared = declared_variants(path)
    if declared is not None:
        return Answer(declared)
    known = module.config.stash[_answers]
    if path not in known:
        known.update(ask(module.repository, [module.loader, *_others(module)]))
    return known[path]


def _others(module: LoaderModule) -> Iterator[LoaderFile]:
    """Loaders below pytest's arguments whose variants only an import says."""
    start = module.config.invocation_params.dir
    words = (argument.partition("::")[0] for argument in module.config.args)
    asked_for = [Path(os.path.normpath(start / word)) for word in words]
    for path, loader in module.repository.loaders.items():
        below = any(path.is_relative_to(folder) for folder in asked_for)
        wanted = below and loader.tested and path != module.loader.path
        if wanted and declared_variants(path) is None:
            yield loader


def _test(
    repository: Repository,
    loader: LoaderFile,
    answer: Answer,
    expected: Mapping[str, Expected],
) -> Any:
    """The test function of a loader."""
    onnx = loader.framework == "onnx"
    tester = OnnxLoaderTester if onnx else LoaderTester

    # pytest takes a parameter for one only where the function names it
    def test(
        request: Any,
        record_property: Any,
        op_by_op: Any,
        variant: str,
        way: Way,
        dtype: str,
        mode: str,
    ) -> None:
        params = request.node.callspec.params
        device = params.get(DEVICE_PARAMETER, "") or os.environ.get(DEVICE_VARIABLE, DEFAULT_DEVICE)
        if way is Way.TENSOR_PARALLEL:
            _skip_alone(device)
        entry = expected_of(expected, loader, variant, way, mode)
        config = CompilerConfig()
        if op_by_op is not None:
            config.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
            config.op_by_op_backend = op_by_op
        name = f"{loader.model} {variant}".strip()
        with importable(repository, loader):
            made = tester(
                name,
                mode,
                repository,
                loader,
                variant,
                DTYPES[dtype],
                way=way,
                why_not=answer.error,
                compiler_config=config,
                record_property_handle=record_property,
                **(entry.on(device).options() if entry else {}),
            )
            made.note_decoded(made.test_model())
            made.finalize()

    test.__name__ = test.__qualname__ = loader.function
    columns = [*_columns(loader, answer.variants)]
    marked: Any = pytest.mark.parametrize(
        "op_by_op, variant, way, dtype, mode",
        [values for _, values in columns],
        ids=["-".join(filter(None, words)) for words, _ in columns],
    )(test)
    return marked


def _columns(
    loader: LoaderFile, variants: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], tuple[Any, ...]]]:
    """The tests of a loader: the words of the id of each, and its parameters."""
    onnx = loader.framework == "onnx"
    flows = {n: f for n, f in _FLOWS.items() if not (onnx and f is OpByOpBackend.TORCH)}
    ways = (Way.WHOLE,) if onnx else ways_of(declared_methods(loader.path))
    named = dict(zip(ids(variants), variants, strict=True)) or {"": ""}
    dtypes, modes = [*DTYPES][: 1 if onnx else None], MODES[: 1 if onnx else None]
    for each in itertools.product(flows.items(), named.items(), ways, dtypes, modes):
        (flow, backend), (word, variant), way, dtype, mode = each
        in_training = mode != "eval" and way is not Way.WHOLE
        apart = backend is not None and way is Way.TENSOR_PARALLEL
        if not (in_training or apart):
            yield (flow, word, way.value, dtype, mode), (backend, variant, way, dtype, mode)


def _skip_alone(name: str) -> None:
    """Skip what divides weights, on a device of one chip."""
    if device_called(name).open().chips == 1:
        pytest.skip(f"weights are divided over several chips, and {name} has one")


def ids(variants: Sequence[str]) -> list[str]:
    """Variants as they stand in ids: no two alike, and each the same whatever others there are."""
    texts = [re.sub(r"[^\w.+-]+", "_", v, flags=re.ASCII).strip("_")[:_LONGEST] for v in variants]
    found = []
    for text, variant in zip(texts, variants, strict=True):
        whole = text == variant or (texts.count(text) == 1 and text)
        mark = hashlib.sha256(variant.encode("utf-8", "replace")).hexdigest()[:6]
        found.append(text if whole else f"{text}_{mark}".lstrip("_"))
    return found
