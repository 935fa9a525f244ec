"""Counting: what is a repetition, what is not, and what must not change a count."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from exerlitenet.errors import InputError
from exerlitenet.recognition.repetitions import (
    CountingThresholds,
    PhaseCounter,
    ideal_phase,
)
from exerlitenet.recognition.segments import SegmentThresholds
from exerlitenet.recognition.tracker import SegmentTracker
from exerlitenet.results import Prediction, Segment

RATE = 7.5
Floats = NDArray[np.float64]

periods = st.floats(0.8, 6.0)
seeds = st.integers(0, 2**32 - 1)


def cycles(
    tempos: list[float], pause_s: float = 0.0, heights: list[float] | None = None, lead_s: float = 0.5
) -> tuple[Floats, Floats, list[float]]:
    """Times, phase, peaks: a raised cosine a repetition, a pause after each, rest before and after."""
    heights = heights or [1.0] * len(tempos)
    starts = lead_s + np.concatenate([[0.0], np.cumsum(np.asarray(tempos) + pause_s)])
    times = np.arange(0.0, starts[-1] + lead_s, 1 / RATE)
    phase = np.zeros_like(times)
    for start, tempo, height in zip(starts, tempos, heights, strict=False):
        inside = (times >= start) & (times < start + tempo)
        phase[inside] = height * (0.5 - 0.5 * np.cos(2 * np.pi * (times[inside] - start) / tempo))
    return times, phase, [start + tempo / 2 for start, tempo in zip(starts, tempos, strict=False)]


def count_from_phase(times: ArrayLike, phases: ArrayLike) -> tuple[float, ...]:
    counter = PhaseCounter()
    pairs = zip(np.asarray(times, float), np.asarray(phases, float), strict=True)
    found = (counter.push(float(time_s), float(phase)) for time_s, phase in pairs)
    return tuple(peak_s for peak_s in found if peak_s is not None)


@settings(max_examples=60, deadline=None)
@given(st.lists(periods, min_size=1, max_size=8), st.floats(0.0, 3.0))
def test_every_repetition_counts_once_where_it_was(tempos: list[float], pause_s: float) -> None:
    times, phase, peaks = cycles(tempos, pause_s)
    found = count_from_phase(times, phase)
    assert len(found) == len(tempos)
    assert np.abs(np.asarray(found) - peaks).max() < 0.25


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(1.2, 6.0), min_size=1, max_size=8), st.floats(0.35, 1.0), st.floats(-0.01, 0.01), seeds
)
def test_soft_drifting_noisy_phases_count_the_same(
    tempos: list[float], swing: float, drift: float, seed: int
) -> None:
    times, phase, _ = cycles(tempos, 0.3)
    noise = 0.03 * swing * np.random.default_rng(seed).normal(size=len(times))
    assert len(count_from_phase(times, 0.3 + swing * phase + drift * times + noise)) == len(tempos)


@settings(max_examples=40, deadline=None)
@given(seeds, st.floats(0.0, 1.0), st.floats(0.0, 0.03))
def test_rest_and_trembling_count_nothing(seed: int, level: float, size: float) -> None:
    times = np.arange(0, 40, 1 / RATE)
    phase = level + size * np.random.default_rng(seed).normal(size=len(times))
    assert count_from_phase(times, phase) == ()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=8), st.floats(1.0, 4.0))
def test_half_repetitions_after_full_ones_do_not_count(full: list[bool], tempo: float) -> None:
    heights = [1.0, 1.0, 1.0] + [1.0 if is_full else 0.5 for is_full in full]
    times, phase, _ = cycles([tempo] * len(heights), 0.2, heights)
    assert len(count_from_phase(times, phase)) == 3 + sum(full)


def test_a_bounce_at_the_far_end_is_one_repetition() -> None:
    times = np.arange(0, 6, 1 / RATE)
    phase = np.interp(times, [0, 1, 2, 2.5, 3, 4, 6], [0, 0, 1, 0.7, 1, 0, 0])
    assert len(count_from_phase(times, phase)) == 1


@pytest.mark.parametrize(
    ("seen", "counts"),
    [((0.0, 2.0), 1), ((0.0, 1.6), 1), ((0.5, 2.0), 1), ((0.0, 1.05), 0), ((1.0, 2.0), 0), ((0.85, 2.0), 0)],
)
def test_a_cycle_cut_by_the_edge_counts_from_seven_tenths(seen: tuple[float, float], counts: int) -> None:
    """The cycle runs from 0 to 2 s with its peak at 1 s; after it the person rests."""
    times = np.arange(seen[0], seen[1] + 1e-9, 1 / 30)
    phase = 0.5 - 0.5 * np.cos(np.pi * times)
    if seen[1] == 2.0:
        times = np.concatenate([times, times[-1] + np.arange(1, 30) / 30])
        phase = np.concatenate([phase, np.zeros(29)])
    assert len(count_from_phase(times, phase)) == counts


@settings(max_examples=60, deadline=None)
@given(seeds, st.lists(periods, min_size=1, max_size=6))
def test_counts_only_grow_as_the_signal_continues(seed: int, tempos: list[float]) -> None:
    times, phase, _ = cycles(tempos)
    phase = phase + 0.1 * np.random.default_rng(seed).normal(size=len(times))
    whole = count_from_phase(times, phase)
    counter = PhaseCounter()
    reported: list[float] = []
    for k in range(len(times)):
        far_s = counter.push(float(times[k]), float(phase[k]))
        if far_s is not None:
            assert far_s <= times[k]
            reported.append(far_s)
    assert tuple(reported) == whole
    assert reported == sorted(set(reported))
    cut = len(times) // 2
    assert whole[: len(count_from_phase(times[:cut], phase[:cut]))] == count_from_phase(
        times[:cut], phase[:cut]
    )


def test_a_repetition_is_reported_soon_after_the_person_turns_back() -> None:
    times, phase, peaks = cycles([2.4] * 5)
    counter = PhaseCounter()
    told_at = [
        float(t) for t, p in zip(times, phase, strict=True) if counter.push(float(t), float(p)) is not None
    ]
    ends = np.asarray(peaks) + 1.2
    assert len(told_at) == 5
    assert (np.asarray(told_at) <= ends).all()


def test_gaps_in_the_phase_are_passed_over() -> None:
    times, phase, _ = cycles([2.0] * 4)
    phase[::5] = np.nan
    assert len(count_from_phase(times, phase)) == 4
    assert count_from_phase([], []) == ()


def test_counting_thresholds_survive_json_and_refuse_nonsense() -> None:
    thresholds = CountingThresholds(rise=0.5)
    assert CountingThresholds.from_dict(thresholds.to_dict()) == thresholds
    for wrong in ({"rise": 0}, {"fall": 1.5}, {"least_s": -1}, {"smooth_s": float("inf")}, {"x": 1}):
        with pytest.raises(InputError):
            CountingThresholds.from_dict(wrong)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1.5, 4.0), min_size=2, max_size=6))
def test_time_reversed_signals_have_the_same_count(tempos: list[float]) -> None:
    times, phase, _ = cycles(tempos, 0.2, lead_s=1.0)
    assert len(count_from_phase(times, phase[::-1])) == len(count_from_phase(times, phase)) == len(tempos)


def ended(
    stretches: Sequence[tuple[float, float, str]], times: Floats, phase: Floats, seconds: float
) -> list[Segment]:
    """Segments of predictions that are sure in these stretches (from, to, exercise), with the phase all known."""
    tracker = SegmentTracker(SegmentThresholds(), CountingThresholds(), 0.0, ("squat", "biceps_curl", "none"))
    tracker.add_phases([(float(t), float(p)) for t, p in zip(times, phase, strict=True)])
    predictions = []
    for tick in range(round(seconds * RATE)):
        time_s = tick / RATE
        name = next((n for begin, end, n in stretches if begin <= time_s < end), "none")
        predictions.append(
            Prediction(time_s, {n: float(n == name) for n in ("squat", "biceps_curl", "none")}, name)
        )
    events = tracker.push(predictions) + tracker.finish(seconds)
    return [event.segment for event in events if event.kind == "end"]


def test_repetitions_go_to_the_segment_they_are_in() -> None:
    times, phase, peaks = cycles([2.0] * 9)
    found = ended([(0.4, 8.5, "squat"), (8.5, 14.6, "biceps_curl"), (30, 33, "squat")], times, phase, 35.0)
    assert [(s.exercise, s.repetitions) for s in found] == [("squat", 4), ("biceps_curl", 3), ("squat", 0)]
    for segment in found:
        assert segment.repetitions == len(segment.repetition_times_s)
        assert all(segment.start_s <= t <= segment.end_s for t in segment.repetition_times_s)
    assert found[0].repetition_times_s == pytest.approx(peaks[:4], abs=0.2)


def test_a_segment_that_begins_late_still_counts_its_first_repetition() -> None:
    times, phase, _ = cycles([2.0] * 3)
    [segment] = ended([(1.0, 6.4, "squat")], times, phase, 8.0)
    assert segment.repetitions == 3


extremes = st.lists(st.floats(0.1, 60.0), min_size=1, max_size=12, unique=True).map(sorted)


@settings(max_examples=80, deadline=None)
@given(extremes)
def test_the_ideal_phase_is_one_at_extremes_and_known_around_them(peaks: list[float]) -> None:
    assume(all(b - a > 0.3 for a, b in pairwise(peaks)))
    phase, known = ideal_phase(peaks, peaks, 61.0)
    assert phase.dtype == np.float32
    assert known.dtype == np.bool_
    assert phase == pytest.approx(1.0)
    assert known.all()
    times = np.arange(0, 61, 0.01)
    phase, known = ideal_phase(times, peaks, 61.0)
    assert phase.min() >= 0
    assert phase.max() <= 1
    assert (phase[~known] == 0).all()
    assert known[(times >= peaks[0]) & (times <= peaks[-1])].all()


def test_the_ideal_phase_falls_to_zero_between_and_stays_there_in_a_pause() -> None:
    peaks = [2.0, 4.0, 6.0, 16.0]
    phase, known = ideal_phase([3.0, 5.0, 7.0, 11.0, 15.0], peaks, 20.0)
    assert phase == pytest.approx(0.0, abs=1e-6)
    assert known.all()
    phase, _ = ideal_phase([2.5, 6.5, 15.5], peaks, 20.0)
    assert phase == pytest.approx(0.5, abs=1e-6)


def test_the_ideal_phase_of_one_extreme_takes_the_usual_half_period() -> None:
    phase, known = ideal_phase([0.5, 2.4, 3.6, 4.2, 4.9, 6.1, 7.0], [3.6], 6.5)
    assert phase == pytest.approx([0, 0, 1, 0.5, 0, 0, 0], abs=0.06)
    assert known.tolist() == [False, True, True, True, True, False, False]
    phase, known = ideal_phase([0.0, 1.0], [], 2.0)
    assert not phase.any()
    assert not known.any()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(1.2, 5.0), min_size=1, max_size=8))
def test_counting_the_ideal_phase_gives_its_extremes_back(gaps: list[float]) -> None:
    peaks = list(2.0 + np.concatenate([[0.0], np.cumsum(gaps)]))
    seconds = peaks[-1] + 3.0
    times = np.arange(0, seconds, 1 / RATE)
    found = count_from_phase(times, ideal_phase(times, peaks, seconds)[0])
    assert found == pytest.approx(peaks, abs=0.3)
