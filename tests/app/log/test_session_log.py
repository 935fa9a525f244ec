"""The workout log: written as it happens, read back, corrected, and whole whatever happens."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exerlitenet.app.log.session_log import SessionLog
from exerlitenet.errors import InputError
from logs import add_repetition, check

MODEL = "tiny"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SessionLog]:
    with SessionLog(tmp_path / "log.db") as log:
        yield log


def one_set(log: SessionLog, times: tuple[float, ...] = (1.0, 2.5, 4.0), exercise: str = "squat") -> int:
    number = log.begin_set(log.begin_session(MODEL, "camera"), exercise, 0.5, None)
    for time_s in times:
        add_repetition(log, number, time_s)
    return number


def test_a_set_is_read_as_it_was_written(log: SessionLog) -> None:
    began = datetime(2026, 3, 1, 23, 50, tzinfo=timezone(timedelta(hours=9)))
    session = log.begin_session(MODEL, "squats.mp4")
    number = log.begin_set(session, "squat", 3.25, began)
    add_repetition(log, number, 4.5)
    add_repetition(log, number, 6.0)
    log.update_set(number, end_s=7.5, confidence=0.875, finished=True)
    log.end_session(session)

    [found] = log.sets()
    assert (found.id, found.session, found.model) == (number, session, MODEL)
    assert (found.exercise, found.recognised, found.repetitions, found.counted) == ("squat", "squat", 2, 2)
    assert (found.start_s, found.end_s, found.confidence, found.seconds) == (3.25, 7.5, 0.875, 4.25)
    assert found.repetition_times_s == (4.5, 6.0)
    assert found.started_at == began
    assert found.day == date(2026, 3, 1)  # where it was done, not in UTC
    assert (found.finished, found.deleted, found.checked) == (True, False, False)
    [whole] = log.sessions()
    assert (whole.model, whole.source, whole.sets) == (MODEL, "squats.mp4", (found,))
    assert whole.ended_at is not None
    assert whole == log.session(session)


def test_a_running_set_is_revised(log: SessionLog) -> None:
    number = one_set(log)
    log.update_set(number, end_s=5.0, confidence=0.5, repetitions_s=[1.0, 4.0])
    running = log.set(number)
    assert (running.repetition_times_s, running.end_s, running.confidence) == ((1.0, 4.0), 5.0, 0.5)
    assert not running.finished
    log.update_set(number, confidence=0.75)
    assert log.set(number).repetition_times_s == (1.0, 4.0)
    log.update_set(number, end_s=6.0, confidence=0.8, repetitions_s=[1.5], finished=True)
    ended = log.set(number)
    assert (ended.repetition_times_s, ended.end_s, ended.finished) == ((1.5,), 6.0, True)


def test_the_same_repetition_reported_twice_is_one(log: SessionLog) -> None:
    assert log.set(one_set(log, (1.0, 2.0, 2.0))).repetitions == 2


def test_a_set_never_ends_before_its_start(log: SessionLog) -> None:
    number = one_set(log)
    log.update_set(number, end_s=-3.0)
    assert log.set(number).end_s == log.set(number).start_s == 0.5


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), "soon"])
def test_a_time_that_is_none_is_a_defect_and_writes_nothing(log: SessionLog, bad: float) -> None:
    number = one_set(log)
    before = log.set(number)
    with pytest.raises(ValueError, match=r"finite|convert"):
        log.update_set(number, end_s=8.0, repetitions_s=[1.0, bad])
    assert log.set(number) == before


def test_resuming_continues_in_the_session_with_sets_of_its_own(log: SessionLog) -> None:
    number = one_set(log)
    session = log.set(number).session
    log.end_session(session)
    assert log.session(session).ended_at is not None
    log.resume_session(session, model="newer")
    assert log.session(session).ended_at is None
    second = log.begin_set(session, "biceps_curl", 20.0)
    assert [(s.id, s.model, s.finished) for s in log.sets(session)] == [
        (number, MODEL, True),
        (second, "newer", False),
    ]


def test_a_set_that_was_none_is_discarded_unless_the_user_has_spoken(log: SessionLog) -> None:
    first, second = one_set(log), one_set(log)
    log.correct(second, repetitions=9)
    log.discard_set(first)
    log.discard_set(second)
    assert [(s.id, s.repetitions, s.finished) for s in log.sets()] == [(second, 9, True)]


def test_what_is_not_there_is_said_in_one_line(log: SessionLog) -> None:
    for call in (log.session, log.end_session, log.resume_session):
        with pytest.raises(InputError, match="no session 7 in the log"):
            call(7)
    with pytest.raises(InputError, match="no session 7"):
        log.begin_set(7, "squat", 0.0)
    for call in (log.set, log.delete, log.restore, log.undo, log.correct, log.update_set, log.discard_set):
        with pytest.raises(InputError, match="no set 7 in the log"):
            call(7)
    assert log.sessions() == ()


def test_sets_are_chosen_by_session(log: SessionLog) -> None:
    session = log.begin_session(MODEL)
    for day in (1, 2, 3):
        log.begin_set(session, "squat", 0.0, datetime(2026, 5, day, 12))
    other = log.begin_session(MODEL)
    log.begin_set(other, "squat", 0.0, datetime(2026, 5, 2, 12))
    assert [s.day.day for s in log.sets()] == [1, 2, 3, 2]
    assert [s.day.day for s in log.sets(session)] == [1, 2, 3]


# Corrections


def test_corrections_stand_beside_what_the_model_said(log: SessionLog) -> None:
    number = one_set(log)
    corrected = log.correct(number, exercise="biceps_curl", repetitions=5, note="left arm")
    assert (corrected.exercise, corrected.repetitions, corrected.checked) == ("biceps_curl", 5, True)
    assert (corrected.recognised, corrected.counted) == ("squat", 3)
    assert corrected.correction is not None
    assert corrected.correction.note == "left arm"
    assert log.sets() == (corrected,)
    assert log.correct(number, exercise=None).exercise == "squat"
    assert log.set(number).repetitions == 5


def test_each_thing_said_can_be_undone_back_to_the_model(log: SessionLog) -> None:
    number = one_set(log)
    as_recognised = log.set(number)
    log.correct(number, repetitions=4)
    log.correct(number, repetitions=4)  # nothing new: no step
    log.correct(number, exercise="none")
    log.delete(number)
    log.restore(number)
    assert not log.set(number).deleted
    assert log.undo(number).deleted
    assert log.undo(number).exercise == "none"
    assert (log.undo(number).exercise, log.set(number).repetitions) == ("squat", 4)
    assert log.undo(number) == as_recognised
    assert log.undo(number) == as_recognised  # nothing left: nothing happens


def test_the_model_may_go_on_while_the_user_has_spoken(log: SessionLog) -> None:
    number = one_set(log)
    log.correct(number, repetitions=1)
    add_repetition(log, number, 9.0)
    assert (log.set(number).repetitions, log.set(number).counted) == (1, 4)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"exercise": "Squat jumps!"}, "as a class is named"),
        ({"exercise": ""}, "as a class is named"),
        ({"exercise": "s" * 61}, "as a class is named"),
        ({"repetitions": -1}, "0 to 9999 repetitions"),
        ({"repetitions": 10_000}, "0 to 9999 repetitions"),
        ({"note": "x" * 501}, "at most 500 characters"),
    ],
)
def test_corrections_that_make_no_sense_are_refused(log: SessionLog, said: dict, words: str) -> None:
    number = one_set(log)
    with pytest.raises(InputError, match=words):
        log.correct(number, **said)
    assert log.set(number).correction is None


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens in whatever order, the log says what a plain model of it says."""

    def __init__(self) -> None:
        super().__init__()
        self.log = SessionLog(":memory:")
        self.times: dict[int, set[float]] = {}
        self.said: dict[int, list[tuple[str | None, int | None, bool]]] = {}

    def teardown(self) -> None:
        self.log.close()

    @initialize()
    def begin(self) -> None:
        self.session = self.log.begin_session(MODEL)

    @rule(exercise=st.sampled_from(["squat", "biceps_curl"]))
    def begin_set(self, exercise: str) -> None:
        number = self.log.begin_set(self.session, exercise, 0.0)
        self.times[number] = set()
        self.said[number] = [(None, None, False)]

    def some_set(self, data: st.DataObject) -> int | None:
        return data.draw(st.sampled_from(sorted(self.times))) if self.times else None

    @rule(data=st.data(), tick=st.integers(0, 40))
    def repetition(self, data: st.DataObject, tick: int) -> None:
        if number := self.some_set(data):
            add_repetition(self.log, number, tick / 2)
            self.times[number].add(tick / 2)

    @rule(data=st.data(), ticks=st.sets(st.integers(0, 40), max_size=5))
    def revise(self, data: st.DataObject, ticks: set[int]) -> None:
        if number := self.some_set(data):
            self.log.update_set(number, repetitions_s=[t / 2 for t in ticks])
            self.times[number] = {t / 2 for t in ticks}

    @rule(
        data=st.data(),
        exercise=st.sampled_from([None, "squat", "biceps_curl", "none"]),
        count=st.one_of(st.none(), st.integers(0, 30)),
    )
    def correct(self, data: st.DataObject, exercise: str | None, count: int | None) -> None:
        if number := self.some_set(data):
            self.log.correct(number, exercise=exercise, repetitions=count)
            self.say(number, (exercise, count, self.said[number][-1][2]))

    @rule(data=st.data(), deleted=st.booleans())
    def delete_or_restore(self, data: st.DataObject, deleted: bool) -> None:
        if number := self.some_set(data):
            (self.log.delete if deleted else self.log.restore)(number)
            self.say(number, (*self.said[number][-1][:2], deleted))

    def say(self, number: int, now: tuple[str | None, int | None, bool]) -> None:
        if now != self.said[number][-1]:
            self.said[number].append(now)

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        if number := self.some_set(data):
            self.log.undo(number)
            self.said[number] = self.said[number][:-1] or self.said[number]
            self.said[number] = self.said[number] or [(None, None, False)]

    @rule(again=st.booleans())
    def end(self, again: bool) -> None:
        self.log.end_session(self.session)
        if again:
            self.log.resume_session(self.session)

    @invariant()
    def the_log_says_what_happened(self) -> None:
        if not hasattr(self, "session"):
            return
        every = {one.id: one for one in self.log.sets(deleted=True)}
        assert every.keys() == self.times.keys()
        for number, one in every.items():
            exercise, count, deleted = self.said[number][-1]
            assert one.repetition_times_s == tuple(sorted(self.times[number]))
            said = one.counted if count is None else count
            assert one.repetitions == (0 if exercise == "none" else said)
            assert one.exercise == (exercise or one.recognised)
            assert one.deleted == deleted
        kept = {one.id for one in self.log.sets()}
        assert kept == {number for number, one in every.items() if not one.deleted}
        [session] = self.log.sessions()
        assert session.repetitions == sum(every[number].repetitions for number in kept)


AnyOrder.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestAnyOrder = AnyOrder.TestCase


# One file, many at work


def test_threads_and_connections_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    path, workers, each = tmp_path / "log.db", 4, 12
    failures: list[BaseException] = []

    def work(log: SessionLog) -> None:
        try:
            number = log.begin_set(log.begin_session(MODEL), "squat", 0.0)
            for k in range(each):
                add_repetition(log, number, float(k))
                assert log.set(number).repetitions == k + 1
        except BaseException as error:
            failures.append(error)

    def work_on_its_own() -> None:
        try:
            with SessionLog(path) as own:  # all at once: one of them makes the tables
                work(own)
        except BaseException as error:
            failures.append(error)

    alone = [threading.Thread(target=work_on_its_own) for _ in range(workers)]
    for thread in alone:
        thread.start()
    for thread in alone:
        thread.join()
    with SessionLog(path) as shared:
        together = [threading.Thread(target=work, args=(shared,)) for _ in range(workers)]
        for thread in together:
            thread.start()
        for thread in together:
            thread.join()
        assert failures == []
        assert [one.repetitions for one in shared.sets()] == [each] * 2 * workers
        assert check(path) == "ok"


WRITER = """
import sys
from exerlitenet.app.log.session_log import SessionLog
log = SessionLog(sys.argv[1])
session = log.begin_session("tiny")
for k in range(10**6):
    number = log.begin_set(session, "squat", 10.0 * k)
    for i in range(5):
        times = [10.0 * k + j for j in range(i + 1)]
        log.update_set(number, end_s=times[-1] + 0.5, confidence=0.9, repetitions_s=times)
    log.update_set(number, end_s=10.0 * k + 6, confidence=0.9, finished=True)
    print(number, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("sets", [1, 4, 11])
def test_a_kill_at_any_moment_costs_at_most_the_set_under_way(tmp_path: Path, sets: int) -> None:
    path = tmp_path / "log.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        ended = [int(writer.stdout.readline()) for _ in range(sets)]
        os.kill(writer.pid, signal.SIGKILL)
        # What it still said between the last line read and its end.
        ended += [int(line) for line in writer.stdout.read().splitlines()]
    assert writer.returncode == -signal.SIGKILL
    with SessionLog(path) as log:
        assert check(path) == "ok"
        found = {one.id: one for one in log.sets()}
        for number in ended:
            one = found.pop(number)
            assert (one.finished, one.repetitions, one.seconds) == (True, 5, 6.0)
        # Set under way, if any; a killed writer may also have ended it and not said so.
        assert len(found) <= 1
        assert all(one.id == max(ended) + 1 and one.repetitions <= 5 for one in found.values())
        # The log goes on.
        session = log.sessions()[-1].id
        log.resume_session(session)
        add_repetition(log, log.begin_set(session, "squat", 0.0), 1.0)
        assert all(one.finished for one in log.sets(session)[:-1])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("after_s", [0.0, 0.002, 0.005, 0.02])
def test_a_kill_while_the_log_is_being_made_leaves_nothing_broken(tmp_path: Path, after_s: float) -> None:
    path = tmp_path / "log.db"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
        while not path.exists() and writer.poll() is None:
            time.sleep(0.0005)
        time.sleep(after_s)
        writer.kill()
    assert writer.returncode == -signal.SIGKILL
    with SessionLog(path) as log:
        assert check(path) == "ok"
        assert len([one for one in log.sets() if not one.finished]) <= 1


# The file


def test_the_folder_is_made_and_the_log_outlives_the_program(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "log.db"
    with SessionLog(path) as log:
        number = one_set(log)
    with SessionLog(str(path), create=False) as log:
        assert [one.id for one in log.sets()] == [number]


def test_a_log_that_must_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"log\.db: no workout log there"):
        SessionLog(tmp_path / "log.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_log_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no database at all, but long enough to be taken for one. " * 20)
    before = text.read_bytes()
    with pytest.raises(InputError, match=r"notes\.txt: cannot be used as the workout log"):
        SessionLog(text)
    assert text.read_bytes() == before

    foreign = tmp_path / "photos.db"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE photos (name TEXT)")
    connection.close()
    before = foreign.read_bytes()
    with pytest.raises(InputError, match="not a workout log"):
        SessionLog(foreign)
    assert foreign.read_bytes() == before

    with pytest.raises(InputError, match="cannot be used"):
        SessionLog(tmp_path)
    with pytest.raises(InputError, match="its folder cannot be made"):
        SessionLog(text / "log.db")
