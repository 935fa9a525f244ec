"""Evaluating a model: each figure against a case worked by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from exerlitenet.datasets.clips import Clip
from exerlitenet.errors import InputError
from exerlitenet.evaluation.classification import classify_sequences
from exerlitenet.evaluation.evaluate import evaluate, evaluate_workouts, warn_if_seen
from exerlitenet.results import Prediction, Segment, Workout

CLASSES = ("squat", "biceps_curl", "none")


def clip(name: str, label: str, group: str = "g1", repetitions: int | None = None, **more: str) -> Clip:
    return Clip(Path(name), label, group, repetitions=repetitions, name=name, digest=f"d-{name}", **more)


def workout(
    *rows: Sequence[float],
    segments: Sequence[tuple[str, float, int]] = (),
    classes: Sequence[str] = CLASSES,
) -> Workout:
    """Predictions of these probabilities; segments (exercise, seconds, repetitions), one after the other."""
    predictions = []
    for k, row in enumerate(rows):
        probabilities: Mapping[str, float] = dict(zip(classes, row, strict=True))
        best = max(probabilities, key=lambda name: probabilities[name])
        predictions.append(Prediction(k / 2, probabilities, best))
    found, start = [], 0.0
    for exercise, seconds, repetitions in segments:
        found.append(Segment(start, start + seconds, exercise, 0.9, repetitions))
        start += seconds
    return Workout(tuple(found), tuple(predictions), duration_s=10.0)


def test_squat_or_curl_by_clip_goes_by_the_mean_and_by_sequence_by_each_prediction() -> None:
    clips = [clip("a", "squat", "g1"), clip("b", "biceps_curl", "g2")]
    workouts = [
        # Two of three predictions say curl, the mean says squat; none is the highest and does not matter.
        workout((0.40, 0.00, 0.6), (0.1, 0.15, 0.75), (0.1, 0.15, 0.75)),
        workout((0.2, 0.1, 0.7), (0.0, 0.3, 0.7)),
    ]
    found = evaluate_workouts(clips, workouts, CLASSES, model="m", protocol="p").classifications
    assert found["exercise_clips"].confusion == ((1, 0), (0, 1))
    assert found["exercise_clips"].accuracy.value == 1
    by_sequence = found["exercise_sequences"]
    assert by_sequence.classes == ("squat", "biceps_curl")
    assert by_sequence.confusion == ((1, 2), (1, 1))
    # Recall averaged over both classes.
    assert by_sequence.balanced_accuracy.value == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert by_sequence.accuracy.value == pytest.approx(2 / 5)
    assert by_sequence.positive == "biceps_curl"
    assert by_sequence.scores["biceps_curl"].precision.value == pytest.approx(1 / 3)


def test_three_classes_go_by_the_top_level_exercise() -> None:
    clips = [
        clip(name, label, name)
        for name, label in zip("abcd", ("squat", "biceps_curl", "none", "none"), strict=True)
    ]
    workouts = [
        workout((0.1, 0.8, 0.1), segments=[("biceps_curl", 3, 1), ("squat", 4, 2)]),
        workout((0.1, 0.8, 0.1)),
        workout((0.9, 0.05, 0.05)),
        workout((0.1, 0.1, 0.8), segments=[("squat", 2, 1)]),
    ]
    evaluation = evaluate_workouts(clips, workouts, CLASSES, model="m", protocol="p")
    found = evaluation.classifications["clips"]
    assert found.classes == CLASSES
    assert found.confusion == ((1, 0, 0), (0, 0, 1), (1, 0, 1))
    assert found.balanced_accuracy.value == pytest.approx((1 + 0 + 0.5) / 3)
    assert evaluation.classifications["sequences"].confusion == ((0, 1, 0), (0, 1, 0), (1, 0, 1))
    assert evaluation.none_called_exercise is not None
    assert evaluation.none_called_exercise.value == 0.5


def test_repetitions_are_those_of_the_true_exercise_on_clips_of_three_and_more() -> None:
    clips = [
        clip("a", "squat", "g1", repetitions=4),
        clip("b", "biceps_curl", "g2", repetitions=10),
        clip("c", "squat", "g3", repetitions=2),
        clip("d", "none", "g4", repetitions=5),
        clip("e", "squat", "g5"),
    ]
    workouts = [
        workout((1, 0, 0), segments=[("squat", 3, 2), ("biceps_curl", 9, 7), ("squat", 3, 1)]),
        workout((0, 1, 0), segments=[("biceps_curl", 9, 15)]),
        workout((1, 0, 0), segments=[("squat", 9, 9)]),
        workout((0, 0, 1)),
        workout((1, 0, 0)),
    ]
    evaluation = evaluate_workouts(clips, workouts, CLASSES, model="m", protocol="p")
    counting = evaluation.counting["all"]
    assert (counting.clips, counting.true, counting.counted) == (2, 14, 18)
    assert counting.within_one.value == 0.5
    assert counting.exact.value == 0
    assert counting.relative_error.value == pytest.approx((1 / 4 + 5 / 10) / 2)
    assert counting.bias.value == pytest.approx((-1 / 4 + 5 / 10) / 2)
    assert evaluation.counting["squat"].within_one.value == 1
    assert evaluation.counting["biceps_curl"].within_one.value == 0
    assert [r.name for r in evaluation.worst_counted] == ["b"]


def test_tables_by_group_person_view_and_activity() -> None:
    clips = [
        clip("a", "squat", "g1", person="p1", view="side", activity="squat"),
        clip("b", "none", "g1", person="p2", view="side", activity="walking"),
        clip("c", "none", "g2", view="front", activity="walking"),
    ]
    workouts = [
        workout((0.9, 0.1, 0), (0.2, 0.1, 0.7), segments=[("squat", 2, 1)]),
        workout((0, 0, 1), segments=[("squat", 1, 0)]),
        workout((0, 0, 1)),
    ]
    evaluation = evaluate_workouts(clips, workouts, CLASSES, model="m", protocol="p")
    first, second = evaluation.by["group"]
    assert (first.name, first.clips, first.right, first.exercise_clips, first.exercise_right) == (
        "g1",
        2,
        1,
        1,
        1,
    )
    assert (first.sequences, first.sequences_right) == (3, 2)
    assert (second.name, second.clips, second.right) == ("g2", 1, 1)
    assert {row.name for row in evaluation.by["person"]} == {"p1", "p2"}
    assert {row.name: row.clips for row in evaluation.by["view"]} == {"side": 2, "front": 1}
    assert evaluation.mistaken_activities == (("walking", 2, 1),)
    walking = evaluation.by["activity"][0]
    assert (walking.name, dict(walking.called), walking.called_exercise) == (
        "walking",
        {"none": 1, "squat": 1},
        1,
    )


def test_the_worst_clips_are_the_surest_errors() -> None:
    clips = [clip(name, "squat", name) for name in "abc"]
    workouts = [
        workout((0.4, 0.6, 0), segments=[("biceps_curl", 1, 0)]),
        workout((0.1, 0.9, 0), segments=[("biceps_curl", 1, 0)]),
        workout((0.9, 0.1, 0), segments=[("squat", 1, 0)]),
    ]
    assert [r.name for r in evaluate_workouts(clips, workouts, CLASSES, model="m", protocol="p").worst] == [
        "b",
        "a",
    ]


def test_a_model_of_two_classes_is_evaluated_on_its_own_and_on_clips_of_none() -> None:
    clips = [clip("a", "squat", "g1"), clip("b", "biceps_curl", "g2"), clip("c", "none", "g3")]
    two = CLASSES[:2]
    workouts = [
        workout((0.9, 0.1), classes=two, segments=[("squat", 1, 0)]),
        workout((0.8, 0.2), classes=two, segments=[("squat", 1, 0)]),
        workout((0.6, 0.4), classes=two, segments=[("squat", 1, 0)]),
    ]
    without = evaluate_workouts(clips[:2], workouts[:2], two, model="m", protocol="p")
    assert without.none_called_exercise is None
    assert without.classifications["clips"].classes == two
    assert without.classifications["clips"].confusion == ((1, 0), (1, 0))
    assert without.classifications["sequences"].accuracy.value == 0.5
    evaluation = evaluate_workouts(clips, workouts, two, model="m", protocol="p")
    assert evaluation.none_called_exercise is not None
    assert evaluation.none_called_exercise.value == 1
    assert evaluation.classifications["exercise_clips"].items == 2


def test_a_class_that_the_model_does_not_know_is_no_matter_of_squat_or_curl() -> None:
    clips = [clip("a", "squat"), clip("b", "lunge")]
    evaluation = evaluate_workouts(clips, [workout((1, 0, 0))] * 2, CLASSES, model="m", protocol="p")
    assert evaluation.classifications["exercise_clips"].items == 1
    assert evaluation.results[1].exercise_right is None
    assert evaluation.classifications["clips"].classes == ("squat", "biceps_curl", "none", "lunge")


def test_intervals_are_over_groups() -> None:
    clips = [clip(str(k), "squat", "one group") for k in range(5)]
    assert (
        evaluate_workouts(clips, [workout((1, 0, 0))] * 5, CLASSES, model="m", protocol="p")
        .classifications["exercise_clips"]
        .accuracy.low
        is None
    )
    clips = [clip(str(k), "squat", f"g{k}") for k in range(12)]
    workouts = [workout((1, 0, 0) if k % 3 else (0, 1, 0)) for k in range(12)]
    found = (
        evaluate_workouts(clips, workouts, CLASSES, model="m", protocol="p", seed=1)
        .classifications["exercise_clips"]
        .accuracy
    )
    assert found.value == pytest.approx(2 / 3)
    assert found.low is not None
    assert found.high is not None
    assert 0.3 < found.low < 0.6 < 0.75 < found.high < 1.0


def test_evaluate_runs_the_model_and_names_what_cannot_be_read() -> None:
    def recognize(path: Path) -> Workout:
        if path.name == "broken":
            raise InputError(f"{path}: not a video")
        return workout((0.9, 0.1, 0), segments=[("squat", 1, 0)])

    seen: list[tuple[int, int]] = []
    clips = [clip("a", "squat"), clip("broken", "squat")]
    evaluation = evaluate(
        recognize,
        clips,
        CLASSES,
        model="m",
        protocol="p",
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert [(f.file, f.problem) for f in evaluation.failed] == [("broken", "not a video")]
    assert len(evaluation.results) == 1
    assert seen == [(0, 2), (1, 2), (2, 2)]
    assert evaluation.warning is None
    with pytest.raises(InputError, match="none of 1 clips could be read; the first: broken: not a video"):
        evaluate(recognize, clips[1:], CLASSES, model="m", protocol="p")


def test_a_defect_of_the_model_is_not_taken_for_a_bad_clip() -> None:
    def recognize(path: Path) -> Workout:
        raise RuntimeError("defect")

    with pytest.raises(RuntimeError):
        evaluate(recognize, [clip("a", "squat")], CLASSES, model="m", protocol="p")


def test_clips_and_groups_seen_in_training_give_a_warning_and_a_label() -> None:
    clips = [clip("a", "squat", "g1"), clip("b", "squat", "g2")]
    assert warn_if_seen({"train_digests": ["d-x"], "train_groups": ["g9"]}, clips) is None
    assert warn_if_seen({}, clips) is None
    assert "1 of these 2 clips" in (warn_if_seen({"train_digests": ["d-a"]}, clips) or "")
    assert "1 of these groups (g2)" in (warn_if_seen({"train_groups": ["g2"]}, clips) or "")
    assert warn_if_seen({"train_groups": "g2", "train_digests": 3}, clips) is None
    evaluation = evaluate(
        lambda path: workout((1, 0, 0)),
        clips,
        CLASSES,
        model="m",
        protocol="p",
        provenance={"train_digests": ["d-a"]},
    )
    assert evaluation.label == "on clips seen in training"
    assert evaluation.to_json()["label"] == "on clips seen in training"


def test_json_is_plain_and_complete() -> None:
    clips = [clip("a", "squat", "g1", repetitions=3), clip("b", "none", "g2")]
    evaluation = evaluate_workouts(
        clips, [workout((1, 0, 0)), workout((0, 0, 1))], CLASSES, model="m", protocol="said so"
    )
    data = json.loads(json.dumps(evaluation.to_json(), allow_nan=False))
    assert (data["clips"], data["groups"], data["predictions"], data["seconds"]) == (2, 2, 2, 20)
    assert data["protocol"] == "said so"
    assert data["judgements"]["clips"]["confusion"] == [[0, 0, 1], [0, 0, 0], [0, 0, 1]]
    assert data["repetitions"]["all"]["clips"] == 1
    assert data["worst"] == ["a"]
    assert [row["name"] for row in data["results"]] == ["a", "b"]


def test_classify_sequences() -> None:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    found = classify_sequences(probabilities, ["squat", "squat", "biceps_curl"], ["a", "b", "c"], CLASSES[:2])
    assert found.confusion == ((1, 1), (0, 1))
    assert found.scores["biceps_curl"].precision.value == 0.5
    assert found.scores["biceps_curl"].support == 1
    assert found.to_json()["positive"]["class"] == "biceps_curl"
    with pytest.raises(InputError, match=r"expected probabilities \[2, 2\], got \[3, 2\]"):
        classify_sequences(probabilities, ["squat"] * 2, ["a"] * 2, CLASSES[:2])


def test_what_cannot_be_evaluated_is_an_input_error() -> None:
    with pytest.raises(InputError, match="no clips"):
        evaluate_workouts([], [], CLASSES, model="m", protocol="p")
    with pytest.raises(InputError, match="one workout for each clip"):
        evaluate_workouts([clip("a", "squat")], [], CLASSES, model="m", protocol="p")
    with pytest.raises(InputError, match="knows no exercise"):
        evaluate_workouts([clip("a", "squat")], [workout((1, 0, 0))], ["none"], model="m", protocol="p")
    with pytest.raises(InputError, match="no prediction"):
        evaluate_workouts([clip("a", "squat")], [Workout((), ())], CLASSES, model="m", protocol="p")


def test_a_model_that_does_not_count_is_not_evaluated_on_counting() -> None:
    clips = [clip("a", "squat", "g1", repetitions=4), clip("b", "squat", "g2", repetitions=5)]
    silent = workout((1, 0, 0), segments=[("squat", 3, None)])
    evaluation = evaluate_workouts(clips, [silent] * 2, CLASSES, model="m", protocol="p")
    assert evaluation.counting == {}
    assert evaluation.worst_counted == ()
    assert [row["counted"] for row in evaluation.to_json()["results"]] == [None, None]
    assert evaluation.classifications["clips"].accuracy.value == 1
