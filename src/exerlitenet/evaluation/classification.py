"""How well items (clips or sequences) were told apart: one confusion matrix and everything that follows
from it.
"""

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

    def to_json(self) -> dict[str, Any]:
        return {
            "precision": self.precision.to_json(),
            "recall": self.recall.to_json(),
            "f1": self.f1.to_json(),
            "support": self.support,
        }


@dataclass(frozen=True)
class Judgement:
    """Truth against prediction over some items.

    unit: "clips" or "sequences". statement: what was compared with what, one sentence.
    confusion: row = truth, column = prediction, both in the order of `classes`.
    positive: the class whose figures stand for precision, recall and F1 of the whole; None if it is not
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
        return {
            "unit": self.unit,
            "statement": self.statement,
            "classes": list(self.classes),
            "confusion": [list(row) for row in self.confusion],
            "items": self.items,
            "groups": self.groups,
            "accuracy": self.accuracy.to_json(),
            "balanced_accuracy": self.balanced_accuracy.to_json(),
            "scores": {name: scores.to_json() for name, scores in self.scores.items()},
            "positive": None if self.positive is None else {"class": self.positive, **self._positive_json()},
        }

    def _positive_json(self) -> dict[str, Any]:
        return self.scores[self.positive].to_json() if self.positive is not None else {}


def compare(
    truth: Sequence[str],
    predicted: Sequence[str],
    groups: Sequence[str],
    classes: Sequence[str],
    *,
    unit: str,
    statement: str,
    seed: int = 0,
    positive: str = POSITIVE,
) -> Judgement:
    """Judge predictions; one truth, prediction and group for each item. Raises InputError without items."""
    if not truth:
        raise InputError(f"nothing to judge: no {unit}")
    matrices = grouped_confusion(truth, predicted, classes, groups)
    total = matrices.sum(0)
    scores = {
        name: Scores(
            precision=bootstrap(matrices, _of_class(precisions, i), seed),
            recall=bootstrap(matrices, _of_class(recalls, i), seed),
            f1=bootstrap(matrices, _of_class(f1_scores, i), seed),
            support=int(total[i].sum()),
        )
        for i, name in enumerate(classes)
    }
    return Judgement(
        unit=unit,
        statement=statement,
        classes=tuple(classes),
        confusion=tuple(tuple(int(n) for n in row) for row in total),
        items=len(truth),
        groups=len(matrices),
        accuracy=bootstrap(matrices, accuracy, seed),
        balanced_accuracy=bootstrap(matrices, balanced_accuracy, seed),
        scores=scores,
        positive=positive if positive in classes else None,
    )


def _of_class(
    figures: Callable[[NDArray[np.int64]], NDArray[np.float64]], k: int
) -> Callable[[NDArray[np.int64]], NDArray[np.float64]]:
    """The k-th column of per-class figures."""
    return lambda matrices: figures(matrices)[:, k]


def judge_sequences(
    probabilities: NDArray[np.floating],
    labels: Sequence[str],
    groups: Sequence[str],
    classes: Sequence[str],
    *,
    seed: int = 0,
    positive: str = POSITIVE,
) -> Judgement:
    """Judge sequences by their most probable class, as a training run does with its own split.

    probabilities: float [sequences, classes]. labels, groups: one per sequence.
    """
    if probabilities.ndim != 2 or probabilities.shape != (len(labels), len(classes)):
        raise InputError(
            f"expected probabilities [{len(labels)}, {len(classes)}], got {list(probabilities.shape)}"
        )
    predicted = [classes[k] for k in probabilities.argmax(1)]
    statement = "Each sequence is called the class of its highest probability."
    return compare(
        labels,
        predicted,
        groups,
        classes,
        unit="sequences",
        statement=statement,
        seed=seed,
        positive=positive,
    )
