"""The log as files for other programs: every set as CSV, everything as JSON, labels for training as CSV.

Deleted sets are in none of them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from exerlitenet.app.log.records import Session, Set
from exerlitenet.app.log.tempo import tempo_of
from exerlitenet.results import NONE

COLUMNS = (
    "set", "session", "started_at", "exercise", "repetitions", "seconds", "tempo_s", "spread_s", "checked",
    "finished", "start_s", "end_s", "model", "model_exercise", "model_repetitions", "confidence",
    "repetition_times_s", "source", "note",
)  # fmt: skip
LABEL_COLUMNS = (
    "file", "label", "activity", "group", "repetitions", "extremes_s", "seconds", "checked", "session", "set",
    "started_at", "start_s", "end_s", "source", "notes",
)  # fmt: skip

GROUP = "home"
"""Of all labels of a log: its sessions share the room, mostly the person too, so that a split must not cut it."""
MARGIN_S = 1.0
"""How much of the stream around the first and the last repetition belongs into a clip."""


def sets_csv(sessions: Iterable[Session]) -> str:
    """A row for each set, with the columns `COLUMNS`: what holds now, and what the model said."""
    return _csv(COLUMNS, (_set_row(session, one) for session in sessions for one in _kept(session)))


def sessions_json(sessions: Iterable[Session]) -> str:
    """`{"sessions": [...]}`, each as `Session.to_json` gives it."""
    whole = [replace(session, sets=tuple(_kept(session))).to_json() for session in sessions]
    return json.dumps({"sessions": whole}, indent=1, allow_nan=False) + "\n"


def labels_csv(sessions: Iterable[Session]) -> str:
    """A row for each set as a label of the dataset kind, with the columns `LABEL_COLUMNS`.

    The log keeps no video. `file` is the name for a clip that the user cuts from a video of their own, from
    `start_s` to `end_s`; `extremes_s` and `seconds` are of that clip. extremes_s is empty where the user's count
    is another than the model's, since nobody knows the times then. Sets that were cut short are left out unless
    the user has checked them.
    """
    rows = (
        _label_row(session, one)
        for session in sessions
        for one in _kept(session)
        if one.finished or one.checked
    )
    return _csv(LABEL_COLUMNS, rows)


def clip_range(one: Set) -> tuple[float, float]:
    """From when to when a clip of the set should go, seconds in the stream."""
    times = one.repetition_times_s or (one.start_s + MARGIN_S,)
    return max(0.0, min(one.start_s, times[0] - MARGIN_S)), max(one.end_s, times[-1] + MARGIN_S)


def _kept(session: Session) -> list[Set]:
    return [one for one in session.sets if not one.deleted]


def _set_row(session: Session, one: Set) -> dict[str, Any]:
    tempo = tempo_of(one)
    return {
        "set": one.id,
        "session": session.id,
        "started_at": one.started_at.isoformat(timespec="milliseconds"),
        "exercise": one.exercise,
        "repetitions": one.repetitions,
        "seconds": f"{one.seconds:.2f}",
        "tempo_s": "" if tempo is None else f"{tempo.seconds:.3f}",
        "spread_s": "" if tempo is None or tempo.spread_s is None else f"{tempo.spread_s:.3f}",
        "checked": _yes(one.checked),
        "finished": _yes(one.finished),
        "start_s": f"{one.start_s:.3f}",
        "end_s": f"{one.end_s:.3f}",
        "model": one.model,
        "model_exercise": one.recognised,
        "model_repetitions": one.counted,
        "confidence": "" if one.confidence is None else f"{one.confidence:.4f}",
        "repetition_times_s": ";".join(f"{t:.3f}" for t in one.repetition_times_s),
        "source": session.source,
        "note": one.correction.note if one.correction else "",
    }


def _label_row(session: Session, one: Set) -> dict[str, Any]:
    begin, end = clip_range(one)
    is_exercise = one.exercise != NONE
    known = is_exercise and one.repetitions == one.counted
    said = one.correction.repetitions if one.correction else None
    return {
        "file": f"session-{session.id:04d}-set-{one.id:05d}.mp4",
        "label": one.exercise,
        "activity": one.exercise if is_exercise else "",
        "group": GROUP,
        # Nothing was counted, and the user named no number: the model does not count.
        "repetitions": "" if is_exercise and not one.counted and said is None else one.repetitions,
        "extremes_s": ";".join(f"{t - begin:.2f}" for t in one.repetition_times_s) if known else "",
        "seconds": f"{end - begin:.2f}",
        "checked": _yes(one.checked),
        "session": session.id,
        "set": one.id,
        "started_at": one.started_at.isoformat(timespec="milliseconds"),
        "start_s": f"{begin:.3f}",
        "end_s": f"{end:.3f}",
        "source": session.source,
        "notes": _notes(one),
    }


def _notes(one: Set) -> str:
    said = one.correction
    changes = []
    if one.exercise != one.recognised:
        changes.append(f"exercise corrected from {one.recognised}")
    if one.repetitions != one.counted:
        changes.append(f"count corrected from {one.counted}")
    if not changes:
        changes.append("checked" if one.checked else "as the model said")
    return "; ".join((*changes, said.note) if said and said.note else changes)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
