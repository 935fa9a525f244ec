"""Figures of one model under several degradations, side by side."""

from __future__ import annotations

import json
from pathlib import Path

from exerlitenet.results import Prediction, Segment, Workout
from exerlitenet.training.evaluate import judge
from exerlitenet.training.evaluation import Evaluation
from exerlitenet.training.manifest import Clip
from exerlitenet.training.metrics import Interval
from exerlitenet.training.report import report
from exerlitenet.training.robustness import FIGURES, robustness, robustness_section


def evaluation(*called: str) -> Evaluation:
    clips = [Clip(Path(str(k)), "squat", f"g{k}", repetitions=3, name=str(k)) for k in range(len(called))]
    workouts = [
        Workout((Segment(0, 4, name, 0.9, 3),), (Prediction(0.0, {name: 1.0}, name),), 4.0) for name in called
    ]
    return judge(clips, workouts, ("squat", "biceps_curl"), model="m", protocol="p")


def test_each_degradation_has_its_row() -> None:
    evaluations = {
        "as they are": evaluation("squat", "squat"),
        "light": evaluation("squat", "biceps_curl"),
    }
    section = robustness_section(evaluations)
    assert tuple(section.columns) == ("clips", *FIGURES)
    rows = {row[0]: row[1:] for row in section.rows}
    assert list(rows) == ["as they are", "light"]
    assert [getattr(figure, "value", None) for figure in rows["as they are"]] == [1, 1, 1, None, 1]
    assert [getattr(figure, "value", None) for figure in rows["light"]] == [0.5, 0.5, 0.5, None, 0.5]
    assert isinstance(rows["light"][0], Interval)
    data = json.loads(json.dumps(robustness(evaluations)))
    assert data["light"]["which exercise, clips"]["value"] == 0.5
    assert data["light"]["none called an exercise"] is None
    assert "light" in report(title="A run", sections=[section])
