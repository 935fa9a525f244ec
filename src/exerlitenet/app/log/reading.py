"""Rows of the workout log as records."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from exerlitenet.app.log.records import Correction, Session, Set

_SETS = """
    SELECT sets.id, session_id, model, exercise, started_at, start_s, end_s, confidence, finished
    FROM sets
    WHERE (:session IS NULL OR session_id = :session)
      AND (:set_id IS NULL OR sets.id = :set_id)
    ORDER BY sets.id
"""
_SESSIONS = """
    SELECT id, started_at, ended_at, model, source FROM sessions
    WHERE :session IS NULL OR id = :session
    ORDER BY id
"""
_CORRECTIONS = """
    SELECT set_id, made_at, exercise, repetitions, deleted, note FROM corrections AS said
    WHERE set_id BETWEEN ? AND ?
      AND id = (SELECT max(id) FROM corrections WHERE set_id = said.set_id AND undone_at IS NULL)
"""


def read_sets(
    connection: sqlite3.Connection, *, session: int | None = None, set_id: int | None = None
) -> list[Set]:
    """Sets in the order in which they began, deleted ones too; what is None does not choose."""
    rows = connection.execute(_SETS, {"session": session, "set_id": set_id}).fetchall()
    if not rows:
        return []
    times: defaultdict[int, list[float]] = defaultdict(list)
    between = (rows[0][0], rows[-1][0])
    for owner, time_s in connection.execute(
        "SELECT set_id, time_s FROM repetitions WHERE set_id BETWEEN ? AND ? ORDER BY set_id, time_s", between
    ):
        times[owner].append(time_s)
    said = {row[0]: _correction(row[1:]) for row in connection.execute(_CORRECTIONS, between)}
    return [
        Set(
            id=number,
            session=owner,
            model=model,
            recognised=exercise,
            started_at=datetime.fromisoformat(started_at),
            start_s=start_s,
            end_s=end_s,
            confidence=confidence,
            repetition_times_s=tuple(times[number]),
            finished=bool(finished),
            correction=said.get(number),
        )
        for number, owner, model, exercise, started_at, start_s, end_s, confidence, finished in rows
    ]


def read_sessions(connection: sqlite3.Connection, *, session: int | None = None) -> tuple[Session, ...]:
    """Sessions in the order in which they began, with all their sets; what is None does not choose."""
    rows = connection.execute(_SESSIONS, {"session": session}).fetchall()
    sets: defaultdict[int, list[Set]] = defaultdict(list)
    for one in read_sets(connection, session=session) if rows else ():
        sets[one.session].append(one)
    return tuple(
        Session(
            id=number,
            started_at=datetime.fromisoformat(started_at),
            ended_at=datetime.fromisoformat(ended_at) if ended_at else None,
            model=model,
            source=source,
            sets=tuple(sets[number]),
        )
        for number, started_at, ended_at, model, source in rows
    )


def _correction(row: Iterable[Any]) -> Correction:
    made_at, exercise, repetitions, deleted, note = row
    return Correction(datetime.fromisoformat(made_at), exercise, repetitions, bool(deleted), note)
