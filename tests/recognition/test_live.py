"""A stream that goes on: what is shown meanwhile, and the same summary as for the whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bundles import SPEC, frames_of, workout_pictures, write_bundle
from exerlitenet.errors import InputError
from exerlitenet.recognition.live import LiveRecognition, Now
from exerlitenet.recognition.recognizer import Recognizer


@pytest.fixture(params=[True, False], ids=["phase", "features"])
def recognizer(request: pytest.FixtureRequest, tmp_path: Path) -> Recognizer:
    return Recognizer.load(write_bundle(tmp_path / "m", phase=request.param))


def test_what_goes_on_and_the_summary(recognizer: Recognizer) -> None:
    frames = frames_of(workout_pictures(), 15)
    live = LiveRecognition(recognizer)
    assert not live.started
    states = [now for frame in frames if (now := live.push(frame)) is not None]
    assert live.started
    changes = [states[0]]
    for now in states:
        if (now.exercise, now.repetitions) != (changes[-1].exercise, changes[-1].repetitions):
            changes.append(now)
    seen = list(dict.fromkeys(now.exercise for now in changes))
    assert seen == ["none", "squat", "biceps_curl"]
    assert changes[-1].exercise == "none"
    counts = {name: [n.repetitions for n in changes if n.exercise == name] for name in seen[1:]}
    assert counts["squat"][-1] == 4
    assert counts["biceps_curl"][-1] == 5
    assert counts["squat"] == sorted(counts["squat"])
    # What is shown lags behind by little: the second squat ends after 7 s.
    assert any(n.exercise == "squat" and n.repetitions >= 1 and n.time_s < 8 for n in states)
    assert all((n.confidence > 0.5) == (n.exercise != "none") for n in states)
    assert live.finish() == recognizer.recognize_frames(frames)


def test_a_stream_cut_short_still_has_its_one_prediction(recognizer: Recognizer) -> None:
    frames = frames_of(workout_pictures()[50:55], 15)
    live = LiveRecognition(recognizer)
    assert [live.push(frame) for frame in frames] == [None] * 5
    workout = live.finish(video="camera:0", fault="stopped")
    assert len(workout.predictions) == 1
    assert (workout.video, workout.fault) == ("camera:0", "stopped")
    assert replace(workout, video="", fault=None) == recognizer.recognize_frames(frames)


def test_without_a_frame_there_is_nothing_to_say(recognizer: Recognizer) -> None:
    with pytest.raises(InputError, match="camera:0: no frame came"):
        LiveRecognition(recognizer).finish(video="camera:0")


def test_nothing_is_shown_before_the_first_window(recognizer: Recognizer) -> None:
    live = LiveRecognition(recognizer)
    states = [live.push(frame) for frame in frames_of(workout_pictures()[:60], 15)]
    first = next(i for i, now in enumerate(states) if now is not None)
    assert first == round(SPEC.window_s * 15)
    assert states[first] == Now(pytest.approx(SPEC.window_s))
