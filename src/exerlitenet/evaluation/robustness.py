"""One model on clips made worse in several ways, side by side with the clips as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from exerlitenet.datasets.degrade import Degradation
from exerlitenet.evaluation.metrics import Interval
from exerlitenet.evaluation.report import Section
from exerlitenet.evaluation.results import Evaluation
from exerlitenet.results import Frame, Workout
from exerlitenet.video.source import open_video

FIGURES = (
    "which exercise, clips",
    "which exercise, sequences, balanced",
    "all classes, clips, balanced",
    "none called an exercise",
    "repetitions within one",
)


def degraded(
    recognize_frames: Callable[[Iterable[Frame]], Workout],
    degradation: Degradation,
    *,
    short_side: int | None = None,
) -> Callable[[Path], Workout]:
    """What `evaluate` runs to judge a model on clips made worse.

    recognize_frames: the model at work on frames, such as `Recognizer.recognize_frames`. short_side: pixels to
    which videos are scaled down before they are made worse, as the model has it done with clips as they are.
    """

    def recognize(path: Path) -> Workout:
        # Every frame is read: which of them the model looks at is decided behind the degradation.
        with open_video(path, short_side=short_side) as video:
            workout = recognize_frames(degradation(video))
            return replace(workout, video=str(path), fault=video.fault)

    return recognize


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
