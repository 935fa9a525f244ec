"""Totals, streaks and bests of made-up logs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exerlitenet.app.log.figures import bests, history, monday, ordered, streaks
from exerlitenet.app.log.records import Correction, Set
from exerlitenet.app.log.tempo import tempo_of
from logs import a_set

TODAY = date(2026, 4, 16)  # a Thursday
NOON = datetime(2026, 4, 16, 12).astimezone()


def days_ago(n: int) -> datetime:
    return datetime(2026, 4, 16, 12) - timedelta(days=n)


def test_days_and_weeks_are_added_up_by_exercise() -> None:
    sets = [
        a_set((1, 2, 3), at=days_ago(0)),
        a_set((1, 2), at=days_ago(0), exercise="biceps_curl"),
        a_set((1,), at=days_ago(3)),  # Monday
        a_set((1, 2, 3, 4), at=days_ago(4)),  # the Sunday before
        a_set(range(1, 10), at=days_ago(11)),
    ]
    figures = history(sets, days=7, today=TODAY)
    assert (figures["from"], figures["to"]) == ("2026-04-10", "2026-04-16")
    assert [d["repetitions"] for d in figures["by_day"]] == [0, 0, 4, 1, 0, 0, 5]
    assert figures["by_day"][-1]["by_exercise"] == {"squat": 3, "biceps_curl": 2}
    assert [(w["week"], w["repetitions"]) for w in figures["by_week"]] == [
        ("2026-04-06", 4),
        ("2026-04-13", 6),
    ]
    assert figures["totals"] == {
        "repetitions": 10,
        "sets": 4,
        "seconds": 3.0 + 2.0 + 1.0 + 4.0,
        "active_days": 3,
        "by_exercise": {"squat": 8, "biceps_curl": 2},
    }
    assert figures["exercises"] == ["squat", "biceps_curl"]
    assert len(figures["sets"]) == 4
    assert figures["bests"]["squat"]["most_in_a_set"]["value"] == 9  # of all time


def test_the_first_week_is_whole_though_the_days_begin_within_it() -> None:
    sets = [a_set((1, 2), at=days_ago(3)), a_set((1,), at=days_ago(0))]  # Monday and today
    figures = history(sets, days=2, today=TODAY)
    assert [w["repetitions"] for w in figures["by_week"]] == [3]
    assert figures["totals"]["repetitions"] == 1


def test_what_does_not_count_is_aside() -> None:
    deleted = replace(a_set(at=NOON, number=2), correction=Correction(NOON, deleted=True))
    none = replace(a_set(at=NOON, number=3), correction=Correction(NOON, exercise="none", repetitions=3))
    figures = history([a_set(at=NOON), deleted, none], days=1, today=TODAY)
    assert figures["totals"]["repetitions"] == 3
    assert [s["id"] for s in figures["sets"]] == [1]
    assert [s["id"] for s in figures["aside"]] == [2, 3]
    assert history([deleted], days=1, today=TODAY)["bests"] == {}


def test_nothing_logged() -> None:
    figures = history([], days=30, today=TODAY)
    assert figures["totals"]["repetitions"] == 0
    assert (figures["exercises"], figures["bests"], figures["sets"]) == ([], {}, [])
    assert len(figures["by_day"]) == 30
    assert figures["streak"] == {"days": 0, "weeks": 0}


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 6), st.sampled_from(["squat", "biceps_curl", "lunge"]))
    ),
    st.integers(1, 40),
)
def test_days_add_up_to_the_total_and_whole_weeks_hold_the_days(
    drawn: list[tuple[int, int, str]], days: int
) -> None:
    sets = [
        a_set([float(k + 1) for k in range(n)], at=days_ago(ago), exercise=name, number=i + 1)
        for i, (ago, n, name) in enumerate(drawn)
    ]
    figures = history(sets, days=days, today=TODAY)
    total = sum(n for ago, n, _ in drawn if ago < days)
    assert figures["totals"]["repetitions"] == total
    assert sum(d["repetitions"] for d in figures["by_day"]) == total
    assert sum(figures["totals"]["by_exercise"].values()) == total
    assert len(figures["by_day"]) == days
    for week in figures["by_week"]:
        first = date.fromisoformat(week["week"])
        assert first == monday(first)
        inside = [
            d for d in figures["by_day"] if first <= date.fromisoformat(d["date"]) < first + timedelta(7)
        ]
        assert week["repetitions"] >= sum(d["repetitions"] for d in inside)


def test_bests_name_the_first_of_equals() -> None:
    uneven = (1.0, 2.0, 5.0, 6.0, 9.0)
    sets = [
        a_set(uneven, at=days_ago(9), number=1),
        a_set((1.0, 3.0, 5.0, 7.1, 9.0), at=days_ago(8), number=2),
        a_set((1.0, 2.0), at=days_ago(8), number=3),
        a_set((1.0, 2.0, 3.0, 4.0), at=days_ago(1), number=4),  # too short for the steadiest
    ]
    found = bests(sets)
    assert found["most_in_a_set"] == {"value": 5, "date": "2026-04-07", "set": 1, "session": 1}
    assert found["most_in_a_day"] == {"value": 7, "date": "2026-04-08"}
    assert found["most_in_a_week"] == {"value": 12, "date": "2026-04-06"}
    assert (found["steadiest_set"]["set"], found["steadiest_set"]["date"]) == (2, "2026-04-08")
    assert bests([])["most_in_a_set"] is None


@pytest.mark.parametrize(
    ("ago", "days", "weeks"),
    [
        ([], 0, 0),
        ([0, 1, 2], 3, 1),
        ([1, 2, 3], 3, 1),
        ([2, 3], 0, 1),
        ([0, 7, 21], 1, 2),
        ([8], 0, 1),
        ([14], 0, 0),
    ],
)
def test_streaks(ago: list[int], days: int, weeks: int) -> None:
    assert streaks({days_ago(n).date() for n in ago}, TODAY) == {"days": days, "weeks": weeks}


def test_the_order_of_exercises_is_fixed() -> None:
    assert ordered(["lunge", "biceps_curl", "burpee", "squat"]) == ["squat", "biceps_curl", "burpee", "lunge"]


# Tempo


def test_tempo_and_consistency() -> None:
    tempo = tempo_of(a_set((1.0, 3.0, 6.0, 8.0, 11.0), at=NOON))
    assert tempo is not None
    assert tempo.gaps_s == (2.0, 3.0, 2.0, 3.0)
    assert tempo.seconds == 2.5
    assert tempo.spread_s == pytest.approx(3**-0.5)  # deviations of 0.5, four of them, divided by three
    assert tempo.consistency == pytest.approx(1 - 3**-0.5 / 2.5)


def test_a_metronome_is_wholly_consistent_and_chaos_never_below_nothing() -> None:
    even = tempo_of(a_set((1, 3, 5, 7), at=NOON))
    wild = tempo_of(a_set((1.0, 1.1, 30.0, 30.1), at=NOON))
    assert even is not None
    assert wild is not None
    assert (even.consistency, wild.consistency) == (1.0, 0.0)


def test_too_few_repetitions_have_no_tempo_or_no_consistency() -> None:
    assert tempo_of(a_set((), at=NOON)) is None
    assert tempo_of(a_set((1,), at=NOON)) is None
    two = tempo_of(a_set((1, 3), at=NOON))
    assert two is not None
    assert (two.seconds, two.spread_s, two.consistency) == (2.0, None, None)


@pytest.mark.parametrize(("count", "known"), [(None, True), (3, True), (4, False), (2, False)])
def test_times_of_a_wrong_count_are_no_tempo(count: int | None, known: bool) -> None:
    one: Set = replace(a_set((1, 3, 5), at=NOON), correction=Correction(NOON, repetitions=count))
    assert (tempo_of(one) is not None) == known
