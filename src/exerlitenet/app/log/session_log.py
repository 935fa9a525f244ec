"""The workout log: sessions and sets, written as they happen, and what the user says about them."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypedDict, Unpack

from exerlitenet.app.log.database import Database
from exerlitenet.app.log.reading import read_sessions, read_sets
from exerlitenet.app.log.records import LARGEST_NUMBER, Correction, NotInLog, Session, Set
from exerlitenet.errors import InputError

MOST_REPETITIONS = 9999
LONGEST_NOTE = 500
_CLASS_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*", re.ASCII)
_LONGEST_NAME = 60


class Said(TypedDict, total=False):
    """What the user says of a set; None takes back what was said before."""

    exercise: str | None
    repetitions: int | None
    note: str


class SessionLog:
    """A log in one SQLite file.

    Every call is one transaction: what it wrote is there when it returns, and stays there when the program is
    killed. All methods may be called from any thread, and several logs, also of several programs, may be open
    on one file. They raise InputError where the file cannot be read or written, and NotInLog for a session or a set
    that is not there.
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        """Opens the log. create: whether a missing file, and its folder, is made.

        Raises InputError when it is missing otherwise, cannot be opened, is no workout log, or is one of a
        newer version. A log of an older version is brought to the current one.
        """
        self._database = Database(Path(path), create=create)

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def close(self) -> None:
        """Lets go of the file; nothing is lost without it."""
        self._database.close()

    def __enter__(self) -> SessionLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # As it happens. Numbers that are not finite are a defect of the caller: ValueError.

    def begin_session(self, model: str, source: str = "camera") -> int:
        """Begins a session now and returns its number. source: "camera", or the name of a video file."""
        with self._database.writing() as connection:
            cursor = connection.execute(
                "INSERT INTO sessions (started_at, model, source) VALUES (?, ?, ?)",
                (_text(_now()), storable(model), storable(source)),
            )
            return _row_id(cursor)

    def resume_session(self, session: int, model: str | None = None) -> None:
        """Resumes a session that was interrupted or ended. model: where it is another one now.

        Sets that were under way stay as far as they came; the next one is a set of its own.
        """
        with self._database.writing() as connection:
            self._require_session(connection, session)
            connection.execute(
                "UPDATE sessions SET ended_at = NULL, model = coalesce(?, model) WHERE id = ?",
                (model, session),
            )
            connection.execute("UPDATE sets SET finished = 1 WHERE session_id = ?", (session,))

    def end_session(self, session: int) -> None:
        """Ends a session now, and its sets that are still under way where they are."""
        with self._database.writing() as connection:
            self._require_session(connection, session)
            connection.execute("UPDATE sessions SET ended_at = ? WHERE id = ?", (_text(_now()), session))
            connection.execute("UPDATE sets SET finished = 1 WHERE session_id = ?", (session,))

    def begin_set(
        self, session: int, exercise: str, start_s: float, started_at: datetime | None = None
    ) -> int:
        """Begins a set and returns its number.

        start_s: seconds in the session's stream. started_at: when that was, now by default; without a time
        zone it is taken as local time.
        """
        start_s = _finite(start_s)
        with self._database.writing() as connection:
            model = self._require_session(connection, session)
            cursor = connection.execute(
                "INSERT INTO sets (session_id, exercise, started_at, start_s, end_s, model) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (session, exercise, _text(started_at or _now()), start_s, start_s, model),
            )
            return _row_id(cursor)

    def update_set(
        self,
        set_id: int,
        *,
        end_s: float | None = None,
        confidence: float | None = None,
        repetitions_s: Sequence[float] | None = None,
        finished: bool = False,
    ) -> None:
        """Writes what is known of a set by now; what is None stays.

        end_s: never before its start. confidence: 0 to 1. repetitions_s: the times of all its repetitions.
        finished: whether it has ended. What the user said of the set stays.
        """
        with self._database.writing() as connection:
            self._require_set(connection, set_id)
            end_s = None if end_s is None else _finite(end_s)
            confidence = None if confidence is None else min(1.0, max(0.0, _finite(confidence)))
            connection.execute(
                "UPDATE sets SET end_s = max(start_s, coalesce(?, end_s)), "
                "confidence = coalesce(?, confidence), finished = finished OR ? WHERE id = ?",
                (end_s, confidence, finished, set_id),
            )
            if repetitions_s is not None:
                times = [(set_id, _finite(t)) for t in repetitions_s]
                connection.execute("DELETE FROM repetitions WHERE set_id = ?", (set_id,))
                connection.executemany("INSERT OR IGNORE INTO repetitions VALUES (?, ?)", times)

    def discard_set(self, set_id: int) -> None:
        """The model takes back what turned out to be no set; one that the user has corrected stays, finished."""
        with self._database.writing() as connection:
            self._require_set(connection, set_id)
            if connection.execute("SELECT 1 FROM corrections WHERE set_id = ?", (set_id,)).fetchone():
                connection.execute("UPDATE sets SET finished = 1 WHERE id = ?", (set_id,))
            else:
                connection.execute("DELETE FROM repetitions WHERE set_id = ?", (set_id,))
                connection.execute("DELETE FROM sets WHERE id = ?", (set_id,))

    # Reading.

    def sessions(self) -> tuple[Session, ...]:
        """All sessions, in the order in which they began, with all their sets."""
        with self._database.reading() as connection:
            return read_sessions(connection)

    def session(self, session: int) -> Session:
        """One session."""
        with self._database.reading() as connection:
            self._require_session(connection, session)
            return read_sessions(connection, session=session)[0]

    def sets(self, session: int | None = None, *, deleted: bool = False) -> tuple[Set, ...]:
        """Sets in the order in which they began. session: of this one only. deleted: also those deleted."""
        with self._database.reading() as connection:
            found = read_sets(connection, session=session)
        return tuple(one for one in found if deleted or not one.deleted)

    def set(self, set_id: int) -> Set:
        """One set, deleted or not."""
        with self._database.reading() as connection:
            return self._require_set(connection, set_id)

    # What the user says, kept beside what the model said, step by step, each of which can be undone.

    def correct(self, set_id: int, **said: Unpack[Said]) -> Set:
        """The user says what a set was; returns it as it is now. What is not given stays as it was said last.

        exercise: a class name, "none" for no exercise, None for what the model said. repetitions: 0 to 9999,
        None for what the model counted. Raises InputError when a value is none of these.
        """
        exercise, repetitions = said.get("exercise"), said.get("repetitions")
        if exercise is not None and not (len(exercise) <= _LONGEST_NAME and _CLASS_NAME.fullmatch(exercise)):
            raise InputError(
                "expected an exercise as a class is named, such as squat, biceps_curl or none, got "
                f"{exercise[:80]!r}"
            )
        if repetitions is not None and not 0 <= repetitions <= MOST_REPETITIONS:
            raise InputError(f"expected 0 to {MOST_REPETITIONS} repetitions, got {repetitions}")
        if "note" in said:
            note = said["note"] = storable(" ".join(said["note"].split()))
            if len(note) > LONGEST_NOTE:
                raise InputError(f"expected a note of at most {LONGEST_NOTE} characters, got {len(note)}")
        return self._say(set_id, lambda before: replace(before, **said))

    def delete(self, set_id: int) -> Set:
        """The set counts nowhere any more, until it is restored."""
        return self._say(set_id, lambda before: replace(before, deleted=True))

    def restore(self, set_id: int) -> Set:
        """A deleted set counts again, with its corrections."""
        return self._say(set_id, lambda before: replace(before, deleted=False))

    def undo(self, set_id: int) -> Set:
        """Takes back the last correction, deletion or restoration; repeated, it takes back the one before."""
        with self._database.writing() as connection:
            self._require_set(connection, set_id)
            connection.execute(
                "UPDATE corrections SET undone_at = ? WHERE id = "
                "(SELECT max(id) FROM corrections WHERE set_id = ? AND undone_at IS NULL)",
                (_text(_now()), set_id),
            )
            return read_sets(connection, set_id=set_id)[0]

    def _say(self, set_id: int, change: Callable[[Correction], Correction]) -> Set:
        with self._database.writing() as connection:
            before = self._require_set(connection, set_id).correction
            said = change(before or Correction(_now()))
            if said != before:
                connection.execute(
                    "INSERT INTO corrections (set_id, made_at, exercise, repetitions, deleted, note) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (set_id, _text(_now()), said.exercise, said.repetitions, said.deleted, said.note),
                )
            return read_sets(connection, set_id=set_id)[0]

    def _require_set(self, connection: sqlite3.Connection, set_id: int) -> Set:
        found = read_sets(connection, set_id=min(set_id, LARGEST_NUMBER))
        if not found:
            raise NotInLog(f"no set {set_id} in the log {self._database.path}; look it up in the history")
        return found[0]

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


def _finite(value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, got {value!r}")
    return number


def _now() -> datetime:
    return datetime.now().astimezone()


def _text(moment: datetime) -> str:
    """Local time with its offset: the day of a workout is the day where it was done."""
    return (moment if moment.tzinfo else moment.astimezone()).isoformat(timespec="milliseconds")


def _row_id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None  # of an INSERT that did not raise
    return cursor.lastrowid


def storable(text: str) -> str:
    """The text, with what UTF-8 cannot hold escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
