"""Counting repetitions within a segment, from a model's phase or from its features.

**What one repetition is.** A full cycle: squat up-down-up, curl extended-flexed-extended; with alternating
arms each arm counts one. A cycle cut by the edge of a clip counts when about 0.7 of it is seen. In terms of
the phase (0 at the start position, 1 at the far end) a rise and a fall make one cycle of two halves, so a
full rise and 0.4 of the fall are 0.7 of it. That is also when a repetition is reported live: soon after the
person turns back.

**Two ways.** The phase knows which end is which and streams (`PhaseCounter`). Features of a model without a
phase know neither: they are counted per segment, once it has ended (`count_from_features`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exerlitenet.errors import InputError
from exerlitenet.results import Segment

Floats = NDArray[np.float64]

DEFAULT_HALF_PERIOD_S = 1.2
SHORTEST_PERIOD_S = 0.8
LONGEST_PERIOD_S = 6.0
SEGMENT_MARGIN_S = 1.0
"""A segment's edges are only known to about this; ticks so far outside still count for it."""


@dataclass(frozen=True)
class CountingThresholds:
    """What makes a repetition in a phase signal; can be stored with a model.

    rise, fall: fractions of the running amplitude that the phase must rise before and fall after the far end.
    least_amplitude: the running amplitude is never taken as smaller, in units of the phase.
    least_s: shortest time between two far ends in seconds.
    smooth_s: time constant of the exponential smoothing in seconds; 0 = none.
    """

    rise: float = 0.6
    fall: float = 0.4
    least_amplitude: float = 0.25
    least_s: float = 0.6
    smooth_s: float = 0.15

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise InputError(f"counting threshold {field.name} must be a finite number, got {value!r}")
        if not (0 < self.rise <= 1 and 0 < self.fall <= 1 and self.least_amplitude > 0):
            raise InputError(
                "counting thresholds need rise and fall in (0, 1] and least_amplitude above 0, got "
                f"rise={self.rise}, fall={self.fall}, least_amplitude={self.least_amplitude}"
            )
        if self.least_s < 0 or self.smooth_s < 0:
            raise InputError(
                f"least_s and smooth_s must not be negative, got {self.least_s} and {self.smooth_s}"
            )

    def to_dict(self) -> dict[str, float]:
        """Plain numbers for JSON."""
        return {name: float(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CountingThresholds:
        """From JSON; what is missing has its default, an unknown name is an `InputError`."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            names = ", ".join(sorted(known))
            raise InputError(f"unknown counting threshold {unknown[0]!r}; known are {names}")
        return cls(**values)


class PhaseCounter:
    """Counts repetitions in a phase signal as it comes; one object per segment or stream.

    The smoothed phase must rise by `rise` times the running amplitude from its last low point, and then fall
    by `fall` times it. The running amplitude starts at `least_amplitude` and follows the repetitions counted,
    since models differ in how far their phase swings: rest and trembling count nothing, and half repetitions
    after full ones do not count. If the signal starts in the middle of a rise (its first value is the low
    point), less rise will do when more fall is seen: both together must make 0.7 of the cycle.

    amplitude: what is known of the swing beforehand, if anything.
    """

    # Of a cycle's two halves, how much must be seen when the first is cut by the start: 0.7 of 2.
    EDGE_CYCLE = 1.4
    EDGE_RISE = 0.35

    def __init__(self, thresholds: CountingThresholds | None = None, amplitude: float | None = None) -> None:
        self.thresholds = thresholds or CountingThresholds()
        self.count = 0
        self._amplitude = max(self.thresholds.least_amplitude, amplitude or 0.0)
        self._time_s: float | None = None
        self._start_s = self._value = self._low = self._peak = self._peak_s = 0.0
        self._from_edge = True
        self._last_far_s = -math.inf

    def push(self, time_s: float, phase: float) -> float | None:
        """Take the phase at `time_s`; times must not fall; a phase that is not finite is passed over.

        Returns the time in seconds of a repetition's far end, once it is sure, or None.
        """
        if not math.isfinite(phase):
            return None
        if self._time_s is None:
            self._time_s, self._start_s, self._value = time_s, time_s, phase
            self._restart(phase, time_s)
            return None
        step_s = max(0.0, time_s - self._time_s)
        smooth_s = self.thresholds.smooth_s
        kept = math.exp(-step_s / smooth_s) if smooth_s > 0 else 0.0
        self._value += (phase - self._value) * (1.0 - kept)
        # What the smoothing holds back: far ends are reported where they were, not where it shows them.
        delay_s = step_s * kept / (1.0 - kept) if kept < 1.0 else 0.0
        self._time_s = time_s
        value = self._value
        if value > self._peak:
            self._peak, self._peak_s = value, max(self._start_s, time_s - delay_s)
        elif value < self._low:
            self._restart(value, time_s)
            self._from_edge = False
        elif self._complete(value):
            return self._take(value, time_s)
        return None

    def _restart(self, low: float, time_s: float) -> None:
        self._low = self._peak = low
        self._peak_s = time_s

    def _complete(self, value: float) -> bool:
        risen, fallen = self._peak - self._low, self._peak - value
        amplitude = max(self._amplitude, risen, fallen)
        if self._from_edge and risen < self.thresholds.rise * amplitude:
            return risen >= self.EDGE_RISE * amplitude and risen + fallen >= self.EDGE_CYCLE * amplitude
        return risen >= self.thresholds.rise * amplitude and fallen >= self.thresholds.fall * amplitude

    def _take(self, value: float, time_s: float) -> float | None:
        far_s, risen = self._peak_s, self._peak - self._low
        self._restart(value, time_s)
        self._from_edge = False
        if far_s - self._last_far_s < self.thresholds.least_s:
            return None
        self._amplitude = max(self.thresholds.least_amplitude, 0.5 * (self._amplitude + risen))
        self._last_far_s = far_s
        self.count += 1
        return far_s


def count_from_phase(
    times: ArrayLike,
    phases: ArrayLike,
    thresholds: CountingThresholds | None = None,
    amplitude: float | None = None,
) -> tuple[float, ...]:
    """Far ends of the repetitions in a whole phase signal, just as `PhaseCounter` finds them.

    times, phases: [n], seconds (not falling) and 0..1. Returns seconds, rising.
    """
    counter = PhaseCounter(thresholds, amplitude)
    pairs = zip(np.asarray(times, np.float64), np.asarray(phases, np.float64), strict=True)
    found = (counter.push(float(time_s), float(phase)) for time_s, phase in pairs)
    return tuple(far_s for far_s in found if far_s is not None)


DETREND_S = 4.0
"""Length of the moving mean that is taken off features: slower changes are drift, such as the camera's."""


def count_from_features(times: ArrayLike, features: ArrayLike) -> tuple[float, ...]:
    """Far ends of the repetitions in feature vectors of one segment, for models without a phase.

    times: [n] seconds, rising. features: [n, d], one vector per tick. Returns seconds, rising; empty when
    nothing swings.

    The features are smoothed, freed from drift and projected on their first principal component, outliers
    weighed down. A signal that changes at random from tick to tick counts nothing, nor do four or more swings
    without a period of 0.8 to 6 s in the autocorrelation; fewer may be too few for a period to show. Cycles
    are counted as in a phase, relative to the signal's own range. Which end of the swing is the far one
    cannot be known from features: it is the one that the segment does not begin and end near, since people
    start and rest in the start position. With alternating arms both arms together may make one swing and
    count one.
    """
    seconds, vectors = np.asarray(times, np.float64), np.asarray(features, np.float64)
    if vectors.ndim != 2 or seconds.ndim != 1 or len(vectors) != len(seconds):
        raise ValueError(f"features must be [{seconds.size}, d], got {list(vectors.shape)}")
    if len(seconds) < 4 or seconds[-1] - seconds[0] < SHORTEST_PERIOD_S:
        return ()
    step_s = float(np.median(np.diff(seconds)))
    if step_s <= 0:
        return ()
    centred = vectors - np.median(vectors, axis=0)
    raw = _detrended(_principal(centred), step_s)
    power = float(raw @ raw)
    # Neighbouring ticks of a movement agree; of few ticks even noise may do so by chance.
    agreement = min(0.5, max(0.25, 2.0 / math.sqrt(len(seconds))))
    if power <= 1e-12 * float(np.square(vectors).sum()) or float(raw[1:] @ raw[:-1]) < agreement * power:
        return ()
    period_s, regular = _period(raw, step_s)
    signal = _principal(_detrended(_moving_mean(centred, 3), step_s))
    low, high = np.percentile(signal, [5, 95])
    if high <= low:
        return ()
    signal = (signal - low) / (high - low)
    edge = max(1, round(0.4 / step_s))
    if np.median(signal[:edge]) + np.median(signal[-edge:]) > 1:
        signal = 1 - signal
    thresholds = CountingThresholds(least_s=max(0.6, 0.3 * period_s), smooth_s=0.05)
    found = count_from_phase(seconds, signal, thresholds, amplitude=0.5)
    return found if len(found) < 4 or regular >= 0.1 else ()


def _principal(centred: Floats) -> Floats:
    """Projection [n] of [n, d] on its first principal component, found with outliers weighed down."""
    norms = np.linalg.norm(centred, axis=1)
    limit = 2 * float(np.median(norms))
    weights = np.minimum(1.0, limit / np.maximum(norms, 1e-12)) if limit > 0 else np.ones_like(norms)
    directions = np.linalg.svd(centred * weights[:, None], full_matrices=False)[2]
    return np.asarray(centred @ directions[0], np.float64)


def _moving_mean(signal: Floats, ticks: int) -> Floats:
    """Centred mean over an odd number of ticks along the first axis; the edge values are held."""
    reach = max(0, ticks // 2)
    if reach == 0:
        return signal
    padded = np.concatenate([signal[:1].repeat(reach, 0), signal, signal[-1:].repeat(reach, 0)])
    sums = np.concatenate([np.zeros_like(signal[:1]), np.cumsum(padded, axis=0)])
    width = 2 * reach + 1
    return np.asarray((sums[width:] - sums[:-width]) / width, np.float64)


def _detrended(signal: Floats, step_s: float) -> Floats:
    if len(signal) * step_s <= 1.5 * DETREND_S + 1e-6:
        return np.asarray(signal - signal.mean(axis=0), np.float64)
    return signal - _moving_mean(signal, round(DETREND_S / step_s + 1e-6))


def _period(signal: Floats, step_s: float) -> tuple[float, float]:
    """Period in seconds and autocorrelation there, -1 to 1; (0, 0) when no period shows."""
    n = len(signal)
    longest = min(int(LONGEST_PERIOD_S / step_s + 1e-6), int(0.6 * n))
    correlation = np.zeros(longest + 1)
    for lag in range(longest + 1):
        early, late = signal[: n - lag], signal[lag:]
        correlation[lag] = early @ late / max(1e-12, float(np.sqrt((early @ early) * (late @ late))))
    best = 0
    for lag in range(max(1, int(SHORTEST_PERIOD_S / step_s + 1e-6)), longest):
        is_peak = correlation[lag - 1] <= correlation[lag] >= correlation[lag + 1]
        # A later peak must be clearly better: multiples of the period correlate as well.
        if is_peak and (best == 0 or correlation[lag] > correlation[best] + 0.1):
            best = lag
    return best * step_s, float(correlation[best]) if best else 0.0


def attach_repetitions(
    segments: Sequence[Segment],
    phase_times: ArrayLike,
    phases: ArrayLike,
    thresholds: CountingThresholds | None = None,
) -> tuple[Segment, ...]:
    """Segments with `repetitions` and `repetition_times_s` counted from the phase within each of them.

    phase_times, phases: [n], of the whole video.
    """
    times, values = np.asarray(phase_times, np.float64), np.asarray(phases, np.float64)
    return tuple(
        _with_repetitions(segment, count_from_phase(times[inside], values[inside], thresholds))
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
    the typical period, the person paused: the half period is then the typical one, and the phase stays 0
    between. The typical period is the median distance of extremes that are at most 6 s apart, 2.4 s when
    there are none.
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
