# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What outcomes, statuses and figures mean and how they are shown: one table for every format.

Colours are from Okabe and Ito's palette for colour-blind readers
(https://jfly.uni-koeln.de/color/), and never alone: the outcome is always there.
"""

from dataclasses import dataclass

from bringup.harness.records.schema import ModelStatus, Outcome, Status


@dataclass(frozen=True)
class OutcomeStyle:
    """How one outcome is shown."""

    meaning: str
    symbol: str
    """One character beside the outcome, for a glance."""
    colour: str
    """Six hex digits: bars and borders."""
    tint: str
    """Six hex digits: the background of a spreadsheet cell with dark text on it."""
    terminal: str
    """A rich style."""


OUTCOMES: dict[Outcome, OutcomeStyle] = {
    Outcome.PASSED: OutcomeStyle(
        "Executed on the device and every asserted check held.",
        "✓",
        "009E73",
        "C6EFCE",
        "green",
    ),
    Outcome.REACHED: OutcomeStyle(
        "Stopped where asked, or at a compile-only device's top; or ran and had no golden.",
        "◆",
        "56B4E9",
        "D6ECF9",
        "cyan",
    ),
    Outcome.INCORRECT: OutcomeStyle(
        "Executed, and an asserted check did not hold.",
        "≠",
        "E69F00",
        "FCE8C2",
        "yellow",
    ),
    Outcome.UNVERIFIED: OutcomeStyle(
        "Nothing could be compared; the failure says why, the status how far it got.",
        "?",
        "B8A000",
        "F5F0C4",
        "bright_yellow",
    ),
    Outcome.DOES_NOT_FIT: OutcomeStyle(
        "Needs more memory than its device has, by the compiler's word or its figures.",
        "⊞",
        "8C510A",
        "EBDAC6",
        "orange3",
    ),
    Outcome.FAILED: OutcomeStyle(
        "A stage raised; the failure says which and why.",
        "✗",
        "D55E00",
        "F9D3BC",
        "red",
    ),
    Outcome.CRASHED: OutcomeStyle(
        "The process died on a signal or exited in the middle of the test.",
        "‼",
        "A2003C",
        "F3BFCF",
        "bold red",
    ),
    Outcome.TIMEOUT: OutcomeStyle(
        "Ran past its deadline and was killed by us.",
        "⧗",
        "CC79A7",
        "F3DCE8",
        "magenta",
    ),
    Outcome.KILLED: OutcomeStyle(
        "Killed from outside: the user, the machine, out of memory.",
        "⊘",
        "7B5EA7",
        "DED5EA",
        "bright_magenta",
    ),
    Outcome.INFRA: OutcomeStyle(
        "The device, the disk or the machine failed, not the model.",
        "⚠",
        "0072B2",
        "C5DCEC",
        "blue",
    ),
    Outcome.SKIPPED: OutcomeStyle(
        "The test itself said it cannot run here; the failure says why.",
        "»",
        "999999",
        "EDEDED",
        "dim",
    ),
    Outcome.NOT_RUN: OutcomeStyle(
        "Planned, never started; the reason says whether its run's budget left it out.",
        "○",
        "4D4D4D",
        "D9D9D9",
        "bold white",
    ),
}
"""In the order of every legend and bar, best first."""

NO_RECORD = "no record"
"""Shown for a planned test that left nothing behind, not even an outcome."""

NO_RECORD_MEANING = "Planned, and no record says what became of it; never read as a pass."

STATUSES: dict[Status, str] = {
    Status.NOT_STARTED: "Nothing was achieved.",
    Status.CREATED_GRAPH: "The model was captured as a graph.",
    Status.CONVERTED_TO_TORCH_IR: "The graph was imported as torch IR.",
    Status.CONVERTED_TO_TORCH_BACKEND_IR: "Lowered to torch backend IR.",
    Status.CONVERTED_TO_STABLE_HLO: "Lowered to StableHLO.",
    Status.CONVERTED_TO_TTIR: "Lowered to TTIR; elsewhere: to the device's own IR.",
    Status.CONVERTED_TO_TTNN: "Lowered to TTNN; elsewhere: compiled for the device.",
    Status.EXECUTED: "Executed on the device.",
}

MODEL_STATUSES: dict[ModelStatus, str] = {
    ModelStatus.PASSED: "Executed and correct.",
    ModelStatus.INCORRECT_RESULT: "Executed; the result is not the golden one.",
    ModelStatus.FAILED_RUNTIME: "Compiled, and failed while executing.",
    ModelStatus.FAILED_TTMLIR_COMPILATION: "Stopped in the device's compiler.",
    ModelStatus.FAILED_FE_COMPILATION: "Stopped in the front end, before the device's compiler.",
    ModelStatus.UNKNOWN: "Stopped by something that does not say how far the model would go.",
    ModelStatus.NOT_STARTED: "Never got going.",
}


REACHED_STATUS = {
    "REACHED ...": "Stopped where asked, or at a compile-only device's top: at that status."
}
"""What `model_status_text` says beside them."""


def status_text(status: Status) -> str:
    """Number and name, e.g. `6: CONVERTED_TO_TTNN`."""
    return f"{status.value}: {status.name}"


def model_status_text(outcome: Outcome, status: Status, model_status: ModelStatus) -> str:
    """A model's status in tt-torch's words; of one that stopped where asked, how far that is.

    tt-torch has no word for a model that did all it was asked for and was not executed: UNKNOWN
    would say that nobody knows how far it got.
    """
    if outcome is Outcome.REACHED:
        return f"REACHED {status.name}"
    return model_status.value


def colours() -> str:
    """The colour of each outcome's class, as the CSS variable `--c`."""
    rules = (
        f".o-{outcome.value} {{ --c: #{style.colour} }}" for outcome, style in OUTCOMES.items()
    )
    return "\n".join([*rules, ""])


def symbols(within: str) -> str:
    """The symbol before each outcome's class, of elements that match `within`.

    It is for the eye, so it has no spoken text.
    """
    shown = {outcome.value: style.symbol for outcome, style in OUTCOMES.items()} | {"none": "?"}
    rules = (f'{within}.o-{n}::before {{ content: "{s}" / "" }}' for n, s in shown.items())
    return "\n".join([*rules, ""])


FIGURES: dict[str, str] = {
    "good": "PASSED and REACHED, of the outcomes that say something of the model "
    "(not INFRA, KILLED, SKIPPED or NOT_RUN). n/a when there are none.",
    "compiled": "Status 6 or higher, of the same.",
    "executed": "Status 7, right or not, of the same without REACHED, which was not to execute. "
    "n/a for a device that only compiles.",
    "op by op": "A test that went through all of its ops has the outcome of the worst of those "
    "that did not run right.",
    "reported": "Planned tests with a record other than NOT_RUN, of all planned.",
    "PCC": "The worst correlation with the golden over all outputs; the page rounds it down.",
    "time": "Wall seconds from start to end of the last attempt.",
}
