"""What every kind of source offers the reader: pictures with their time, converted only on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Picture(NamedTuple):
    """One picture that may be wanted.

    time_s: seconds since the first one. duration_s: how long it is shown.
    convert: gives it as uint8 [h, w, 3]; valid only until the next picture is asked for. None for a picture that was
        not decoded (see `Track.skip_unused`).
    """

    time_s: float
    duration_s: float
    convert: Callable[[], NDArray[np.uint8]] | None


class Track(Protocol):
    """An opened source. Opening has already shown that at least one picture can be had.

    duration_s: seconds as far as known beforehand.
    fps: nominal pictures a second.
    width, height: of the original, upright, in pixels.
    fault: what was found damaged so far, in one line.
    live: whether pictures come when they are taken, not when they are asked for.
    """

    duration_s: float | None
    fps: float
    width: int
    height: int
    fault: str | None
    live: bool

    def pictures(self) -> Iterator[Picture]:
        """All pictures; times rise strictly from 0. Asked for once."""
        ...

    def skip_unused(self, rate: float) -> None:
        """Before the first picture: none will be converted but those that a TickClock of this rate chooses."""
        ...

    def close(self) -> None: ...
