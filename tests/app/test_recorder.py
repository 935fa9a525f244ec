"""From a stream's states to the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from exerlitenet.app.log.session_log import SessionLog
from exerlitenet.app.recorder import RESUMED_S, Recorder
from exerlitenet.errors import InputError
from exerlitenet.recognition.segments import SegmentEvent
from exerlitenet.recognition.tracker import TrackerState
from exerlitenet.results import Segment

FIRST = Segment(3.0, 6.0, "squat", 0.8, 1, (4.0,))
LATER = Segment(3.0, 9.0, "squat", 0.9, 3, (4.0, 6.5, 8.5))


@pytest.fixture
def log(tmp_path: Path) -> SessionLog:
    return SessionLog(tmp_path / "log.db")


def running(item: Segment, offset_s: float = 0.0) -> TrackerState:
    return TrackerState(item.end_s, current=item).at(offset_s)


def begun(item: Segment, offset_s: float = 0.0) -> TrackerState:
    return TrackerState(item.end_s, current=item, changes=(SegmentEvent("begin", item),)).at(offset_s)


def ended(item: Segment, offset_s: float = 0.0) -> TrackerState:
    return TrackerState(item.end_s + 2, changes=(SegmentEvent("end", item),)).at(offset_s)


def test_a_look_at_the_page_leaves_nothing(log: SessionLog) -> None:
    recorder = Recorder(log, "m", "camera")
    recorder.take(TrackerState(1.0))
    recorder.end()
    assert log.sessions() == ()


def test_a_set_is_written_as_it_happens(log: SessionLog) -> None:
    recorder = Recorder(log, "m", "camera")
    recorder.take(begun(FIRST, 10.0))
    [kept] = log.sets(recorder.session)
    assert (kept.recognised, kept.start_s, kept.repetition_times_s, kept.finished) == (
        "squat",
        13,
        (14,),
        False,
    )
    recorder.take(running(LATER, 10.0))
    assert log.sets()[0].repetition_times_s == (14.0, 16.5, 18.5)
    shown = recorder.take(ended(LATER, 10.0))
    assert (shown.current, shown.ended[0].repetition_times_s) == (None, (14.0, 16.5, 18.5))
    recorder.end()
    [kept] = log.sets()
    assert (kept.finished, kept.end_s, kept.confidence) == (True, 19.0, 0.9)
    [session] = log.sessions()
    assert (session.source, session.model) == ("camera", "m")
    assert session.ended_at is not None


def test_the_end_of_a_set_may_take_back_a_repetition(log: SessionLog) -> None:
    recorder = Recorder(log, "m", "camera")
    recorder.take(begun(LATER))
    recorder.take(ended(FIRST))
    assert log.sets()[0].repetition_times_s == (4.0,)


def test_a_set_without_a_repetition_leaves_no_trace(log: SessionLog) -> None:
    recorder = Recorder(log, "m", "camera")
    empty = Segment(3.0, 6.0, "squat", 0.8, 0)
    recorder.take(begun(empty))
    assert recorder.take(ended(empty)).ended == (empty,)
    assert log.sets() == ()


def test_every_set_of_a_model_that_does_not_count_is_logged(log: SessionLog) -> None:
    recorder = Recorder(log, "m", "camera")
    uncounted = Segment(3.0, 6.0, "squat", 0.8)
    assert recorder.take(begun(uncounted)).current == uncounted
    assert recorder.take(ended(uncounted)).ended == (uncounted,)
    [kept] = log.sets()
    assert (kept.recognised, kept.repetitions, kept.finished) == ("squat", 0, True)


def interrupted(log: SessionLog) -> int:
    """A session whose program was killed in the middle of a set."""
    recorder = Recorder(log, "m", "camera")
    recorder.take(begun(FIRST))
    recorder.take(running(LATER))
    assert recorder.session is not None
    return recorder.session


def test_a_set_continues_after_a_lost_connection(log: SessionLog) -> None:
    session = interrupted(log)
    again = Recorder(log, "m", "camera", session)
    shown = again.take(begun(Segment(1.0, 5.0, "squat", 0.5, 2, (2.0, 4.0)), 12.0))
    assert shown.current is not None
    assert shown.current.repetition_times_s == (4.0, 6.5, 8.5, 14.0, 16.0)
    assert (shown.current.start_s, shown.current.end_s) == (3.0, 17.0)
    assert 0.5 < shown.current.confidence < 0.9
    final = again.take(ended(Segment(1.0, 6.0, "squat", 0.5, 2, (2.0, 4.0)), 12.0))
    assert final.ended[0].repetitions == 5
    [kept] = log.sets()
    assert (kept.repetitions, kept.session) == (5, session)


@pytest.mark.parametrize(
    ("offset_s", "exercise"),
    [(12.0, "biceps_curl"), (12.0 + RESUMED_S, "squat")],
    ids=["another", "too late"],
)
def test_another_set_begins_anew_and_the_first_one_stays(
    log: SessionLog, offset_s: float, exercise: str
) -> None:
    session = interrupted(log)
    again = Recorder(log, "m", "camera", session)
    again.take(begun(Segment(1.0, 5.0, exercise, 0.5, 1, (2.0,)), offset_s))
    assert [s.repetitions for s in log.sets(session)] == [3, 1]


def test_a_set_that_the_user_corrected_is_left_alone(log: SessionLog) -> None:
    session = interrupted(log)
    log.correct(log.sets()[0].id, repetitions=2)
    again = Recorder(log, "m", "camera", session)
    again.take(begun(Segment(1.0, 5.0, "squat", 0.5, 1, (2.0,)), 12.0))
    assert [s.repetitions for s in log.sets(session)] == [2, 1]


def test_an_unknown_session_is_a_new_one(log: SessionLog) -> None:
    recorder = Recorder(log, "m", "camera", 99)
    assert (recorder.session, recorder.trouble) == (None, None)
    recorder.take(begun(FIRST))
    assert recorder.session == 1


def test_without_a_log_sets_are_shown_all_the_same() -> None:
    recorder = Recorder(None, "m", "sample")
    shown = recorder.take(begun(FIRST))
    assert (shown.current, recorder.session, recorder.keeps) == (FIRST, None, False)
    assert recorder.take(ended(LATER)).ended == (LATER,)
    recorder.end()


def test_a_log_that_fails_does_not_end_the_workout(log: SessionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(log, "m", "camera")
    recorder.take(begun(FIRST))

    def full(*_: object, **__: object) -> None:
        raise InputError("the disk is full")

    monkeypatch.setattr(log, "update_set", full)
    assert recorder.take(running(LATER)).current == LATER
    assert (recorder.keeps, recorder.trouble) == (False, "the disk is full")
    assert recorder.take(ended(LATER)).ended == (LATER,)
