"""The crop of a picture that a model gets: a square anywhere, its sides parallel to the picture's.

Places are measured in picture units: the origin is the picture's middle, x to the right, y down, and one unit is the
picture's short side. So a crop does not depend on how many pixels a camera delivers, and aspect is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exerlitenet.errors import InputError


@dataclass(frozen=True)
class Crop:
    """A square. x, y: its middle, side: its side; all in picture units."""

    x: float
    y: float
    side: float

    def to_picture(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points of the crop, float32 [..., 2], 0 to 1 from its top left corner, in picture units."""
        middle = np.array([self.x, self.y], np.float32)
        return ((points - np.float32(0.5)) * np.float32(self.side) + middle).astype(np.float32)

    def to_crop(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """The other way: picture units, float32 [..., 2], to 0 to 1 across the crop; may be outside."""
        middle = np.array([self.x, self.y], np.float32)
        return ((points - middle) / np.float32(self.side) + np.float32(0.5)).astype(np.float32)

    def to_array(self) -> NDArray[np.float32]:
        """float32 [3]: x, y, side, as a graph takes it."""
        return np.array([self.x, self.y, self.side], np.float32)


def whole_crop(height: int, width: int) -> Crop:
    """The smallest square that holds a picture of this size."""
    return Crop(0.0, 0.0, max(height, width) / min(height, width))


def crop_picture(rgb: NDArray[np.uint8], crop: Crop, size: int) -> NDArray[np.uint8]:
    """The pixels of the crop, black beyond the picture.

    rgb: uint8 [height, width, 3] of any size. Returns uint8 [size, size, 3].
    """
    check_picture(rgb)
    height, width = rgb.shape[:2]
    unit = min(height, width)
    left = width / 2 + (crop.x - crop.side / 2) * unit
    top = height / 2 + (crop.y - crop.side / 2) * unit
    scale = size / (crop.side * unit)
    # The part of the crop that the picture fills, in whole pixels of the result.
    x0, x1 = _filled(left, width, scale, size)
    y0, y1 = _filled(top, height, scale, size)
    out = np.zeros((size, size, 3), np.uint8)
    if x1 <= x0 or y1 <= y0:
        return out
    box = (
        max(0.0, left + x0 / scale),
        max(0.0, top + y0 / scale),
        min(float(width), left + x1 / scale),
        min(float(height), top + y1 / scale),
    )
    part = Image.fromarray(rgb).resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR, box=box)
    out[y0:y1, x0:x1] = np.asarray(part)
    return out


def check_picture(rgb: NDArray[np.uint8]) -> None:
    """Raises InputError for what is no picture."""
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or 0 in rgb.shape:
        raise InputError(f"a frame must be uint8 [height, width, 3], got {rgb.dtype} {list(rgb.shape)}")


def _filled(start: float, extent: int, scale: float, size: int) -> tuple[int, int]:
    first = max(0, math.floor(-start * scale + 0.5))
    last = min(size, math.floor((extent - start) * scale + 0.5))
    return first, last
