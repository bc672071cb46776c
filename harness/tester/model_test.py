# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`model_test`: the parametrisation and the body that every test of a model has, as a decorator.

The seed's page "How to add model tests?" writes both out in each test: the flows, the modes and the
variants, a `CompilerConfig` for them, a tester, `test_model()`, `finalize()`. What differs from one
model to the next is its loader, its inputs, and what is looked at in its outputs:

    class Bert(ModelTester):
        def _load_model(self): ...
        def _load_inputs(self): ...

    @model_test(Bert, "bert-base-uncased", modes=("train", "eval"))
    def test_bert(results):
        assert results.logits.shape == (1, 128, 30522)

Ids are the page's, `[full-eval]`, `[op_by_op_torch-t5-base-eval]`: flow, variant, mode. A dtype
that is not the model's own ends the variant: `[full-bf16-eval]`, `[full-t5-base-bf16-eval]`. Phases
and sweeps stand before it: `[full-decode-batch_8-seq_128-bf16-eval]`.
"""

import functools
import inspect
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from bringup.harness.config import CompileDepth, CompilerConfig, OpByOpBackend
from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.records.naming import MODES, ONNX_SUFFIX
from bringup.harness.tester.cached_tester import PHASES
from bringup.harness.tester.model_tester import ModelTester

OWN = "own"
"""The dtype that a model is loaded in: no word of an id."""
DTYPES = {OWN: None, "bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
FLOWS: dict[str, tuple[OpByOpBackend | None, ...]] = {
    "torch": (OpByOpBackend.STABLEHLO, OpByOpBackend.TORCH, None),
    "onnx": (OpByOpBackend.STABLEHLO, None),
}
"""By framework; None is the full flow."""


class WrongModelTest(UsageError, pytest.Collector.CollectError):
    """`model_test` was asked for what there is not; pytest shows the sentence alone."""


@dataclass(frozen=True)
class Variant:
    """One of several models, sizes or ways to run that a test has.

    A test's `self.variant` is `word` while it loads.
    """

    word: str
    """Its part of the id; empty for the one that ids do not name."""
    model_name: str = ""
    """The name on record; by default `word`."""
    modes: tuple[str, ...] | None = None
    """Instead of the test's."""
    dtypes: tuple[str, ...] | None = None
    """Instead of the test's."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of its tester, over the test's: `run_generate`, `required_pcc`, `issue` ..."""


@dataclass(frozen=True)
class _Case:
    """One column of the table: all that an id says but the flow."""

    variant: Variant
    sweep: Mapping[str, str | int]
    """What the tester's attributes of these names are."""
    dtype: str
    mode: str

    @property
    def id(self) -> str:
        swept = (_SWEPT[name].format(value) for name, value in self.sweep.items())
        dtype = "" if self.dtype == OWN else self.dtype
        return "-".join(word for word in (self.variant.word, *swept, dtype, self.mode) if word)


_SWEPT = {"phase": "{}", "batch": "batch_{}", "length": "seq_{}"}
"""By attribute of a tester, how ids name it."""


def model_test(
    tester: type[ModelTester],
    *variants: str | Variant,
    modes: Collection[str] = ("eval",),
    dtypes: Collection[str] = (OWN,),
    phases: Collection[str] = (),
    batches: Collection[int] = (),
    lengths: Collection[int] = (),
    config: Mapping[str, Any] | None = None,
    **options: Any,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function that looks at a model's outputs a test of it: every flow, variant and mode.

    Args:
        tester: gives the model and its inputs. A `OnnxModelTester` has the flows of ONNX.
        variants: names of models. One alone is no part of ids; several are, each by its name.
        modes: `eval`, `train`.
        dtypes: `own`, `bf16`, `f16`, `f32`: what model and floating inputs are brought to before
            anything runs. All but the own are tested in eval mode.
        phases: `prefill`, `decode`: the tester's `phase`, tested in eval mode. `CachedTester` makes
            their inputs of a decoder, with a static KV cache.
        batches, lengths: sizes to sweep: the tester's `batch` and `length`, e.g. of sequences.
        config: settings of the `CompilerConfig` of every test.
        options: of the tester.

    The decorated function is called in eval mode, between `test_model()` and `finalize()`, with
    what it names of `results`, `tester`, `variant` and `mode`; other names are pytest's fixtures.

    Raises:
        UsageError: there is no such mode, dtype, option or setting, or two tests would have one id.
    """
    given = {"phase": phases, "batch": batches, "length": lengths}
    swept = {name: several for name, one in given.items() if (several := _several(one))}
    cases = _cases(variants, modes, dtypes, swept)
    flows = FLOWS[tester.framework]

    def decorate(looks: Callable[..., None]) -> Callable[..., None]:
        _check(looks, tester, cases)
        _check_options(looks, tester, options, cases, config or {})
        wanted = list(inspect.signature(looks).parameters)

        @functools.wraps(looks)
        def test(
            record_property: Callable[[str, object], None],
            op_by_op: OpByOpBackend | None,
            case: _Case,
            mode: str,
            **fixtures: Any,
        ) -> None:
            made = tester(
                case.variant.model_name or case.variant.word,
                mode,
                compiler_config=_config(op_by_op, tester.framework, config or {}),
                record_property_handle=record_property,
                **{**options, **case.variant.options},
            )
            made.variant, made.dtype = case.variant.word, DTYPES[case.dtype]
            for name, value in case.sweep.items():
                setattr(made, name, value)
            given = {**fixtures, "tester": made, "variant": case.variant.word, "mode": mode}
            given |= {"results": made.test_model(), "record_property": record_property}
            if mode == "eval":
                looks(**{name: given[name] for name in wanted})
            made.finalize()

        _takes(test, [name for name in wanted if name not in _GIVEN])
        by_flow = pytest.mark.parametrize("op_by_op", flows, ids=map(_flow_id, flows))
        values = [(case, case.mode) for case in cases]
        by_case = pytest.mark.parametrize("case, mode", values, ids=[case.id for case in cases])
        parametrised: Callable[..., None] = by_case(by_flow(test))
        return parametrised

    return decorate


_GIVEN = ("results", "tester", "variant", "mode", "record_property")
_OURS = ("record_property", "op_by_op", "case", "mode")
_NOT_OPTIONS = (
    *("self", "unknown", "args", "kwargs"),
    *("model_name", "mode", "compiler_config", "record_property_handle"),
)
"""What a tester takes and `model_test` gives it, or that is no option's name."""


def _takes(test: Callable[..., None], fixtures: Sequence[str]) -> None:
    """Have pytest see what a test takes: ours, then the fixtures its function names."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = dict.fromkeys((*_OURS, *fixtures))
    signature = inspect.Signature([inspect.Parameter(name, kind) for name in names])
    test.__signature__ = signature  # type: ignore[attr-defined]


def _flow_id(flow: OpByOpBackend | None) -> str:
    return "full" if flow is None else f"op_by_op_{flow.name.lower()}"


def _config(
    flow: OpByOpBackend | None, framework: str, settings: Mapping[str, Any]
) -> CompilerConfig:
    """As the page's bodies set it."""
    config = CompilerConfig()
    if framework == "torch":
        config.enable_consteval = True
    for name, value in settings.items():
        setattr(config, name, value)
    if flow is not None:
        config.compile_depth = CompileDepth.EXECUTE_OP_BY_OP
        config.op_by_op_backend = flow
    return config


def _cases(
    variants: Sequence[str | Variant],
    modes: Collection[str],
    dtypes: Collection[str],
    swept: Mapping[str, Collection[Any]],
) -> list[_Case]:
    if not variants:
        raise WrongModelTest("model_test needs the model's name: model_test(Tester, 'bert-base')")
    alone = len(variants) == 1
    cases = []
    for one in variants:
        if not isinstance(one, str | Variant):
            raise WrongModelTest(f"model_test takes models' names and variants, and not {one!r}")
        variant = Variant("" if alone else one, one) if isinstance(one, str) else one
        for values in itertools.product(*swept.values()):
            sweep = dict(zip(swept, values, strict=True))
            for dtype in _several(dtypes if variant.dtypes is None else variant.dtypes):
                for mode in _several(modes if variant.modes is None else variant.modes):
                    if mode == "eval" or (dtype == OWN and "phase" not in sweep):
                        cases.append(_Case(variant, sweep, dtype, mode))
    return cases


def _several(given: Any) -> Collection[Any]:
    """A word or a number alone is a collection of one, and not of its letters."""
    alone = isinstance(given, str) or not isinstance(given, Collection)
    return (given,) if alone else given


def _check(looks: Callable[..., None], tester: type[ModelTester], cases: Sequence[_Case]) -> None:
    name = getattr(looks, "__name__", repr(looks))
    onnx = tester.framework == "onnx"
    if onnx != name.endswith(ONNX_SUFFIX):
        ends = "ends in" if onnx else "does not end in"
        raise WrongModelTest(f"{name} tests a {tester.framework} model: its name {ends} _onnx")
    for case in cases:
        for word, known, what in ((case.dtype, DTYPES, "dtype"), (case.mode, MODES, "mode")):
            if not isinstance(word, str) or word not in known:
                said = hint(str(word), list(known)) or f"; one of {', '.join(known)}"
                raise WrongModelTest(f"{name}: there is no {what} {word!r}{said}")
        if case.sweep.get("phase", "prefill") not in PHASES:
            said = hint(str(case.sweep["phase"]), PHASES) or f"; one of {', '.join(PHASES)}"
            raise WrongModelTest(f"{name}: there is no phase {case.sweep['phase']!r}{said}")
        for what in ("batch", "length"):
            size = case.sweep.get(what, 1)
            if type(size) is not int or size < 1:
                raise WrongModelTest(f"{name}: {what} {size!r} is no whole number from 1")
        if onnx and (case.mode != "eval" or case.dtype != OWN):
            raise WrongModelTest(f"{name}: ONNX models are tested in eval mode and as they are")
        if not (case.variant.model_name or case.variant.word):
            raise WrongModelTest(f"{name}: a variant has neither a word nor a model's name")
    ids = [case.id for case in cases]
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice is not None:
        raise WrongModelTest(f"{name}: two of its tests would be called {twice}")
    if not cases:
        raise WrongModelTest(f"{name}: with these modes and dtypes there is nothing to test")


def _check_options(
    looks: Callable[..., None],
    tester: type[ModelTester],
    options: Mapping[str, Any],
    cases: Sequence[_Case],
    settings: Mapping[str, Any],
) -> None:
    """Refuse now what a tester or a `CompilerConfig` would refuse in every test."""
    name = getattr(looks, "__name__", repr(looks))
    known = {
        parameter
        for made_by in tester.__mro__
        if (init := vars(made_by).get("__init__")) and inspect.isfunction(init)
        for parameter in inspect.signature(init).parameters
    }
    asked = [*options, *(option for case in cases for option in case.variant.options)]
    for option in asked:
        if option not in known or option in _NOT_OPTIONS:
            said = hint(option, known) or ""
            raise WrongModelTest(f"{name}: {tester.__name__} has no option {option!r}{said}")
    try:
        _config(None, tester.framework, settings)
    except UsageError as error:
        raise WrongModelTest(f"{name}: {error}") from None
