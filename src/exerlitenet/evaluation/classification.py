"""How well items (clips or sequences) were classified: one confusion matrix and everything that follows from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.errors import InputError
from exerlitenet.evaluation.metrics import (
    Interval,
    accuracy,
    balanced_accuracy,
    bootstrap,
    f1_scores,
    grouped_confusion,
    plain,
    precisions,
    recalls,
)

POSITIVE = "biceps_curl"
"""The class that the paper's precision, recall and F1 are about."""


@dataclass(frozen=True)
class Scores:
    """Figures of one class. support: items that truly are of it."""

    precision: Interval
    recall: Interval
    f1: Interval
    support: int


@dataclass(frozen=True)
class Classification:
    """Truth against prediction over some items.

    unit: "clips" or "sequences". statement: what was compared with what, one sentence.
    confusion: row = truth, column = prediction, both in the order of `classes`.
    positive: the class whose figures are precision, recall and F1 of the whole; None if it is not
    among them. Intervals are 95 %, by bootstrap over groups.
    """

    unit: str
    statement: str
    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    items: int
    groups: int
    accuracy: Interval
    balanced_accuracy: Interval
    scores: Mapping[str, Scores]
    positive: str | None = None

    def to_json(self) -> dict[str, Any]:
        positive = self.positive and {"class": self.positive, **plain(self.scores[self.positive])}
        return {**plain(self), "positive": positive}


def classify(
    truth: Sequence[str],
    predicted: Sequence[str],
    groups: Sequence[str],
    classes: Sequence[str],
    *,
    unit: str,
    statement: str,
    seed: int = 0,
) -> Classification:
    """One truth, prediction and group for each item. Raises InputError without items."""
    if not truth:
        raise InputError(f"nothing to evaluate: no {unit}")
    matrices = grouped_confusion(truth, predicted, classes, groups)
    total = matrices.sum(0)

    def of_class(figures: Callable[[NDArray[np.int64]], NDArray[np.float64]], k: int) -> Interval:
        return bootstrap(matrices, lambda drawn: figures(drawn)[:, k], seed)

    return Classification(
        unit=unit,
        statement=statement,
        classes=tuple(classes),
        confusion=tuple(tuple(int(n) for n in row) for row in total),
        items=len(truth),
        groups=len(matrices),
        accuracy=bootstrap(matrices, accuracy, seed),
        balanced_accuracy=bootstrap(matrices, balanced_accuracy, seed),
        scores={
            name: Scores(
                of_class(precisions, k), of_class(recalls, k), of_class(f1_scores, k), int(total[k].sum())
            )
            for k, name in enumerate(classes)
        },
        positive=POSITIVE if POSITIVE in classes else None,
    )


def classify_sequences(
    probabilities: NDArray[np.floating],
    labels: Sequence[str],
    groups: Sequence[str],
    classes: Sequence[str],
    *,
    seed: int = 0,
) -> Classification:
    """Sequences by their most probable class, as a training run does with its own split.

    probabilities: float [sequences, classes]. labels, groups: one per sequence.
    """
    if probabilities.shape != (len(labels), len(classes)):
        raise InputError(
            f"expected probabilities [{len(labels)}, {len(classes)}], got {list(probabilities.shape)}"
        )
    return classify(
        labels,
        [classes[k] for k in probabilities.argmax(1)],
        groups,
        classes,
        unit="sequences",
        statement="The class of the highest probability of each sequence.",
        seed=seed,
    )


def mean_by_clip(
    probabilities: NDArray[np.floating], clips: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Each clip once, rising, and the mean of its sequences' probabilities: int64 [n], float64 [n, classes].

    probabilities: float [sequences, classes]. clips: one per sequence.
    """
    found, row, counts = np.unique(clips, return_inverse=True, return_counts=True)
    sums = np.zeros((len(found), probabilities.shape[1]))
    np.add.at(sums, row, probabilities)
    return found, sums / counts[:, None]
