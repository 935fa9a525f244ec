"""The workout log: sessions and sets, written as they happen."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType

from exerlitenet.app.corrections import Corrections, storable
from exerlitenet.app.database import Database
from exerlitenet.app.reading import read_sessions, read_sets
from exerlitenet.app.records import LARGEST_NUMBER, NotInLog, Session, Set

__all__ = ["Session", "SessionLog", "Set"]

CAMERA = "camera"
"""The source of a session that came from a camera."""


class SessionLog(Corrections):
    """A log in one SQLite file.

    Every call is one transaction: what it wrote is there when it returns, and stays there when the program is
    killed. All methods may be called from any thread, and several logs, also of several programs, may be open
    on one file. They raise InputError where the file cannot be read or written.
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        """Opens the log. create: whether a missing file, and its folder, is made.

        Raises InputError when it is missing otherwise, cannot be opened, is no workout log, or is one of a
        newer version. A log of an older version is brought to the current one.
        """
        super().__init__(Database(Path(path), create=create))

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def close(self) -> None:
        """Lets go of the file; nothing is lost without it."""
        self._database.close()

    def __enter__(self) -> SessionLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # As it happens. Numbers that are not finite are a defect of the caller: ValueError.

    def begin_session(self, model: str, source: str = CAMERA) -> int:
        """Begins a session now and returns its number. source: "camera", or the name of a video file."""
        with self._database.writing() as connection:
            cursor = connection.execute(
                "INSERT INTO sessions (started_at, model, source) VALUES (?, ?, ?)",
                (_now(), storable(model), storable(source)),
            )
            return _row_id(cursor)

    def resume_session(self, session: int, model: str | None = None) -> None:
        """Goes on in a session that was interrupted or ended. model: where it is another one now.

        Sets that were under way stay as far as they came; the next one is a set of its own. Raises InputError
        when there is no such session.
        """
        with self._database.writing() as connection:
            self._require_session(connection, session)
            connection.execute(
                "UPDATE sessions SET ended_at = NULL, model = coalesce(?, model) WHERE id = ?",
                (model, session),
            )
            connection.execute("UPDATE sets SET finished = 1 WHERE session_id = ?", (session,))

    def end_session(self, session: int) -> None:
        """Ends a session now, and its sets that are still under way where they are. Raises InputError when
        there is no such session.
        """
        with self._database.writing() as connection:
            self._require_session(connection, session)
            connection.execute("UPDATE sessions SET ended_at = ? WHERE id = ?", (_now(), session))
            connection.execute("UPDATE sets SET finished = 1 WHERE session_id = ?", (session,))

    def begin_set(
        self, session: int, exercise: str, start_s: float, started_at: datetime | None = None
    ) -> int:
        """Begins a set and returns its number.

        start_s: seconds in the session's stream. started_at: when that was, now by default; without a time
        zone it is taken as local time. Raises InputError when there is no such session.
        """
        start_s = _finite(start_s)
        with self._database.writing() as connection:
            model = self._require_session(connection, session)
            cursor = connection.execute(
                "INSERT INTO sets (session_id, exercise, started_at, start_s, end_s, model) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (session, exercise, _text(started_at) if started_at else _now(), start_s, start_s, model),
            )
            return _row_id(cursor)

    def add_repetition(self, set_id: int, time_s: float) -> None:
        """One repetition more in a set. time_s: seconds in the stream; the same time twice is one repetition.

        The set's end moves there if it was before. Raises InputError when there is no such set.
        """
        time_s = _finite(time_s)
        with self._database.writing() as connection:
            self._require_set(connection, set_id)
            connection.execute("INSERT OR IGNORE INTO repetitions VALUES (?, ?)", (set_id, time_s))
            connection.execute("UPDATE sets SET end_s = max(end_s, ?) WHERE id = ?", (time_s, set_id))

    def update_set(
        self,
        set_id: int,
        *,
        end_s: float | None = None,
        confidence: float | None = None,
        repetitions_s: Sequence[float] | None = None,
    ) -> None:
        """Says anew how a set stands; what is None stays.

        end_s: never before its start. confidence: 0 to 1. repetitions_s: the times of all its repetitions.
        What the user said of the set stays. Raises InputError when there is no such set.
        """
        with self._database.writing() as connection:
            self._update(connection, set_id, end_s, confidence, repetitions_s)

    def end_set(
        self,
        set_id: int,
        *,
        end_s: float | None = None,
        confidence: float | None = None,
        repetitions_s: Sequence[float] | None = None,
    ) -> None:
        """The same, and the set is finished."""
        with self._database.writing() as connection:
            self._update(connection, set_id, end_s, confidence, repetitions_s)
            connection.execute("UPDATE sets SET finished = 1 WHERE id = ?", (set_id,))

    def discard_set(self, set_id: int) -> None:
        """The model takes back a set that turned out to be none. One that the user has said anything about
        stays, finished. Raises InputError when there is no such set.
        """
        with self._database.writing() as connection:
            self._require_set(connection, set_id)
            said = connection.execute("SELECT 1 FROM corrections WHERE set_id = ?", (set_id,)).fetchone()
            if said:
                connection.execute("UPDATE sets SET finished = 1 WHERE id = ?", (set_id,))
            else:
                connection.execute("DELETE FROM repetitions WHERE set_id = ?", (set_id,))
                connection.execute("DELETE FROM sets WHERE id = ?", (set_id,))

    # Reading.

    def sessions(self, *, since: date | None = None) -> tuple[Session, ...]:
        """All sessions, in the order in which they began, with all their sets. since: from this day on."""
        with self._database.reading() as connection:
            return read_sessions(connection, since=since)

    def session(self, session: int) -> Session:
        """One session. Raises InputError when there is no such one."""
        with self._database.reading() as connection:
            self._require_session(connection, session)
            return read_sessions(connection, session=session)[0]

    def sets(
        self, session: int | None = None, *, since: date | None = None, deleted: bool = False
    ) -> tuple[Set, ...]:
        """Sets in the order in which they began. session: of this one only. since: that began on this day or
        later. deleted: also those that the user has deleted.
        """
        with self._database.reading() as connection:
            found = read_sets(connection, session=session, since=since)
        return tuple(one for one in found if deleted or not one.deleted)

    def check(self) -> str:
        """Looks through the whole file: "ok", or what is damaged."""
        return self._database.check()

    def _require_session(self, connection: sqlite3.Connection, session: int) -> str:
        """The session's model."""
        found = connection.execute(
            "SELECT model FROM sessions WHERE id = ?", (min(session, LARGEST_NUMBER),)
        ).fetchone()
        if found is None:
            raise NotInLog(
                f"no session {session} in the log {self.path}; `exerlitenet sessions list` names them"
            )
        return str(found[0])

    def _update(
        self,
        connection: sqlite3.Connection,
        set_id: int,
        end_s: float | None,
        confidence: float | None,
        repetitions_s: Sequence[float] | None,
    ) -> None:
        self._require_set(connection, set_id)
        if end_s is not None:
            connection.execute(
                "UPDATE sets SET end_s = max(start_s, ?) WHERE id = ?", (_finite(end_s), set_id)
            )
        if confidence is not None:
            value = min(1.0, max(0.0, _finite(confidence)))
            connection.execute("UPDATE sets SET confidence = ? WHERE id = ?", (value, set_id))
        if repetitions_s is not None:
            times = [(set_id, _finite(t)) for t in repetitions_s]
            connection.execute("DELETE FROM repetitions WHERE set_id = ?", (set_id,))
            connection.executemany("INSERT OR IGNORE INTO repetitions VALUES (?, ?)", times)


def _finite(value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, got {value!r}")
    return number


def _now() -> str:
    return _text(datetime.now())


def _text(moment: datetime) -> str:
    """Local time with its offset: the day of a workout is the day where it was done."""
    return (moment if moment.tzinfo else moment.astimezone()).isoformat(timespec="milliseconds")


def _row_id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None  # of an INSERT that did not raise
    return cursor.lastrowid
