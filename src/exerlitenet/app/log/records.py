"""What the workout log holds: sessions, their sets, and what the user says about a set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from exerlitenet.errors import InputError
from exerlitenet.results import NONE


class NotInLog(InputError):
    """There is no session or set of that number."""


LARGEST_NUMBER = 2**63 - 1
"""Of a session or a set: what SQLite holds."""


@dataclass(frozen=True)
class Correction:
    """What the user says about a set, as it is now, beside what the model said.

    made_at: local time, with its offset. exercise, repetitions: None where the user agrees with the model or
    has said nothing. deleted: the set counts nowhere. note: words of the user's own.
    """

    made_at: datetime
    exercise: str | None = None
    repetitions: int | None = None
    deleted: bool = False
    note: str = ""


@dataclass(frozen=True)
class Set:
    """A stretch of one exercise within a session.

    started_at: local time, with its offset. start_s, end_s: seconds in the session's stream.
    recognised: the exercise that the model saw. repetition_times_s: when each repetition that it counted was at
        its peak, seconds in the stream, rising. confidence: mean probability, 0 to 1; None before the first.
    finished: False while the set runs, and for good where the program was killed during it.
    """

    id: int
    session: int
    model: str
    recognised: str
    started_at: datetime
    start_s: float
    end_s: float
    confidence: float | None = None
    repetition_times_s: tuple[float, ...] = ()
    finished: bool = False
    correction: Correction | None = None

    @property
    def exercise(self) -> str:
        """What the user says, else what the model said."""
        said = self.correction.exercise if self.correction else None
        return self.recognised if said is None else said

    @property
    def counted(self) -> int:
        """Repetitions that the model counted."""
        return len(self.repetition_times_s)

    @property
    def repetitions(self) -> int:
        """What the user says, else what the model counted; 0 where it was no exercise."""
        if self.exercise == NONE:
            return 0
        said = self.correction.repetitions if self.correction else None
        return self.counted if said is None else said

    @property
    def deleted(self) -> bool:
        """Whether the user has removed it."""
        return self.correction is not None and self.correction.deleted

    @property
    def checked(self) -> bool:
        """Whether the user has said, for this set, both what the exercise is and how many repetitions."""
        said = self.correction
        return said is not None and said.exercise is not None and said.repetitions is not None

    @property
    def seconds(self) -> float:
        """Length of the set."""
        return self.end_s - self.start_s

    @property
    def day(self) -> date:
        """The day on which it began, where it was done."""
        return self.started_at.date()

    def to_json(self) -> dict[str, Any]:
        """Plain types; seconds rounded to milliseconds. What the model said is under `model_said`."""
        said = self.correction
        return {
            "id": self.id,
            "session": self.session,
            "started_at": self.started_at.isoformat(timespec="milliseconds"),
            "exercise": self.exercise,
            "repetitions": self.repetitions,
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "finished": self.finished,
            "deleted": self.deleted,
            "checked": self.checked,
            "model_said": {
                "model": self.model,
                "exercise": self.recognised,
                "repetitions": self.counted,
                "repetition_times_s": [round(t, 3) for t in self.repetition_times_s],
                "confidence": None if self.confidence is None else round(self.confidence, 4),
            },
            "user_said": None
            if said is None
            else {
                "made_at": said.made_at.isoformat(timespec="milliseconds"),
                "exercise": said.exercise,
                "repetitions": said.repetitions,
                "note": said.note,
            },
        }


@dataclass(frozen=True)
class Session:
    """One time in front of the camera, or one video.

    started_at, ended_at: local time, with its offset; ended_at is None while it runs, and where the program
    was killed. model: the latest one used. source: "camera", or the name of a video file. sets: in the order in
    which they began.
    """

    id: int
    started_at: datetime
    ended_at: datetime | None
    model: str
    source: str
    sets: tuple[Set, ...] = ()

    @property
    def repetitions(self) -> int:
        """Of all its sets that are not deleted."""
        return sum(one.repetitions for one in self.sets if not one.deleted)

    @property
    def last_seen_at(self) -> datetime:
        """Its end, or as late as anything is known of it."""
        if self.ended_at is not None:
            return self.ended_at
        ends = [one.started_at + timedelta(seconds=one.seconds) for one in self.sets]
        return max((self.started_at, *ends))

    def to_json(self) -> dict[str, Any]:
        """Plain types, with all sets."""
        return {
            "id": self.id,
            "started_at": self.started_at.isoformat(timespec="milliseconds"),
            "ended_at": None if self.ended_at is None else self.ended_at.isoformat(timespec="milliseconds"),
            "model": self.model,
            "source": self.source,
            "sets": [one.to_json() for one in self.sets],
        }
