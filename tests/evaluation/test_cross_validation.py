"""What a cross-validation said: kept, read again, and evaluated apart for unseen subjects."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from exerlitenet.datasets.clips import Clip
from exerlitenet.errors import InputError
from exerlitenet.evaluation.cross_validation import FILE, Folds, HeldOut
from exerlitenet.recognition.repetitions import CountingThresholds
from exerlitenet.recognition.segments import SegmentThresholds
from exerlitenet.recognition.tracker import ClipPredictions
from exerlitenet.results import Prediction
from tiny_posture import CLASSES

RATE, WINDOW_S = 7.5, 14 / 7.5
THRESHOLDS = SegmentThresholds(enter=0.7, leave=0.3)


def held_out(number: int, label: str, said: str, *, known: bool, repetitions: int = 3) -> HeldOut:
    """Ten seconds of which the model is sure; its phase swings so often."""
    predictions = []
    for k in range(14, 75):
        named = dict.fromkeys(CLASSES, 0.05) | {said: 0.9}
        predictions.append(Prediction(k / RATE, named, said))
    phases = [(k / RATE, abs((k / 75 * repetitions) % 1 * 2 - 1)) for k in range(75)]
    phases = [(time_s, 1 - value) for time_s, value in phases]
    seen = ClipPredictions(predictions, phases, 10.0)
    return HeldOut(f"{number}-{label}.mp4", f"{number:064d}", number % 2, known, 10.0, seen)


LABELS = ["squat", "biceps_curl", "none", "squat", "biceps_curl", "none"]
SAID = ["squat", "biceps_curl", "none", "squat", "squat", "none"]  # one mistake, on an unseen subject
KNOWN = [True, True, True, False, False, False]
ROWS = tuple(
    held_out(n, label, said, known=known)
    for n, (label, said, known) in enumerate(zip(LABELS, SAID, KNOWN, strict=True))
)
FOLDS = Folds("tiny", CLASSES, 2, WINDOW_S, ROWS)
CLIPS = tuple(
    Clip(
        Path(row.name),
        label,
        f"g{n}",
        repetitions=None if label == "none" else 3,
        seconds=10.0,
        digest=row.digest,
        name=row.name,
    )
    for n, (row, label) in enumerate(zip(ROWS, LABELS, strict=True))
)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    FOLDS.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    found = Folds.load(tmp_path)
    assert (found.model, found.classes, found.folds, found.window_s) == ("tiny", CLASSES, 2, WINDOW_S)
    for mine, wanted in zip(found.clips, ROWS, strict=True):
        assert replace(mine, seen=wanted.seen) == wanted
        assert [p.time_s for p in mine.seen.predictions] == pytest.approx(
            [p.time_s for p in wanted.seen.predictions], abs=1e-4
        )
        for a, b in zip(mine.seen.predictions, wanted.seen.predictions, strict=True):
            assert a.probabilities == pytest.approx(b.probabilities, abs=1e-5)
            assert a.exercise == b.exercise
        for (t, phase), (u, other) in zip(mine.seen.phases, wanted.seen.phases, strict=True):
            assert (t, phase) == pytest.approx((u, other), abs=1e-4)
    again = tmp_path / "again"
    again.mkdir()
    found.save(again)
    assert (again / FILE).read_bytes() == (tmp_path / FILE).read_bytes()


def test_a_loaded_one_is_evaluated_alike(tmp_path: Path) -> None:
    FOLDS.save(tmp_path)
    before, after = (
        folds.evaluate(CLIPS, THRESHOLDS, CountingThresholds()) for folds in (FOLDS, Folds.load(tmp_path))
    )
    for name in before:
        mine, theirs = before[name].to_json(), after[name].to_json()
        assert mine["judgements"] == theirs["judgements"]
        assert mine["repetitions"] == theirs["repetitions"]


def test_a_file_that_is_not_there_says_how_to_come_by_it(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"holds no cross-validation \(folds\.json\); train it with --folds N"
    ):
        Folds.load(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[1, 2]",
        lambda text: text.replace('"window_s"', '"window"'),
        lambda text: text.replace('"folds":2', '"folds":"two"'),
        lambda text: text.replace('"known_to_frame_network"', '"known"'),
        lambda text: text.replace("0.9,", "", 1),
        lambda text: text.replace('"times":[', '"times":[0.5,', 1),
        lambda text: text.replace('"phases":[[', '"phases":[[1,', 1),
        lambda text: text.replace('"clips":[', '"clips":[3,', 1),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, damage: object) -> None:
    FOLDS.save(tmp_path)
    text = (tmp_path / FILE).read_text()
    changed = damage(text)  # type: ignore[operator]
    assert changed != text
    (tmp_path / FILE).write_text(changed)
    with pytest.raises(InputError, match=r"folds\.json is damaged .* train again with --folds") as raised:
        Folds.load(tmp_path)
    assert "\n" not in str(raised.value)


def test_a_file_of_bytes_that_are_no_text_is_damaged(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is damaged"):
        Folds.load(tmp_path)


def test_workouts_are_what_the_recogniser_makes_of_it() -> None:
    workouts = FOLDS.workouts(THRESHOLDS, CountingThresholds())
    assert [workout.exercise for workout in workouts] == SAID
    assert [workout.video for workout in workouts] == [row.name for row in ROWS]
    assert [workout.repetitions for workout in workouts] == [3, 3, 0, 3, 3, 0]
    assert {(workout.model, workout.duration_s) for workout in workouts} == {("tiny", 10.0)}
    [segment] = workouts[0].segments
    assert (segment.start_s, segment.end_s) == pytest.approx((0, 10), abs=0.1)


def test_thresholds_matter() -> None:
    [*workouts] = FOLDS.workouts(SegmentThresholds(enter=0.95, leave=0.95), CountingThresholds())
    assert {workout.exercise for workout in workouts} == {"none"}


def test_all_clips_and_unseen_subjects_are_evaluated_apart() -> None:
    found = FOLDS.evaluate(CLIPS, THRESHOLDS, CountingThresholds())
    assert list(found) == ["left out", "strangers"]
    everyone, unseen = found["left out"], found["strangers"]
    assert [result.name for result in everyone.results] == [row.name for row in ROWS]
    assert [result.name for result in unseen.results] == [row.name for row in ROWS[3:]]
    assert everyone.protocol == (
        "Cross-validated by group in 2 folds: each clip is evaluated by a sequence head that learned from other "
        "people and places. The frame network has learned posture from 3 of these 6 clips."
    )
    assert unseen.protocol.endswith("No part of the model has learned from any of these people.")
    confusion = everyone.to_json()["judgements"]["clips"]["confusion"]
    assert confusion == [[2, 0, 0], [1, 1, 0], [0, 0, 2]]
    assert unseen.to_json()["judgements"]["clips"]["confusion"] == [[1, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_without_unseen_subjects_or_without_known_clips_there_is_one_evaluation() -> None:
    known = replace(FOLDS, clips=ROWS[:3])
    assert list(known.evaluate(CLIPS, THRESHOLDS, CountingThresholds())) == ["left out"]
    unknown = replace(FOLDS, clips=tuple(replace(row, known=False) for row in ROWS))
    found = unknown.evaluate(CLIPS, THRESHOLDS, CountingThresholds())
    assert list(found) == ["left out"]
    assert "frame network" not in found["left out"].protocol


def test_a_single_fold_is_no_cross_validation() -> None:
    held_out = replace(FOLDS, folds=1, clips=tuple(replace(row, known=False) for row in ROWS))
    found = held_out.evaluate(CLIPS, THRESHOLDS, CountingThresholds())
    assert list(found) == ["left out"]
    assert (
        found["left out"].protocol
        == "Clips of people and places from which no part of the model has learned."
    )


def test_clips_are_known_by_their_content() -> None:
    moved = [replace(clip, name="elsewhere.mp4", path=Path("elsewhere.mp4")) for clip in CLIPS[:2]]
    unknown = replace(CLIPS[2], digest="f" * 64)
    found = FOLDS.evaluate([unknown, *reversed(moved)], THRESHOLDS, CountingThresholds())
    assert len(found["left out"].results) == 2
    with pytest.raises(InputError, match="none of these clips was cross-validated; give the dataset"):
        FOLDS.evaluate([unknown], THRESHOLDS, CountingThresholds())


def test_the_file_is_json_that_others_may_read(tmp_path: Path) -> None:
    FOLDS.save(tmp_path)
    data = json.loads((tmp_path / FILE).read_text())
    assert set(data) == {"model", "classes", "folds", "window_s", "clips"}
    row = data["clips"][4]
    assert (row["name"], row["fold"], row["known_to_frame_network"]) == ("4-biceps_curl.mp4", 0, False)
    assert len(row["times"]) == len(row["probabilities"]) == 61
    assert row["probabilities"][0] == [0.9, 0.05, 0.05]
