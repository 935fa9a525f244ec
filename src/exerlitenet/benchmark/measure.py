"""A figure of the benchmark, all of them together, and how they are kept as JSON and CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.errors import InputError

OnProgress = Callable[[float, float | None], None]
"""Called by long work with how much is done, and of how much if that is known."""


def ignore(done: float, total: float | None) -> None:
    """Where nobody wants to know the progress."""


COLUMNS = ("part", "name", "value", "unit", "low", "high", "repetitions", "text")
"""Of the CSV. `text` is filled in rows that are no measure: part "run", "machine" or "note"."""


class Unavailable(InputError):
    """What cannot be measured here, and what to do about it, in one line.

    The other measures are still taken; the line is among the benchmark's notes.
    """


@dataclass(frozen=True)
class Measure:
    """One figure.

    low, high: 10th and 90th percentile of its repetitions; None for what does not vary.
    part: of the benchmark; whoever runs the parts fills it in.
    """

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    repetitions: int = 1
    part: str = ""


def measure_of(name: str, values: NDArray[np.float64], unit: str) -> Measure:
    """Median with the 10th and 90th percentile of repetitions. values: float64 [n]."""
    low, middle, high = (rounded(float(v)) for v in np.percentile(values, [10, 50, 90]))
    return Measure(name, middle, unit, low, high, len(values))


def rounded(value: float, digits: int = 5) -> float:
    """So many significant digits: more would be noise."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


@dataclass(frozen=True)
class Benchmark:
    """measures: in the order of the work. machine: what it was measured on. notes: what was left out, and why.

    quick: measured with few repetitions, so its figures are rough.
    """

    model: str
    machine: Mapping[str, str]
    measures: tuple[Measure, ...]
    notes: tuple[str, ...] = ()
    quick: bool = False

    def __getitem__(self, name: str) -> Measure:
        found = self.find(name)
        if found is None:
            raise KeyError(name)
        return found

    def find(self, name: str) -> Measure | None:
        """The measure of that name, or None."""
        return next((measure for measure in self.measures if measure.name == name), None)

    def of(self, part: str) -> tuple[Measure, ...]:
        """The measures of a part."""
        return tuple(measure for measure in self.measures if measure.part == part)

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that have measures, in the order of the work."""
        return tuple(dict.fromkeys(measure.part for measure in self.measures))

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "quick": self.quick,
            "machine": dict(self.machine),
            "measures": [asdict(measure) for measure in self.measures],
            "notes": list(self.notes),
        }

    def to_csv(self) -> str:
        """One row a measure, after rows with what was run and on what, before rows with notes.

        Measures have numbers and no text, the other rows text and no number, so a spreadsheet, and
        `pandas.read_csv` without options, read every column as what it is.
        """
        texts = [("run", "model", self.model), ("run", "quick", "yes" if self.quick else "no")]
        texts += [("machine", name, value) for name, value in self.machine.items()]
        notes = [("note", str(k), note) for k, note in enumerate(self.notes, 1)]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_texts(texts))
        writer.writerows(asdict(measure) for measure in self.measures)
        writer.writerows(_texts(notes))
        return text.getvalue()


def _texts(rows: Iterable[tuple[str, str, str]]) -> Iterable[dict[str, str]]:
    return ({"part": part, "name": name, "text": text} for part, name, text in rows)


def figure(value: float) -> str:
    """Three significant digits; whole numbers, and those of more digits, without a fraction."""
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{rounded(value, 3):g}"


def spread(measure: Measure) -> str:
    """From the 10th to the 90th percentile; empty for what does not vary."""
    if measure.low is None or measure.high is None:
        return ""
    return f"{figure(measure.low)} to {figure(measure.high)}"
