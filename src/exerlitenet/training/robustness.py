"""One model on clips made worse in several ways, side by side with the clips as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exerlitenet.training.evaluation import Evaluation
from exerlitenet.training.metrics import Interval
from exerlitenet.training.report import Section

FIGURES = (
    "which exercise, clips",
    "which exercise, sequences, balanced",
    "all classes, clips, balanced",
    "none called an exercise",
    "repetitions within one",
)


def robustness(evaluations: Mapping[str, Evaluation]) -> dict[str, dict[str, Any]]:
    """Degradation -> the main figures, as plain JSON types; None for those that do not apply."""
    return {
        name: {
            title: None if figure is None else figure.to_json()
            for title, figure in zip(FIGURES, _figures(evaluation), strict=True)
        }
        for name, evaluation in evaluations.items()
    }


def robustness_section(evaluations: Mapping[str, Evaluation]) -> Section:
    """The same as a table for a report, one row for each degradation in the order given."""
    return Section(
        "Robustness",
        "The same clips, made worse in one way at a time. Intervals are 95 %, by bootstrap over groups.",
        ("clips", *FIGURES),
        [(name, *_figures(evaluation)) for name, evaluation in evaluations.items()],
    )


def _figures(evaluation: Evaluation) -> tuple[Interval | None, ...]:
    judged = evaluation.judgements
    exercise, sequences = judged.get("exercise_clips"), judged.get("exercise_sequences")
    counting = evaluation.counting.get("all")
    return (
        exercise.accuracy if exercise else None,
        sequences.balanced_accuracy if sequences else None,
        judged["clips"].balanced_accuracy,
        evaluation.none_called_exercise,
        counting.within_one if counting else None,
    )
