"""What the project wants of its figures, and whether a benchmark reaches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from exerlitenet.benchmark.measure import Measure

Verdict = Literal["reached", "not reached"]


@dataclass(frozen=True)
class Target:
    """A bound on one measure. most: it may be at most `bound`; otherwise it must be at least that.

    shown: what tables of targets call the measure, where its own name says too little beside the others.
    """

    measure: str
    bound: float
    unit: str
    most: bool = True
    shown: str = ""

    @property
    def name(self) -> str:
        """For tables of targets."""
        return self.shown or self.measure

    def verdict(self, measure: Measure) -> Verdict:
        """Whether the measure's median keeps the bound."""
        kept = measure.value <= self.bound if self.most else measure.value >= self.bound
        return "reached" if kept else "not reached"

    def __str__(self) -> str:
        return f"at {'most' if self.most else 'least'} {self.bound:g} {self.unit}".rstrip()


TARGETS = (
    Target("live frame", 3, "ms", shown="live frame, one right after another"),
    # As frames come from a camera. The bound was set without saying which of the two it is about.
    Target("live frame after a pause, 1 thread", 3, "ms", shown="live frame, 50 ms after the one before"),
    Target("live frame / window recomputed", 0.1, ""),
    Target("MediaPipe 0.10.21 Pose full / live frame, one core", 5, "", most=False),
    Target("720p file: speed", 20, "times real time", most=False),
    Target("720p file: recognised / decoded alone", 0.8, "", most=False),
    Target("training, phase 1: an epoch, the paper's way / from the cache", 8, "", most=False),
    Target("training, phase 2: an epoch, the paper's way / from the cache", 4, "", most=False),
    *(
        Target(
            f"training, phase {phase}: gradients, from the cache less the paper's way with batch norm held, "
            "part of a variable's largest",
            1e-4,
            "",
            shown=f"training, phase {phase}: gradients, largest difference between both ways",
        )
        for phase in (1, 2)
    ),
    Target("exerlitenet --help", 0.3, "s"),
    Target("cold start to the first prediction", 1.5, "s"),
    Target("live stream, highest in 60 minutes", 250, "MB"),
    Target("live stream, growth", 1, "MB an hour"),
)


def target_of(measure: Measure) -> Target | None:
    """The target on a measure, if there is one."""
    return next((target for target in TARGETS if target.measure == measure.name), None)
