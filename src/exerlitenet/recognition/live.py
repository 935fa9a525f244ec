"""What a person is doing right now: a stream that is still going on, and its summary when it has ended."""

from __future__ import annotations

from dataclasses import dataclass

from exerlitenet.errors import InputError
from exerlitenet.recognition.engine import Floats
from exerlitenet.recognition.recognizer import Recognizer, Seen
from exerlitenet.recognition.repetitions import (
    SEGMENT_MARGIN_S,
    PhaseCounter,
    attach_repetitions_from_features,
)
from exerlitenet.recognition.segments import Segmenter
from exerlitenet.results import NONE, Frame, Prediction, Segment, Workout

# Counting from features looks at the whole segment anew, so it is done this seldom.
RECOUNT_S = 1.0


@dataclass(frozen=True)
class Now:
    """The state of a stream after a frame.

    time_s: of the last prediction. exercise: of the running segment, "none" while there is none for sure.
    confidence: mean probability in the segment so far; 0 for none. repetitions: counted in it so far.
    """

    time_s: float
    exercise: str = NONE
    confidence: float = 0.0
    repetitions: int = 0


class LiveRecognition:
    """One stream at work: frames in, what goes on out, and a `Workout` at the end.

    The summary is the same as `Recognizer.recognize_frames` gives for the same frames. It keeps every
    prediction: about 10 MB an hour.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._state = recognizer.state()
        spec = recognizer.engine.spec
        self._segmenter = Segmenter(recognizer.segment_thresholds, spec.window_s, recognizer.classes)
        self._predictions: list[Prediction] = []
        self._phases: list[tuple[float, float]] = []
        self._times: list[float] = []
        self._features: list[Floats] = []
        self._last_s = 0.0
        self._counter: PhaseCounter | None = None
        self._counted_from_s = 0.0
        self._fed = 0
        self._recounted: tuple[float, int] = (-RECOUNT_S, 0)

    @property
    def started(self) -> bool:
        """Whether any frame has come."""
        return bool(self._times)

    def push(self, frame: Frame) -> Now | None:
        """Takes the next frame, any size, times rising. Returns the new state, or None if nothing is new."""
        predictions = self._state.push(frame)
        self._last_s = frame.time_s
        feature = self._state.last_feature
        if feature is not None and (not self._features or self._features[-1] is not feature):
            self._features.append(feature)
            self._times.append(frame.time_s)
        self._phases += self._state.take_phases()
        for prediction in predictions:
            self._keep(prediction)
        if not predictions:
            return None
        segment = self._segmenter.current
        if segment is None:
            self._counter = None
            return Now(predictions[-1].time_s)
        count = self._count(segment)
        return Now(predictions[-1].time_s, segment.exercise, segment.confidence, count)

    def finish(
        self, *, duration_s: float | None = None, video: str = "", fault: str | None = None
    ) -> Workout:
        """The whole stream. Raises InputError when no frame came."""
        for prediction in self._state.finish():
            self._keep(prediction)
        self._phases += self._state.take_phases()
        if not self._predictions and not self._times:
            raise InputError(f"{video or 'the stream'}: no frame came; give a video or a camera that works")
        end_s = self._last_s + 1 / self._recognizer.engine.spec.rate
        if not self._predictions:  # interrupted before the state could finish
            raise InputError(f"{video or 'the stream'}: ended before anything could be recognised")
        seen = Seen(self._predictions, self._phases, self._times, self._features, end_s)
        return self._recognizer.summary(seen, end_s if duration_s is None else duration_s, video, fault)

    def _keep(self, prediction: Prediction) -> None:
        self._predictions.append(prediction)
        self._segmenter.push(prediction)

    def _count(self, segment: Segment) -> int:
        """Repetitions in the running segment so far."""
        if not self._phases:
            return self._count_features(segment)
        if self._counter is None or self._counted_from_s != segment.start_s:
            # A segment is sure only some time after it began: what came before is counted after the fact.
            self._counter, self._counted_from_s = (
                PhaseCounter(self._recognizer.counting_thresholds),
                segment.start_s,
            )
            begin_s = segment.start_s - SEGMENT_MARGIN_S
            self._fed = next((i for i, (time_s, _) in enumerate(self._phases) if time_s >= begin_s), 0)
        for time_s, phase in self._phases[self._fed :]:
            self._counter.push(time_s, phase)
        self._fed = len(self._phases)
        return self._counter.count

    def _count_features(self, segment: Segment) -> int:
        time_s, count = self._recounted
        if self._counted_from_s != segment.start_s or self._last_s - time_s >= RECOUNT_S:
            first = next((i for i, t in enumerate(self._times) if t >= segment.start_s - SEGMENT_MARGIN_S), 0)
            times, features = self._times[first:], self._features[first:]
            [counted] = attach_repetitions_from_features([segment], times, features)
            count = counted.repetitions
            self._counted_from_s, self._recounted = segment.start_s, (self._last_s, count)
        return count
