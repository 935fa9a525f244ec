"""Figures of one model under several degradations, side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.degrade import DEGRADATIONS
from exerlitenet.errors import InputError
from exerlitenet.evaluation.evaluate import evaluate_workouts
from exerlitenet.evaluation.metrics import Interval
from exerlitenet.evaluation.report import report
from exerlitenet.evaluation.results import Evaluation
from exerlitenet.evaluation.robustness import degraded, robustness, robustness_section
from exerlitenet.results import Frame, Prediction, Segment, Workout


def evaluation(*called: str) -> Evaluation:
    clips = [Clip(Path(str(k)), "squat", f"g{k}", repetitions=3, name=str(k)) for k in range(len(called))]
    workouts = [
        Workout((Segment(0, 4, name, 0.9, 3),), (Prediction(0.0, {name: 1.0}, name),), 4.0) for name in called
    ]
    return evaluate_workouts(clips, workouts, ("squat", "biceps_curl"), model="m", protocol="p")


def test_each_degradation_has_its_row() -> None:
    evaluations = {
        "as they are": evaluation("squat", "squat"),
        "light": evaluation("squat", "biceps_curl"),
    }
    section = robustness_section(evaluations)
    assert tuple(section.columns) == (
        "clips",
        "squat or biceps_curl, clips",
        "squat or biceps_curl, sequences, balanced",
        "2 classes, clips, balanced",
        "false-positive rate of none clips",
        "repetitions, off-by-one accuracy (OBO)",
    )
    rows = {row[0]: row[1:] for row in section.rows}
    assert list(rows) == ["as they are", "light"]
    assert [getattr(figure, "value", None) for figure in rows["as they are"]] == [1, 1, 1, None, 1]
    assert [getattr(figure, "value", None) for figure in rows["light"]] == [0.5, 0.5, 0.5, None, 0.5]
    assert isinstance(rows["light"][0], Interval)
    data = json.loads(json.dumps(robustness(evaluations)))
    assert data["light"]["which exercise, clips"]["value"] == 0.5
    assert data["light"]["none called an exercise"] is None
    assert "light" in report(title="A run", sections=[section])


def test_a_model_sees_the_clips_made_worse(tmp_path: Path) -> None:
    """A folder of two pictures, white above and black below, 7.5 a second, seen without its lower fifth."""
    rgb = np.zeros((100, 50, 3), np.uint8)
    rgb[:80] = 255
    for k in range(2):
        Image.fromarray(rgb).save(tmp_path / f"{k}.png")
    seen: list[Frame] = []

    def recognize_frames(frames: Iterable[Frame]) -> Workout:
        seen.extend(frames)
        return Workout((), (Prediction(0.0, {"squat": 1.0}, "squat"),))

    workout = degraded(recognize_frames, DEGRADATIONS["crop-feet"])(tmp_path)
    assert workout.video == str(tmp_path)
    assert [(frame.rgb.shape, int(frame.rgb.min())) for frame in seen] == [((80, 50, 3), 255)] * 2
    assert [frame.time_s for frame in seen] == pytest.approx([0, 1 / 7.5])
    seen.clear()
    degraded(recognize_frames, DEGRADATIONS["mirrored"], short_side=20)(tmp_path)
    assert {frame.rgb.shape for frame in seen} == {(40, 20, 3)}
    with pytest.raises(InputError, match="no such file"):
        degraded(recognize_frames, DEGRADATIONS["light"])(tmp_path / "missing.mp4")
