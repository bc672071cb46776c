# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Published architectures with seeded random weights, and seeded inputs: no hub, no download.

Same seed, same torch: same bits. Weights come from the class's own initialisation, then lose
the values that hide a wrong lowering: a bias of zero cannot tell whether it was added, a scale
of one whether it was multiplied, and a batch norm that divides by one lets a deep network's
signal die before it reaches the output.
"""

import os
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.initialization import no_init_weights

M = TypeVar("M", bound=PreTrainedModel)
N = TypeVar("N", bound=nn.Module)

_SPREAD = 0.02
"""Standard deviation added to every bias and scale: transformers' usual `initializer_range`."""

_DEPTHS = (
    *("num_hidden_layers", "num_layers", "num_decoder_layers", "encoder_layers", "decoder_layers"),
    *("n_layer", "n_layers", "num_encoder_layers", "depth", "num_self_attends_per_block"),
    *("speech_encoder_layers", "num_attention_blocks", "decoder_num_hidden_layers"),
)
"""What configs call the number of layers."""
_DEPTHS_PER_STAGE = ("depths", "num_block_repeats")

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def build(
    cls: type[M], config: PretrainedConfig, example: torch.Tensor | None = None, seed: int = 0
) -> M:
    """`cls(config)` with weights drawn from `seed`, in eval mode.

    `example` is a batch of the model's main input; models with batch norm need it. With
    `--size tiny` the model keeps its widths and has a layer or two.
    """
    if is_tiny():
        _shorten(config)
    torch.manual_seed(seed)
    model = _initialised_once(cls, config)
    if model is None:
        torch.manual_seed(seed)
        model = cls(config)
    _unround(model)
    if example is not None:
        settle(model, example)
    return model.eval()


def drawn(make: Callable[[], N], example: torch.Tensor | None = None, seed: int = 0) -> N:
    """A network of our own with weights from `seed`, treated as those of `build` are."""
    torch.manual_seed(seed)
    model = make()
    _unround(model)
    if example is not None:
        settle(model, example)
    return model.eval()


def is_tiny() -> bool:
    """Is this a rehearsal, `--size tiny`?"""
    return os.environ.get("BRINGUP_SIZE") == "tiny"


def at_most(published: int, rehearsed: int = 1024) -> int:
    """A figure of a configuration; less in a rehearsal, where it costs and changes no op."""
    return min(published, rehearsed) if is_tiny() else published


def _shorten(config: PretrainedConfig) -> None:
    """Fewer layers, in place; what a test asserts of shapes still holds."""
    for value in list(vars(config).values()):
        if isinstance(value, PretrainedConfig):
            _shorten(value)
    for name in _DEPTHS_PER_STAGE:
        if getattr(config, name, None):
            setattr(config, name, [1] * len(getattr(config, name)))
            return  # other numbers count the stages here
    for name in _DEPTHS:
        if isinstance(getattr(config, name, None), int):
            setattr(config, name, min(getattr(config, name), 2))


@torch.no_grad()
def settle(model: nn.Module, example: torch.Tensor) -> None:
    """Give each batch norm the running statistics of `example`, as training would have."""
    norms = [module for module in model.modules() if isinstance(module, _BATCH_NORMS)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average, so that one batch is enough
    model.train()(example)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    """A float32 tensor from the standard normal distribution, like a normalised picture."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def tokens(vocab_size: int, *shape: int, seed: int = 0) -> torch.Tensor:
    """An int64 tensor of token ids below `vocab_size`."""
    return torch.randint(vocab_size, shape, generator=torch.Generator().manual_seed(seed))


def padded(*lengths: int, left: bool = False) -> torch.Tensor:
    """The mask of a batch of sentences of such lengths: int64 [len(lengths), max(lengths)]."""
    longest = max(lengths)
    rows = [[1] * length + [0] * (longest - length) for length in lengths]
    return torch.tensor([row[::-1] if left else row for row in rows])


def _initialised_once(cls: type[M], config: PretrainedConfig) -> M | None:
    """The model after the class's own initialisation only, or None where that misses a parameter.

    A plain `cls(config)` draws each weight twice, first torch's way and then the class's: up to
    half of the time it takes to load a model. Memory nobody wrote reads as NaN here, because
    torch fills it so in deterministic mode.
    """
    deterministic = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        with no_init_weights():
            model = cls(config)
    finally:
        torch.use_deterministic_algorithms(deterministic)
    model.init_weights()
    written = all(not parameter.flatten()[0].isnan() for parameter in model.parameters())
    return model if written else None


@torch.no_grad()
def _unround(model: nn.Module) -> None:
    """Shift every vector parameter off the round value it was initialised with."""
    for module in model.modules():
        if isinstance(module, _BATCH_NORMS):
            module.reset_parameters()  # EfficientNet draws its scales around zero
    for parameter in model.parameters():
        if parameter.dim() == 1:
            parameter.add_(torch.randn_like(parameter), alpha=_SPREAD)
