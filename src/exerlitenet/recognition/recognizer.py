"""A model at work on files and streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from exerlitenet.recognition.bundle import load_bundle
from exerlitenet.recognition.engine import Engine
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.recognition.repetitions import CountingThresholds
from exerlitenet.recognition.segments import SegmentThresholds
from exerlitenet.recognition.tracker import Tracker
from exerlitenet.results import Frame, Prediction, Workout
from exerlitenet.video.source import open_video

PREFETCH = 8
"""Frames of a file that are decoded while others are encoded, so that neither side often waits for the other."""


class Recognizer:
    """Says which exercise a video shows, from when to when, and how often.

    It may serve many streams; each has a tracker of its own (`tracker`).

    Examples:
        >>> import numpy as np
        >>> from exerlitenet import Frame, Recognizer
        >>> recognizer = Recognizer.load()
        >>> recognizer.classes
        ('squat', 'biceps_curl', 'none')
        >>> recognizer.recognize("video.mp4").model
        'default'
        >>> frames = [Frame(number / 15, np.zeros((240, 320, 3), np.uint8)) for number in range(30)]
        >>> predictions = list(recognizer.stream(frames))
        >>> [round(prediction.time_s, 2) for prediction in predictions[:3]]
        [0.93, 1.07, 1.2]
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
        """The model in a folder.

        Args:
            model: the folder; by default the model that ships.
            threads: of ONNX Runtime; more than one is slower for a live stream.

        Raises:
            InputError: for a folder that is no model.
        """
        bundle = load_bundle(model)
        return cls(OnnxEngine(bundle, threads=threads), bundle.segment_thresholds, bundle.counting_thresholds)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of the model's probabilities."""
        return self.engine.classes

    def tracker(self, *, keep: bool = False) -> Tracker:
        """For one more stream, which may last as long as it likes.

        Args:
            keep: whether `Tracker.workout` is wanted at its end.
        """
        return Tracker(self.engine, self.segment_thresholds, self.counting_thresholds, keep=keep)

    def stream(self, frames: Iterable[Frame]) -> Iterator[Prediction]:
        """Predictions as frames come, about `rate` a second once a window is full; a shorter stream gives one.

        Args:
            frames: any rate and size, uint8 RGB, times rising.
        """
        tracker = self.tracker()
        for frame in frames:
            yield from tracker.push(frame).predictions
        yield from tracker.finish().predictions

    def recognize(
        self,
        source: str | Path,
        *,
        seconds: float | None = None,
        on_progress: Callable[[float, float | None], None] | None = None,
    ) -> Workout:
        """Everything about one video. Damage in its middle is named in `Workout.fault`.

        Args:
            source: a file, a folder of images, a URL or "camera:0".
            seconds: stop after so many.
            on_progress: is called with the seconds that are done, and the seconds in all, None where that is unknown.

        Raises:
            InputError: when the source cannot be read.
        """
        spec, tracker = self.engine.spec, self.tracker(keep=True)
        with open_video(
            source, rate=spec.rate, short_side=spec.source_short_side, limit_s=seconds, prefetch=PREFETCH
        ) as video:
            known_s = video.duration_s
            for frame in video:
                tracker.push(frame)
                if on_progress is not None:
                    on_progress(frame.time_s, known_s)
            return tracker.workout(duration_s=video.duration_s, video=str(source), fault=video.fault)

    def recognize_frames(self, frames: Iterable[Frame], *, duration_s: float | None = None) -> Workout:
        """Everything about frames from anywhere.

        Args:
            frames: as for `stream`.
            duration_s: of the whole; by default one frame period after the last frame.

        Raises:
            InputError: when there is no frame.
        """
        tracker = self.tracker(keep=True)
        for frame in frames:
            tracker.push(frame)
        return tracker.workout(duration_s=duration_s)
