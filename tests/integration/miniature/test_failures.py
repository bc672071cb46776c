# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

"""Everything that can go wrong with one model, each in a test of its own."""

import pytest
import torch

from bringup import CompileDepth, CompilerConfig, ModelTester


class Tester(ModelTester):
    module: type[torch.nn.Module] = torch.nn.Identity
    inputs_given: object = None

    def _load_model(self):
        return self.module()

    def _load_inputs(self):
        return torch.randn(4, 8) if self.inputs_given is None else self.inputs_given


def run(tester_class, **options):
    tester = tester_class("case", "eval", **options)
    results = tester.test_model()
    tester.finalize()
    return results


class Twice(torch.nn.Module):
    def forward(self, x):
        return x * 2


def test_passes():
    class Case(Tester):
        module = Twice

    assert run(Case).shape == (4, 8)


def test_load_raises():
    class Case(Tester):
        def _load_model(self):
            raise RuntimeError("the checkpoint is 'torn' <here>")

    run(Case)


def test_load_returns_nonsense():
    class Case(Tester):
        def _load_model(self):
            return "a string"

    run(Case)


def test_wrong_input_name():
    class Case(Tester):
        module = Twice
        inputs_given = {"y": torch.ones(2)}  # noqa: RUF012

    run(Case)


def test_export_raises():
    class Branches(torch.nn.Module):
        def forward(self, x):
            return x * 2 if x.sum() > 0 else x

    class Case(Tester):
        module = Branches

    run(Case)


def test_draws_random_numbers():
    class Noisy(torch.nn.Module):
        def forward(self, x):
            return x + torch.randn_like(x)

    class Case(Tester):
        module = Noisy

    run(Case)


def test_does_not_lower():
    class Fourier(torch.nn.Module):
        def forward(self, x):
            return torch.fft.fft(x).real

    class Case(Tester):
        module = Fourier

    run(Case)


def test_golden_raises():
    class Grumpy(torch.nn.Module):
        def forward(self, x):
            if not torch.compiler.is_compiling():
                raise ValueError("no eager today")
            return x * 2

    class Case(Tester):
        module = Grumpy

    run(Case)


class Shifty(torch.nn.Module):
    """Computes something else when exported: a device that is wrong, seen from outside."""

    def forward(self, x):
        return x.flip(0) if torch.compiler.is_compiling() else x * 1.0


def test_incorrect():
    class Case(Tester):
        module = Shifty

    run(Case)


def test_incorrect_and_never_finalized():
    class Case(Tester):
        module = Shifty

    Case("case", "eval").test_model()


def test_incorrect_with_checks_disabled():
    class Case(Tester):
        module = Shifty

    run(Case, assert_pcc=False, assert_atol=False, issue="https://example.org/issues/490")


def test_all_nan():
    class Nan(torch.nn.Module):
        def forward(self, x):
            return x / 0.0 - x / 0.0

    class Case(Tester):
        module = Nan

    run(Case)


def test_unsupported_output():
    class Odd(Tester):
        module = Twice

        def _extract_outputs(self, outputs):
            return {outputs.shape}

    run(Odd)


def test_checker_fails():
    class Case(Tester):
        module = Twice

    assert run(Case).sum() == 12345


def test_unknown_option():
    run(Tester, requiredpcc=0.5)


def test_unknown_mode():
    Tester("case", "evaluate")


def test_forbidden_pair():
    from bringup import OpByOpBackend

    config = CompilerConfig()
    config.op_by_op_backend = OpByOpBackend.STABLEHLO
    run(Tester, compiler_config=config)


def test_skips():
    pytest.skip("needs a model that is not public")


@pytest.mark.parametrize("depth", ["TORCH_FX", "STABLEHLO", "TTNN_IR", "EXECUTE"])
def test_depth(depth):
    class Case(Tester):
        module = Twice

    config = CompilerConfig()
    config.compile_depth = CompileDepth[depth]
    assert run(Case, compiler_config=config).shape == (4, 8)
