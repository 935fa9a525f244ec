"""One stream at work for as long as it likes: sets that begin, count and end, in bounded memory.

The sets are the segments that `Recognizer.recognize_frames` finds in the same frames, with the same counts and times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from exerlitenet.recognition.engine import Floats
from exerlitenet.recognition.follow import LEAST_JOINTS, VISIBLE
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.recognition.repetitions import (
    SEGMENT_MARGIN_S,
    attach_repetitions,
    attach_repetitions_from_features,
)
from exerlitenet.recognition.segments import Segmenter, SegmentEvent
from exerlitenet.results import NONE, Frame, Prediction, Segment

Status = Literal["warming", "watching", "exercising"]

RECOUNT_S = 1.0
"""Counting from features looks at the whole set anew, so it is done this seldom."""

LONGEST_COUNTED_S = 240.0
"""Seconds of a set that are counted anew each time; what lies further back stands."""

IDLE_S = 20.0
"""How much is kept while no set is running; a set is sure some seconds after it began."""


@dataclass(frozen=True)
class Set:
    """A stretch of one exercise, running or ended; times in seconds of the stream's clock."""

    exercise: str
    start_s: float
    end_s: float
    confidence: float
    repetition_times_s: tuple[float, ...] = ()

    @property
    def repetitions(self) -> int:
        return len(self.repetition_times_s)

    @classmethod
    def of(cls, segment: Segment) -> Set:
        times = segment.repetition_times_s
        return cls(segment.exercise, segment.start_s, segment.end_s, segment.confidence, times)


@dataclass(frozen=True)
class Change:
    """A set became sure ("begin"), or is over ("end")."""

    kind: Literal["begin", "end"]
    set: Set


@dataclass(frozen=True)
class Progress:
    """Where a stream stands after a frame.

    status: "warming" until the first window is full. current: the running set, if there is one.
    changes: sets that became sure and sets that are over by this frame, in order; an ended set is final.
    phase: of the repetition, 0 at the start position and 1 at the far end, at `phase_time_s`, a little before now;
        None where the model does not say it.
    person: whether the model finds one to follow; None where it does not follow.
    fresh: whether anything but the time is new since the frame before.
    """

    time_s: float
    status: Status = "warming"
    current: Set | None = None
    changes: tuple[Change, ...] = ()
    probabilities: Mapping[str, float] = field(default_factory=dict)
    phase: float | None = None
    phase_time_s: float | None = None
    person: bool | None = None
    fresh: bool = False

    @property
    def exercise(self) -> str:
        return NONE if self.current is None else self.current.exercise

    def at(self, offset_s: float) -> Progress:
        """The same on a clock that showed `offset_s` when the stream began; its sets stay as they are."""
        phase_s = None if self.phase_time_s is None else self.phase_time_s + offset_s
        return replace(self, time_s=self.time_s + offset_s, phase_time_s=phase_s)


class LiveTracker:
    """Frames in, `Progress` out. One object per stream; not for several threads at once."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._state = recognizer.state()
        self._segmenter = Segmenter(
            recognizer.segment_thresholds, recognizer.engine.spec.window_s, recognizer.classes
        )
        self._signal = _Signal(recognizer)
        self._running: Segment | None = None
        self._last_end_s = 0.0
        self._progress = Progress(0.0)

    def push(self, frame: Frame) -> Progress:
        """Takes the next frame, any size; times must not fall."""
        predictions = self._state.push(frame)
        self._signal.take(self._state.take_phases(), frame.time_s, self._state.last_feature)
        events = [event for prediction in predictions for event in self._segmenter.push(prediction)]
        self._progress = self._advance(predictions, events, frame.time_s)
        return self._progress

    def finish(self, end_s: float | None = None) -> Progress:
        """The stream has ended, at `end_s` or one frame period after its last frame; closes the running set."""
        predictions = self._state.finish()
        last_s = self._progress.time_s
        self._signal.take(self._state.take_phases(), last_s, None)
        events = [event for prediction in predictions for event in self._segmenter.push(prediction)]
        if end_s is None:
            end_s = last_s + 1 / self._recognizer.engine.spec.rate
        events += self._segmenter.finish(end_s)
        self._progress = self._advance(predictions, events, end_s)
        return self._progress

    def _advance(
        self, predictions: Sequence[Prediction], events: Sequence[SegmentEvent], time_s: float
    ) -> Progress:
        changes: list[Change] = []
        for place, event in enumerate(events):
            if event.kind == "begin":
                self._running = event.segment
                self._signal.begin()
                changes.append(Change("begin", self._counted(event.segment, time_s)))
            else:
                next_s = next((e.segment.start_s for e in events[place + 1 :] if e.kind == "begin"), None)
                until_s = event.segment.end_s + SEGMENT_MARGIN_S
                until_s = until_s if next_s is None else min(until_s, next_s)
                changes.append(Change("end", self._counted(event.segment, until_s, anew=True)))
                self._running, self._last_end_s = None, event.segment.end_s
                self._signal.end()
        if not predictions and not events:
            return replace(self._progress, time_s=time_s, changes=(), fresh=False)
        current = None
        if self._running is not None:
            # Between the end of its last run and a decision whether it goes on, the set stands as it was.
            going_on = self._segmenter.current
            self._running = going_on or self._running
            current = self._counted(self._running, time_s if going_on else self._running.end_s)
        last = predictions[-1] if predictions else None
        return Progress(
            time_s,
            "watching" if current is None else "exercising",
            current,
            tuple(changes),
            last.probabilities if last else self._progress.probabilities,
            last.phase if last else self._progress.phase,
            last.phase_time_s if last else self._progress.phase_time_s,
            sees_person(self._state.joints),
            fresh=True,
        )

    def _counted(self, segment: Segment, until_s: float, *, anew: bool = False) -> Set:
        return Set.of(self._signal.count(segment, self._last_end_s, until_s, anew=anew))


def sees_person(joints: Floats | None) -> bool | None:
    """Whether enough joints are visible to follow a person by them.

    False is worth more than True: a posture network finds something like a person in many empty rooms.

    joints: float32 [n, 3 or more], the third column visibility; None from a model that sees no joints.
    """
    if joints is None:
        return None
    return int((joints[:, 2] >= VISIBLE).sum()) >= LEAST_JOINTS


class _Signal:
    """What repetitions are counted from: the phase, or features of a model without one.

    The running set is counted anew from its start each time, which is cheap and as for a whole video. Of one that
    is longer than `LONGEST_COUNTED_S` the first half is settled from time to time.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        self._thresholds = recognizer.counting_thresholds
        self._phases: deque[tuple[float, float]] = deque()
        self._features: deque[tuple[float, Floats]] = deque()
        self._has_phase = False
        self._running = False
        self._settled: tuple[float, ...] = ()
        self._settled_s = 0.0
        self._counted: tuple[float, ...] = ()
        self._counted_s = -RECOUNT_S

    def take(self, phases: Sequence[tuple[float, float]], time_s: float, feature: Floats | None) -> None:
        """What a frame brought."""
        self._phases.extend(phases)
        self._has_phase = self._has_phase or bool(phases)
        if self._has_phase:
            self._features.clear()
        elif feature is not None and (not self._features or self._features[-1][1] is not feature):
            self._features.append((time_s, feature))
        keep_s = LONGEST_COUNTED_S if self._running else IDLE_S
        for kept in (self._phases, self._features):
            while kept and kept[0][0] < time_s - keep_s:
                kept.popleft()

    def begin(self) -> None:
        self._running, self._settled, self._settled_s = True, (), 0.0
        self._counted, self._counted_s = (), -RECOUNT_S

    def end(self) -> None:
        self._running = False

    def count(self, segment: Segment, after_s: float, until_s: float, *, anew: bool) -> Segment:
        """`segment` with its repetitions.

        after_s: end of the set before. until_s: what comes later is not of it. anew: even if just counted.
        """
        if not (anew or self._has_phase) and until_s - self._counted_s < RECOUNT_S:
            return _with(segment, self._counted)
        from_s = max(segment.start_s - SEGMENT_MARGIN_S, after_s, self._settled_s)
        if until_s - from_s > LONGEST_COUNTED_S - RECOUNT_S:
            self._settle(until_s - LONGEST_COUNTED_S / 2)
            from_s = self._settled_s
        self._counted_s = until_s
        self._counted = (*self._settled, *self._far_ends(segment, from_s, until_s))
        return _with(segment, self._counted)

    def _far_ends(self, segment: Segment, from_s: float, until_s: float) -> tuple[float, ...]:
        if self._has_phase:
            ticks = [tick for tick in self._phases if from_s <= tick[0] <= until_s]
            if not ticks:
                return ()
            times, values = zip(*ticks, strict=True)
            [counted] = attach_repetitions([_over(segment, times)], times, values, self._thresholds)
            return counted.repetition_times_s
        seen = [tick for tick in self._features if from_s <= tick[0] <= until_s]
        if not seen:
            return ()
        times, features = zip(*seen, strict=True)
        [counted] = attach_repetitions_from_features([_over(segment, times)], times, np.stack(features))
        return counted.repetition_times_s

    def _settle(self, middle_s: float) -> None:
        """What was counted before about `middle_s` stands from now on; the seam lies between two far ends."""
        seam_s = middle_s
        for earlier, later in pairwise(self._counted):
            if earlier <= middle_s < later:
                seam_s = (earlier + later) / 2
        self._settled = tuple(t for t in self._counted if t < seam_s)
        self._settled_s = seam_s


def _over(segment: Segment, times: Sequence[float]) -> Segment:
    """The segment so wide that all its ticks lie in it: they are already those that belong to it."""
    return replace(segment, start_s=min(times[0], segment.start_s), end_s=max(times[-1], segment.end_s))


def _with(segment: Segment, times: tuple[float, ...]) -> Segment:
    inside = tuple(min(max(t, segment.start_s), segment.end_s) for t in times)
    return replace(segment, repetitions=len(inside), repetition_times_s=inside)
