# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A tester's outputs beside the golden's: which tensors are compared, how finely, and with what.

What a device gave is compared with the golden in units of both their arithmetics. Golden's own
rounding is found, by the model in float64, only where a check does not hold without knowing it.
"""

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from bringup.harness.devices.catalog import kind_of
from bringup.harness.errors import UsageError
from bringup.harness.executor import Executor
from bringup.harness.frontend import training
from bringup.harness.frontend.eager import compiled_parts_in_eager
from bringup.harness.frontend.paths import LEFT
from bringup.harness.records.schema import OutputCheck
from bringup.harness.state.copies import copied
from bringup.harness.storage.writable import said_by
from bringup.harness.tester import reuse
from bringup.harness.tester.cached_checks import CachedChecks, values_of
from bringup.harness.tester.compared import (
    CONSTANTS_ONLY,
    another,
    extraction_says_nothing,
    nothing_compared,
)
from bringup.harness.tester.golden import Golden
from bringup.harness.tester.model_runs import SEED, ModelRuns
from bringup.harness.verify import (
    KINK_DRAWS,
    SAMPLES,
    Asked,
    Float64,
    Natural,
    Passed,
    Rerounded,
    Spread,
    Tolerances,
    Turned,
    Watched,
    coarsest_of,
    compare,
    compare_tokens,
    compare_training,
    mismatches,
    natural_errors,
    settled,
    turned_over,
)


class ComparedRuns(ModelRuns):
    """A model whose outputs on a device are checked; no outcome is made of it here."""

    tolerances: Tolerances
    is_token_output: bool

    def _extract_outputs(self, outputs: Any) -> Any:
        """Return the tensors to compare, for outputs the harness cannot flatten itself."""
        return outputs

    def mismatches_of(self, outputs: Any, mutated: Mapping[str, torch.Tensor]) -> list[str]:
        """A sentence for each check that outputs, in the model's own structure, do not pass.

        `mutated` is what the call wrote to, by path. A model that differs from itself has none.
        """
        self._compute_golden()
        assert self._golden_run is not None
        if self._golden_run.difference:
            return []
        return mismatches(self._verify(outputs, mutated))

    def _verify(
        self,
        outputs: Any,
        mutated: Mapping[str, torch.Tensor],
        attributes: dict[str, str] | None = None,
    ) -> tuple[OutputCheck, ...]:
        """Check a device's outputs, and what it made of what the call writes to.

        How golden's own rounding was found, if it had to be, goes into `attributes`.
        """
        said = {} if attributes is None else attributes

        def check(natural: Natural | None, passed: Passed) -> tuple[OutputCheck, ...]:
            return (
                *self._verify_outputs(outputs, natural, passed),
                *self._verify_mutated(mutated, natural, passed),
            )

        cached = self._cached_checks(outputs, mutated)
        before = cached.find() if cached is not None else None
        if before is not None:
            said |= before.attributes
            return before.checks
        checks, asked = settled(
            check,
            lambda: self._natural(said),
            lambda natural: self._sampled(natural, said),
            (lambda natural: self._turned(natural, said)) if self.mode == "train" else None,
        )
        if asked is Asked.NOTHING:
            said["reference"] = "not needed"
        if cached is not None:
            cached.keep(checks, said)
        return checks

    def _cached_checks(
        self, outputs: Any, mutated: Mapping[str, torch.Tensor]
    ) -> CachedChecks | None:
        """The place of what these outputs come to; None where golden's rounding is known already,
        or nobody knows what all of it depends on."""
        golden = self._golden_run
        assert golden is not None
        if golden.natural is not None or not self._export_key:
            return None
        given = self._inputs, self._own_attributes()  # what a test extracts by
        values = values_of(self._model, given, golden, outputs, dict(mutated))
        tolerances = repr(self.device_tolerances), self.is_token_output
        return CachedChecks(self._export_key, self.recorder, *values, tolerances)

    def _verify_outputs(
        self, outputs: Any, natural: Natural | None, passed: Passed
    ) -> tuple[OutputCheck, ...]:
        tolerances = self.device_tolerances
        if self.mode == "train":
            return compare_training(
                self.golden, outputs, tolerances, training.GRADIENT, natural, passed
            )
        golden, actual = self._extract(self.golden), self._extracted_of(outputs)
        if self.is_token_output:
            return compare_tokens(golden, actual, self._tokenizer(), tolerances)
        return compare(golden, actual, tolerances, natural=natural, passed=passed)

    def _natural(self, attributes: dict[str, str]) -> Natural | None:
        """Golden's own rounding; None where no reference can be had, and the record says why."""
        assert self._golden_run is not None
        if self._golden_run.natural is not None:
            attributes["reference"] = "found on another device of this test"
            return self._golden_run.natural
        started = time.perf_counter()
        kinks = Watched()
        try:
            torch.manual_seed(SEED)
            with kinks:
                reference, attributes["reference"] = self._reference()
            natural = self._differences(self._golden_run, reference)
        except Exception as error:  # whatever a model raises that is given other dtypes
            attributes["reference"] = f"none: {type(error).__name__}: {said_by(error)}"[:500]
            return None
        finally:
            attributes["reference_s"] = f"{time.perf_counter() - started:.3f}"
        self._golden_run = dataclasses.replace(
            self._golden_run, natural=natural, arithmetic=reference.arithmetic, kinks=kinks
        )
        reuse.last_test().add_golden(self._key, self._golden_run)
        return natural

    def _turned(self, natural: Natural, attributes: dict[str, str]) -> Natural | None:
        """Golden's own rounding, with all turned over that is near a kink; None of a model that has
        no kinks, or took another way then, and the record says so.
        """
        golden = self._golden_run
        assert golden is not None
        if golden.kinks is None or not golden.kinks.calls:
            return None
        if golden.turned is None:
            started = time.perf_counter()
            watched, count = Watched(), 0
            try:
                self._golden_within(watched)
                for draw in range(KINK_DRAWS):
                    turned = Turned(golden.kinks, watched, draw)
                    outputs = self._golden_within(turned)
                    natural = turned_over(natural, golden.outputs, outputs)
                    count = max(count, turned.turned)
            except Exception as error:  # whatever a model raises that is given other values
                attributes["kinks"] = f"none: {type(error).__name__}: {said_by(error)}"[:500]
                return None
            finally:
                spent = float(attributes.get("reference_s", "0")) + time.perf_counter() - started
                attributes["reference_s"] = f"{spent:.3f}"
            attributes["kinks"] = f"{count} numbers turned over"
            golden = self._golden_run = dataclasses.replace(golden, turned=natural)
            reuse.last_test().add_golden(self._key, golden)
        return golden.turned

    def _differences(self, one: Golden, other: Golden) -> Natural:
        """By path what one run is off from another."""
        pair = one.outputs, other.outputs
        if self.mode != "train":
            pair = self._extract(pair[0]), self._extract(pair[1])
        found = natural_errors(*pair)
        for path, value in one.mutated.items():
            found |= natural_errors(value, other.mutated.get(path), path)
        return found

    def _golden_within(self, mode: contextlib.AbstractContextManager[object]) -> Any:
        """Golden's outputs, of a run within `mode`."""
        torch.manual_seed(SEED)
        with self._run() as run, compiled_parts_in_eager():
            with mode:
                outputs = self._golden()
            return run.outliving(outputs)

    def _sampled(self, natural: Natural, attributes: dict[str, str]) -> Iterator[Natural]:
        """Golden's own rounding by more and more samples, as far as those can be had.

        What another device of this test asked for is taken first, all at once.
        """
        golden = self._golden_run
        assert golden is not None
        if golden.sampled is None:
            golden = self._golden_run = dataclasses.replace(golden, sampled=Spread(natural))
            reuse.last_test().add_golden(self._key, golden)
        spread = golden.sampled
        assert spread is not None
        if spread.samples:
            attributes["samples"] = f"{spread.samples}, found on another device of this test"
            yield spread.natural
        while spread.samples < SAMPLES and self._takes_sample(spread, golden, attributes):
            attributes["samples"] = str(spread.samples)
            yield spread.natural

    def _takes_sample(self, spread: Spread, golden: Golden, attributes: dict[str, str]) -> bool:
        """Take one more, if it can be had."""
        started = time.perf_counter()
        try:
            sample = self._sample(spread.samples)
            if sample is not None:
                spread.add(self._differences(sample, golden))
        except Exception as error:  # whatever a model raises that is given other values
            attributes["samples"] = f"none: {type(error).__name__}: {said_by(error)}"[:500]
            return False
        finally:
            spent = float(attributes.get("reference_s", "0")) + time.perf_counter() - started
            attributes["reference_s"] = f"{spent:.3f}"
        return sample is not None

    def _sample(self, seed: int) -> Golden | None:
        """A golden of parameters that are rounded otherwise; None of a model without any."""
        parameters = list(self._model.parameters())
        if not parameters:
            return None
        torch.manual_seed(SEED)
        with self._run() as run, compiled_parts_in_eager():
            with Rerounded(parameters, seed):
                outputs = self._golden()
            outputs = run.outliving(outputs)
        return Golden(outputs, run.mutated)

    def _reference(self) -> tuple[Golden, str]:
        """The golden computed with less rounding, and how."""
        with self._run() as run:
            with Float64() as mode:
                outputs = self._golden()
            outputs = run.outliving(outputs)
        narrow = f", but for {', '.join(sorted(mode.narrow))}" if mode.narrow else ""
        coarse = coarsest_of(mode.coarse)
        return Golden(outputs, run.mutated, arithmetic=coarse), f"float64{narrow}"

    @property
    def device_tolerances(self) -> Tolerances:
        """What is required, in units of the device's arithmetic and golden's, where it is known."""
        return dataclasses.replace(
            self.tolerances,
            arithmetic=kind_of(self.device_name).coarsest,
            golden_arithmetic=self._golden_run.arithmetic if self._golden_run else "",
        )

    def _verify_mutated(
        self, mutated: Mapping[str, torch.Tensor], natural: Natural | None, passed: Passed
    ) -> tuple[OutputCheck, ...]:
        """What neither side wrote to, or left, stays as it was loaded.

        What lies where nothing was before is compared with nothing, where only one side left it.
        """
        assert self._golden_run is not None and self._as_loaded is not None
        actual = {self._as_loaded.first(path): value for path, value in mutated.items()}
        checks: list[OutputCheck] = []
        for path in dict.fromkeys((*actual, *self._golden_run.mutated)):
            is_left = path.startswith(LEFT)
            golden = self._as_loaded.after(self._golden_run.mutated, path)
            found = self._as_loaded.after(actual, path) if is_left else actual.get(path)
            if golden is not None or is_left:
                one, other = (() if side is None else side for side in (golden, found))
                checks += compare(one, other, self.device_tolerances, path, natural, passed)
        return tuple(checks)

    def _extract(self, outputs: Any) -> Any:
        """What a test extracts of outputs; it may take their containers apart."""
        return self._extract_outputs(copied(outputs, keep=lambda tensor: True))

    def _extracted_of(self, outputs: Any) -> Any:
        return outputs if self._extracted else self._extract(outputs)

    def _nothing_compared(self, outputs: Any, executor: Executor) -> str:
        if executor.wrote:
            return ""
        extracted = outputs if self.mode == "train" else self._extracted_of(outputs)
        nothing = nothing_compared(outputs, extracted)
        if nothing or not executor.computed:
            return nothing or CONSTANTS_ONLY
        if self.mode == "train" or self._extracted:
            return ""
        if type(self)._extract_outputs is ComparedRuns._extract_outputs:
            return ""
        return extraction_says_nothing(outputs, executor.otherwise(another), self._extract)

    def _tokenizer(self) -> Any:
        tokenizer = getattr(self, "tokenizer", None)
        if tokenizer is None:
            raise UsageError(
                f"{type(self).__name__} has token outputs and no self.tokenizer; "
                "set it in _load_model"
            )
        return tokenizer
