"""Older logs are brought to the current schema; newer ones are refused."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from exerlitenet.app.log import schema
from exerlitenet.app.log.session_log import SessionLog
from exerlitenet.errors import InputError
from logs import check

# As version 1 wrote it: neither sources nor corrections.
VERSION_1 = """
CREATE TABLE sessions (id INTEGER PRIMARY KEY AUTOINCREMENT, started_at TEXT NOT NULL, ended_at TEXT,
    model TEXT NOT NULL);
CREATE TABLE sets (id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id INTEGER NOT NULL REFERENCES sessions (id), exercise TEXT NOT NULL, started_at TEXT NOT NULL,
    start_s REAL NOT NULL, end_s REAL NOT NULL, confidence REAL, finished INTEGER NOT NULL DEFAULT 0);
CREATE INDEX sets_of_session ON sets (session_id);
CREATE TABLE repetitions (set_id INTEGER NOT NULL REFERENCES sets (id), time_s REAL NOT NULL,
    PRIMARY KEY (set_id, time_s)) WITHOUT ROWID;
INSERT INTO sessions VALUES (3, '2025-01-31T07:00:00.000+01:00', '2025-01-31T07:20:00.000+01:00', 'first');
INSERT INTO sets VALUES (8, 3, 'squat', '2025-01-31T07:01:00.000+01:00', 60.0, 75.5, 0.8, 1);
INSERT INTO repetitions VALUES (8, 62.5), (8, 66.0), (8, 69.0);
PRAGMA application_id = 1163414606;
PRAGMA user_version = 1;
"""


def write(path: Path, script: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


def tables(path: Path) -> set[tuple[str, ...]]:
    connection = sqlite3.connect(path)
    columns = connection.execute(
        "SELECT m.name, c.name, c.type, c.pk FROM sqlite_schema m JOIN pragma_table_info(m.name) c"
    ).fetchall()
    connection.close()
    return set(columns)


def test_a_log_of_version_1_is_brought_to_the_current_one(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    write(path, VERSION_1)
    with SessionLog(path) as log:
        [session] = log.sessions()
        [one] = session.sets
        assert (session.id, session.model, session.source) == (3, "first", "camera")
        assert (one.id, one.model, one.repetition_times_s) == (8, "first", (62.5, 66.0, 69.0))
        assert one.started_at.isoformat() == "2025-01-31T07:01:00+01:00"
        assert log.correct(8, repetitions=4).repetitions == 4
        assert log.begin_session("next") == 4
        assert check(path) == "ok"
    with SessionLog(tmp_path / "new.db"):
        pass
    assert tables(path) == tables(tmp_path / "new.db")


def test_a_step_that_fails_leaves_the_old_log_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.db"
    write(path, VERSION_1)
    before = tables(path)
    first, second = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", (first, (*second, "INSERT INTO nosuch VALUES (1)")))
    with pytest.raises(sqlite3.OperationalError, match="nosuch"):
        SessionLog(path)
    assert tables(path) == before
    monkeypatch.undo()
    with SessionLog(path) as log:
        assert log.sets()[0].repetitions == 3


def test_several_that_open_an_old_log_at_once_migrate_it_once(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    write(path, VERSION_1)
    together = threading.Barrier(6)
    found: list[int | BaseException] = []

    def open_it() -> None:
        together.wait()
        try:
            with SessionLog(path) as log:
                found.append(log.sets()[0].repetitions)
        except BaseException as error:
            found.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [3] * 6


def test_a_log_that_another_makes_while_this_one_looks_is_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new.db"

    class Slow(sqlite3.Connection):
        """Between any two questions, another program tries to make the tables, and does not wait."""

        tries = 0

        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            if sql.startswith(("PRAGMA user_version", "SELECT count")):
                Slow.tries += 1
                other = connect(path, isolation_level=None, timeout=0)
                with suppress(sqlite3.OperationalError):  # locked: it may not, while this one looks
                    other.executescript(f"BEGIN IMMEDIATE; {VERSION_1} COMMIT;")
                other.close()
            return super().execute(sql, *rest)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Slow))
    with SessionLog(path) as log:
        assert log.begin_session("tiny") == 1
        assert check(path) == "ok"
    assert Slow.tries >= 2


def test_a_newer_log_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    write(path, f"{VERSION_1}; PRAGMA user_version = {schema.VERSION + 1};")
    before = path.read_bytes()
    with pytest.raises(InputError, match=f"schema version {schema.VERSION + 1}.*update ExerLiteNet"):
        SessionLog(path)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_log(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with SessionLog(path) as log:
        assert log.sessions() == ()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    assert connection.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION,)
    connection.close()
