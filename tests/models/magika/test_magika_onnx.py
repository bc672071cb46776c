# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Magika: what kind of file some bytes are, with trained weights.

Configuration: magika's standard_v3_3/model.onnx; trained weights.
"""

import io
import json
import zlib
from importlib.metadata import files
from pathlib import Path

import onnx
import torch
from PIL import Image

from bringup import OnnxModelTester, model_test
from bringup.harness.given.onnx_file import static

HALF, NOTHING = 1024, 256
"""Bytes seen of a file's beginning and of its end; what stands where there are none."""
ROOT = Path(__file__).parents[3]


def samples():
    """Files of eight kinds: those of this checkout, and some that are made here."""
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(picture, "png")
    records = [{"name": f"test {n}", "outcome": "PASSED", "seconds": n / 7} for n in range(40)]
    return {
        "python": Path(__file__).read_bytes(),
        "toml": (ROOT / "pyproject.toml").read_bytes(),
        "markdown": (ROOT / "README.md").read_bytes(),
        "json": json.dumps(records, indent=2).encode(),
        "html": b"<!DOCTYPE html>\n<html><head><title>Night</title></head>\n<body>\n"
        + b"<table><tr><td>bert</td><td>PASSED</td></tr></table>\n" * 20
        + b"</body>\n</html>\n",
        "csv": b"model,device,outcome,seconds\n"
        + b"bert,cpu,PASSED,3.25\nvit,n150,REACHED,4\n" * 60,
        "png": picture.getvalue(),
        "pdf": b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        + b"2 0 obj\n<< /Length 400 /Filter /FlateDecode >>\nstream\n"
        + zlib.compress(bytes(range(256)) * 4)
        + b"\nendstream\nendobj\nxref\n0 3\ntrailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n",
    }


def features(content):
    """What Magika sees: the first and the last bytes but for white space, int32 [2048]."""
    first = content.lstrip()[:HALF]
    last = content.rstrip()[-HALF:]
    before = [NOTHING] * (HALF - len(last))
    return [*first, *[NOTHING] * (HALF - len(first)), *before, *last]


def carried(name):
    (file,) = (f for f in files("magika") if f.name == name)
    return Path(file.locate())


class ThisTester(OnnxModelTester):
    def _load_model(self):
        return static(onnx.load(carried("model.onnx")), {"bytes": (len(samples()), 2 * HALF)})

    def _load_inputs(self):
        rows = [features(content) for content in samples().values()]
        return {"bytes": torch.tensor(rows, dtype=torch.int32)}


@model_test(ThisTester, "magika-standard-v3.3")
def test_magika_onnx(results, record_property):
    labels = json.loads(carried("config.min.json").read_text())["target_labels_space"]
    (chances,) = results
    found = [labels[place] for place in chances.argmax(dim=1)]
    right = [one == kind for one, kind in zip(found, samples(), strict=True)]
    record_property("accuracy", sum(right) / len(right))
    record_property("kinds", " ".join(found))
    assert sum(right) >= 7, found
