# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""PyTorch models as they come: under a Python name, exported, or a folder of config and weights."""

import contextlib
import importlib
import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.given.input_spec import InputSpec, value_of
from bringup.harness.storage.writable import said_by

CONFIG_NAME = "config.json"
_TOKENS, _SAMPLES = 32, 16_000
"""Of a text and a sound, the latter a second at 16 kHz."""


class FunctionModel(nn.Module):
    """A function of tensors as a model without weights."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *arguments: Any, **keywords: Any) -> Any:
        """What the function makes of its arguments."""
        return self.function(*arguments, **keywords)


def load(source: str) -> nn.Module:
    """The model that `source` is: `package.module:NAME`, a `.pt2` file, or a folder that
    transformers saved.

    Of a name that is a class or a function without arguments, what it returns.

    Raises:
        UsageError: there is none, or it is no model.
    """
    path = Path(source)
    if path.suffix == ".pt2":
        return _exported(path).module()
    if path.is_dir():
        return _of_transformers(path)
    return _named(source)


def _named(source: str) -> nn.Module:
    module, _, name = source.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and module.startswith(error.name):
            raise UsageError(f"there is no module {error.name}, which {source} names") from error
        raise
    except SystemExit as error:
        raise _ends(module, "is imported", error) from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise UsageError(f"{module} has no {name}{hint(part, dir(found))}")
        found = getattr(found, part)
    if isinstance(found, type) or (not isinstance(found, nn.Module) and _makes(found)):
        torch.manual_seed(0)
        try:
            found = found()
        except SystemExit as error:
            raise _ends(source, "is called", error) from error
    if isinstance(found, nn.Module):
        return found
    if callable(found):
        return FunctionModel(found)
    raise UsageError(f"{source} is a {type(found).__name__}, no model and no function")


def _ends(what: str, when: str, error: SystemExit) -> UsageError:
    return UsageError(f"{what} ends Python when it {when}: SystemExit({error.code!r})")


def _makes(found: Any) -> bool:
    """Is it a function that needs no arguments, and so one that makes a model?"""
    with contextlib.suppress(TypeError, ValueError):
        return not any(
            p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
            for p in inspect.signature(found).parameters.values()
        )
    return False


def _exported(path: Path) -> torch.export.ExportedProgram:
    try:
        return torch.export.load(path)
    except Exception as error:  # whatever a file that is none raises
        said = said_by(error).partition("\n")[0]
        raise UsageError(f"{path} cannot be read as an exported program: {said}") from error


def _config_of(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / CONFIG_NAME).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{folder / CONFIG_NAME} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise UsageError(f"{folder / CONFIG_NAME} holds no configuration")
    return config


def _of_transformers(folder: Path) -> nn.Module:
    names = _config_of(folder).get("architectures") or ["AutoModel"]
    try:
        import transformers
    except ImportError as error:
        raise UsageError(
            f"{folder} is a model of transformers, which cannot be imported ({said_by(error)}): "
            "pip install 'bringup[fleet]' brings it"
        ) from error
    architecture = getattr(transformers, str(names[0]), None)
    if architecture is None:
        raise UsageError(f"{folder / CONFIG_NAME}: transformers has no architecture {names[0]!r}")
    try:
        model: nn.Module = architecture.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # whatever the reader of a file of weights raises
        said = said_by(error).partition("\n")[0]
        raise UsageError(f"{folder} cannot be loaded: {said}") from error
    return model


# --- inputs ---------------------------------------------------------------------------------


def inputs_of(source: str, model: nn.Module, specs: Sequence[InputSpec]) -> Any:
    """The inputs: as `specs` say, else those a file was exported with, else a text, a picture or a
    sound as the configuration describes it.

    Raises:
        UsageError: there are none to be had.
    """
    if not specs:
        return _own_inputs(source, model)
    named = [spec for spec in specs if spec.name]
    if named and len(named) < len(specs):
        raise UsageError("either all inputs have a name (NAME=SHAPE) or none")
    values = [value_of(spec, spec.name, (), torch.float32, seed) for seed, spec in enumerate(specs)]
    return {s.name: v for s, v in zip(named, values, strict=True)} if named else tuple(values)


def _own_inputs(source: str, model: nn.Module) -> Any:
    path = Path(source)
    if path.suffix == ".pt2":
        example = _exported(path).example_inputs
        if example is None:
            raise UsageError(f"{path} holds no example inputs; say them: --input 1x3x224x224")
        arguments, keywords = example
        if arguments and keywords:
            raise UsageError(f"{path} takes positional inputs and named ones; write a test")
        return dict(keywords) if keywords else tuple(arguments)
    config = getattr(model, "config", None)
    values = _by_config(getattr(model, "main_input_name", ""), config) if config else None
    if values is None:
        raise UsageError(f"{source} does not say what it takes: say it, --input 1x3x224x224")
    return values


def _by_config(name: str, config: Any) -> Mapping[str, torch.Tensor] | None:
    """A text, a picture or a sound, by what transformers calls a model's main input."""
    generator = torch.Generator().manual_seed(0)
    if name == "input_ids":
        ids = torch.randint(config.vocab_size, (1, _TOKENS), generator=generator)
        both = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        return both | ({"decoder_input_ids": ids} if config.is_encoder_decoder else {})
    if name == "pixel_values":
        side = getattr(config, "image_size", 224)
        sides = tuple(side) if isinstance(side, list | tuple) else (side, side)
        shape = (1, getattr(config, "num_channels", 3), *sides)
        return {name: torch.randn(shape, generator=generator)}
    if name == "input_values":
        return {name: torch.randn((1, _SAMPLES), generator=generator)}
    return None
