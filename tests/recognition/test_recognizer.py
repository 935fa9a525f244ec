"""Frames in, predictions out: the sliding window is the whole computation, and every frame is encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundles import (
    CLASSES,
    NOTHING,
    PHASE_DELAY,
    SPEC,
    SQUAT,
    CountingEngine,
    frames_of,
    still,
    workout_pictures,
    write_bundle,
    write_workout,
)
from clips import cut, noise, write_clip, write_images
from exerlitenet.errors import InputError
from exerlitenet.recognition.bundle import load_bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.recognition.predictor import Predictor
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.results import Frame, Prediction
from exerlitenet.video.sequence import prepare, sample, to_unit_range


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def recognizer(model: Path) -> Recognizer:
    return Recognizer.load(model)


def whole_windows(recognizer: Recognizer, frames: Sequence[Frame]) -> list[np.ndarray]:
    """Probabilities of each window by encoding all its 15 frames anew."""
    engine, spec = recognizer.engine, recognizer.engine.spec
    ticks = list(sample(frames, spec.rate))
    out = []
    for end in range(spec.frames, len(ticks) + 1):
        pixels = np.stack([prepare(frame.rgb, spec) for frame in ticks[end - spec.frames : end]])
        out.append(engine.classify(engine.encode(to_unit_range(pixels))[None])[0][0])
    return out


def probabilities(predictions: Sequence[Prediction]) -> list[list[float]]:
    return [[p.probabilities[name] for name in CLASSES] for p in predictions]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fps=st.sampled_from([4.0, 7.5, 10.0, 24.0, 29.97, 60.0]),
    seconds=st.floats(2.6, 6.0),
    seed=st.integers(0, 999),
)
def test_the_sliding_window_equals_the_whole_computation(
    recognizer: Recognizer, fps: float, seconds: float, seed: int
) -> None:
    frames = frames_of(noise(round(seconds * fps), (40, 30), seed), fps)
    predictions = list(recognizer.stream(frames))
    expected = whole_windows(recognizer, frames)
    assert len(predictions) == len(expected) > 0
    np.testing.assert_allclose(probabilities(predictions), expected, atol=1e-5)
    assert all(p.exercise == max(p.probabilities, key=lambda n: p.probabilities[n]) for p in predictions)


def test_every_frame_is_encoded_once(model: Path) -> None:
    engine = CountingEngine(OnnxEngine(load_bundle(model)))
    frames = frames_of(workout_pictures(), 15)
    predictions = list(Recognizer(engine).stream(frames))
    chosen = {frame.time_s for frame in sample(frames, SPEC.rate)}
    assert engine.encoded == len(chosen)
    assert len(predictions) == len(chosen) - SPEC.frames + 1


def test_a_slow_source_is_encoded_once_a_frame_though_frames_serve_several_ticks(model: Path) -> None:
    engine = CountingEngine(OnnxEngine(load_bundle(model)))
    frames = frames_of([still(SQUAT)] * 10, fps=2)
    predictions = list(Recognizer(engine).stream(frames))
    assert engine.encoded == 10
    # 4.5 s hold 34 ticks, of which the first 14 fill the window.
    assert len(predictions) == 34 - 14
    steps = np.diff([p.time_s for p in predictions])
    np.testing.assert_allclose(steps, 1 / SPEC.rate, atol=1e-9)


@pytest.mark.parametrize("fps", [3, 5, 12.5, 30, 60])
def test_at_least_two_predictions_a_second_after_the_first_window(recognizer: Recognizer, fps: float) -> None:
    frames = frames_of([still(SQUAT)] * round(8 * fps), fps)
    times = [p.time_s for p in recognizer.stream(frames)]
    last_s = frames[-1].time_s
    assert times[0] <= SPEC.window_s + 1 / fps + 1e-9
    assert last_s - times[-1] <= 0.5
    assert max(np.diff(times)) <= 0.5
    assert len(times) >= 2 * (last_s - SPEC.window_s) - 1


@pytest.mark.parametrize("count", [1, 2, 14])
def test_a_video_shorter_than_a_window_has_one_prediction(recognizer: Recognizer, count: int) -> None:
    frames = frames_of([still(NOTHING)] * (count - 1) + [still(SQUAT)], fps=7.5)
    [prediction] = recognizer.stream(frames)
    engine = recognizer.engine
    held = [*frames, *[frames[-1]] * (SPEC.frames - count)]
    pixels = to_unit_range(np.stack([prepare(frame.rgb, SPEC) for frame in held]))
    np.testing.assert_allclose(
        probabilities([prediction])[0], engine.classify(engine.encode(pixels)[None])[0][0], atol=1e-5
    )
    assert prediction.time_s == pytest.approx((count - 1) / 7.5)


def test_two_streams_do_not_meet(recognizer: Recognizer) -> None:
    first, second = noise(40, seed=1), noise(40, seed=2)
    alone = [list(recognizer.stream(frames_of(pictures, 7.5))) for pictures in (first, second)]
    trackers = [recognizer.tracker(), recognizer.tracker()]
    together: list[list[Prediction]] = [[], []]
    for pair in zip(frames_of(first, 7.5), frames_of(second, 7.5), strict=True):
        for tracker, frame, out in zip(trackers, pair, together, strict=True):
            out += tracker.push(frame).predictions
    assert together == alone
    assert together[0] != together[1]


def test_the_phase_is_behind_the_window_by_the_models_delay(recognizer: Recognizer) -> None:
    pictures = [still((0, 0, 5 * k)) for k in range(40)]
    for prediction in recognizer.stream(frames_of(pictures, 7.5)):
        assert prediction.phase_time_s == pytest.approx(prediction.time_s - PHASE_DELAY / 7.5)
        assert prediction.phase == pytest.approx(5 * round(prediction.phase_time_s * 7.5) / 255, abs=1e-5)


def test_a_whole_video(recognizer: Recognizer, tmp_path: Path) -> None:
    calls: list[tuple[float, float | None]] = []
    path = write_workout(tmp_path / "workout.mp4")
    workout = recognizer.recognize(path, on_progress=lambda done, total: calls.append((done, total)))
    assert [(s.exercise, s.repetitions) for s in workout.segments] == [("squat", 4), ("biceps_curl", 5)]
    for segment, (start_s, end_s) in zip(workout.segments, [(3, 11), (14, 24)], strict=True):
        assert segment.start_s == pytest.approx(start_s, abs=0.5)
        assert segment.end_s == pytest.approx(end_s, abs=0.5)
    assert (workout.exercise, workout.repetitions) == ("biceps_curl", 5)
    assert (workout.video, workout.model, workout.fault) == (str(path), "tiny", None)
    assert workout.duration_s == pytest.approx(26, abs=0.01)
    assert calls[-1][0] == pytest.approx(26, abs=0.2)
    assert calls[-1][1] == pytest.approx(26, abs=0.1)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_a_video_and_its_frames_give_the_same(recognizer: Recognizer, tmp_path: Path) -> None:
    path = write_workout(tmp_path / "workout.mp4")
    from_file = recognizer.recognize(path)
    frames = [Frame(k / 15, rgb) for k, rgb in enumerate(workout_pictures())]
    from_frames = recognizer.recognize_frames(frames, duration_s=26)
    assert [(s.exercise, s.repetitions) for s in from_frames.segments] == [
        (s.exercise, s.repetitions) for s in from_file.segments
    ]
    # The file is compressed, so only nearly the same.
    np.testing.assert_allclose(
        probabilities(from_frames.predictions), probabilities(from_file.predictions), atol=0.05
    )


def test_only_so_many_seconds(recognizer: Recognizer, tmp_path: Path) -> None:
    path = write_workout(tmp_path / "workout.mp4")
    workout = recognizer.recognize(path, seconds=9)
    assert workout.duration_s == pytest.approx(9, abs=0.1)
    assert [s.exercise for s in workout.segments] == ["squat"]
    assert max(p.time_s for p in workout.predictions) < 9


def test_a_damaged_video_counts_as_read_and_says_so(recognizer: Recognizer, tmp_path: Path) -> None:
    path = cut(write_clip(tmp_path / "v.mkv", noise(60), fps=15), 0.6)
    workout = recognizer.recognize(path)
    assert workout.predictions
    assert workout.fault is not None
    assert workout.to_json()["fault"] == workout.fault


def test_a_folder_of_images(recognizer: Recognizer, tmp_path: Path) -> None:
    workout = recognizer.recognize(write_images(tmp_path / "images", [still(SQUAT)] * 30))
    assert workout.exercise == "squat"


def test_no_frames_and_no_video_are_input_errors(recognizer: Recognizer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no frame"):
        recognizer.recognize_frames([])
    with pytest.raises(InputError, match="no such file"):
        recognizer.recognize(tmp_path / "missing.mp4")
    with pytest.raises(InputError, match="seconds"):
        recognizer.recognize(write_clip(tmp_path / "v.mp4", noise(3)), seconds=0)
    assert list(recognizer.stream([])) == []


def test_a_recognizer_names_its_classes(recognizer: Recognizer) -> None:
    assert recognizer.classes == CLASSES


@pytest.mark.parametrize("count", [1, 5, 14, 15, 40])
def test_every_frame_has_its_phase_in_the_end(recognizer: Recognizer, count: int) -> None:
    """Those before the first window is full, and those the model waits for when the stream ends, too."""
    predictor = Predictor(recognizer.engine)
    taken: list[tuple[float, float]] = []
    for frame in frames_of([still((0, 0, 5 * k)) for k in range(count)], fps=7.5):
        predictor.push(frame)
        taken += predictor.take_phases()
    predictor.finish()
    taken += predictor.take_phases()
    assert [time_s for time_s, _ in taken] == pytest.approx([k / 7.5 for k in range(count)])
    assert [phase for _, phase in taken] == pytest.approx([5 * k / 255 for k in range(count)], abs=1e-5)
    assert predictor.take_phases() == []


# Windows that are classified before they are full


@pytest.fixture(scope="module")
def early(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    """Classifies from five frames on."""
    spec = replace(SPEC, least_frames=5)
    return Recognizer.load(write_bundle(tmp_path_factory.mktemp("models") / "early", spec=spec))


@pytest.mark.parametrize("count", [1, 4, 5, 6, 14, 15, 16, 30])
def test_the_first_frame_is_held_in_front_of_the_first_windows(early: Recognizer, count: int) -> None:
    """And behind a stream shorter than even that its last."""
    engine = early.engine
    frames = frames_of(noise(count, (40, 30)), 7.5)
    features = engine.encode(to_unit_range(np.stack([prepare(frame.rgb, SPEC) for frame in frames])))
    predictions = list(early.stream(frames))
    ends = range(5, max(count, 5) + 1)
    assert [p.time_s for p in predictions] == pytest.approx([(min(end, count) - 1) / 7.5 for end in ends])
    for prediction, end in zip(predictions, ends, strict=True):
        ticks = np.clip(np.arange(end - SPEC.frames, end), 0, count - 1)
        expected = engine.classify(features[ticks][None])[0][0]
        np.testing.assert_allclose(probabilities([prediction])[0], expected, atol=1e-5)


@pytest.mark.parametrize("least", [1, 2, 3, 8, 15])
@pytest.mark.parametrize("count", [1, 2, 5, 14, 15, 40])
def test_phases_of_early_windows_are_those_of_their_own_frames(
    recognizer: Recognizer, least: int, count: int
) -> None:
    engine = CountingEngine(recognizer.engine)  # type: ignore[arg-type]
    engine.spec = replace(SPEC, least_frames=least)
    predictor = Predictor(engine)
    taken: list[tuple[float, float]] = []
    for frame in frames_of([still((0, 0, 5 * k)) for k in range(count)], fps=7.5):
        predictor.push(frame)
        taken += predictor.take_phases()
    predictor.finish()
    taken += predictor.take_phases()
    assert [time_s for time_s, _ in taken] == pytest.approx([k / 7.5 for k in range(count)])
    assert [phase for _, phase in taken] == pytest.approx([5 * k / 255 for k in range(count)], abs=1e-5)


def test_early_windows_change_nothing_once_one_is_full(early: Recognizer, recognizer: Recognizer) -> None:
    frames = frames_of(noise(40, (40, 30)), 7.5)
    whole, soon = list(recognizer.stream(frames)), list(early.stream(frames))
    assert len(soon) == len(whole) + SPEC.frames - 5
    assert [(p.time_s, p.probabilities, p.phase) for p in soon[-len(whole) :]] == [
        (p.time_s, p.probabilities, p.phase) for p in whole
    ]
