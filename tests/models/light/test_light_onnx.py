# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from importlib.resources import files

import onnx

from bringup import OnnxModelTester, model_test
from bringup.harness.given.onnx_file import static

from ..seeded import normal
from .seeded_weights import seed_weights


class ThisTester(OnnxModelTester):
    def _load_model(self):
        light = files("onnx") / "backend" / "test" / "data" / "light"
        file = light / f"light_{self.model_name}.onnx"
        model = static(onnx.load_from_string(file.read_bytes()))
        seed_weights(model)
        return model

    def _load_inputs(self):
        return [normal(1, 3, 224, 224)]


@model_test(ThisTester, "densenet121", "resnet50", "shufflenet", "squeezenet")
def test_light_onnx(results):
    (scores,) = results
    assert scores.flatten().shape == (1000,)
