"""Time stamps as containers give them, made into times that rise from 0."""

from __future__ import annotations

from fractions import Fraction

# A fall of the stamps by more than this is a clock that started anew, by less a picture out of order.
CLOCK_RESTART_S = 1.0


class PresentationClock:
    """Times of the pictures of one stream, in the order in which they are decoded.

    A picture without a stamp follows when the one before it has been shown. Pictures out of order are dropped.
    Where the clock of the container starts anew, as in joined recordings, time continues after the last picture.

    origin_s: the stamp that counts as 0; None as long as no picture had a stamp.
    end_s: when the last picture has been shown; 0 before the first.
    """

    def __init__(self) -> None:
        self._last_s: float | None = None
        self.end_s = 0.0
        self.origin_s: float | None = None

    def time_of(self, stamp_s: float | None, shown_s: float) -> float | None:
        """Seconds since the first picture; None for one that must be dropped.

        stamp_s: seconds on the container's clock, if it gives them. shown_s: how long the picture is shown.
        """
        if stamp_s is None:
            time_s = self.end_s
        else:
            if self.origin_s is None:
                self.origin_s = stamp_s - self.end_s
            time_s = stamp_s - self.origin_s
            if self._last_s is not None and time_s < self._last_s - CLOCK_RESTART_S:
                time_s = self.end_s
                self.origin_s = stamp_s - time_s
            if self._last_s is not None and time_s <= self._last_s:
                return None
        self._last_s = time_s
        self.end_s = time_s + shown_s
        return time_s


def seconds(ticks: int, time_base: Fraction) -> float:
    """The same as the product of both, rounded once; a product of fractions takes longer, and comes every frame."""
    return ticks * time_base.numerator / time_base.denominator
