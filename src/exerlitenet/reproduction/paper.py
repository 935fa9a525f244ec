"""What the paper publishes, read from paper.toml: the figures that the study sets its own beside."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["accuracy", "training", "explanation", "cost", "design", "data"]

KINDS: dict[Kind, str] = {
    "accuracy": "accuracy, by the random split",
    "training": "course of training",
    "explanation": "what the paper says of errors and movement",
    "cost": "size, operations, speed",
    "design": "network and settings, copied",
    "data": "data",
}
"""What a row is about. What is copied from the paper is reached by copying, so it is never counted with the others."""

NOT_PUBLISHED = "other clips: the paper's clips are not published"


@dataclass(frozen=True)
class PaperRow:
    """One figure of the paper; paper.toml says what each field means."""

    kind: Kind
    where: str
    what: str
    paper: Any
    rule: str
    ours: str = ""
    form: str = "{}"
    our_form: str = ""
    join: str = ", "
    system: str = ""
    why: str = ""
    missed: str = NOT_PUBLISHED

    def shown(self, value: Any, form: str = "") -> str:
        """A figure, or the figures of a list, as a reader sees them."""
        values = value if isinstance(value, list) else [value]
        return self.join.join((form or self.form).format(v) for v in values) or "-"


@dataclass(frozen=True)
class Curve:
    """What the text and the figures say of a phase's curves."""

    epochs: int
    best_epoch: int
    words: str


_PAPER: dict[str, Any] = tomllib.loads(Path(__file__).with_name("paper.toml").read_text(encoding="utf-8"))

ROWS = tuple(
    PaperRow(**({key: value for key, value in table.items() if key != "rows"} | row))
    for table in _PAPER["tables"]
    for row in table["rows"]
)
CURVES = {phase: Curve(**curve) for phase, curve in _PAPER["curves"].items()}
CONFUSION: dict[str, list[list[int]]] = _PAPER["figures_13_and_14"]
"""Rows: truth, columns: predicted; biceps_curl, squat. The published shares imply them."""

TEST_SEQUENCES: int = _PAPER["test_sequences"]
VGG16_TOP: list[tuple[int, int]] = [tuple(layer) for layer in _PAPER["vgg16_top"]]
"""Inputs and units of VGG16's dense layers for ImageNet."""


def accuracies(system: str) -> dict[str, PaperRow] | None:
    """Accuracy, precision, recall, F1 and best epoch of a system, by these names; None where the paper has none."""
    rows = [row for row in ROWS if row.where == "tables 2, 3" and row.ours.startswith(f"systems/{system}/")]
    return {row.what.partition(", ")[2]: row for row in rows} or None
