"""The tables of the workout log, version by version."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from exerlitenet.errors import InputError

APPLICATION = 0x45584C4E  # "EXLN": marks a SQLite file as a workout log

# Each step leads from the version that is its position to the next. A step that has shipped never changes.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE sessions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            started_at TEXT NOT NULL,  -- ISO 8601, local time with its offset
            ended_at TEXT,
            model TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE sets (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session_id INTEGER NOT NULL REFERENCES sessions (id),
            exercise TEXT NOT NULL,
            started_at TEXT NOT NULL,
            start_s REAL NOT NULL,
            end_s REAL NOT NULL,
            confidence REAL,
            finished INTEGER NOT NULL DEFAULT 0
        )
        """,
        "CREATE INDEX sets_of_session ON sets (session_id)",
        """
        CREATE TABLE repetitions (
            set_id INTEGER NOT NULL REFERENCES sets (id),
            time_s REAL NOT NULL,
            PRIMARY KEY (set_id, time_s)
        ) WITHOUT ROWID
        """,
    ),
    (
        # Where the pictures came from; until then there were cameras only.
        "ALTER TABLE sessions ADD COLUMN source TEXT NOT NULL DEFAULT 'camera'",
        # A session that is resumed may continue with another model.
        "ALTER TABLE sets ADD COLUMN model TEXT NOT NULL DEFAULT ''",
        "UPDATE sets SET model = (SELECT model FROM sessions WHERE sessions.id = sets.session_id)",
        # Each row says all that the user says of a set then; the latest that is not undone holds.
        """
        CREATE TABLE corrections (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            set_id INTEGER NOT NULL REFERENCES sets (id),
            made_at TEXT NOT NULL,
            exercise TEXT,  -- NULL: as the model said
            repetitions INTEGER,
            deleted INTEGER NOT NULL DEFAULT 0,
            note TEXT NOT NULL DEFAULT '',
            undone_at TEXT
        )
        """,
        "CREATE INDEX corrections_of_set ON corrections (set_id)",
    ),
)
VERSION = len(MIGRATIONS)


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version of a database, 0 for an empty one.

    connection: in a transaction. Its three answers are of one moment only there: between them another program
    may make the tables, and an empty file and a finished log would look like a foreign database together.
    Raises InputError when it is not a workout log, or one of a newer version than this program knows.
    """
    [application] = connection.execute("PRAGMA application_id").fetchone()
    [version] = connection.execute("PRAGMA user_version").fetchone()
    [tables] = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION and (application or version or tables):
        raise InputError(
            f"{path}: a SQLite database, but not a workout log; give another file, or a name that is free"
        )
    if version > VERSION:
        raise InputError(
            f"{path}: a workout log of schema version {version}, and this program knows versions up to "
            f"{VERSION}; update ExerLiteNet"
        )
    return int(version)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Brings a database, which may be empty, to the current version.

    connection: in a transaction that writes. Several programs may try one after the other; the first does it.
    Raises what `version_of` raises.
    """
    for step in MIGRATIONS[version_of(connection, path) :]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
