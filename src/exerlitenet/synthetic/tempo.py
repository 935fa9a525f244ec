"""When repetitions happen: rests, durations of their parts, and the phase that follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exerlitenet.errors import InputError

Array = NDArray[np.float64]
Sides = Literal["both", "alternate", "left", "right"]
SHORTEST_REPETITION_S = 0.7
LONGEST_DRAWN_S = 18.0


@dataclass(frozen=True)
class Tempo:
    """Seconds of the parts of a repetition: to the peak, held there, back, held at the start position."""

    out: float
    hold: float
    back: float
    top: float

    @property
    def period(self) -> float:
        return self.out + self.hold + self.back + self.top


@dataclass(frozen=True)
class Schedule:
    """Repetitions over n frames.

    phase [n,2]: per side (left, right), 0 at the start position, 1 at the peak. reach [n]: how far this
    repetition goes, about 1. active [n]: 0 at rest, 1 ready or moving, smooth. extremes_s: the middle of each
    peak. spans: begin and end of sets between longer rests, seconds. time [n]: seconds of the frames.
    seconds: the clip's length.
    """

    time: Array
    phase: Array
    reach: Array
    active: Array
    extremes_s: tuple[float, ...]
    spans: tuple[tuple[float, float], ...]
    seconds: float

    @property
    def joint_phase(self) -> Array:
        """The larger phase of both sides, [n]."""
        return np.asarray(self.phase.max(1))


def ease(x: Array) -> Array:
    """0 to 1 with a soft start and end."""
    x = np.clip(x, 0.0, 1.0)
    return 0.5 - 0.5 * np.cos(np.pi * x)


def wobble(rng: np.random.Generator, time: Array) -> Array:
    """A slow random curve of about -1..1 over `time` [n]."""
    total = np.zeros_like(time)
    for weight in (0.5, 0.3, 0.2):
        total += weight * np.sin(2 * np.pi * (rng.uniform(0.05, 0.6) * time + rng.random()))
    return total


def draw_tempo(rng: np.random.Generator, period: tuple[float, float]) -> Tempo:
    """A tempo whose period is in `period` seconds (log-uniform), with a held peak in a quarter of draws."""
    total = float(np.exp(rng.uniform(np.log(period[0]), np.log(period[1]))))
    out, back = float(rng.uniform(0.8, 1.3)), float(rng.uniform(0.8, 1.2))
    still = float(rng.uniform(0.0, 0.15)) if rng.random() > 0.25 else float(rng.uniform(0.2, 0.9))
    top = float(rng.uniform(0.0, 0.5))
    scale = total / (out + back + still + top)
    return Tempo(out * scale, still * scale, back * scale, top * scale)


def schedule(
    rng: np.random.Generator,
    *,
    fps: float,
    seconds: float | None,
    repetitions: int | None,
    tempo: Tempo,
    sides: Sides = "both",
    rests: bool = True,
) -> Schedule:
    """Place repetitions in a clip; what is None is drawn.

    Raises InputError when `repetitions` do not fit into `seconds`.
    """
    lead = float(rng.uniform(0.3, 3.0)) if rests and rng.random() < 0.5 else float(rng.uniform(0.0, 0.25))
    tail = float(rng.uniform(0.3, 2.5)) if rests and rng.random() < 0.45 else float(rng.uniform(0.05, 0.25))
    pause = float(rng.uniform(0.8, 3.0)) if rests and rng.random() < 0.15 else 0.0
    drawn = int(rng.integers(1, 9))
    jitter = np.exp(rng.normal(0.0, 0.07, 64))
    reach_jitter = 1.0 + 0.035 * np.clip(rng.normal(0.0, 1.0, 64), -2, 2)
    pause_share = float(rng.uniform(0.2, 0.8))
    period = tempo.period
    asked = repetitions is not None
    if seconds is None:
        if repetitions is None:
            repetitions = max(1, min(drawn, int((LONGEST_DRAWN_S - lead - tail - pause) / (1.08 * period))))
    elif repetitions is None:
        lead, tail, pause = (
            min(x, share * seconds) for x, share in ((lead, 0.2), (tail, 0.15), (pause, 0.15))
        )
        repetitions = max(1, int((seconds - lead - tail - pause) / (1.05 * period)))
    if repetitions > len(jitter):
        jitter, reach_jitter = np.resize(jitter, repetitions), np.resize(reach_jitter, repetitions)
    if repetitions < 2:
        pause = 0.0
    durations = period * jitter[:repetitions]
    if seconds is not None:
        spare = seconds - 0.1
        if durations.sum() > spare:
            durations *= max(spare, 1e-3) / durations.sum()
        if asked and durations.min() < min(SHORTEST_REPETITION_S, 0.9 * period):
            raise InputError(
                f"{repetitions} repetitions need at least {repetitions * SHORTEST_REPETITION_S * 1.3:.1f} seconds, "
                f"got {seconds:g}; ask for fewer repetitions or a longer clip"
            )
        rest = seconds - durations.sum()
        lead, pause = (x * rest / (lead + tail + pause) for x in (lead, pause))
    else:
        seconds = lead + tail + pause + float(durations.sum())
    n = max(2, round(seconds * fps))
    time = np.arange(n) / fps
    phase, reach = np.zeros((n, 2)), np.ones(n)
    extremes: list[float] = []
    start, pause_after = lead, int(pause_share * repetitions)
    blocks: list[tuple[float, float]] = [(start, start)]
    for k, duration in enumerate(durations):
        scale = float(duration) / period
        out, hold, back = tempo.out * scale, tempo.hold * scale, tempo.back * scale
        inside = (time >= start) & (time < start + duration)
        t = time[inside] - start
        curve = ease(t / out) * (1.0 - ease((t - out - hold) / back))
        # A held peak still settles and rises a little, so that the peak is one moment.
        held = np.clip(1.0 - np.abs(t - out - hold / 2.0) / max(hold / 2.0 + 0.12, 1e-6), 0.0, 1.0)
        curve = curve * (0.985 + 0.015 * held)
        columns = {"both": [0, 1], "left": [0], "right": [1], "alternate": [k % 2]}[sides]
        phase[np.ix_(inside, columns)] = curve[:, None]
        reach[inside] = float(reach_jitter[k])
        extremes.append(start + out + hold / 2.0)
        start += float(duration)
        blocks[-1] = (blocks[-1][0], start)
        if pause > 0 and k + 1 == pause_after:
            start += pause
            blocks.append((start, start))
    peaks_s = tuple(round(float(x), 4) for x in extremes)
    return Schedule(time, phase, reach, active_in(time, blocks), peaks_s, tuple(blocks), float(n / fps))


def active_in(time: Array, spans: Iterable[tuple[float, float]]) -> Array:
    """1 inside the spans, 0 from 0.7 s outside them, soft in between; [n]."""
    active = np.zeros(len(time))
    for begin, end in spans:
        rising, falling = ease((time - begin + 0.7) / 0.7), ease((end + 0.7 - time) / 0.7)
        active = np.maximum(active, np.minimum(rising, falling))
    return active
