"""Figures of a classifier and how sure they are: NumPy only.

A confusion matrix is int64 [..., classes, classes]: row = truth, column = prediction. The functions take any
number of leading axes, so that a bootstrap needs no loop. A figure without support (0 / 0) is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.errors import InputError

RESAMPLES = 2000

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval; the bounds are None when there are too few groups to have one.

    The figure itself is None when nothing supports it.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Interval:
        """What `to_json` wrote; None is an interval without a figure."""
        return cls(None) if data is None else cls(data["value"], data["low"], data["high"])

    def to_json(self) -> dict[str, float | None]:
        return {"value": _rounded(self.value), "low": _rounded(self.low), "high": _rounded(self.high)}

    def __format__(self, spec: str) -> str:
        """Empty spec: "93.5 % [90.1, 96.0]"; "-" when there is no figure."""
        if self.value is None:
            return "-"
        text = f"{100 * self.value:.1f} %"
        if self.low is None or self.high is None:
            return text
        return f"{text} [{100 * self.low:.1f}, {100 * self.high:.1f}]"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def confusion_matrix(truth: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> Counts:
    """int64 [classes, classes]. Raises InputError for a name that is not among the classes."""
    return np.asarray(grouped_confusion(truth, predicted, classes, [""] * len(truth)).sum(0))


def grouped_confusion(
    truth: Sequence[str], predicted: Sequence[str], classes: Sequence[str], groups: Sequence[str]
) -> Counts:
    """One matrix for each group, in the order of their sorted names: int64 [groups, classes, classes]."""
    if not len(truth) == len(predicted) == len(groups):
        raise InputError(
            "truth, predictions and groups must be equally many, "
            f"got {len(truth)}, {len(predicted)} and {len(groups)}"
        )
    column = {name: i for i, name in enumerate(classes)}
    unknown = sorted({name for name in (*truth, *predicted) if name not in column})
    if unknown:
        raise InputError(f"expected the classes {', '.join(classes)}, got {', '.join(unknown)}")
    row = {name: i for i, name in enumerate(sorted(set(groups)))}
    out = np.zeros((max(1, len(row)), len(classes), len(classes)), np.int64)
    for true, found, group in zip(truth, predicted, groups, strict=True):
        out[row[group], column[true], column[found]] += 1
    return out


def accuracy(matrix: Counts) -> Floats:
    """Share of items on the diagonal: float64 [...]."""
    return _ratio(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum((-2, -1)))


def recalls(matrix: Counts) -> Floats:
    """Of the items of each class, the share called so: float64 [..., classes]."""
    return _ratio(np.diagonal(matrix, axis1=-2, axis2=-1), matrix.sum(-1))


def precisions(matrix: Counts) -> Floats:
    """Of the items called each class, the share that is: float64 [..., classes]."""
    return _ratio(np.diagonal(matrix, axis1=-2, axis2=-1), matrix.sum(-2))


def f1_scores(matrix: Counts) -> Floats:
    """Harmonic mean of precision and recall, as 2 TP / (true + called): float64 [..., classes]."""
    return _ratio(2 * np.diagonal(matrix, axis1=-2, axis2=-1), matrix.sum(-1) + matrix.sum(-2))


def balanced_accuracy(matrix: Counts) -> Floats:
    """Recall averaged over the classes that occur: float64 [...]."""
    found = recalls(matrix)
    occurring = ~np.isnan(found)
    return _ratio(np.where(occurring, found, 0).sum(-1), occurring.sum(-1))


def bootstrap(by_group: NDArray[Any], statistic: Callable[[NDArray[Any]], Floats], seed: int = 0) -> Interval:
    """A figure over all groups with its 95 % percentile interval over resampled groups.

    by_group: [groups, ...], what adds up over groups (confusion matrices, sums). statistic: maps sums
        [resamples, ...] to figures [resamples]. Groups are what is drawn again, since clips of one group
        resemble each other: an interval over clips would be too narrow.
    """
    value = float(statistic(by_group.sum(0)[None])[0])
    if math.isnan(value):
        return Interval(None)
    groups = len(by_group)
    if groups < 2:
        return Interval(value)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(groups, np.full(groups, 1 / groups), size=RESAMPLES)
    figures = statistic(np.tensordot(drawn, by_group, axes=1))
    figures = figures[~np.isnan(figures)]
    if len(figures) < RESAMPLES / 2:
        return Interval(value)
    low, high = np.percentile(figures, [2.5, 97.5])
    return Interval(value, float(low), float(high))


def wilson(successes: int, items: int, z: float = 1.959964) -> Interval:
    """A share with Wilson's 95 % interval, for items that do not come in groups."""
    if not 0 <= successes <= items:
        raise InputError(f"successes must lie between 0 and the items, got {successes} of {items}")
    if items == 0:
        return Interval(None)
    share = successes / items
    centre = (share + z * z / (2 * items)) / (1 + z * z / items)
    half = z / (1 + z * z / items) * math.sqrt(share * (1 - share) / items + z * z / (4 * items * items))
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half))


@dataclass(frozen=True)
class McNemar:
    """Two models on the same items: how often only one of them was right, and the exact two-sided p-value."""

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first_right: Sequence[bool], second_right: Sequence[bool]) -> McNemar:
    """McNemar's exact paired test: under the null hypothesis an item that only one model gets right is a
    fair coin.
    """
    if len(first_right) != len(second_right):
        raise InputError(f"both models need the same items, got {len(first_right)} and {len(second_right)}")
    only_first = sum(bool(a) and not b for a, b in zip(first_right, second_right, strict=True))
    only_second = sum(bool(b) and not a for a, b in zip(first_right, second_right, strict=True))
    n = only_first + only_second
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1))
    return McNemar(only_first, only_second, min(1.0, 2 * tail / 2**n))


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> Floats:
    """Element by element; NaN for 0 / 0."""
    out = np.full(np.shape(denominator), np.nan)
    np.divide(numerator, denominator, out=out, where=np.asarray(denominator) != 0)
    return out
