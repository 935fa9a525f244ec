"""What judging a model yields: figures, tables and the clips behind them, as plain types that become JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exerlitenet.datasets.clips import Fault
from exerlitenet.evaluation.classification import Judgement
from exerlitenet.evaluation.metrics import Interval
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
    repetitions: true ones, None when unknown. counted: those of the segments of the true exercise.
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
    counted: int = 0
    fault: str | None = None

    @property
    def right(self) -> bool:
        return self.called == self.label

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": self.label,
            "group": self.group,
            "person": self.person,
            "activity": self.activity,
            "view": self.view,
            "called": self.called,
            "exercise": self.exercise,
            "probabilities": {name: round(value, 4) for name, value in self.probabilities.items()},
            "sequences": self.sequences,
            "sequences_right": self.sequences_right,
            "repetitions": self.repetitions,
            "counted": self.counted,
            "fault": self.fault,
        }


@dataclass(frozen=True)
class Row:
    """Clips that share something (a group, a person, a view, an activity).

    exercise_clips, exercise_right: those of an exercise, and those of them told apart rightly.
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
        return {
            "name": self.name,
            "clips": self.clips,
            "right": self.right,
            "exercise_clips": self.exercise_clips,
            "exercise_right": self.exercise_right,
            "sequences": self.sequences,
            "sequences_right": self.sequences_right,
            "called": dict(self.called),
            "called_exercise": self.called_exercise,
        }


@dataclass(frozen=True)
class Counting:
    """Counting of repetitions on clips of three and more.

    within_one: share of clips at most one off. relative_error: mean of abs(counted - true) / true.
    bias: mean of (counted - true) / true, so below 0 when too few are counted.
    """

    clips: int
    true: int
    counted: int
    within_one: Interval
    exact: Interval
    relative_error: Interval
    bias: Interval

    def to_json(self) -> dict[str, Any]:
        return {
            "clips": self.clips,
            "true": self.true,
            "counted": self.counted,
            "within_one": self.within_one.to_json(),
            "exact": self.exact.to_json(),
            "relative_error": self.relative_error.to_json(),
            "bias": self.bias.to_json(),
        }


@dataclass(frozen=True)
class Evaluation:
    """A model judged on clips.

    protocol: one sentence on how these clips relate to those it was trained on.
    judgements: those that the clips allow, among exercise_clips, exercise_sequences, clips, sequences.
    none_called_exercise: share of the clips of none; None without such clips.
    counting: exercise, or "all" -> figures; empty without counted clips.
    warning: set when some of the clips were trained on; then no figure here is about new clips.
    failed: clips that could not be read; no figure contains them.
    """

    model: str
    protocol: str
    classes: tuple[str, ...]
    seed: int
    results: tuple[ClipResult, ...]
    seconds: float
    judgements: Mapping[str, Judgement]
    none_called_exercise: Interval | None
    counting: Mapping[str, Counting]
    by_group: tuple[Row, ...]
    by_person: tuple[Row, ...]
    by_view: tuple[Row, ...]
    by_activity: tuple[Row, ...]
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
        if not self.counting:
            return ()
        off = [r for r in countable(self.results) if abs(r.counted - (r.repetitions or 0)) > 1]
        off.sort(key=lambda r: (-abs(r.counted - (r.repetitions or 0)) / max(1, r.repetitions or 0), r.name))
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
            "groups": len(self.by_group),
            "people": len(self.by_person),
            "predictions": sum(r.sequences for r in self.results),
            "judgements": {name: judgement.to_json() for name, judgement in self.judgements.items()},
            "none_called_exercise": self.none_called_exercise and self.none_called_exercise.to_json(),
            "repetitions": {name: counting.to_json() for name, counting in self.counting.items()},
            "by_view": [row.to_json() for row in self.by_view],
            "by_activity": [row.to_json() for row in self.by_activity],
            "by_group": [row.to_json() for row in self.by_group],
            "by_person": [row.to_json() for row in self.by_person],
            "mistaken_activities": [
                {"activity": name, "clips": clips, "called_exercise": called}
                for name, clips, called in self.mistaken_activities
            ],
            "worst": [result.name for result in self.worst],
            "worst_counted": [result.name for result in self.worst_counted],
            "failed": [{"file": fault.file, "problem": fault.problem} for fault in self.failed],
            "results": [result.to_json() for result in self.results],
        }


def countable(results: Sequence[ClipResult]) -> list[ClipResult]:
    """Clips of an exercise with enough true repetitions for counting to be judged."""
    return [r for r in results if r.label != NONE and (r.repetitions or 0) >= FEWEST_REPETITIONS]
