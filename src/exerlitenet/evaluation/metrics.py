"""Figures of a classifier and how sure they are: NumPy only.

A confusion matrix is int64 [..., classes, classes]: row = truth, column = prediction. The functions take any
number of leading axes, so that a bootstrap needs no loop. A figure without support (0 / 0) is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.errors import InputError
from exerlitenet.pages.text import share

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

    def to_json(self) -> dict[str, float | None]:
        """Rounded to six digits."""
        return {name: None if value is None else round(value, 6) for name, value in vars(self).items()}

    def __str__(self) -> str:
        """ "93.5 % [90.1, 96.0]"; "-" when there is no figure."""
        return share(self)


def plain(value: Any) -> Any:
    """What JSON can hold of figures: dataclasses as objects of their fields, intervals rounded."""
    if isinstance(value, Interval):
        return value.to_json()
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: plain(inside) for name, inside in value.items()}
    return [plain(inside) for inside in value] if isinstance(value, tuple | list) else value


def with_intervals(data: Any) -> Any:
    """What `plain` made, read again from JSON: every object of a value, low and high is an interval."""
    if isinstance(data, Mapping):
        if data.keys() == {"value", "low", "high"}:
            return Interval(**data)
        return {name: with_intervals(inside) for name, inside in data.items()}
    return [with_intervals(inside) for inside in data] if isinstance(data, list) else data


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
    return ratio(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum((-2, -1)))


def recalls(matrix: Counts) -> Floats:
    """Of the items of each class, the share called so: float64 [..., classes]."""
    return ratio(np.diagonal(matrix, axis1=-2, axis2=-1), matrix.sum(-1))


def precisions(matrix: Counts) -> Floats:
    """Of the items called each class, the share that is: float64 [..., classes]."""
    return ratio(np.diagonal(matrix, axis1=-2, axis2=-1), matrix.sum(-2))


def f1_scores(matrix: Counts) -> Floats:
    """Harmonic mean of precision and recall, as 2 TP / (true + called): float64 [..., classes]."""
    return ratio(2 * np.diagonal(matrix, axis1=-2, axis2=-1), matrix.sum(-1) + matrix.sum(-2))


def balanced_accuracy(matrix: Counts) -> Floats:
    """Recall averaged over the classes that occur: float64 [...]."""
    found = recalls(matrix)
    occurring = ~np.isnan(found)
    return ratio(np.where(occurring, found, 0).sum(-1), occurring.sum(-1))


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


def sums_by_group(groups: Sequence[str], facts: Sequence[Sequence[float]]) -> Floats:
    """float64 [groups, facts], in the order of the groups' names. groups, facts: one for each item."""
    names, row = np.unique(groups, return_inverse=True)
    out = np.zeros((len(names), len(facts[0])))
    np.add.at(out, row, np.array(facts, np.float64))
    return out


def mean(groups: Sequence[str], values: Sequence[float], seed: int = 0) -> Interval:
    """The mean of a value over items, such as the share of those that are right. groups, values: one for each item."""
    if not groups:
        return Interval(None)
    sums = sums_by_group(groups, [(1.0, value) for value in values])
    return bootstrap(sums, lambda drawn: ratio(drawn[:, 1], drawn[:, 0]), seed)


def mcnemar(first_right: Sequence[bool], second_right: Sequence[bool]) -> tuple[int, int, float]:
    """McNemar's exact paired test of two models on the same items: how often only the first was right, how often only
    the second, and the two-sided p-value. Under the null hypothesis each of these items is a fair coin.
    """
    if len(first_right) != len(second_right):
        raise InputError(f"both models need the same items, got {len(first_right)} and {len(second_right)}")
    only_first = sum(bool(a) and not b for a, b in zip(first_right, second_right, strict=True))
    only_second = sum(bool(b) and not a for a, b in zip(first_right, second_right, strict=True))
    n = only_first + only_second
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1))
    return only_first, only_second, min(1.0, 2 * tail / 2**n)


def ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> Floats:
    """Element by element; NaN for 0 / 0."""
    out = np.full(np.shape(denominator), np.nan)
    np.divide(numerator, denominator, out=out, where=np.asarray(denominator) != 0)
    return out
