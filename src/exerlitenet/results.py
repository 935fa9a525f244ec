"""The plain types that pass between rooms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

NONE = "none"
"""The class that means: none of the known exercises."""


@dataclass(frozen=True)
class Frame:
    """One picture of a video.

    time_s: seconds since the first frame of the video.
    rgb: uint8 [height, width, 3], upright.
    """

    time_s: float
    rgb: NDArray[np.uint8]


@dataclass(frozen=True)
class Prediction:
    """What the model says of the window that ends at `time_s`.

    probabilities: class name -> probability; they add up to 1.
    exercise: the class with the highest probability.
    phase: where a repetition is, if the model gives it: 0 at the start position (standing, arm extended), 1 at
        the peak (lowest point of a squat, highest of a curl); it belongs to `phase_time_s`, which is a little
        before `time_s`, since the model waits for some frames of context. None for models without a phase output.
    """

    time_s: float
    probabilities: Mapping[str, float]
    exercise: str
    phase: float | None = None
    phase_time_s: float | None = None

    def at(self, offset_s: float) -> Prediction:
        """The same on a clock that shows `offset_s` more."""
        phase_s = None if self.phase_time_s is None else self.phase_time_s + offset_s
        return replace(self, time_s=self.time_s + offset_s, phase_time_s=phase_s)


@dataclass(frozen=True)
class Segment:
    """A stretch of one exercise.

    start_s, end_s: seconds; `start_s < end_s`.
    confidence: mean probability of the exercise over the segment, 0 to 1.
    repetitions: full cycles counted in it; None from a model that does not count.
    repetition_times_s: when each of them was at its peak, in seconds, rising.
    """

    start_s: float
    end_s: float
    exercise: str
    confidence: float
    repetitions: int | None = None
    repetition_times_s: tuple[float, ...] = ()

    def at(self, offset_s: float) -> Segment:
        """The same on a clock that shows `offset_s` more."""
        times = tuple(t + offset_s for t in self.repetition_times_s)
        start_s, end_s = self.start_s + offset_s, self.end_s + offset_s
        return replace(self, start_s=start_s, end_s=end_s, repetition_times_s=times)


@dataclass(frozen=True)
class Workout:
    """What was recognised in one video.

    segments: exercises only, in order, not overlapping; what is between is `none`.
    predictions: one per step of the sliding window, in order of time.
    fault: what was wrong with the video, if it was damaged; what came before the damage was used.
    """

    segments: tuple[Segment, ...]
    predictions: tuple[Prediction, ...]
    duration_s: float = 0.0
    model: str = ""
    video: str = ""
    fault: str | None = None

    @property
    def exercise(self) -> str:
        """The exercise with the most seconds in segments; "none" when there is no segment."""
        seconds: dict[str, float] = {}
        for segment in self.segments:
            seconds[segment.exercise] = seconds.get(segment.exercise, 0.0) + segment.end_s - segment.start_s
        return max(seconds, key=lambda name: seconds[name]) if seconds else NONE

    @property
    def repetitions(self) -> int | None:
        """Repetitions of `exercise` over all its segments; 0 when there is none, None where they were not counted."""
        counts = [s.repetitions for s in self.segments if s.exercise == self.exercise]
        known = [count for count in counts if count is not None]
        return None if counts and not known else sum(known)

    def to_json(self) -> dict[str, Any]:
        """The object that `recognize --json` writes; plain types, seconds rounded to milliseconds."""
        out: dict[str, Any] = {
            "video": self.video,
            "duration_s": round(self.duration_s, 3),
            "model": self.model,
            "exercise": self.exercise,
            "segments": [
                {
                    "start_s": round(s.start_s, 3),
                    "end_s": round(s.end_s, 3),
                    "exercise": s.exercise,
                    "confidence": round(s.confidence, 4),
                    "repetitions": s.repetitions,
                    "repetition_times_s": [round(t, 3) for t in s.repetition_times_s],
                }
                for s in self.segments
            ],
            "predictions": [
                {
                    "time_s": round(p.time_s, 3),
                    "probabilities": {name: round(float(v), 6) for name, v in p.probabilities.items()},
                }
                for p in self.predictions
            ],
        }
        if self.fault is not None:
            out["fault"] = self.fault
        return out
