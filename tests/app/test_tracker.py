"""The tracker of a stream: the same sets as for the whole video, and memory that does not grow."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bundles import CURL, SPEC, SQUAT, frames_of, still, swinging, workout_pictures, write_bundle
from exerlitenet.app import tracker as module
from exerlitenet.app.tracker import LiveTracker, Progress, Set, sees_person
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.results import Frame


@pytest.fixture(params=[True, False], ids=["phase", "features"])
def recognizer(request: pytest.FixtureRequest, tmp_path: Path) -> Recognizer:
    return Recognizer.load(write_bundle(tmp_path / "m", phase=request.param))


def followed(recognizer: Recognizer, frames: list[Frame]) -> list[Progress]:
    tracker = LiveTracker(recognizer)
    return [*(tracker.push(frame) for frame in frames), tracker.finish()]


def changes(steps: list[Progress], kind: str) -> list[Set]:
    return [change.set for step in steps for change in step.changes if change.kind == kind]


def test_sets_are_the_segments_of_the_whole(recognizer: Recognizer) -> None:
    frames = frames_of(workout_pictures(), 15)
    steps = followed(recognizer, frames)
    expected = [Set.of(segment) for segment in recognizer.recognize_frames(frames).segments]
    assert [s.exercise for s in expected] == ["squat", "biceps_curl"]
    assert changes(steps, "end") == expected
    assert [s.exercise for s in changes(steps, "begin")] == ["squat", "biceps_curl"]


def test_a_set_under_way_counts_up(recognizer: Recognizer) -> None:
    frames = frames_of(workout_pictures(), 15)
    steps = followed(recognizer, frames)
    assert steps[0].status == "warming"
    assert [a.status for a, b in pairwise(steps) if a.status != b.status][:2] == ["warming", "watching"]
    counts = [s.current.repetitions for s in steps if s.current and s.exercise == "squat"]
    assert counts == sorted(counts)
    assert counts[-1] == 4
    # Soon after the person turns back: the first squat is over after 5 s.
    assert any(s.time_s < 6.5 and s.current is not None and s.current.repetitions for s in steps)
    assert steps[-1].current is None


def test_a_set_that_the_end_cuts_is_closed(recognizer: Recognizer) -> None:
    frames = frames_of(swinging(SQUAT, 4, 8), 15)
    steps = followed(recognizer, frames)
    expected = [Set.of(segment) for segment in recognizer.recognize_frames(frames).segments]
    assert changes(steps, "end") == expected
    assert changes(steps[:-1], "end") == []


def test_one_exercise_after_the_other(recognizer: Recognizer) -> None:
    frames = frames_of([*swinging(SQUAT, 4, 8), *swinging(CURL, 5, 10), *swinging(SQUAT, 3, 6)], 15)
    steps = followed(recognizer, frames)
    assert [s.exercise for s in changes(steps, "end")] == ["squat", "biceps_curl", "squat"]
    assert all(a.end_s <= b.start_s for a, b in pairwise(changes(steps, "end")))


def test_nothing_is_new_between_two_ticks(recognizer: Recognizer) -> None:
    steps = followed(recognizer, frames_of([still(SQUAT)] * 60, 30))
    assert not all(step.fresh for step in steps[40:-1])
    assert any(step.fresh for step in steps[40:-1])


def test_a_stream_without_a_frame_ends(recognizer: Recognizer) -> None:
    progress = LiveTracker(recognizer).finish()
    assert (progress.status, progress.current, progress.changes) == ("warming", None, ())


def test_what_is_kept_is_bounded_and_no_repetition_is_lost(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_COUNTED_S", 16.0)
    tracker = LiveTracker(recognizer)
    frames = frames_of(swinging(SQUAT, 30, 60), 15)
    kept = 0
    steps = []
    for frame in frames:
        steps.append(tracker.push(frame))
        signal = tracker._signal
        kept = max(kept, len(signal._phases) + len(signal._features))
    steps.append(tracker.finish())
    assert kept <= 16 * 7.5 + 2
    [ended] = changes(steps, "end")
    assert abs(ended.repetitions - 30) <= 1
    assert all(0.6 < b - a < 4.5 for a, b in pairwise(ended.repetition_times_s))


def test_nothing_but_the_last_seconds_is_kept_without_a_set(recognizer: Recognizer) -> None:
    tracker = LiveTracker(recognizer)
    for frame in frames_of([still((20, 20, 0))] * 900, 15):
        tracker.push(frame)
    signal = tracker._signal
    assert len(signal._phases) + len(signal._features) <= module.IDLE_S * 7.5 + 2


def test_a_person_is_a_few_joints_seen_surely() -> None:
    joints = np.zeros((13, 6), np.float32)
    assert sees_person(None) is None
    assert sees_person(joints) is False
    joints[:4, 2] = 0.9
    assert sees_person(joints) is True


def test_a_model_that_follows_says_whether_somebody_is_there(tmp_path: Path) -> None:
    """The tiny one takes light for a person."""
    recognizer = Recognizer.load(write_bundle(tmp_path / "m", spec=replace(SPEC, aspect="follow")))
    steps = followed(recognizer, frames_of([still((90, 90, 90))] * 45 + [still((0, 0, 0))] * 45, 15))
    assert {step.person for step in steps if step.status == "warming"} == {None}
    assert [a.person for a, b in pairwise(steps) if a.person != b.person] == [None, True]
    assert steps[-1].person is False


def test_a_model_without_joints_does_not_say_whether_somebody_is_there(recognizer: Recognizer) -> None:
    assert {step.person for step in followed(recognizer, frames_of([still(SQUAT)] * 45, 15))} == {None}


def test_repetitions_are_counted_from_the_times() -> None:
    assert Set("squat", 0, 9, 0.5, (1.0, 2.0)).repetitions == 2
    assert replace(Set("squat", 0, 9, 0.5), repetition_times_s=()).repetitions == 0
