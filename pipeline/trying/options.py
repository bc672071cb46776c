# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The options of `try`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bringup.harness.options.device_names import EVERY_DEVICE
from bringup.harness.options.option import Source, option
from bringup.harness.records import variable_names as variables
from bringup.pipeline.option_values import names_of
from bringup.pipeline.options import RunOptions

BOTH, OP_BY_OP = "both", "op_by_op"


@dataclass(frozen=True)
class TryOptions:
    """What is tried, where, with which inputs."""

    model: str = option(
        "",
        "MODEL",
        "a .onnx or .pt2 file, a folder of .onnx files, a folder that transformers saved, or "
        "package.module:NAME of a model, a class or a function",
        metavar="MODEL",
        verbs=["try"],
        required=True,
    )
    inputs: tuple[str, ...] = option(
        (),
        "--input",
        "an input: [NAME=]SHAPE[:DTYPE], drawn from a fixed seed, or a .npy, .npz or .pt file; "
        "repeat for more, in the model's order",
        metavar="INPUT",
        verbs=["try"],
        default_says="what the model declares",
    )
    devices: tuple[str, ...] = option(
        (),
        "--device",
        f"on these devices; repeat for more; {EVERY_DEVICE}: on every one that is known here",
        parse=names_of,
        metavar="NAME[,NAME]",
        verbs=["try"],
        variable=variables.DEVICE_VARIABLE,
        default_says="the first that executes here, and the first that is only compiled for",
        project="device",
    )
    flow: str = option(
        BOTH,
        "--flow",
        "full: the whole model; op_by_op: every op of it alone; both: the latter where it fails, "
        f"on devices that were named (not {EVERY_DEVICE})",
        choices=(BOTH, "full", OP_BY_OP),
        verbs=["try"],
    )
    predict: bool = option(
        False,
        "--predict",
        "run nothing: how far the model will get on each device, by what the verdict cache knows of"
        " its ops; unknown where some were never tried",
        verbs=["try"],
    )
    history: str = option(
        "none",
        "--history",
        "where the run is remembered: a folder or an address; none: nowhere",
        metavar="ADDRESS",
        verbs=["try"],
        variable=variables.HISTORY_VARIABLE,
    )
    output: Path | None = option(
        None,
        "--output",
        "the run directory",
        parse=Path,
        metavar="DIR",
        verbs=["try"],
        default_says="results/try-MODEL-TIME",
    )

    sources: Mapping[str, Source] = field(default_factory=dict)

    def of_run(
        self,
        test: Path,
        ids: Sequence[str],
        flow: str,
        run_dir: Path,
        devices: tuple[str, ...],
        listing: Path,
    ) -> RunOptions:
        """The options of a run of some tests of a file on some of the devices that are listed."""
        return RunOptions(
            session="run",
            ids=tuple(ids),
            tests=test.parent.as_posix(),
            devices=devices,
            devices_from=listing,
            flows=(flow,),
            history=self.history,
            output=run_dir,
            sources={"tests": Source.COMMAND_LINE},  # so that what is printed says where they lie
        )
