"""Predictions over time to segments of one exercise.

Everything streams: `Segmenter` takes one prediction after the other, so the live page and a file give the same
segments.

**Which time a prediction speaks of.** A prediction at `time_s` is about the window
`[time_s - window_s, time_s]`. When a person begins, the probability passes one half about when half of the
window shows the exercise, so a change is placed at the window's centre, `time_s - window_s / 2`, less the
delay of the smoothing. At the edges of a stream there is nothing to see beyond them: a segment that is
already there in the first prediction starts where the first window starts (0 in a video), and one that is
still there in the last ends where the video ends.

**Hysteresis.** A segment opens when the smoothed probability of an exercise reaches `enter`, and closes when
it falls below `leave`, or when another exercise reaches `enter` and is likelier: one exercise may follow another
directly. With only two classes and no "none" the same rule holds: an exercise is called when its probability
stays high, and nothing is called while the model wavers between both.

**Least duration.** Runs shorter than `least_s` are dropped; at the end of a video with few predictions half
of the time they span is enough, so a video shorter than a window, which has a single prediction, may still be
one segment. Runs of the same exercise with at most `merge_gap_s` between them, and no other segment, are one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from exerlitenet.errors import InputError
from exerlitenet.recognition.thresholds import Thresholds
from exerlitenet.results import NONE, Prediction, Segment

SNAP_TO_START_S = 0.25
"""A first window that starts this little after 0 counts as starting at 0: clocks and time stamps are not
exact."""

LONGEST_GAP_S = 3.0
"""Without predictions for longer than this (camera switched off) the running segment ends and a new one may
begin."""


@dataclass(frozen=True)
class SegmentThresholds(Thresholds):
    """When a segment begins and ends; stored in model.json under "thresholds".

    enter, leave: probabilities, 0 < leave <= enter <= 1.
    least_s: shortest segment in seconds.
    smooth_s: probabilities are averaged over the predictions of the last `smooth_s` seconds; 0 = not at all.
    merge_gap_s: longest pause within one segment in seconds.
    """

    enter: float = 0.6
    leave: float = 0.4
    least_s: float = 1.0
    smooth_s: float = 0.5
    merge_gap_s: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.leave <= self.enter <= 1:
            raise InputError(
                f"thresholds need 0 < leave <= enter <= 1, got leave={self.leave}, enter={self.enter}"
            )

    @property
    def longest_wait_s(self) -> float:
        """Seconds of predictions, at most, from the first of a segment until it is sure to be one."""
        return self.smooth_s + self.least_s + self.merge_gap_s


@dataclass(frozen=True)
class SegmentEvent:
    """What changed: a segment is sure to be one ("begin", its end is the present), or is closed for good
    ("end")."""

    kind: Literal["begin", "end"]
    segment: Segment


@dataclass
class _Run:
    """Predictions of one exercise in a row; `end_s` is None while it is open."""

    exercise: str
    start_s: float
    first_time_s: float
    probability_sum: float = 0.0
    predictions: int = 0
    end_s: float | None = None
    last_time_s: float = 0.0
    begun: bool = False
    least_end_s: float = 0.0
    """It ends here or later, since it was called begun here."""

    # Predictions of a pause that belongs to the run only if the run continues after it.
    pause_sum: float = 0.0
    pause_predictions: int = 0

    def segment(self, end_s: float) -> Segment:
        confidence = min(1.0, max(0.0, self.probability_sum / max(1, self.predictions)))
        return Segment(self.start_s, end_s, self.exercise, confidence)


class Segmenter:
    """Turns a stream of predictions into segments; one object per stream.

    thresholds: see `SegmentThresholds`.
    window_s: seconds from the first to the last frame of the model's window.
    classes: the model's classes; all but "none" are exercises.
    """

    def __init__(self, thresholds: SegmentThresholds, window_s: float, classes: Sequence[str]) -> None:
        self.thresholds = thresholds
        self.window_s = float(window_s)
        self.exercises = tuple(name for name in classes if name != NONE)
        self._recent: deque[Prediction] = deque()
        self._first_s: float | None = None
        self._last_s = 0.0
        self._stretch_start_s = 0.0
        self._stretch_first_s = 0.0
        self._floor_s = 0.0
        self._open: _Run | None = None
        self._closed: _Run | None = None
        self._finished = False

    @property
    def current(self) -> Segment | None:
        """The segment that is open, up to the last prediction's time; None while there is none for
        sure."""
        run = self._open
        if run is None or not run.begun:
            return None
        return run.segment(max(self._last_s, run.start_s))

    def push(self, prediction: Prediction) -> list[SegmentEvent]:
        """Take the next prediction; times must not fall (ValueError). Returns what changed, in order."""
        if self._finished:
            raise ValueError("the stream is finished; use a new Segmenter for another one")
        time_s = prediction.time_s
        events: list[SegmentEvent] = []
        if self._first_s is None:
            self._first_s = time_s
            self._begin_stretch(time_s)
        elif time_s < self._last_s:
            raise ValueError(f"predictions must come in order of time: {time_s} after {self._last_s}")
        elif time_s - self._last_s > LONGEST_GAP_S + self.window_s:
            events += self._end_stretch(self._last_s, self.thresholds.least_s)
            self._begin_stretch(time_s)
        self._last_s = time_s
        smoothed, position_s = self._smooth(prediction)
        events += self._advance(prediction, smoothed, position_s)
        return events

    def finish(self, end_s: float) -> list[SegmentEvent]:
        """The stream ended at `end_s` seconds: close what is open. Returns the last events."""
        if self._finished:
            return []
        self._finished = True
        if self._first_s is None:
            return []
        least_s = min(self.thresholds.least_s, (self._last_s - self._first_s) / 2)
        return self._end_stretch(end_s, least_s)

    # A stretch is a part of the stream without a long gap.

    def _begin_stretch(self, time_s: float) -> None:
        start = max(self._floor_s, time_s - self.window_s)
        self._stretch_start_s = 0.0 if start < SNAP_TO_START_S and self._floor_s == 0.0 else start
        self._stretch_first_s = time_s
        self._recent.clear()

    def _end_stretch(self, end_s: float, least_s: float) -> list[SegmentEvent]:
        events: list[SegmentEvent] = []
        if self._open is not None:
            self._open.end_s = end_s
            self._open.last_time_s = max(end_s, self._last_s)
            events += self._put_aside(self._open, least_s)
        events += self._settle(least_s, end_s)
        return events

    def _smooth(self, prediction: Prediction) -> tuple[dict[str, float], float]:
        """Averaged probabilities and the time they speak of."""
        recent = self._recent
        recent.append(prediction)
        while prediction.time_s - recent[0].time_s > self.thresholds.smooth_s + 1e-6:
            recent.popleft()
        smoothed = {
            name: sum(float(p.probabilities.get(name, 0.0)) for p in recent) / len(recent)
            for name in self.exercises
        }
        delay_s = sum(prediction.time_s - p.time_s for p in recent) / len(recent)
        seen_from_s = max(prediction.time_s - self.window_s, self._stretch_start_s)
        position_s = (seen_from_s + prediction.time_s) / 2 - delay_s
        return smoothed, max(position_s, self._stretch_start_s, self._floor_s)

    def _advance(
        self, prediction: Prediction, smoothed: Mapping[str, float], position_s: float
    ) -> list[SegmentEvent]:
        events: list[SegmentEvent] = []
        leader = max(smoothed, key=lambda name: smoothed[name], default=None)
        enters = leader is not None and smoothed[leader] >= self.thresholds.enter
        run = self._open
        if run is not None:
            overtaken = enters and leader != run.exercise and smoothed[str(leader)] > smoothed[run.exercise]
            if smoothed[run.exercise] < self.thresholds.leave or overtaken:
                run.end_s, run.last_time_s = max(position_s, run.least_end_s), prediction.time_s
                self._open = None
                events += self._put_aside(run, self.thresholds.least_s)
        if self._open is None and enters and leader is not None:
            self._open = self._start(leader, prediction.time_s, position_s)
        closed = self._closed
        if closed is not None and closed.end_s is not None:
            closed.pause_sum += float(prediction.probabilities.get(closed.exercise, 0.0))
            closed.pause_predictions += 1
            if position_s - closed.end_s > self.thresholds.merge_gap_s:
                events += self._settle(self.thresholds.least_s)
        run = self._open
        if run is not None:
            run.probability_sum += float(prediction.probabilities.get(run.exercise, 0.0))
            run.predictions += 1
            # While the smoothing fills, the time it speaks of may stand still: no segment begins without a length.
            lasts_s = prediction.time_s - run.first_time_s
            if not run.begun and lasts_s >= self.thresholds.least_s and position_s > run.start_s:
                # What was set aside can no longer continue: another segment has begun after it.
                events += self._settle(self.thresholds.least_s)
                run.start_s = max(run.start_s, self._floor_s)
                run.begun, run.least_end_s = True, position_s
                events.append(SegmentEvent("begin", run.segment(prediction.time_s)))
        return events

    def _start(self, exercise: str, time_s: float, position_s: float) -> _Run:
        closed = self._closed
        if (
            closed is not None
            and closed.exercise == exercise
            and closed.end_s is not None
            and position_s - closed.end_s <= self.thresholds.merge_gap_s
        ):
            closed.probability_sum += closed.pause_sum
            closed.predictions += closed.pause_predictions
            closed.pause_sum, closed.pause_predictions, closed.end_s = 0.0, 0, None
            self._closed = None
            return closed
        start_s = self._stretch_start_s if time_s == self._stretch_first_s else position_s
        return _Run(exercise, start_s, time_s)

    def _put_aside(self, run: _Run, least_s: float) -> list[SegmentEvent]:
        """A run has closed: keep it for a while, it may continue after a short pause."""
        self._open = None
        long_enough = run.begun or self._is_long_enough(run, least_s)
        if self._closed is not None and self._closed.begun and not long_enough:
            return []  # a short interruption of a longer segment
        events = self._settle(least_s)
        run.start_s = max(run.start_s, self._floor_s)
        self._closed = run
        if long_enough and not run.begun and run.end_s is not None and run.end_s > run.start_s:
            run.begun, run.least_end_s = True, run.end_s
            events.append(SegmentEvent("begin", run.segment(run.end_s)))
        return events

    def _settle(self, least_s: float, end_s: float = math.inf) -> list[SegmentEvent]:
        """Decide about the run that was set aside: it becomes a segment or is dropped."""
        run, self._closed = self._closed, None
        if run is None or run.end_s is None:
            return []
        run.end_s = min(run.end_s, end_s)
        if not (run.begun or self._is_long_enough(run, least_s)) or run.end_s <= run.start_s:
            return []
        self._floor_s = run.end_s
        segment = run.segment(run.end_s)
        end = SegmentEvent("end", segment)
        return [end] if run.begun else [SegmentEvent("begin", segment), end]

    @staticmethod
    def _is_long_enough(run: _Run, least_s: float) -> bool:
        return run.last_time_s - run.first_time_s >= least_s - 1e-9
