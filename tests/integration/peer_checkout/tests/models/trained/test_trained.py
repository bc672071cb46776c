# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from tests.utils import ModelTester


class ThisTester(ModelTester):
    def _load_model(self):
        return torch.nn.Linear(4, 3)

    def _load_inputs(self):
        return torch.randn(2, 4)

    def set_inputs_train(self, inputs):
        inputs.requires_grad_(True)
        return inputs

    def append_fake_loss_function(self, outputs):
        return torch.mean(outputs)

    def get_results_train(self, model, inputs, outputs):
        return inputs.grad


class Careless(ThisTester):
    def get_results_train(self, model, inputs, outputs):
        return outputs.no_such_attribute


@pytest.mark.parametrize("mode", ["train"])
def test_trained(record_property, mode):
    tester = ThisTester("trained", mode, record_property_handle=record_property)
    results = tester.test_model()
    assert results.shape == (2, 4) and results.abs().max() > 0
    tester.finalize()


@pytest.mark.parametrize("mode", ["train"])
def test_careless(mode):
    Careless("careless", mode).test_model()
