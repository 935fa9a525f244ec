"""The networks' part of a stream at work, with the time that each part of a frame takes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.recognition.engine import Engine, Floats
from exerlitenet.recognition.predictor import Predictor
from exerlitenet.recognition.streaming_head import streaming_head_of
from exerlitenet.results import Frame
from exerlitenet.video.sequence import SequenceSpec

PARTS = ("prepare", "encode", "head")


class Stopwatch:
    """An engine that notes when it was asked and when it had answered, and keeps the frames of the last window."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.classes = engine.name, engine.classes
        self.spec: SequenceSpec = engine.spec
        self.phase_delay = engine.phase_delay
        self.encoded_s = self.classified_s = (0.0, 0.0)
        self._seen: deque[tuple[Floats, Floats | None]] = deque(maxlen=engine.spec.frames)

    def encode(self, pixels: Floats) -> Floats:
        begin_s = time.perf_counter()
        features = self._engine.encode(pixels)
        self.encoded_s = (begin_s, time.perf_counter())
        self._seen.append((pixels, None))
        return features

    def encode_crops(self, pixels: Floats, views: Floats) -> tuple[Floats, Floats]:
        begin_s = time.perf_counter()
        found = self._engine.encode_crops(pixels, views)
        self.encoded_s = (begin_s, time.perf_counter())
        self._seen.append((pixels, views))
        return found

    def classify(self, windows: Floats) -> tuple[Floats, Floats | None]:
        begin_s = time.perf_counter()
        found = self._engine.classify(windows)
        self.classified_s = (begin_s, time.perf_counter())
        return found

    def streaming_head(self, first: Floats) -> TimedWindows | None:
        """Those of the engine, if it can continue the windows of a stream whose first frame has these features."""
        head = streaming_head_of(self._engine, first)
        return None if head is None else TimedWindows(self, head)

    def prepared(self, count: int) -> tuple[Floats, Floats | None]:
        """The last frames as the encoder got them, repeated if there are fewer: [count, size, size, 3], and views."""
        seen = [self._seen[k % len(self._seen)] for k in range(count)]
        pixels = np.concatenate([frame for frame, _ in seen])
        views = [view for _, view in seen if view is not None]
        return pixels, np.concatenate(views) if views else None

    def encode_batch(self, pixels: Floats, views: Floats | None) -> Floats:
        """Prepared frames in one call, unmeasured: features float32 [n, width]."""
        return self._engine.encode(pixels) if views is None else self._engine.encode_crops(pixels, views)[0]

    def classify_window(self, features: Floats) -> None:
        """Features [frames, width] of one window, unmeasured."""
        self._engine.classify(features[None])


class TimedWindows:
    """The windows of one stream, each classified as its last frame comes; the stopwatch notes when."""

    def __init__(self, stopwatch: Stopwatch, windows: Any) -> None:
        self._stopwatch, self._windows = stopwatch, windows

    def push(self, feature: Floats) -> tuple[Floats, Floats | None]:
        begin_s = time.perf_counter()
        found: tuple[Floats, Floats | None] = self._windows.push(feature)
        self._stopwatch.classified_s = (begin_s, time.perf_counter())
        return found


class LiveFrames:
    """One stream, a frame a call; every frame is a tick of the model, and classified.

    pictures: uint8 [height, width, 3] each, used over and over; at least one.
    """

    def __init__(self, engine: Engine, pictures: Sequence[NDArray[np.uint8]]) -> None:
        self.stopwatch = Stopwatch(engine)
        self._state = Predictor(self.stopwatch)
        self._pictures = pictures
        self._pushed = 0
        self.parts: dict[str, list[float]] = {part: [] for part in PARTS}
        self.whole: list[float] = []
        for _ in range(engine.spec.frames):
            self()

    def __call__(self) -> None:
        """Pushes the next frame, and notes its milliseconds: the whole, and those of `PARTS`."""
        frame = Frame(
            self._pushed / self.stopwatch.spec.rate, self._pictures[self._pushed % len(self._pictures)]
        )
        begin_s = time.perf_counter()
        predictions = self._state.push(frame)
        end_s = time.perf_counter()
        self._pushed += 1
        self._state.take_phases()
        encode_s, classify_s = self.stopwatch.encoded_s, self.stopwatch.classified_s
        spent = (encode_s[0] - begin_s, encode_s[1] - encode_s[0], classify_s[1] - classify_s[0])
        if predictions:
            for part, spent_s in zip(PARTS, spent, strict=True):
                self.parts[part].append(1000 * spent_s)
            self.whole.append(1000 * (end_s - begin_s))

    def recompute_window(self, frames: int | None = None) -> None:
        """The window as a network without memory sees it: all its frames in one call, then the head.

        frames: so many of the last ones in place of a whole window; the head classifies them over and over until its
        window is full, so that it costs what it costs.
        """
        length = self.stopwatch.spec.frames
        features = self.stopwatch.encode_batch(*self.stopwatch.prepared(length if frames is None else frames))
        self.stopwatch.classify_window(features[np.arange(length) % len(features)])
