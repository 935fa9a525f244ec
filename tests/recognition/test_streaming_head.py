"""Windows that a stream continues say what each whole window says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bundles import CLASSES, SPEC, CountingEngine, frames_of, workout_pictures, write_bundle
from clips import noise
from exerlitenet.recognition.bundle import load_bundle
from exerlitenet.recognition.engine import Floats
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.recognition.streaming_head import StreamingHead, streaming_head_of
from exerlitenet.results import Prediction
from recurrences import Recurrence


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_every_window_of_a_stream(frames: int) -> None:
    recurrence = Recurrence(frames)
    [stream] = Recurrence(4 * frames + 3).windows(1)
    head = StreamingHead(recurrence, stream[0], frames)
    for end in range(1, len(stream)):
        probabilities, phase = head.push(stream[end])
        ticks = np.clip(np.arange(end - frames + 1, end + 1), 0, None)
        whole, phases, _ = recurrence.step(stream[ticks][None], None)
        assert phases is not None
        assert phase is not None
        np.testing.assert_allclose(probabilities, whole[0], atol=1e-6)
        np.testing.assert_allclose(phase, phases[0, -1:], atol=1e-6)


def test_a_frame_costs_one_step_of_one_frame() -> None:
    recurrence = Recurrence()
    asked: list[tuple[int, ...]] = []

    class Watched:
        def step(
            self, features: Floats, states: list[Floats] | None
        ) -> tuple[Floats, Floats | None, list[Floats]]:
            asked.append(features.shape)
            return recurrence.step(features, states)

    [stream] = Recurrence(8).windows(1)
    head = StreamingHead(Watched(), stream[0], 5)
    for feature in stream[1:]:
        head.push(feature)
    assert asked == [(1, 5, 16), *[(1, 1, 16)] * 7]


def test_a_head_that_takes_whole_windows_only(tmp_path: Path) -> None:
    engine = OnnxEngine(load_bundle(write_bundle(tmp_path / "m")))
    feature = np.zeros(8, np.float32)
    assert engine.streaming_head(feature) is None
    assert streaming_head_of(engine, feature) is None
    assert streaming_head_of(CountingEngine(engine), feature) is None


class RecurrentEngine(CountingEngine):
    """The tiny model with two LSTMs behind its encoder; counts the whole windows that it classifies."""

    def __init__(self, engine: OnnxEngine, recurrence: Recurrence, *, streams: bool) -> None:
        super().__init__(engine)
        self._recurrence = recurrence
        self.classified = 0
        if streams:
            self.streaming_head = lambda first: StreamingHead(recurrence, first, recurrence.frames)

    def classify(self, windows: Floats) -> tuple[Floats, Floats | None]:
        self.classified += len(windows)
        return self._recurrence.step(windows, None)[:2]


def probabilities(predictions: Sequence[Prediction]) -> list[list[float]]:
    return [[p.probabilities[name] for name in CLASSES] for p in predictions]


@pytest.mark.parametrize("least", [0, 1, 6])
@pytest.mark.parametrize(("count", "fps"), [(1, 7.5), (5, 7.5), (60, 7.5), (20, 3), (90, 30)])
def test_a_stream_is_classified_the_same_with_and_without(
    tmp_path: Path, count: int, fps: float, least: int
) -> None:
    engine = OnnxEngine(load_bundle(write_bundle(tmp_path / "m")))
    recurrence = Recurrence(frames=SPEC.frames, units=(2, 3))
    plain, streaming = (RecurrentEngine(engine, recurrence, streams=streams) for streams in (False, True))
    plain.spec = streaming.spec = replace(SPEC, least_frames=least)
    plain.phase_delay = streaming.phase_delay = 2
    frames = frames_of(noise(count, (40, 30)), fps)
    wanted, found = (list(Recognizer(e).stream(frames)) for e in (plain, streaming))
    assert [p.time_s for p in found] == [p.time_s for p in wanted]
    assert [p.phase_time_s for p in found] == [p.phase_time_s for p in wanted]
    np.testing.assert_allclose(probabilities(found), probabilities(wanted), atol=1e-6)
    np.testing.assert_allclose(
        [p.phase or 0 for p in found], [p.phase or 0 for p in wanted], atol=1e-6, rtol=0
    )
    # Whole windows: the first one, for the phases of all its frames.
    assert streaming.classified == 1
    assert plain.classified == len(wanted) + 2


def test_two_streams_keep_windows_of_their_own(tmp_path: Path) -> None:
    engine = OnnxEngine(load_bundle(write_bundle(tmp_path / "m")))
    recognizer = Recognizer(RecurrentEngine(engine, Recurrence(SPEC.frames, (2, 3)), streams=True))
    first, second = frames_of(workout_pictures(), 15)[:300], frames_of(noise(300), 15)
    alone = [list(recognizer.stream(frames)) for frames in (first, second)]
    trackers = [recognizer.tracker(), recognizer.tracker()]
    together: list[list[Prediction]] = [[], []]
    for pair in zip(first, second, strict=True):
        for tracker, frame, out in zip(trackers, pair, together, strict=True):
            out += tracker.push(frame).predictions
    for tracker, out in zip(trackers, together, strict=True):
        out += tracker.finish().predictions
    assert together == alone
