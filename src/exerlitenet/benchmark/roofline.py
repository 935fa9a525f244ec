"""How fast work could be on a machine: bounded by its arithmetic or by its memory, whichever takes longer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Roofline:
    """A piece of work on a machine.

    macs: multiply-accumulates, two operations each. bytes_moved: to and from memory at least.
    peak_gflops: 10^9 operations a second; bandwidth_gb_s: 10^9 bytes a second.
    """

    macs: int
    bytes_moved: int
    peak_gflops: float
    bandwidth_gb_s: float

    @property
    def intensity(self) -> float:
        """Operations a byte."""
        return 2 * self.macs / self.bytes_moved

    @property
    def ridge(self) -> float:
        """Operations a byte from which on arithmetic bounds, not memory."""
        return self.peak_gflops / self.bandwidth_gb_s

    @property
    def arithmetic_ms(self) -> float:
        """Milliseconds of the arithmetic at the peak."""
        return 2 * self.macs / self.peak_gflops / 1e6

    @property
    def memory_ms(self) -> float:
        """Milliseconds of the traffic at the bandwidth."""
        return self.bytes_moved / self.bandwidth_gb_s / 1e6

    @property
    def bound_ms(self) -> float:
        """Milliseconds that the work takes at least."""
        return max(self.arithmetic_ms, self.memory_ms)

    def share(self, measured_ms: float) -> float:
        """Part of the ceiling that is reached, 0 to 1."""
        return self.bound_ms / measured_ms
