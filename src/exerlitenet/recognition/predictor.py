"""Frames of one stream in, predictions and phases out."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from exerlitenet.recognition.engine import Engine, Floats
from exerlitenet.recognition.frame_encoder import FrameEncoder
from exerlitenet.recognition.streaming_head import StreamingHead, streaming_head_of
from exerlitenet.results import Frame, Prediction
from exerlitenet.video.sequence import TickClock

RESET_S = 1.5
"""While no set runs, a whole frame is encoded this often, so that the crop never stays on furniture."""

Phases = list[tuple[float, float]]
"""Time in seconds and phase of ticks, in order of time."""


class Predictor:
    """One stream's clock, crop, and the features of its last window. Every chosen frame is encoded once, however many
    windows it belongs to.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._encoder = FrameEncoder(engine)
        self._clock = TickClock(engine.spec.rate, engine.spec.frames)
        self._reset_s: float | None = None
        # Features and times of the ticks in the window; beside them, phases that nobody has taken yet.
        self._window: deque[Floats] = deque(maxlen=engine.spec.frames)
        self._ticks: deque[float] = deque(maxlen=engine.spec.frames)
        self._phases: Phases = []
        # A streaming head, where the engine has one, and its output for the newest window.
        self._head: StreamingHead | None = None
        self._newest: tuple[Floats, Floats | None] | None = None
        self._predicted = False

    @property
    def joints(self) -> Floats | None:
        """Joints in the frame encoded last, see `FrameEncoder.joints`; None from a model that finds none."""
        return self._encoder.joints

    def push(self, frame: Frame, *, idle: bool = False) -> list[Prediction]:
        """Takes the next frame; returns no prediction, one, or several when the source is slow.

        frame: any size; times must not fall. idle: whether no set runs, so that the crop is reset now and then.
        """
        ticks = self._clock.ticks(frame.time_s)
        if ticks == 0:
            return []
        if self._reset_s is None or not idle:
            self._reset_s = frame.time_s
        elif frame.time_s - self._reset_s >= RESET_S:
            self._encoder.reset()
            self._reset_s = frame.time_s
        spec = self._engine.spec
        feature = self._encoder.encode(frame.rgb)
        out = []
        for left in range(ticks - 1, -1, -1):
            tick_s = self._clock.last_tick_s - left / spec.rate
            self._enter(feature, tick_s)
            if len(self._window) >= spec.first_window:
                out.append(self._predict(tick_s))
        return out

    def finish(self) -> list[Prediction]:
        """At the end of a stream: one prediction if it was shorter than a window, the last frame held.

        Holding it also gives the phases of the last frames, for which the model waits.
        """
        if not self._window:
            return []
        feature, end_s = self._window[-1], self._clock.last_tick_s
        out = []
        if not self._predicted:
            while len(self._window) < self._engine.spec.first_window:
                self._enter(feature, math.inf)
            out.append(self._predict(end_s))
        for _ in range(self._engine.phase_delay):
            self._enter(feature, math.inf)
            self._predict(end_s)
        self._phases = [(time_s, phase) for time_s, phase in self._phases if time_s <= end_s]
        return out

    def take_phases(self) -> Phases:
        """Of every tick whose phase became known since the last call."""
        taken, self._phases = self._phases, []
        return taken

    def _enter(self, feature: Floats, tick_s: float) -> None:
        if not self._window:
            self._head = streaming_head_of(self._engine, feature)
        elif self._head is not None:
            self._newest = self._head.push(feature)
        self._window.append(feature)
        self._ticks.append(tick_s)

    def _predict(self, time_s: float) -> Prediction:
        """For the window as it is; `time_s` is its end."""
        delay, frames = self._engine.phase_delay, self._engine.spec.frames
        held = frames - len(self._window)
        if self._newest is None or not self._predicted:
            window = np.stack([*([self._window[0]] * held), *self._window])
            all_probabilities, all_phases = self._engine.classify(window[None])
            probabilities, phases = all_probabilities[0], None if all_phases is None else all_phases[0]
        else:
            probabilities, phases = self._newest
        # The first window gives the phases of its earlier frames too; later ones only what is new.
        known = range(frames - 1, frames) if self._predicted else range(held + delay, frames)
        self._predicted = True
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
