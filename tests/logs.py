"""Made-up workout logs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from exerlitenet.app.log.records import Set
from exerlitenet.app.log.session_log import SessionLog


def add_repetition(log: SessionLog, number: int, time_s: float) -> None:
    """One more in a set, as a recorder writes it."""
    one = log.set(number)
    log.update_set(number, end_s=max(one.end_s, time_s), repetitions_s=[*one.repetition_times_s, time_s])


def check(path: Path) -> str:
    """SQLite's own check of a whole file: "ok" when nothing is wrong."""
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


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
    log.update_set(number, end_s=end_s, confidence=confidence, repetitions_s=times, finished=True)
    return number


def a_set(
    times: Sequence[float] = (1.0, 3.0, 5.0), *, exercise: str = "squat", at: datetime, number: int = 1
) -> Set:
    """The same without a log."""
    begin_s, end_s = (times[0] - 0.5, times[-1] + 0.5) if times else (0.5, 4.5)
    return Set(number, 1, "tiny", exercise, at, begin_s, end_s, 0.9, tuple(times), finished=True)
