"""How much one visitor may ask of the server: sizes, rates, numbers, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What is refused beyond; the defaults are several times what the page needs.

    frame_bytes, frame_pixels: of one JPEG picture; pixels are read from its header, before it is decoded.
    text_bytes: of one JSON message.
    messages_per_s, bytes_per_s: of one connection, on the long run; twice as much may come at once.
    streams: connections at one time. start_s: until a connection must have sent "start".
    silence_s: longest time without a message. send_s: longest time that a reply may wait for a slow reader.
    upload_bytes: of one uploaded file. uploads: at one time.
    """

    frame_bytes: int = MEBIBYTE
    frame_pixels: int = 1920 * 1080
    text_bytes: int = 4096
    messages_per_s: float = 90.0
    bytes_per_s: float = 8 * MEBIBYTE
    streams: int = 16
    start_s: float = 10.0
    silence_s: float = 180.0
    send_s: float = 20.0
    upload_bytes: int = 2048 * MEBIBYTE
    uploads: int = 2


class Allowance:
    """A budget that fills at a steady rate up to twice what a second brings (a token bucket).

    rate: units a second.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._left = 2 * rate
        self._last_s: float | None = None

    def take(self, amount: float, now_s: float) -> bool:
        """Whether `amount` may be spent at `now_s`, a clock that does not fall; takes it if so."""
        if self._last_s is not None:
            self._left = min(2 * self.rate, self._left + (now_s - self._last_s) * self.rate)
        self._last_s = now_s
        if amount > self._left:
            return False
        self._left -= amount
        return True
