"""What evaluating a model yields: figures, tables and the clips behind them, as plain types that become JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exerlitenet.datasets.clips import Fault
from exerlitenet.evaluation.classification import Classification
from exerlitenet.evaluation.metrics import Interval, plain
from exerlitenet.results import NONE

WORST_CLIPS = 20
FEWEST_REPETITIONS = 3
SEEN = "on clips seen in training"


@dataclass(frozen=True)
class ClipResult:
    """What the model made of one clip.

    called: the top-level exercise, or none. exercise: the exercise of the highest mean probability, none
    set aside. probabilities: class -> mean over the clip's predictions.
    sequences, sequences_right: predictions, and those whose class is the label.
    repetitions: true ones, None when unknown. counted: those of the segments of the true exercise, None when the
    model does not count.
    """

    name: str
    label: str
    group: str
    person: str | None
    activity: str | None
    view: str | None
    called: str
    exercise: str
    probabilities: Mapping[str, float]
    sequences: int
    sequences_right: int
    exercise_right: bool | None = None
    repetitions: int | None = None
    counted: int | None = 0
    fault: str | None = None

    @property
    def right(self) -> bool:
        return self.called == self.label

    @property
    def miscounted(self) -> int:
        """Repetitions counted less those that there are; only for clips with a true count."""
        return (self.counted or 0) - (self.repetitions or 0)

    def to_json(self) -> dict[str, Any]:
        data = plain(self)
        del data["exercise_right"]
        rounded = {name: round(value, 4) for name, value in self.probabilities.items()}
        return {**data, "probabilities": rounded}


@dataclass(frozen=True)
class Row:
    """Clips that share something (a group, a person, a view, an activity).

    exercise_clips, exercise_right: those of an exercise, and those of them whose exercise is right.
    called: top-level exercise or none -> clips.
    """

    name: str
    clips: int
    right: int
    exercise_clips: int
    exercise_right: int
    sequences: int
    sequences_right: int
    called: Mapping[str, int]

    @property
    def called_exercise(self) -> int:
        """Clips that the model calls some exercise."""
        return sum(count for name, count in self.called.items() if name != NONE)

    def to_json(self) -> dict[str, Any]:
        return {**plain(self), "called_exercise": self.called_exercise}


@dataclass(frozen=True)
class Counting:
    """Counting of repetitions on clips of three and more.

    within_one: off-by-one accuracy (OBO), the share of clips at most one off. relative_error: normalised MAE, the
    mean of abs(counted - true) / true. bias: mean of (counted - true) / true, so below 0 when too few are counted.
    """

    clips: int
    true: int
    counted: int
    within_one: Interval
    exact: Interval
    relative_error: Interval
    bias: Interval


@dataclass(frozen=True)
class Evaluation:
    """A model evaluated on clips.

    Attributes:
        model: its name.
        protocol: one sentence on how these clips relate to those it was trained on.
        classes: what the model can say.
        seed: of the bootstrap.
        results: one for each clip.
        seconds: length of all clips together.
        classifications: those that the clips allow, among exercise_clips, exercise_sequences, clips, sequences.
        none_called_exercise: false-positive rate of the clips of none; None without such clips.
        counting: exercise, or "all" -> figures; empty without counted clips.
        by: "group", "person", "view" or "activity" -> one row for each, most clips first.
        warning: set when some of the clips were trained on; then no figure here is about new clips.
        failed: clips that could not be read; no figure contains them.

    Examples:
        >>> from pathlib import Path
        >>> from exerlitenet import Prediction, Segment, Workout
        >>> from exerlitenet.datasets.clips import Clip
        >>> from exerlitenet.evaluation.evaluate import evaluate
        >>> def always_squat(video: Path) -> Workout:
        ...     prediction = Prediction(1.0, {"squat": 0.8, "biceps_curl": 0.2}, "squat")
        ...     return Workout((Segment(0.0, 1.0, "squat", 0.8, 3),), (prediction,), 1.0)
        >>> clips = [Clip(Path("a.mp4"), "squat", "anna", repetitions=4), Clip(Path("b.mp4"), "biceps_curl", "ben")]
        >>> found = evaluate(always_squat, clips, ("squat", "biceps_curl"), model="always", protocol="all clips")
        >>> found.classifications["clips"].accuracy.value, found.counting["squat"].counted
        (0.5, 3)
    """

    model: str
    protocol: str
    classes: tuple[str, ...]
    seed: int
    results: tuple[ClipResult, ...]
    seconds: float
    classifications: Mapping[str, Classification]
    none_called_exercise: Interval | None
    counting: Mapping[str, Counting]
    by: Mapping[str, tuple[Row, ...]]
    warning: str | None = None
    failed: tuple[Fault, ...] = field(default=())

    @property
    def label(self) -> str | None:
        """What to put beside every figure; None when nothing needs saying."""
        return SEEN if self.warning else None

    @property
    def worst(self) -> tuple[ClipResult, ...]:
        """Clips called something else than they are, the surest errors first."""
        wrong = [r for r in self.results if not r.right or r.exercise_right is False]
        wrong.sort(key=lambda r: (r.probabilities.get(r.label, 0.0), r.name))
        return tuple(wrong[:WORST_CLIPS])

    @property
    def worst_counted(self) -> tuple[ClipResult, ...]:
        """Clips whose repetitions are more than one off, the largest share of error first."""
        off = [r for r in countable(self.results) if abs(r.miscounted) > 1]
        off.sort(key=lambda r: (-abs(r.miscounted) / max(1, r.repetitions or 0), r.name))
        return tuple(off[:WORST_CLIPS])

    @property
    def mistaken_activities(self) -> tuple[tuple[str, int, int], ...]:
        """(activity, clips, those called an exercise) among the clips of none, the most mistaken first."""
        nones = [r for r in self.results if r.label == NONE and r.activity]
        clips = Counter(r.activity or "" for r in nones)
        called = Counter(r.activity or "" for r in nones if r.called != NONE)
        rows = [(name, clips[name], count) for name, count in called.items()]
        return tuple(sorted(rows, key=lambda row: (-row[2], row[1], row[0])))

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "protocol": self.protocol,
            "warning": self.warning,
            "label": self.label,
            "classes": list(self.classes),
            "seed": self.seed,
            "clips": len(self.results),
            "seconds": round(self.seconds, 2),
            "groups": len(self.by["group"]),
            "people": len(self.by["person"]),
            "predictions": sum(r.sequences for r in self.results),
            "judgements": {name: found.to_json() for name, found in self.classifications.items()},
            "none_called_exercise": plain(self.none_called_exercise),
            "repetitions": plain(self.counting),
            **{f"by_{key}": [row.to_json() for row in rows] for key, rows in self.by.items()},
            "mistaken_activities": [
                {"activity": name, "clips": clips, "called_exercise": called}
                for name, clips, called in self.mistaken_activities
            ],
            "worst": [result.name for result in self.worst],
            "worst_counted": [result.name for result in self.worst_counted],
            "failed": plain(self.failed),
            "results": [result.to_json() for result in self.results],
        }


def countable(results: Sequence[ClipResult]) -> list[ClipResult]:
    """Clips of an exercise with enough true repetitions for counting to be evaluated."""
    return [
        r
        for r in results
        if r.label != NONE and (r.repetitions or 0) >= FEWEST_REPETITIONS and r.counted is not None
    ]


@dataclass(frozen=True)
class Figure:
    """One of the main figures of an evaluation. key: its name in JSON. on: what it is about. value: None where the
    clips do not allow it.
    """

    key: str
    name: str
    on: str
    value: Interval | None


def main_figures(evaluation: Evaluation) -> tuple[Figure, ...]:
    """What the terminal, the report and the table of degradations show, in this order: the exercise by clip and by
    sequence, all classes, false positives, off-by-one accuracy and normalised MAE of counting.
    """
    found, counting = evaluation.classifications, evaluation.counting.get("all")
    clips, sequences, every = found.get("exercise_clips"), found.get("exercise_sequences"), found["clips"]
    either = " or ".join(clips.classes) if clips else "which exercise"
    nones = sum(result.label == NONE for result in evaluation.results)
    on_clips = f"{clips.items if clips else 0} clips"
    on_sequences = f"{sequences.items if sequences else 0} sequences"
    balanced = sequences.balanced_accuracy if sequences else None
    counted = f"{counting.clips if counting else 0} clips of three and more"
    within_one, error = (counting.within_one, counting.relative_error) if counting else (None, None)
    rows = (
        ("which exercise, clips", f"{either}, clips", on_clips, clips.accuracy if clips else None),
        ("which exercise, sequences, balanced", f"{either}, sequences, balanced", on_sequences, balanced),
        (
            "all classes, clips, balanced",
            f"{len(every.classes)} classes, clips, balanced",
            f"{every.items} clips",
            every.balanced_accuracy,
        ),
        (
            "none called an exercise",
            "false-positive rate of none clips",
            f"{nones} clips",
            evaluation.none_called_exercise,
        ),
        ("repetitions within one", "repetitions, off-by-one accuracy (OBO)", counted, within_one),
        ("repetitions, relative error", "repetitions, normalised MAE", counted, error),
    )
    return tuple(Figure(*row) for row in rows)
