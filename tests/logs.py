"""Made-up workout logs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from exerlitenet.app.records import Set
from exerlitenet.app.sessions import SessionLog


def write_set(
    log: SessionLog,
    times: Sequence[float] = (1.0, 3.0, 5.0),
    *,
    exercise: str = "squat",
    at: datetime | None = None,
    session: int | None = None,
    confidence: float = 0.9,
) -> int:
    """A finished set that began half a second before its first repetition and ended half a second after its
    last.
    """
    begin_s, end_s = (times[0] - 0.5, times[-1] + 0.5) if times else (0.5, 4.5)
    number = log.begin_set(session or log.begin_session("tiny"), exercise, begin_s, at)
    log.end_set(number, end_s=end_s, confidence=confidence, repetitions_s=times)
    return number


def a_set(
    times: Sequence[float] = (1.0, 3.0, 5.0), *, exercise: str = "squat", at: datetime, number: int = 1
) -> Set:
    """The same without a log."""
    begin_s, end_s = (times[0] - 0.5, times[-1] + 0.5) if times else (0.5, 4.5)
    return Set(number, 1, "tiny", exercise, at, begin_s, end_s, 0.9, tuple(times), finished=True)
