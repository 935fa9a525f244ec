"""One stream at work for as long as it likes: sets that begin, count and end, in bounded memory.

The page, the terminal and files all use `Tracker`, so they give the same segments, counts and times. `SegmentTracker`
is its part behind the network: it also takes predictions that were stored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from exerlitenet.errors import InputError
from exerlitenet.recognition.engine import Engine
from exerlitenet.recognition.follower import finds_person
from exerlitenet.recognition.predictor import Phases, Predictor
from exerlitenet.recognition.repetitions import CountingThresholds, PhaseCounter
from exerlitenet.recognition.segments import LONGEST_GAP_S, Segmenter, SegmentEvent, SegmentThresholds
from exerlitenet.results import NONE, Frame, Prediction, Segment, Workout

SEGMENT_MARGIN_S = 1.0
"""A segment's edges are only known to about this; ticks so far outside still count for it."""

Status = Literal["warming", "watching", "exercising"]


class SegmentTracker:
    """Predictions and phases in, segments with their repetitions out, as they come.

    window_s: seconds from the first to the last frame of the model's window. classes: the model's.
    """

    def __init__(
        self,
        segment_thresholds: SegmentThresholds,
        counting_thresholds: CountingThresholds,
        window_s: float,
        classes: Sequence[str],
    ) -> None:
        self._segmenter = Segmenter(segment_thresholds, window_s, classes)
        self._counting = counting_thresholds
        # A segment is sure only some time after its start: no earlier than this before the newest prediction.
        self._keep_s = segment_thresholds.longest_wait_s + 2 * window_s + LONGEST_GAP_S + SEGMENT_MARGIN_S
        self._phases: deque[tuple[float, float]] = deque()
        self._has_phase = False
        self._count: _Count | None = None
        self._last_end_s = 0.0
        self.current: Segment | None = None
        """The running segment; between its last run and a decision whether it continues, as it was."""

    def add_phases(self, phases: Phases) -> None:
        """What became known; empty lists only from a model that gives no phase, and so does not count."""
        self._has_phase = self._has_phase or bool(phases)
        self._phases.extend(phases)
        if self._count is not None:
            self._count.add(phases)

    def push(self, predictions: Iterable[Prediction]) -> list[SegmentEvent]:
        """Takes the next predictions; times must not fall. Returns what changed, in order; what ended is final."""
        events = []
        time_s = None
        for prediction in predictions:
            events += self._segmenter.push(prediction)
            time_s = prediction.time_s
        if time_s is None:
            return []
        return self._counted(events, time_s)

    def finish(self, end_s: float) -> list[SegmentEvent]:
        """The stream ended at `end_s` seconds: closes what is open."""
        return self._counted(self._segmenter.finish(end_s), end_s)

    def _counted(self, events: Sequence[SegmentEvent], time_s: float) -> list[SegmentEvent]:
        out = []
        for place, event in enumerate(events):
            segment = event.segment
            if event.kind == "begin":
                from_s = max(segment.start_s - SEGMENT_MARGIN_S, self._last_end_s)
                self._count = _Count(PhaseCounter(self._counting), from_s)
                self._count.add(self._phases)
                self.current = segment = self._with_count(segment, time_s)
            else:
                # A margin at the edge, but nothing of the next segment.
                until_s = segment.end_s + SEGMENT_MARGIN_S
                following = (e.segment.start_s for e in events[place + 1 :] if e.kind == "begin")
                segment = self._with_count(segment, min(until_s, next(following, until_s)))
                self._last_end_s = segment.end_s
                self.current = self._count = None
            out.append(SegmentEvent(event.kind, segment))
        if self.current is not None and (running := self._segmenter.current) is not None:
            self.current = self._with_count(running, time_s)
        while self._phases and self._phases[0][0] < time_s - self._keep_s:
            self._phases.popleft()
        return out

    def _with_count(self, segment: Segment, until_s: float) -> Segment:
        if not self._has_phase or self._count is None:
            return replace(segment, repetitions=None)
        peaks = [peak_s for peak_s, sure_s in self._count.peaks if sure_s <= until_s]
        times = tuple(min(max(t, segment.start_s), segment.end_s) for t in peaks)
        return replace(segment, repetitions=len(times), repetition_times_s=times)


class _Count:
    """Repetitions of one segment: when each was at its peak, and when that was sure."""

    def __init__(self, counter: PhaseCounter, from_s: float) -> None:
        self._counter, self._from_s = counter, from_s
        self.peaks: list[tuple[float, float]] = []

    def add(self, phases: Iterable[tuple[float, float]]) -> None:
        for time_s, phase in phases:
            if time_s >= self._from_s and (peak_s := self._counter.push(time_s, phase)) is not None:
                self.peaks.append((peak_s, time_s))


@dataclass(frozen=True)
class TrackerState:
    """Where a stream is after a frame.

    Attributes:
        time_s: of the frame, in seconds.
        prediction: the newest one; None until the first window is full.
        current: the running set with its count so far, if there is one.
        predictions: those that are new by this frame.
        changes: sets that became sure and sets that ended by this frame, in order; an ended set is final.
        person: whether the model finds one to follow; None where it does not follow.

    Examples:
        >>> from exerlitenet import Recognizer
        >>> from exerlitenet.video.source import open_video
        >>> tracker = Recognizer.load().tracker()
        >>> with open_video("video.mp4") as video:
        ...     states = [tracker.push(frame) for frame in video]
        >>> states[0].status, states[0].prediction
        ('warming', None)
    """

    time_s: float
    prediction: Prediction | None = None
    current: Segment | None = None
    predictions: tuple[Prediction, ...] = ()
    changes: tuple[SegmentEvent, ...] = ()
    person: bool | None = None

    @property
    def status(self) -> Status:
        if self.prediction is None:
            return "warming"
        return "watching" if self.current is None else "exercising"

    @property
    def exercise(self) -> str:
        return NONE if self.current is None else self.current.exercise

    def at(self, offset_s: float) -> TrackerState:
        """The same on a clock that showed `offset_s` when the stream began."""
        return replace(
            self,
            time_s=self.time_s + offset_s,
            prediction=None if self.prediction is None else self.prediction.at(offset_s),
            current=None if self.current is None else self.current.at(offset_s),
            predictions=tuple(p.at(offset_s) for p in self.predictions),
            changes=tuple(SegmentEvent(c.kind, c.segment.at(offset_s)) for c in self.changes),
        )


class Tracker:
    """Frames in, `TrackerState` out. One object per stream; not for several threads at once.

    keep: whether `workout` is wanted at the end. Predictions and sets are kept for it, about 10 MB an hour; without it
    memory is bounded.

    Examples:
        >>> import numpy as np
        >>> from exerlitenet import Frame, Recognizer
        >>> tracker = Recognizer.load().tracker(keep=True)
        >>> for number in range(30):
        ...     state = tracker.push(Frame(number / 15, np.zeros((240, 320, 3), np.uint8)))
        >>> state.status, state.current
        ('watching', None)
        >>> tracker.workout().segments
        ()
    """

    def __init__(
        self,
        engine: Engine,
        segment_thresholds: SegmentThresholds,
        counting_thresholds: CountingThresholds,
        *,
        keep: bool = False,
    ) -> None:
        self._engine = engine
        self._predictor = Predictor(engine)
        self._segments = SegmentTracker(
            segment_thresholds, counting_thresholds, engine.spec.window_s, engine.classes
        )
        self._keep = keep
        self._predictions: list[Prediction] = []
        self._ended: list[Segment] = []
        self._state = TrackerState(0.0)
        self.started = False
        """Whether any frame has come."""

    def push(self, frame: Frame) -> TrackerState:
        """Takes the next frame, any size; times must not fall."""
        predictions = self._predictor.push(frame, idle=self._segments.current is None)
        self.started = True
        self._segments.add_phases(self._predictor.take_phases())
        return self._advance(predictions, self._segments.push(predictions), frame.time_s)

    def finish(self, end_s: float | None = None) -> TrackerState:
        """The stream has ended, at `end_s` or one frame period after its last frame; closes the running set."""
        predictions = self._predictor.finish()
        self._segments.add_phases(self._predictor.take_phases())
        if end_s is None:
            end_s = self._state.time_s + 1 / self._engine.spec.rate
        events = self._segments.push(predictions) + self._segments.finish(end_s)
        return self._advance(predictions, events, end_s)

    def workout(
        self, *, duration_s: float | None = None, video: str = "", fault: str | None = None
    ) -> Workout:
        """The whole stream, which ends with this call; of a tracker that keeps.

        Args:
            duration_s: where the stream ends; by default one frame period after its last frame.
            video: as it is in the result.
            fault: as it is in the result.

        Raises:
            InputError: when no frame came.
        """
        if not self.started:
            raise InputError(f"{video or 'the stream'}: no frame came; give a video or a camera that works")
        end = self.finish(duration_s)
        return Workout(
            tuple(self._ended), tuple(self._predictions), end.time_s, self._engine.name, video, fault
        )

    def _advance(
        self, predictions: Sequence[Prediction], events: Sequence[SegmentEvent], time_s: float
    ) -> TrackerState:
        if self._keep:
            self._predictions += predictions
            self._ended += [event.segment for event in events if event.kind == "end"]
        old = self._state
        self._state = TrackerState(
            time_s,
            predictions[-1] if predictions else old.prediction,
            self._segments.current,
            tuple(predictions),
            tuple(events),
            finds_person(self._predictor.joints) if predictions or events else old.person,
        )
        return self._state


@dataclass(frozen=True)
class ClipPredictions:
    """What a network gives for one clip. predictions: at least one. phases: none from a model without a phase.

    end_s: one frame period after the last frame.
    """

    predictions: list[Prediction]
    phases: Phases
    end_s: float

    def workout(
        self,
        duration_s: float,
        *,
        window_s: float,
        segment_thresholds: SegmentThresholds,
        counting_thresholds: CountingThresholds,
        model: str,
        video: str = "",
    ) -> Workout:
        """Segments and counts, as `Tracker` finds them in the same stream.

        duration_s: where the clip ends. window_s: of the model. model, video: as they are in the result.
        """
        classes = tuple(self.predictions[0].probabilities)
        tracker = SegmentTracker(segment_thresholds, counting_thresholds, window_s, classes)
        tracker.add_phases(self.phases)
        events = [event for prediction in self.predictions for event in tracker.push([prediction])]
        events += tracker.finish(duration_s)
        segments = tuple(event.segment for event in events if event.kind == "end")
        return Workout(segments, tuple(self.predictions), duration_s, model, video)
