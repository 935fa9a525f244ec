"""Counting repetitions within a segment, from a model's phase or from its features.

**What one repetition is.** A full cycle: squat up-down-up, curl extended-flexed-extended; with alternating
arms each arm counts one. A cycle cut by the edge of a clip counts when about 0.7 of it is seen. In terms of
the phase (0 at the start position, 1 at the far end): a rise and a fall make one cycle of two halves, so a
full rise and 0.4 of the fall are 0.7 of it. That is also when a repetition is reported live: soon after the
person turns back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exerlitenet.results import Segment

Floats = NDArray[np.float64]

DEFAULT_HALF_PERIOD_S = 1.2
LONGEST_PERIOD_S = 6.0
SHORTEST_PERIOD_S = 0.8
SEGMENT_MARGIN_S = 0.5


class PhaseCounter:
    """Counts repetitions in a phase signal as it comes.

    A repetition is a rise of at least `rise` times the running amplitude from the last low point, followed by
    a fall of at least `fall` times it. The running amplitude follows the repetitions seen (models differ in
    how far their phase swings) but never falls under `least_amplitude`, so rest and trembling count nothing,
    and half repetitions among full ones do not count.

    rise, fall: fractions of the amplitude. least_amplitude: in units of the phase.
    least_s: shortest time between two far ends in seconds.
    smooth_s: time constant of the exponential smoothing in seconds; 0 = none.
    amplitude: what is known of the swing beforehand, if anything.
    """

    def __init__(
        self,
        rise: float = 0.6,
        fall: float = 0.4,
        least_amplitude: float = 0.2,
        least_s: float = 0.6,
        smooth_s: float = 0.1,
        amplitude: float | None = None,
    ) -> None:
        self.rise, self.fall, self.least_amplitude = rise, fall, least_amplitude
        self.least_s, self.smooth_s = least_s, smooth_s
        self._amplitude = max(least_amplitude, amplitude or 0.0)
        self._time_s: float | None = None
        self._value = 0.0
        self._low = 0.0
        self._peak = 0.0
        self._peak_s = 0.0
        self._rising = True
        self._edge = True
        self._last_far_s = -np.inf
        self.count = 0

    def push(self, time_s: float, phase: float) -> float | None:
        """Take the phase at `time_s`; times must not fall. Returns a repetition's far end in seconds, or
        None."""
        if not np.isfinite(phase):
            return None
        if self._time_s is None:
            self._time_s, self._value = time_s, phase
            self._low = self._peak = phase
            self._peak_s = time_s
            return None
        step = max(0.0, time_s - self._time_s)
        weight = 1.0 if self.smooth_s <= 0 else 1.0 - float(np.exp(-step / self.smooth_s))
        self._value += weight * (phase - self._value)
        self._time_s = time_s
        value = self._value
        if self._rising:
            if value > self._peak:
                self._peak, self._peak_s = value, time_s
            risen, fallen = self._peak - self._low, self._peak - value
            amplitude = max(self._amplitude, risen, fallen)
            enough = risen >= self.rise * amplitude
            if self._edge:
                enough = risen >= 0.35 * amplitude and risen + fallen >= 1.4 * max(amplitude, fallen)
            if enough and fallen >= self.fall * amplitude:
                return self._count(risen, value)
            if value < self._low:
                self._low = self._peak = value
                self._peak_s = time_s
                self._edge = False
        return None

    def _count(self, risen: float, value: float) -> float | None:
        far_s = self._peak_s
        early = far_s - self._last_far_s < self.least_s
        self._low = self._peak = value
        self._edge = False
        if early:
            return None
        self._amplitude = max(self.least_amplitude, 0.5 * (self._amplitude + risen))
        self._last_far_s = far_s
        self.count += 1
        return far_s


def count_from_phase(times: ArrayLike, phases: ArrayLike, **settings: float) -> tuple[float, ...]:
    """Far ends of the repetitions in a whole phase signal.

    times, phases: [n], seconds and 0..1. settings: those of `PhaseCounter`. Returns seconds, rising.
    """
    counter = PhaseCounter(**settings)
    found = (
        counter.push(float(t), float(p)) for t, p in zip(np.asarray(times), np.asarray(phases), strict=True)
    )
    return tuple(far_s for far_s in found if far_s is not None)


def count_from_features(times: ArrayLike, features: ArrayLike) -> tuple[float, ...]:
    """Far ends of the repetitions in feature vectors, for models without a phase.

    times: [n] seconds. features: [n, d], one vector per tick. Returns seconds, rising; empty when the
    features do not swing periodically. Which end of the swing is the far one cannot be known from features:
    the one is chosen that the segment does not begin and end with, since people start and rest in the start
    position.
    """
    seconds = np.asarray(times, np.float64)
    vectors = np.asarray(features, np.float64)
    if vectors.ndim != 2 or len(vectors) != len(seconds):
        raise ValueError(f"features must be [{len(seconds)}, d], got {list(vectors.shape)}")
    if len(seconds) < 4:
        return ()
    centred = vectors - np.median(vectors, axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    signal = centred @ directions[0]
    spread = float(np.percentile(signal, 95) - np.percentile(signal, 5))
    if spread <= 1e-9:
        return ()
    signal = (signal - np.percentile(signal, 5)) / spread
    if signal[0] + signal[-1] > 1.0:
        signal = 1.0 - signal
    return count_from_phase(seconds, signal, amplitude=0.8)


def attach_repetitions(
    segments: Sequence[Segment], phase_times: ArrayLike, phases: ArrayLike
) -> tuple[Segment, ...]:
    """Segments with `repetitions` and `repetition_times_s` counted from the phase within each of them.

    phase_times, phases: [n], of the whole video.
    """
    times, values = np.asarray(phase_times, np.float64), np.asarray(phases, np.float64)
    return tuple(
        _with_repetitions(segment, count_from_phase(times[inside], values[inside]))
        for segment, inside in zip(segments, _inside(segments, times), strict=True)
    )


def attach_repetitions_from_features(
    segments: Sequence[Segment], times: ArrayLike, features: ArrayLike
) -> tuple[Segment, ...]:
    """The same from feature vectors [n, d] at `times` [n]."""
    seconds, vectors = np.asarray(times, np.float64), np.asarray(features, np.float64)
    return tuple(
        _with_repetitions(segment, count_from_features(seconds[inside], vectors[inside]))
        for segment, inside in zip(segments, _inside(segments, seconds), strict=True)
    )


def _inside(segments: Sequence[Segment], times: Floats) -> list[NDArray[np.bool_]]:
    """Which ticks belong to each segment: a margin at the edges, but nothing of a neighbouring segment."""
    masks: list[NDArray[np.bool_]] = []
    for index, segment in enumerate(segments):
        start = segment.start_s - SEGMENT_MARGIN_S
        end = segment.end_s + SEGMENT_MARGIN_S
        if index > 0:
            start = max(start, segments[index - 1].end_s)
        if index + 1 < len(segments):
            end = min(end, segments[index + 1].start_s)
        masks.append((times >= start) & (times <= end))
    return masks


def _with_repetitions(segment: Segment, far_ends: Iterable[float]) -> Segment:
    times = tuple(min(max(t, segment.start_s), segment.end_s) for t in far_ends)
    return replace(segment, repetitions=len(times), repetition_times_s=times)


def ideal_phase(
    times: ArrayLike, extremes_s: Sequence[float], seconds: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The phase a model should learn, from the times of the far ends.

    times: [n] seconds. extremes_s: far ends in seconds. seconds: length of the clip.
    Returns phase float32 [n] and known bool [n].

    Around each extreme the phase is a raised cosine, 1 at the extreme and 0 a half period away. Between two
    extremes the half period is half of their distance; when they are further apart than 6 s, or than twice
    the typical
    period, the person paused: the half period is then the typical one, and the phase stays 0 between. The
    typical period is the median distance of extremes that are at most 6 s apart, 2.4 s when there are none.
    Before the first and after the last extreme the neighbouring period serves; beyond twice its half nothing
    is known. Without extremes nothing is known.
    """
    ticks = np.asarray(times, np.float64)
    far = np.unique(np.asarray([t for t in extremes_s if np.isfinite(t)], np.float64))
    phase = np.zeros(len(ticks), np.float32)
    if len(far) == 0:
        return phase, np.zeros(len(ticks), np.bool_)
    gaps = np.diff(far)
    usual = gaps[gaps <= LONGEST_PERIOD_S]
    half = float(np.median(usual)) / 2 if len(usual) else DEFAULT_HALF_PERIOD_S
    paused = (gaps > LONGEST_PERIOD_S) | (gaps > 4 * half)
    halves = np.where(paused, half, gaps / 2)
    before = np.concatenate([[halves[0] if len(halves) else half], halves])
    after = np.concatenate([halves, [halves[-1] if len(halves) else half]])
    for extreme, rise_s, fall_s in zip(far, before, after, strict=True):
        distance = ticks - extreme
        scaled = np.where(distance < 0, -distance / rise_s, distance / fall_s)
        bump = np.where(scaled < 1, 0.5 + 0.5 * np.cos(np.pi * np.minimum(scaled, 1)), 0)
        phase = np.maximum(phase, bump.astype(np.float32))
    known = (ticks >= far[0] - 2 * before[0]) & (ticks <= far[-1] + 2 * after[-1]) & (ticks <= seconds)
    return phase, known
