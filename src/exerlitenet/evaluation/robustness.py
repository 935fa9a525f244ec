"""One model on clips made worse in several ways, side by side with the clips as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from exerlitenet.datasets.degrade import Degradation
from exerlitenet.evaluation.metrics import plain
from exerlitenet.evaluation.report import Section
from exerlitenet.evaluation.results import Evaluation, Figure, main_figures
from exerlitenet.results import Frame, Workout
from exerlitenet.video.source import open_video


def degraded(
    recognize_frames: Callable[[Iterable[Frame]], Workout],
    degradation: Degradation,
    *,
    short_side: int | None = None,
) -> Callable[[Path], Workout]:
    """What `evaluate` runs to evaluate a model on clips made worse.

    recognize_frames: the model at work on frames, such as `Recognizer.recognize_frames`. short_side: pixels to
    which videos are scaled down before they are made worse, as the model has it done with clips as they are.
    """

    def recognize(path: Path) -> Workout:
        # Every frame is read: which of them the model uses is decided behind the degradation.
        with open_video(path, short_side=short_side) as video:
            workout = recognize_frames(degradation(video))
            return replace(workout, video=str(path), fault=video.fault)

    return recognize


def robustness(evaluations: Mapping[str, Evaluation]) -> dict[str, dict[str, Any]]:
    """Degradation -> the main figures, as plain JSON types; None for those that do not apply."""
    return {name: {f.key: plain(f.value) for f in _figures(e)} for name, e in evaluations.items()}


def robustness_section(evaluations: Mapping[str, Evaluation]) -> Section:
    """The same as a table for a report, one row for each degradation in the order given."""
    rows = {name: _figures(evaluation) for name, evaluation in evaluations.items()}
    names = [figure.name for figure in next(iter(rows.values()))]
    return Section(
        "Robustness",
        "The same clips, made worse in one way at a time. Intervals are 95 %, by bootstrap over groups.",
        ("clips", *names),
        [(name, *(figure.value for figure in figures)) for name, figures in rows.items()],
    )


def _figures(evaluation: Evaluation) -> tuple[Figure, ...]:
    """Without the error of counting, which is no share of anything."""
    return main_figures(evaluation)[:5]
