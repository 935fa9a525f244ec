"""Frames in, predictions out: a model at work on files and streams."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exerlitenet.errors import InputError
from exerlitenet.recognition.bundle import load_bundle
from exerlitenet.recognition.engine import Engine, Floats, Windows, windows_of
from exerlitenet.recognition.eyes import Eyes
from exerlitenet.recognition.follow import LET_GO_S
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.recognition.repetitions import (
    CountingThresholds,
    attach_repetitions,
    attach_repetitions_from_features,
)
from exerlitenet.recognition.segments import Segmenter, SegmentThresholds, segments_of
from exerlitenet.results import Frame, Prediction, Workout
from exerlitenet.video.sequence import TickClock
from exerlitenet.video.source import open_video

READ_AHEAD = 8
"""Frames of a file that are decoded while others are looked at, so that neither side waits for the other's whims."""


class StreamState:
    """One stream's place in a model: its clock, and the features of the last window's frames.

    Every chosen frame is encoded once, however many windows it stands in. While no set runs, by these thresholds, the
    view is let go of now and then.
    """

    def __init__(self, engine: Engine, thresholds: SegmentThresholds | None = None) -> None:
        self._engine = engine
        self._eyes = Eyes(engine)
        spec = engine.spec
        self._segmenter = Segmenter(thresholds or SegmentThresholds(), spec.window_s, engine.classes)
        self._let_go_s: float | None = None
        self._clock = TickClock(engine.spec.rate, engine.spec.frames)
        # Features and times of the ticks in the window; beside them, phases that nobody has taken yet.
        self._window: deque[Floats] = deque(maxlen=engine.spec.frames)
        self._ticks: deque[float] = deque(maxlen=engine.spec.frames)
        self._phases: list[tuple[float, float]] = []
        # From an engine that goes on with windows, and what it says of the newest one.
        self._windows: Windows | None = None
        self._newest: tuple[Floats, Floats | None] | None = None
        self._last_feature: Floats | None = None
        self.predicted = 0

    def push(self, frame: Frame) -> list[Prediction]:
        """Takes the next frame; returns no prediction, one, or several when the source is slow.

        frame: any size; times must not fall.
        """
        ticks = self._clock.ticks(frame.time_s)
        if ticks == 0:
            return []
        spec = self._engine.spec
        if self._let_go_s is None or not self._segmenter.idle:
            self._let_go_s = frame.time_s
        elif frame.time_s - self._let_go_s >= LET_GO_S:
            self._eyes.let_go()
            self._let_go_s = frame.time_s
        feature = self._eyes.encode(frame.rgb)
        self._last_feature = feature
        out = []
        for left in range(ticks - 1, -1, -1):
            tick_s = self._clock.last_tick_s - left / spec.rate
            self._enter(feature, tick_s)
            if len(self._window) >= spec.first_judged:
                out.append(self._judge(tick_s))
                self._segmenter.push(out[-1])
        return out

    def finish(self) -> list[Prediction]:
        """At the end of a stream: one prediction if it was shorter than a window, the last frame held.

        Holding it also tells the phases of the last frames, for which the model waits.
        """
        feature = self._last_feature
        if feature is None:
            return []
        end_s, spec = self._clock.last_tick_s, self._engine.spec
        out = []
        if not self.predicted:
            while len(self._window) < spec.first_judged:
                self._enter(feature, math.inf)
            out.append(self._judge(end_s))
        for _ in range(self._engine.phase_delay):
            self._enter(feature, math.inf)
            self._judge(end_s)
        self._phases = [(time_s, phase) for time_s, phase in self._phases if time_s <= end_s]
        return out

    def take_phases(self) -> list[tuple[float, float]]:
        """(time in seconds, phase) of every tick that became known since the last call, in order of time."""
        taken, self._phases = self._phases, []
        return taken

    @property
    def last_feature(self) -> Floats | None:
        """Features [width] of the frame encoded last."""
        return self._last_feature

    @property
    def joints(self) -> Floats | None:
        """What the model saw of the body in the frame encoded last: float32 [13, 6], x and y from 0 to 1 across the
        view, visibility, place in space; None from a model that sees no joints.
        """
        return self._eyes.joints

    def _enter(self, feature: Floats, tick_s: float) -> None:
        if not self._window:
            self._windows = windows_of(self._engine, feature)
        elif self._windows is not None:
            self._newest = self._windows.push(feature)
        self._window.append(feature)
        self._ticks.append(tick_s)

    def _judge(self, time_s: float) -> Prediction:
        """The window that is in place; `time_s` is its end."""
        delay, frames = self._engine.phase_delay, self._engine.spec.frames
        held = frames - len(self._window)
        if self._newest is None or not self.predicted:
            window = np.stack([*([self._window[0]] * held), *self._window])
            judged, windows_phases = self._engine.judge(window[None])
            probabilities, phases = judged[0], None if windows_phases is None else windows_phases[0]
        else:
            probabilities, phases = self._newest
        # The first window tells the phases of its earlier frames too; later ones only what is new.
        known = range(held + delay, frames) if not self.predicted else range(frames - 1, frames)
        self.predicted += 1
        named = dict(zip(self._engine.classes, (float(p) for p in probabilities), strict=True))
        best = max(named, key=lambda name: named[name])
        if phases is None:
            return Prediction(time_s, named, best)
        fresh = [
            (self._ticks[t - delay - held], float(phases[t - frames])) for t in known if t >= delay + held
        ]
        if not fresh:
            return Prediction(time_s, named, best)
        self._phases += fresh
        newest_s, newest = fresh[-1]
        return Prediction(time_s, named, best, newest, min(newest_s, time_s))


class Recognizer:
    """Says which exercise a video shows, from when to when, and how often.

        recognizer = Recognizer.load()
        workout = recognizer.recognize("video.mp4")
        for prediction in recognizer.stream(frames): ...

    A recogniser may serve many streams; each has a state of its own (`state`).
    """

    def __init__(
        self,
        engine: Engine,
        segment_thresholds: SegmentThresholds | None = None,
        counting_thresholds: CountingThresholds | None = None,
    ) -> None:
        self.engine = engine
        self.segment_thresholds = segment_thresholds or SegmentThresholds()
        self.counting_thresholds = counting_thresholds or CountingThresholds()

    @classmethod
    def load(cls, model: str | Path | None = None, *, threads: int = 1) -> Recognizer:
        """The model in the folder `model`, or the one that ships. Raises InputError for a folder that is no model."""
        bundle = load_bundle(model)
        return cls(OnnxEngine(bundle, threads=threads), bundle.segment_thresholds, bundle.counting_thresholds)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of the model's probabilities."""
        return self.engine.classes

    def state(self) -> StreamState:
        """A place for one more stream."""
        return StreamState(self.engine, self.segment_thresholds)

    def stream(self, frames: Iterable[Frame]) -> Iterator[Prediction]:
        """Predictions as frames come, about `rate` a second once a window is full; a shorter stream gives one.

        frames: any rate and size, uint8 RGB, times rising.
        """
        state = self.state()
        for frame in frames:
            yield from state.push(frame)
        yield from state.finish()

    def recognize(
        self,
        source: str | Path,
        *,
        seconds: float | None = None,
        progress: Callable[[float, float | None], None] | None = None,
    ) -> Workout:
        """Everything about one video.

        source: a file, a folder of images, a URL or "camera:0". seconds: stop after so many.
        progress: is told how many seconds are done, of how many if that is known.
        Raises InputError when the source cannot be read; damage in the middle is told in `Workout.fault`.
        """
        spec = self.engine.spec
        with open_video(
            source, rate=spec.rate, short_side=spec.source_short_side, limit_s=seconds, ahead=READ_AHEAD
        ) as video:
            known_s = video.duration_s

            def told() -> Iterator[Frame]:
                for frame in video:
                    yield frame
                    if progress is not None:
                        progress(frame.time_s, known_s)

            seen = self._look(told())
            duration_s = seen.end_s if video.duration_s is None else video.duration_s
            return self.summary(seen, duration_s, str(source), video.fault)

    def recognize_frames(self, frames: Iterable[Frame], *, duration_s: float | None = None) -> Workout:
        """The same for frames from anywhere.

        frames: as for `stream`. duration_s: of the whole; by default one frame period after the last frame.
        Raises InputError when there is no frame.
        """
        seen = self._look(frames)
        return self.summary(seen, seen.end_s if duration_s is None else duration_s, "", None)

    def _look(self, frames: Iterable[Frame]) -> Seen:
        """Runs the model over a stream and keeps what segments and counting need."""
        state = self.state()
        predictions: list[Prediction] = []
        features: list[Floats] = []
        times: list[float] = []
        phases: list[tuple[float, float]] = []
        last_s = 0.0
        for frame in frames:
            predictions += state.push(frame)
            phases += state.take_phases()
            last_s = frame.time_s
            feature = state.last_feature
            if feature is not None and (not features or features[-1] is not feature):
                features.append(feature)
                times.append(frame.time_s)
        predictions += state.finish()
        phases += state.take_phases()
        if not predictions:
            raise InputError("there was no frame to look at; give a video with at least one")
        return Seen(predictions, phases, times, features, last_s + 1 / self.engine.spec.rate)

    def summary(self, seen: Seen, duration_s: float, video: str, fault: str | None) -> Workout:
        """From what was seen of a stream to its segments with repetitions.

        duration_s: where the stream ends. video, fault: as they stand in the result.
        """
        return summarise(
            seen,
            duration_s,
            window_s=self.engine.spec.window_s,
            segment_thresholds=self.segment_thresholds,
            counting_thresholds=self.counting_thresholds,
            model=self.engine.name,
            video=video,
            fault=fault,
        )


@dataclass(frozen=True)
class Seen:
    """What one pass over a stream gave.

    predictions: at least one. phases: (seconds, phase) in order of time; none from a model that gives no phase.
    times, features: of every encoded frame, seconds and float32 [width].
    end_s: one frame period after the last frame.
    """

    predictions: list[Prediction]
    phases: list[tuple[float, float]]
    times: list[float]
    features: list[Floats]
    end_s: float


def summarise(
    seen: Seen,
    duration_s: float,
    *,
    window_s: float,
    segment_thresholds: SegmentThresholds,
    counting_thresholds: CountingThresholds,
    model: str,
    video: str = "",
    fault: str | None = None,
) -> Workout:
    """From what was seen of a stream to its segments with repetitions.

    duration_s: where the stream ends. window_s: of the model. model, video, fault: as they stand in the result.
    """
    segments = segments_of(seen.predictions, segment_thresholds, window_s, duration_s)
    if seen.phases:
        times, values = zip(*seen.phases, strict=True)
        segments = attach_repetitions(segments, times, values, counting_thresholds)
    else:
        segments = attach_repetitions_from_features(segments, seen.times, np.stack(seen.features))
    return Workout(segments, tuple(seen.predictions), duration_s, model, video, fault)
