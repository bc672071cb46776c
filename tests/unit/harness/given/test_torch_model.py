# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""PyTorch models as they come: by name, exported, as transformers saved them."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel

from bringup.harness.errors import UsageError
from bringup.harness.given.input_spec import read_specs
from bringup.harness.given.torch_model import inputs_of, load

HERE = __name__


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


def made() -> Net:
    return Net()


def double(x: torch.Tensor) -> torch.Tensor:
    return x * 2


def leaving() -> Net:
    sys.exit(0)


NET = Net()
NUMBER = 3


def test_a_class_a_maker_a_model_and_a_function_are_models() -> None:
    x = torch.ones(2, 8)
    first, again = load(f"{HERE}:Net"), load(f"{HERE}:made")
    assert torch.equal(first(x), again(x))  # weights are drawn from one seed
    assert load(f"{HERE}:NET") is NET
    assert torch.equal(load(f"{HERE}:double")(x), 2 * x)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("no_such_module:Net", "no module no_such_module"),
        (f"{HERE}:Absent", "has no Absent"),
        (f"{HERE}:NUMBER", "is a int, no model"),
        (f"{HERE}:leaving", r"leaving ends Python when it is called: SystemExit\(0\)"),
    ],
)
def test_what_is_no_model_is_said(source: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(source)


def test_a_module_that_leaves_python_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leaves_python.py").write_text("import sys\nsys.exit('no')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=r"leaves_python ends Python when it is imported: .*'no'"):
        load("leaves_python:Net")


def test_a_folder_whose_weights_lie_is_said_with_its_name(tmp_path: Path) -> None:
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    BertModel(BertConfig(**sizes, intermediate_size=8, vocab_size=9)).save_pretrained(tmp_path)
    for wrong in (b"\xff" * 64, b"\x08" + bytes(7) + b'{"a": 1}'):
        (tmp_path / "model.safetensors").write_bytes(wrong)
        with pytest.raises(UsageError, match=f"{tmp_path} cannot be loaded: .*[a-z]"):
            load(str(tmp_path))


def test_an_exported_program_brings_its_inputs(tmp_path: Path) -> None:
    path, x = tmp_path / "net.pt2", torch.randn(2, 8)
    torch.export.save(torch.export.export(NET, (x,)), path)
    model = load(str(path))
    (own,) = inputs_of(str(path), model, [])
    assert torch.equal(own, x) and torch.allclose(model(own), NET(x))
    path.write_bytes(b"torn")
    with pytest.raises(UsageError, match="cannot be read as an exported program"):
        load(str(path))


def test_a_folder_of_transformers_is_loaded_with_its_weights_and_given_a_text(
    tmp_path: Path,
) -> None:
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    saved = BertModel(BertConfig(vocab_size=50, intermediate_size=16, **size))
    saved.save_pretrained(tmp_path)
    model = load(str(tmp_path))
    inputs = inputs_of(str(tmp_path), model, [])
    assert inputs["input_ids"].max() < 50
    assert torch.equal(model(**inputs)[0], saved.eval()(**inputs)[0])
    (tmp_path / "config.json").write_text('{"architectures": ["Nothing"]}')
    with pytest.raises(UsageError, match="no architecture 'Nothing'"):
        load(str(tmp_path))


def test_inputs_that_were_asked_for_come_by_name_or_in_order() -> None:
    named = inputs_of("m:f", NET, read_specs(("x=2x8",)))
    assert named["x"].shape == (2, 8)
    two = inputs_of("m:f", NET, read_specs(("2x8", "3:i64")))
    assert [t.dtype for t in two] == [torch.float32, torch.int64]
    with pytest.raises(UsageError, match="either all inputs have a name"):
        inputs_of("m:f", NET, read_specs(("x=2x8", "3")))
    with pytest.raises(UsageError, match="does not say what it takes"):
        inputs_of("m:f", NET, [])


def test_without_transformers_a_folder_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(UsageError, match=r"config\.json cannot be read"):
        load(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match=r"pip install 'bringup\[fleet\]' brings it"):
        load(str(tmp_path))
