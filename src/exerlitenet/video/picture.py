"""One decoded FFmpeg picture to upright RGB: orientation, aspect, scale and alpha."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from exerlitenet.errors import InputError


@dataclass(frozen=True)
class Orientation:
    """How a stored picture becomes upright: first transposed, then mirrored along either axis."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """uint8 [h, w, c] as stored -> the same picture upright, contiguous."""
        if self.transpose:
            pixels = pixels.swapaxes(0, 1)
        if self.mirror_x:
            pixels = pixels[:, ::-1]
        if self.mirror_y:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)


QUARTER_TURNS = (
    Orientation(),
    Orientation(transpose=True, mirror_y=True),
    Orientation(mirror_x=True, mirror_y=True),
    Orientation(transpose=True, mirror_x=True),
)
"""How a picture becomes upright that has to be turned so many quarters against the clock."""


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """Orientation that the display matrix asks for, to the nearest quarter turn.

    The matrix holds fixed-point numbers a b u, c d v, x y w: a stored point (x, y), y downwards, is shown at
    (a x + c y, b x + d y) (libavutil/display.h).
    """
    try:
        data = frame.side_data.get(SideDataType.DISPLAYMATRIX)  # type: ignore[call-overload]
    except ValueError:
        # FFmpeg attaches kinds of data, EXIF among them, that PyAV has no name for, and PyAV then names none. Its
        # rotation still comes from the matrix; only a mirrored picture, which EXIF allows, stays mirrored.
        return QUARTER_TURNS[round(frame.rotation / 90) % 4]
    if data is None:
        return Orientation()
    matrix = np.frombuffer(bytes(data), np.int32)
    if matrix.size < 5:
        return Orientation()
    a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


@dataclass(frozen=True)
class Fit:
    """The largest picture that is wanted.

    short_side, long_side: pixels; None where it does not matter.
    """

    short_side: int | None = None
    long_side: int | None = None

    def __post_init__(self) -> None:
        for value in (self.short_side, self.long_side):
            if value is not None and value < 2:
                raise InputError(f"a side of a picture must be at least 2 pixels, got {value}")

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height scaled down to fit, aspect kept, both even; never enlarged.

        Pictures that are small enough keep their size, odd or not.
        """
        short, long = sorted((width, height))
        most_short, most_long = self.short_side or short, self.long_side or long
        scale = min(most_short / short, most_long / long)
        if scale >= 1:
            return width, height
        short, long = (
            max(2, min(2 * round(side * scale / 2), most - most % 2))
            for side, most in ((short, most_short), (long, most_long))
        )
        return (short, long) if width <= height else (long, short)


def displayed_size(frame: av.VideoFrame, sample_aspect: float) -> tuple[int, int]:
    """Width and height in square pixels, before the orientation is applied.

    sample_aspect: width of a stored pixel over its height; 1 where unknown. Wide pixels widen the picture,
        tall ones heighten it, so that nothing is lost.
    """
    if sample_aspect >= 1:
        return max(1, round(frame.width * sample_aspect)), frame.height
    return frame.width, max(1, round(frame.height / sample_aspect))


class PictureConverter:
    """FFmpeg frames of one stream to RGB; holds one scaler that is reused as long as the format stays."""

    def __init__(self, fit: Fit, sample_aspect: float = 1.0) -> None:
        self.fit = fit
        self.sample_aspect = sample_aspect
        self._reformatter = VideoReformatter()

    def upright_size(self, frame: av.VideoFrame) -> tuple[int, int]:
        """Width and height of the original in square pixels, upright."""
        width, height = displayed_size(frame, self.sample_aspect)
        return (height, width) if orientation_of(frame).transpose else (width, height)

    def rgb(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """uint8 [h, w, 3], upright, contiguous, scaled to fit; alpha is over black."""
        alpha = has_alpha(frame)
        width, height = self.fit.size(*displayed_size(frame, self.sample_aspect))
        picture = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="rgba" if alpha else "rgb24",
            interpolation=Interpolation.AREA,
            # FFmpeg's default, one thread a core, costs more than it saves on pictures of video size.
            threads=1,
        )
        pixels: NDArray[np.uint8] = picture.to_ndarray()  # type: ignore[assignment]
        return orientation_of(frame).apply(over_black(pixels) if alpha else pixels)


def has_alpha(frame: av.VideoFrame) -> bool:
    """Whether the pixel format can hold transparency; palettes can."""
    return frame.format.has_palette or any(component.is_alpha for component in frame.format.components)


def over_black(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [h, w, 4] with straight alpha -> uint8 [h, w, 3] over black."""
    alpha = rgba[:, :, 3:].astype(np.uint16)
    return ((rgba[:, :, :3] * alpha + 127) // 255).astype(np.uint8)
