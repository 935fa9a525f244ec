"""How fast and how evenly a set was done, from the times of its repetitions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any

from exerlitenet.app.log.records import Set


@dataclass(frozen=True)
class SetTempo:
    """The tempo of a set of two or more repetitions.

    gaps_s: seconds from each repetition's peak to the next one's; one fewer than repetitions.
    """

    gaps_s: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """Seconds per repetition: the mean gap."""
        return fmean(self.gaps_s)

    @property
    def spread_s(self) -> float | None:
        """How much gaps differ: their standard deviation; None below three repetitions."""
        return stdev(self.gaps_s) if len(self.gaps_s) > 1 else None

    @property
    def consistency(self) -> float | None:
        """1 for a metronome, 0 when gaps differ by as much as they last: 1 - spread / tempo, never below 0."""
        spread = self.spread_s
        return None if spread is None else max(0.0, 1 - spread / self.seconds)

    def to_json(self) -> dict[str, Any]:
        """Plain types, seconds rounded to milliseconds."""
        spread, consistency = self.spread_s, self.consistency
        return {
            "seconds": round(self.seconds, 3),
            "spread_s": None if spread is None else round(spread, 3),
            "consistency": None if consistency is None else round(consistency, 4),
            "gaps_s": [round(gap, 3) for gap in self.gaps_s],
        }


def tempo_of(one: Set) -> SetTempo | None:
    """The tempo of a set; None below two repetitions, and where the user says that the model missed some or saw
    too many, since its times are then not those of the repetitions.
    """
    if one.counted < 2 or one.repetitions != one.counted:
        return None
    return SetTempo(tuple(after - before for before, after in pairwise(one.repetition_times_s)))
