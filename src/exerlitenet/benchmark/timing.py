"""Taking times so that ratios hold: all sides in turn, round after round, in one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exerlitenet.benchmark.measure import Measure, OnProgress, ignore, measure_of

Times = NDArray[np.float64]


@dataclass(frozen=True)
class InTurn:
    """milliseconds: of each side, float64 [rounds]; entries of one round were taken right after each other."""

    milliseconds: Mapping[str, Times]

    def __getitem__(self, side: str) -> Times:
        return self.milliseconds[side]

    def measure(self, side: str, name: str | None = None) -> Measure:
        """Milliseconds of a side; `name`: of the measure, by default that of the side."""
        return measure_of(name or side, self[side], "ms")

    def ratio(self, name: str, first: str, second: str) -> Measure:
        """`first` / `second`, from the pairs of each round: what slows a whole round down cancels out."""
        return measure_of(name, self[first] / self[second], "ratio")


def time_in_turn(
    sides: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    warm_up: int = 1,
    pause_s: float = 0.0,
    on_progress: OnProgress = ignore,
) -> InTurn:
    """Times every side once a round. The order turns from round to round, so that no side is always first.

    sides: name -> what is timed. warm_up: rounds before, which do not count. pause_s: before each side, so that
    threads which the side before has left waiting for more work are at rest.
    """
    names = list(sides)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for k in range(warm_up + rounds):
        first = k % len(names)
        for name in (*names[first:], *names[:first]):
            if pause_s:
                time.sleep(pause_s)
            start_s = time.perf_counter()
            sides[name]()
            spent_s = time.perf_counter() - start_s
            if k >= warm_up:
                taken[name].append(1000 * spent_s)
        on_progress(k + 1, warm_up + rounds)
    return InTurn({name: np.array(times) for name, times in taken.items()})
