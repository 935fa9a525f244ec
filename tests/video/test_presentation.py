"""Times that rise from 0, whatever the container says."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exerlitenet.video.presentation import PresentationClock

STAMPS = st.lists(st.none() | st.floats(-1e4, 1e4), max_size=60)


def times_of(stamps: list[float | None], period: float = 0.1) -> list[float | None]:
    clock = PresentationClock()
    return [clock.time_of(stamp, period) for stamp in stamps]


@given(STAMPS)
def test_times_rise_from_zero(stamps: list[float | None]) -> None:
    times = [t for t in times_of(stamps) if t is not None]
    assert times[:1] in ([], [0.0])
    assert all(b > a for a, b in itertools.pairwise(times))


@given(st.floats(-1e3, 1e3), st.lists(st.integers(1, 5000), max_size=50))
def test_good_stamps_stay_as_they_are(start: float, steps: list[int]) -> None:
    expected = [t / 1000 for t in itertools.accumulate(steps, initial=0)]
    assert times_of([start + t for t in expected]) == pytest.approx(expected, abs=1e-9)


def test_missing_stamps_follow_what_was_shown() -> None:
    assert times_of([None, None, None]) == pytest.approx([0, 0.1, 0.2])
    assert times_of([5.0, None, 5.3, None]) == pytest.approx([0, 0.1, 0.3, 0.4])
    assert times_of([None, None, 7.0, 7.5]) == pytest.approx([0, 0.1, 0.2, 0.7])


def test_pictures_out_of_order_are_dropped() -> None:
    assert times_of([1.0, 1.2, 1.1, 1.2, 1.3]) == pytest.approx([0, 0.2, None, None, 0.3])


def test_a_clock_that_starts_anew_continues() -> None:
    assert times_of([50.0, 50.5, 52.0, 0.0, 0.5]) == pytest.approx([0, 0.5, 2.0, 2.1, 2.6])


def test_the_end_is_when_the_last_picture_was_shown() -> None:
    clock = PresentationClock()
    assert (clock.end_s, clock.origin_s) == (0, None)
    clock.time_of(3.0, 1.0)
    clock.time_of(4.0, 0.25)
    assert (clock.end_s, clock.origin_s) == (1.25, 3.0)
    clock.time_of(3.5, 9.0)
    assert clock.end_s == 1.25, "a dropped picture changes nothing"
