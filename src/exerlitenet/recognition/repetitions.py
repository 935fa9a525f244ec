"""Counting repetitions within a segment from a model's phase; a model without a phase does not count.

**What one repetition is.** A full cycle: squat up-down-up, curl extended-flexed-extended; with alternating
arms each arm counts one. A cycle cut by the edge of a clip counts when about 0.7 of it is in the clip. In terms of
the phase (0 at the start position, 1 at the peak) a rise and a fall make one cycle of two halves, so a
full rise and 0.4 of the fall are 0.7 of it. That is also when a repetition is reported live: soon after the
person turns back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exerlitenet.errors import InputError
from exerlitenet.recognition.thresholds import Thresholds

DEFAULT_HALF_PERIOD_S = 1.2
LONGEST_PERIOD_S = 6.0


@dataclass(frozen=True)
class CountingThresholds(Thresholds):
    """What makes a repetition in a phase signal; can be stored with a model.

    rise, fall: fractions of the running amplitude that the phase must rise before and fall after the peak.
    least_amplitude: the running amplitude is never taken as smaller, in units of the phase.
    least_s: shortest time between two peaks in seconds.
    smooth_s: time constant of the exponential smoothing in seconds; 0 = none.
    """

    rise: float = 0.6
    fall: float = 0.4
    least_amplitude: float = 0.25
    least_s: float = 0.6
    smooth_s: float = 0.15

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 < self.rise <= 1 and 0 < self.fall <= 1 and self.least_amplitude > 0):
            raise InputError(
                "counting thresholds need rise and fall in (0, 1] and least_amplitude above 0, got "
                f"rise={self.rise}, fall={self.fall}, least_amplitude={self.least_amplitude}"
            )


class PhaseCounter:
    """Counts repetitions in a phase signal as it comes; one object per segment or stream.

    The smoothed phase must rise by `rise` times the running amplitude from its last low point, and then fall
    by `fall` times it. The running amplitude starts at `least_amplitude` and follows the repetitions counted,
    since models differ in how far their phase swings: rest and trembling count nothing, and half repetitions
    after full ones do not count. If the signal starts in the middle of a rise (its first value is the low
    point), less rise will do when there is more fall: both together must make 0.7 of the cycle.
    """

    # Of a cycle's two halves, how much is needed when the first is cut by the start: 0.7 of 2.
    EDGE_CYCLE = 1.4
    EDGE_RISE = 0.35

    def __init__(self, thresholds: CountingThresholds | None = None) -> None:
        self.thresholds = thresholds or CountingThresholds()
        self._amplitude = self.thresholds.least_amplitude
        self._time_s: float | None = None
        self._start_s = self._value = self._low = self._peak = self._peak_s = 0.0
        self._from_edge = True
        self._last_peak_s = -math.inf

    def push(self, time_s: float, phase: float) -> float | None:
        """Take the phase at `time_s`; times must not fall; a phase that is not finite is passed over.

        Returns the time in seconds of a repetition's peak, once it is sure, or None.
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
        # What the smoothing holds back: peaks are reported where they were, not where it shows them.
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
        peak_s, risen = self._peak_s, self._peak - self._low
        self._restart(value, time_s)
        self._from_edge = False
        if peak_s - self._last_peak_s < self.thresholds.least_s:
            return None
        self._amplitude = max(self.thresholds.least_amplitude, 0.5 * (self._amplitude + risen))
        self._last_peak_s = peak_s
        return peak_s


def ideal_phase(
    times: ArrayLike, extremes_s: Sequence[float], seconds: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The phase a model should learn, from the times of the peaks.

    times: [n] seconds. extremes_s: peaks in seconds. seconds: length of the clip.
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
    peaks = np.unique(np.asarray([t for t in extremes_s if np.isfinite(t)], np.float64))
    phase = np.zeros(len(ticks), np.float32)
    if len(peaks) == 0:
        return phase, np.zeros(len(ticks), np.bool_)
    gaps = np.diff(peaks)
    usual = gaps[gaps <= LONGEST_PERIOD_S]
    half = float(np.median(usual)) / 2 if len(usual) else DEFAULT_HALF_PERIOD_S
    paused = (gaps > LONGEST_PERIOD_S) | (gaps > 4 * half)
    halves = np.where(paused, half, gaps / 2)
    before = np.concatenate([[halves[0] if len(halves) else half], halves])
    after = np.concatenate([halves, [halves[-1] if len(halves) else half]])
    for extreme, rise_s, fall_s in zip(peaks, before, after, strict=True):
        distance = ticks - extreme
        scaled = np.where(distance < 0, -distance / rise_s, distance / fall_s)
        bump = np.where(scaled < 1, 0.5 + 0.5 * np.cos(np.pi * np.minimum(scaled, 1)), 0)
        phase = np.maximum(phase, bump.astype(np.float32))
    known = (ticks >= peaks[0] - 2 * before[0]) & (ticks <= peaks[-1] + 2 * after[-1]) & (ticks <= seconds)
    return phase, known
