"""Pictures of a file that need not be decoded: nobody wants them, and no other picture references them."""

from __future__ import annotations

from fractions import Fraction

import av
from av.video.stream import VideoStream

from exerlitenet.video.presentation import seconds
from exerlitenet.video.sequence import TickClock


class FrameSkipper:
    """Marks packets of H.264 whose picture a TickClock will not choose, since an earlier one serves its tick.

    A decoder set to skip what is not referenced (`NONREF`) still decodes marked pictures that others reference. So
    what is chosen does not change; only damage within a skipped picture goes unnoticed.
    """

    def __init__(self, rate: float, origin_s: float, time_base: Fraction) -> None:
        """origin_s: the stamp that counts as 0."""
        self._clock = TickClock(rate)
        self._origin_s = origin_s
        self._time_base = time_base
        # The earliest picture of each tick that is still to come or came last, and pts -> packet of those marked.
        self._earliest: dict[int, int] = {}
        self._marked: dict[int, int] = {}
        self._shown_pts = -(2**62)

    def skips(self, packet: av.Packet[VideoStream]) -> bool:
        """Whether a packet's picture may be skipped. Packets in the order of decoding."""
        pts = packet.pts
        if pts is None or pts <= self._shown_pts or packet.is_corrupt or packet.is_discard:
            return False
        tick = self._clock.tick_of(seconds(pts, self._time_base) - self._origin_s)
        earliest = self._earliest.get(tick)
        if earliest is None or pts <= earliest:
            self._earliest[tick] = pts
            return False
        self._marked[pts] = packet.duration or 0
        return True

    def before(self, pts: int | None) -> list[tuple[int, int]]:
        """Pictures that were skipped before the one with this stamp, which is shown now: stamp and duration, in order.

        None: all that are left.
        """
        if pts is not None:
            self._shown_pts = pts
            self._marked.pop(pts, None)
        found = sorted((p, d) for p, d in self._marked.items() if pts is None or p < pts)
        for stamp, _ in found:
            del self._marked[stamp]
        if pts is not None:
            tick = self._clock.tick_of(seconds(pts, self._time_base) - self._origin_s)
            self._earliest = {key: value for key, value in self._earliest.items() if key >= tick}
        return found
