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

    Attributes:
        time_s: seconds since the first frame of the video, or on any clock that does not go back.
        rgb: uint8 [height, width, 3], upright.

    Examples:
        >>> import numpy as np
        >>> from exerlitenet import Frame
        >>> Frame(0.5, np.zeros((240, 320, 3), np.uint8)).rgb.shape
        (240, 320, 3)
    """

    time_s: float
    rgb: NDArray[np.uint8]


@dataclass(frozen=True)
class Prediction:
    """What the model says of the window that ends at `time_s`.

    Attributes:
        time_s: seconds; time of the window's last frame.
        probabilities: class name -> probability; they add up to 1.
        exercise: the class with the highest probability.
        phase: where a repetition is, if the model gives it: 0 at the start position (standing, arm extended), 1 at the
            peak (lowest point of a squat, highest of a curl). None for models without a phase output.
        phase_time_s: when that was: a little before `time_s`, since the model waits for some frames of context.

    Examples:
        >>> from exerlitenet import Recognizer, recognize
        >>> prediction = recognize("video.mp4").predictions[-1]
        >>> sorted(prediction.probabilities)
        ['biceps_curl', 'none', 'squat']
        >>> prediction.exercise == max(prediction.probabilities, key=prediction.probabilities.get)
        True
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
    """From when to when one exercise was done, and how often.

    Attributes:
        start_s: seconds, before `end_s`.
        end_s: seconds.
        exercise: "squat" or "biceps_curl"; never "none".
        confidence: mean probability of the exercise over the segment, 0 to 1.
        repetitions: full cycles counted in it; None from a model that does not count.
        repetition_times_s: when each of them was at its peak, in seconds, rising.

    Examples:
        >>> from exerlitenet import Segment
        >>> segment = Segment(1.0, 9.0, "squat", 0.9, repetitions=3, repetition_times_s=(2.5, 5.0, 7.5))
        >>> segment.end_s - segment.start_s
        8.0
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

    Attributes:
        segments: exercises only, in order, not overlapping; what is between them is `none`.
        predictions: one per step of the sliding window, in order of time.
        duration_s: length of the video in seconds.
        model: its name.
        video: the source, as it was given.
        fault: what was wrong with the video, if it was damaged; what came before the damage was used.

    Examples:
        >>> from exerlitenet import Segment, Workout
        >>> squats = Segment(1.0, 9.0, "squat", 0.9, repetitions=3)
        >>> workout = Workout((squats,), predictions=(), duration_s=10.0)
        >>> workout.exercise, workout.repetitions
        ('squat', 3)
        >>> workout.to_json()["segments"][0]["repetitions"]
        3
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
