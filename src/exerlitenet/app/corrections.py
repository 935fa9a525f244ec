"""What the user says about sets: kept beside what the model said, step by step, each of which can be undone."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Final

from exerlitenet.app.database import Database
from exerlitenet.app.reading import read_sets
from exerlitenet.app.records import LARGEST_NUMBER, Correction, NotInLog, Set
from exerlitenet.errors import InputError

MOST_REPETITIONS = 9999
LONGEST_NOTE = 500
_CLASS_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*", re.ASCII)
_LONGEST_NAME = 60


class _Unsaid(Enum):
    """The value of a field that a correction leaves as it is."""

    UNSAID = 0


UNSAID: Final = _Unsaid.UNSAID


class Corrections:
    """The part of the log in which the user has the word."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def correct(
        self,
        set_id: int,
        *,
        exercise: str | _Unsaid | None = UNSAID,
        repetitions: int | _Unsaid | None = UNSAID,
        note: str | _Unsaid = UNSAID,
    ) -> Set:
        """The user says what a set was; returns it as it is now. What is not given stays as it was said last.

        exercise: a class name, "none" for no exercise, None for what the model said. repetitions: 0 to 9999,
        None for what the model counted. Raises InputError when a value is none of these, or there is no such
        set.
        """
        if isinstance(exercise, str) and not (
            len(exercise) <= _LONGEST_NAME and _CLASS_NAME.fullmatch(exercise)
        ):
            raise InputError(
                "expected an exercise as a class is named, such as squat, biceps_curl or none, got "
                f"{exercise[:80]!r}"
            )
        if isinstance(repetitions, int) and not 0 <= repetitions <= MOST_REPETITIONS:
            raise InputError(f"expected 0 to {MOST_REPETITIONS} repetitions, got {repetitions}")
        if isinstance(note, str):
            note = storable(" ".join(note.split()))
            if len(note) > LONGEST_NOTE:
                raise InputError(f"expected a note of at most {LONGEST_NOTE} characters, got {len(note)}")

        def said(before: Correction) -> Correction:
            return replace(
                before,
                exercise=before.exercise if isinstance(exercise, _Unsaid) else exercise,
                repetitions=before.repetitions if isinstance(repetitions, _Unsaid) else repetitions,
                note=before.note if isinstance(note, _Unsaid) else note,
            )

        return self._say(set_id, said)

    def delete(self, set_id: int) -> Set:
        """The set counts nowhere any more, until it is restored. Raises InputError when there is no such set."""
        return self._say(set_id, lambda before: replace(before, deleted=True))

    def restore(self, set_id: int) -> Set:
        """A deleted set counts again, with its corrections. Raises InputError when there is no such set."""
        return self._say(set_id, lambda before: replace(before, deleted=False))

    def undo(self, set_id: int) -> Set:
        """Takes back the last thing said about a set, if there is one: a correction, a deletion, a
        restoration. Repeated, it takes back the one before. Raises InputError when there is no such set.
        """
        with self._database.writing() as connection:
            self._require_set(connection, set_id)
            connection.execute(
                "UPDATE corrections SET undone_at = ? WHERE id = "
                "(SELECT max(id) FROM corrections WHERE set_id = ? AND undone_at IS NULL)",
                (_now().isoformat(timespec="milliseconds"), set_id),
            )
            return read_sets(connection, set_id=set_id)[0]

    def set(self, set_id: int) -> Set:
        """One set, deleted or not. Raises InputError when there is no such one."""
        with self._database.reading() as connection:
            return self._require_set(connection, set_id)

    def _say(self, set_id: int, change: Callable[[Correction], Correction]) -> Set:
        with self._database.writing() as connection:
            before = self._require_set(connection, set_id).correction
            said = replace(change(before or Correction(_now())), made_at=_now())
            if before is None or said != replace(before, made_at=said.made_at):
                connection.execute(
                    "INSERT INTO corrections (set_id, made_at, exercise, repetitions, deleted, note) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        set_id,
                        said.made_at.isoformat(timespec="milliseconds"),
                        said.exercise,
                        said.repetitions,
                        said.deleted,
                        said.note,
                    ),
                )
            return read_sets(connection, set_id=set_id)[0]

    def _require_set(self, connection: sqlite3.Connection, set_id: int) -> Set:
        found = read_sets(connection, set_id=min(set_id, LARGEST_NUMBER))
        if not found:
            raise NotInLog(f"no set {set_id} in the log {self._database.path}; look it up in the history")
        return found[0]


def _now() -> datetime:
    return datetime.now().astimezone()


def storable(text: str) -> str:
    """The text, with what UTF-8 cannot hold escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
