# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""SEW tiny, CTC: attention on every second frame.

Configuration: asapp/sew-tiny-100k, config.json.
"""

from transformers import SEWConfig, SEWForCTC

from bringup import model_test

from ..testers import SoundTester


class ThisTester(SoundTester):
    architecture = SEWForCTC

    def config(self):
        return SEWConfig()


@model_test(ThisTester, "sew-tiny-100k")
def test_sew(results):
    assert results.logits.shape == (2, 49, 32)
