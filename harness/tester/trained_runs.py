# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test may say of a step of training, under our names and tt-torch's."""

from typing import Any

import torch

from bringup.harness.frontend import training
from bringup.harness.frontend.call import Call, call_of, named_tensors
from bringup.harness.frontend.eager import WithoutDropout
from bringup.harness.frontend.paths import INPUTS
from bringup.harness.tester.compared_runs import ComparedRuns


class TrainedRuns(ComparedRuns):
    """A model, the loss that it is trained on, and what a test makes of the gradients."""

    def _loss(self, outputs: Any) -> torch.Tensor:
        """Return the scalar to train on; the model's own `loss` by default."""
        return self.append_fake_loss_function(outputs)

    def append_fake_loss_function(self, outputs: Any) -> torch.Tensor:
        """tt-torch's name of `_loss`."""
        return training.default_loss(outputs)

    def set_inputs_train(self, inputs: Any) -> Any:
        """Return the inputs to train with; those that require a gradient get one, compared too."""
        return inputs

    def get_results_train(self, model: Any, inputs: Any, outputs: Any) -> Any:
        """What `test_model` is to return of a step, where a subclass says so.

        It is called with gradients set: after the golden's step, and again with the device's
        gradients and the golden's `outputs`, of which the device computes the loss alone.
        """
        raise NotImplementedError

    @property
    def _says_results(self) -> bool:
        return type(self).get_results_train is not TrainedRuns.get_results_train

    def _call(self) -> Call:
        return call_of(self._inputs)

    def _golden_step(self) -> dict[str, torch.Tensor]:
        """Loss and every gradient by eager PyTorch."""
        dropout = WithoutDropout()
        call = self._call()
        results = training.eager_step(
            self._model,
            call,
            self._loss,
            dropout,
            inputs={f"{INPUTS}{path}": t for path, t in named_tensors(self._model, call).items()},
            seen=self._see_step if self._says_results else None,
        )
        if dropout.calls:
            self._golden_notes["dropout"] = f"off in {dropout.calls} calls"
        return results

    def _see_step(self, outputs: Any) -> None:
        self._train_outputs = outputs
        self.get_results_train(self._model, self._inputs, outputs)

    def _results_of_step(self, results: dict[str, torch.Tensor]) -> Any:
        """What a test's body gets of a device's step."""
        if not self._says_results:
            return results
        with self._run(watched=False):
            named = dict(self._model.named_parameters())
            inputs = named_tensors(self._model, self._call())
            named |= {f"{INPUTS}{path}": tensor for path, tensor in inputs.items()}
            for name, gradient in results.items():
                tensor = named.get(name.removeprefix(training.GRADIENT))
                if tensor is not None:
                    tensor.grad = gradient.to(tensor.dtype)
            made = self.get_results_train(self._model, self._inputs, self._train_outputs)
            self._model.zero_grad(set_to_none=True)
        return made
