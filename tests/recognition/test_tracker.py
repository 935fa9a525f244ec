"""The tracker of a stream: what is shown meanwhile, the whole at the end, and memory that does not grow."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bundles import CURL, SPEC, SQUAT, frames_of, still, swinging, workout_pictures, write_bundle
from exerlitenet.errors import InputError
from exerlitenet.recognition.follower import finds_person
from exerlitenet.recognition.predictor import Predictor
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.recognition.repetitions import CountingThresholds
from exerlitenet.recognition.segments import SegmentThresholds
from exerlitenet.recognition.tracker import ClipPredictions, SegmentTracker, TrackerState
from exerlitenet.results import Frame, Prediction, Segment


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer.load(write_bundle(tmp_path_factory.mktemp("models") / "m"))


def tracked(recognizer: Recognizer, frames: list[Frame]) -> list[TrackerState]:
    tracker = recognizer.tracker()
    return [*(tracker.push(frame) for frame in frames), tracker.finish()]


def changes(steps: list[TrackerState], kind: str) -> list[Segment]:
    return [change.segment for step in steps for change in step.changes if change.kind == kind]


def test_sets_that_ended_are_the_segments_of_the_whole(recognizer: Recognizer) -> None:
    frames = frames_of(workout_pictures(), 15)
    steps = tracked(recognizer, frames)
    workout = recognizer.recognize_frames(frames)
    assert [(s.exercise, s.repetitions) for s in workout.segments] == [("squat", 4), ("biceps_curl", 5)]
    assert changes(steps, "end") == list(workout.segments)
    assert [s.exercise for s in changes(steps, "begin")] == ["squat", "biceps_curl"]
    assert [p for step in steps for p in step.predictions] == list(workout.predictions)


def test_stored_predictions_give_what_the_stream_gave(recognizer: Recognizer) -> None:
    frames = frames_of(workout_pictures(), 15)
    predictor, predictions = Predictor(recognizer.engine), []
    for frame in frames:
        predictions += predictor.push(frame)
    predictions += predictor.finish()
    stored = ClipPredictions(predictions, predictor.take_phases(), 26.0)
    workout = recognizer.recognize_frames(frames, duration_s=26.0)
    options = {"window_s": SPEC.window_s, "model": "tiny"}
    options |= {
        "segment_thresholds": recognizer.segment_thresholds,
        "counting_thresholds": recognizer.counting_thresholds,
    }
    assert stored.workout(26.0, **options) == workout
    uncounted = replace(stored, phases=[]).workout(26.0, **options)
    assert [s.repetitions for s in uncounted.segments] == [None, None]


def test_a_set_that_runs_counts_up(recognizer: Recognizer) -> None:
    steps = tracked(recognizer, frames_of(workout_pictures(), 15))
    assert steps[0].status == "warming"
    assert [a.status for a, b in pairwise(steps) if a.status != b.status][:2] == ["warming", "watching"]
    counts = [s.current.repetitions or 0 for s in steps if s.current and s.exercise == "squat"]
    assert counts == sorted(counts)
    assert counts[-1] == 4
    # Soon after the person turns back: the first squat is over after 5 s.
    assert any(s.time_s < 6.5 and s.current is not None and s.current.repetitions for s in steps)
    assert steps[-1].current is None


def test_a_set_that_the_end_cuts_is_closed(recognizer: Recognizer) -> None:
    frames = frames_of(swinging(SQUAT, 4, 8), 15)
    steps = tracked(recognizer, frames)
    assert changes(steps, "end") == list(recognizer.recognize_frames(frames).segments)
    assert changes(steps[:-1], "end") == []


def test_one_exercise_after_the_other(recognizer: Recognizer) -> None:
    frames = frames_of([*swinging(SQUAT, 4, 8), *swinging(CURL, 5, 10), *swinging(SQUAT, 3, 6)], 15)
    ended = changes(tracked(recognizer, frames), "end")
    assert [s.exercise for s in ended] == ["squat", "biceps_curl", "squat"]
    assert all(a.end_s <= b.start_s for a, b in pairwise(ended))


def test_a_stream_shorter_than_a_window_still_has_its_one_prediction(recognizer: Recognizer) -> None:
    frames = frames_of(workout_pictures()[50:55], 15)
    tracker = recognizer.tracker(keep=True)
    assert {tracker.push(frame).status for frame in frames} == {"warming"}
    workout = tracker.workout(video="camera:0", fault="stopped")
    assert len(workout.predictions) == 1
    assert (workout.video, workout.fault) == ("camera:0", "stopped")
    assert replace(workout, video="", fault=None) == recognizer.recognize_frames(frames)


def test_a_stream_without_a_frame(recognizer: Recognizer) -> None:
    state = recognizer.tracker().finish()
    assert (state.status, state.current, state.changes) == ("warming", None, ())
    with pytest.raises(InputError, match="camera:0: no frame came"):
        recognizer.tracker(keep=True).workout(video="camera:0")


@pytest.mark.slow
def test_memory_is_bounded_and_no_repetition_is_lost() -> None:
    """An hour of one set: its 1800 repetitions are counted as they come, in the memory of their times."""
    tracker = SegmentTracker(SegmentThresholds(), CountingThresholds(), SPEC.window_s, ("squat", "none"))
    ended: list[Segment] = []
    tracemalloc.start()
    for tick in range(round(3600 * 7.5)):
        time_s = tick / 7.5
        tracker.add_phases([(time_s, 0.5 - 0.5 * float(np.cos(np.pi * time_s)))])
        events = tracker.push([Prediction(time_s, {"squat": 0.9, "none": 0.1}, "squat")] * (tick % 2))
        ended += [event.segment for event in events if event.kind == "end"]
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    ended += [event.segment for event in tracker.finish(3600.0) if event.kind == "end"]
    assert [segment.repetitions for segment in ended] == [1800]
    assert kept < 1_000_000


def test_memory_does_not_grow_while_nobody_exercises(recognizer: Recognizer) -> None:
    """Minutes of a picture that stays: what is kept after four is what was kept after two."""
    tracker, picture = recognizer.tracker(), still((90, 90, 90))
    kept = []
    tracemalloc.start()
    for tick in range(round(240 * SPEC.rate)):
        state = tracker.push(Frame(tick / SPEC.rate, picture))
        if tick % round(120 * SPEC.rate) == 0 or tick == round(239 * SPEC.rate):
            kept.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert state.current is None
    assert kept[2] - kept[1] < 20_000


def test_a_model_without_a_phase_does_not_count(tmp_path: Path) -> None:
    recognizer = Recognizer.load(write_bundle(tmp_path / "m", phase=False))
    frames = frames_of(workout_pictures(), 15)
    workout = recognizer.recognize_frames(frames)
    assert [(s.exercise, s.repetitions) for s in workout.segments] == [("squat", None), ("biceps_curl", None)]
    assert workout.repetitions is None
    assert workout.to_json()["segments"][0]["repetitions"] is None
    steps = tracked(recognizer, frames)
    assert changes(steps, "end") == list(workout.segments)
    assert {step.current.repetitions for step in steps if step.current} == {None}


def test_a_state_on_another_clock(recognizer: Recognizer) -> None:
    frames = frames_of(workout_pictures(), 15)
    for step in tracked(recognizer, frames)[100:300:20]:
        later = step.at(100.0)
        assert later.time_s == step.time_s + 100
        if step.current and later.current:
            assert later.current.start_s == step.current.start_s + 100
            assert later.current.repetitions == step.current.repetitions
        if step.prediction and later.prediction:
            assert later.prediction.phase_time_s == pytest.approx(step.prediction.phase_time_s + 100)


def test_a_person_is_a_few_joints_found_surely() -> None:
    joints = np.zeros((13, 6), np.float32)
    assert finds_person(None) is None
    assert finds_person(joints) is False
    joints[:4, 2] = 0.9
    assert finds_person(joints) is True


def test_a_model_that_follows_says_whether_somebody_is_there(tmp_path: Path) -> None:
    """The tiny one takes light for a person."""
    recognizer = Recognizer.load(write_bundle(tmp_path / "m", spec=replace(SPEC, aspect="follow")))
    steps = tracked(recognizer, frames_of([still((90, 90, 90))] * 45 + [still((0, 0, 0))] * 45, 15))
    assert {step.person for step in steps if step.status == "warming"} == {None}
    assert [a.person for a, b in pairwise(steps) if a.person != b.person] == [None, True]
    assert steps[-1].person is False


def test_a_model_without_joints_does_not_say_whether_somebody_is_there(recognizer: Recognizer) -> None:
    assert {step.person for step in tracked(recognizer, frames_of([still(SQUAT)] * 45, 15))} == {None}
