"""The log as files: what is read back is what is in the log."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exerlitenet.app.log.export import COLUMNS, LABEL_COLUMNS, clip_range, labels_csv, sessions_json, sets_csv
from exerlitenet.app.log.session_log import SessionLog
from exerlitenet.datasets.clips import Clip, rows_of_csv
from logs import a_set, write_set


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SessionLog]:
    with SessionLog(tmp_path / "log.db") as log:
        yield log


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def labels(text: str, folder: Path) -> list[Clip]:
    """Read as `exerlitenet dataset` reads them."""
    table = folder / "labels.csv"
    table.write_text(text, encoding="utf-8")
    found = list(rows_of_csv(table))
    assert all(isinstance(one, Clip) for one in found), found
    return [one for one in found if isinstance(one, Clip)]


def test_sets_as_csv(log: SessionLog) -> None:
    first = write_set(log, (2.0, 4.0, 6.5), at=datetime(2026, 1, 2, 8, 30))
    second = write_set(log, (), exercise="biceps_curl")
    log.correct(first, repetitions=4, note='said "four", not\nthree')
    log.delete(write_set(log))
    text = sets_csv(log.sessions())
    assert tuple(text.splitlines()[0].split(",")) == COLUMNS
    one, other = rows(text)
    assert (one["set"], one["exercise"], one["repetitions"]) == (str(first), "squat", "4")
    assert (one["model_exercise"], one["model_repetitions"]) == ("squat", "3")
    assert (one["repetition_times_s"], one["note"]) == ("2.000;4.000;6.500", 'said "four", not three')
    assert datetime.fromisoformat(one["started_at"]).replace(tzinfo=None) == datetime(2026, 1, 2, 8, 30)
    assert (one["tempo_s"], one["spread_s"]) == ("", "")  # the count is another than the times'
    assert (other["set"], other["repetitions"], other["repetition_times_s"]) == (str(second), "0", "")


def test_everything_as_json(log: SessionLog) -> None:
    number = write_set(log, (2.0, 4.0, 6.5))
    log.correct(number, exercise="biceps_curl")
    log.delete(write_set(log))
    exported = json.loads(sessions_json(log.sessions()))
    assert [len(session["sets"]) for session in exported["sessions"]] == [1, 0]
    assert exported["sessions"][0]["sets"] == [log.set(number).to_json()]
    assert exported["sessions"][0]["sets"][0]["model_said"]["exercise"] == "squat"


def test_labels_are_a_dataset_for_training(log: SessionLog, tmp_path: Path) -> None:
    session = log.begin_session("tiny", "morning.mp4")
    agreed = write_set(log, (12.0, 14.0, 16.5), session=session)
    recounted = write_set(log, (30.0, 33.0), exercise="biceps_curl", session=session)
    none = write_set(log, (50.0,), session=session)
    log.correct(agreed, exercise="squat", repetitions=3)
    log.correct(recounted, repetitions=3)
    log.correct(none, exercise="none", note="tying shoes")
    log.delete(write_set(log, session=session))
    cut_short = log.begin_set(session, "squat", 90.0)

    text = labels_csv(log.sessions())
    assert tuple(text.splitlines()[0].split(",")) == LABEL_COLUMNS
    clips = labels(text, tmp_path)
    assert [(c.label, c.repetitions) for c in clips] == [("squat", 3), ("biceps_curl", 3), ("none", 0)]
    assert [c.extremes_s for c in clips] == [(1.0, 3.0, 5.5), (), ()]
    assert {c.group for c in clips} == {"home"}
    assert clips[0].name == "session-0001-set-00001.mp4"
    exported = rows(text)
    assert [row["checked"] for row in exported] == ["yes", "no", "no"]
    assert (exported[0]["start_s"], exported[0]["end_s"], exported[0]["seconds"]) == (
        "11.000",
        "17.500",
        "6.50",
    )
    assert [row["notes"] for row in exported] == [
        "checked",
        "count corrected from 2",
        "exercise corrected from squat; count corrected from 1; tying shoes",
    ]
    uncounted = write_set(log, (), session=session)
    [row] = [row for row in rows(labels_csv(log.sessions())) if row["set"] == str(uncounted)]
    assert row["repetitions"] == ""
    log.correct(uncounted, repetitions=7)
    [row] = [row for row in rows(labels_csv(log.sessions())) if row["set"] == str(uncounted)]
    assert row["repetitions"] == "7"
    log.delete(uncounted)
    log.correct(cut_short, exercise="squat", repetitions=2)
    assert len(labels(labels_csv(log.sessions()), tmp_path)) == 4


def test_a_clip_holds_the_set_and_what_belongs_to_its_repetitions() -> None:
    at = datetime(2026, 1, 1).astimezone()
    assert clip_range(a_set((0.6, 2.0), at=at)) == (0.0, 3.0)
    assert clip_range(a_set((9.0, 12.0), at=at)) == (8.0, 13.0)
    assert clip_range(a_set((), at=at)) == (0.5, 4.5)


times_s = st.lists(st.integers(1, 4000), unique=True, max_size=6).map(lambda ts: [t / 10 for t in sorted(ts)])


@given(
    st.lists(st.tuples(times_s, st.sampled_from(["squat", "biceps_curl"]), st.booleans()), max_size=6),
    st.text(max_size=30),
)
def test_every_export_reads_back(drawn: list[tuple[list[float], str, bool]], note: str) -> None:
    with SessionLog(":memory:") as log:
        session = log.begin_session("tiny")
        for k, (times, exercise, deleted) in enumerate(drawn):
            at = datetime(2026, 1, 1, 12) + timedelta(minutes=k)
            number = write_set(log, times, exercise=exercise, session=session, at=at)
            log.correct(number, note=note)
            if deleted:
                log.delete(number)
        kept, sessions = log.sets(), log.sessions()
    [exported] = json.loads(sessions_json(sessions))["sessions"]
    assert exported["sets"] == [one.to_json() for one in kept]
    read = rows(sets_csv(sessions))
    assert [(int(r["set"]), int(r["repetitions"]), r["exercise"]) for r in read] == [
        (one.id, one.repetitions, one.exercise) for one in kept
    ]
    assert [tuple(map(float, filter(None, r["repetition_times_s"].split(";")))) for r in read] == [
        one.repetition_times_s for one in kept
    ]
    for row, one in zip(rows(labels_csv(sessions)), kept, strict=True):
        begin = float(row["start_s"])
        extremes = [float(t) + begin for t in row["extremes_s"].split(";") if t]
        assert extremes == pytest.approx(list(one.repetition_times_s), abs=0.011)
        assert all(0 <= t - begin <= float(row["seconds"]) for t in extremes)
