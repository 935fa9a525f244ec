"""Augmentation of sequences: one draw serves all frames of a sequence.

A flip in the middle of a repetition is not a flip, so chance is drawn once (`draw`) and applied to every frame
(`Augmentation.apply`). The paper uses horizontal flip, random brightness and contrast, Gaussian blur and motion blur;
the rest is ours. Keras' own image augmentation layers take single images, not clips.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from exerlitenet.errors import InputError
from exerlitenet.video.crop import Crop

Range = tuple[float, float]

NOISE_SIDE = 640


@dataclass(frozen=True)
class Ranges:
    """What may happen to a sequence. A pair is a uniform range; `*_chance` is a probability; 0 or None is off.

    flip_chance: mirrored left to right.
    zoom: part of the picture's height that is seen; below 1 cuts into it, above 1 shows a border.
    stretch: factor on the width beyond the zoom, log-uniform.
    shift: how far the middle moves, as a part of the picture, each way.
    rotate_degrees: each way.
    brightness, contrast: factors, as are `gamma` (an exponent), `colour` (each channel by itself), `saturation`.
    blur_sigma, motion_blur_pixels, noise_sigma (of 255), low_light (a factor, with its noise), low_resolution
        (side in pixels, and back): each with its chance.
    cut_out_chance: a box of a random colour covers a part of every frame.
    speed: factor on time; the sequence is then taken at another rate.
    """

    flip_chance: float = 0.5
    zoom: Range = (1.0, 1.0)
    stretch: Range = (1.0, 1.0)
    shift: float = 0.0
    rotate_degrees: float = 0.0
    brightness: Range = (0.8, 1.2)
    contrast: Range = (0.8, 1.2)
    gamma: Range = (1.0, 1.0)
    colour: Range = (1.0, 1.0)
    saturation: Range = (1.0, 1.0)
    blur_chance: float = 0.2
    blur_sigma: Range = (0.5, 1.5)
    motion_blur_chance: float = 0.2
    motion_blur_pixels: Range = (3.0, 7.0)
    noise_chance: float = 0.0
    noise_sigma: Range = (2.0, 10.0)
    low_light_chance: float = 0.0
    low_light: Range = (0.15, 0.5)
    low_resolution_chance: float = 0.0
    low_resolution: Range = (48.0, 128.0)
    cut_out_chance: float = 0.0
    cut_out_side: Range = (0.1, 0.35)
    speed: Range = (1.0, 1.0)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            numbers = value if isinstance(value, tuple) else (value,)
            if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in numbers):
                raise InputError(f"augment.{field.name} takes numbers, got {value!r}")
            if isinstance(field.default, tuple):
                if len(numbers) != 2 or not 0 <= numbers[0] <= numbers[1]:
                    raise InputError(
                        f"augment.{field.name} takes a range [low, high] from 0 up, got {value!r}"
                    )
            elif len(numbers) != 1 or numbers[0] < 0 or (field.name.endswith("_chance") and numbers[0] > 1):
                raise InputError(
                    f"augment.{field.name} takes a number from 0 up (a chance: to 1), got {value!r}"
                )


@dataclass(frozen=True)
class Augmentation:
    """One draw. Geometry maps the augmented picture to its source, both in picture units (see `video.crop`)."""

    flip: bool
    matrix: tuple[float, float, float, float]  # place in the source = matrix @ place + centre
    centre: tuple[float, float]  # where the augmented picture's middle is in the source
    rotate_radians: float
    border: tuple[int, int, int]
    table: tuple[int, ...] | None  # 768 entries: brightness, contrast, gamma, colour, low light in one
    saturation: float
    blur_sigma: float
    motion: tuple[float, float]  # length in pixels, direction in radians
    noise_sigma: float
    noise_seed: int
    low_resolution: int
    cut_out: tuple[float, float, float, float] | None
    speed: float

    def apply(
        self, frames: NDArray[np.uint8], size: int, views: Sequence[Crop] | None = None
    ) -> NDArray[np.uint8]:
        """frames: uint8 [n, height, width, 3] of any size. Returns uint8 [n, size, size, 3].

        views: the crop of each augmented picture; without them the whole of it is squashed to the square.
        """
        out = np.empty((len(frames), size, size, 3), np.uint8)
        for i, frame in enumerate(frames):
            out[i] = self.picture(frame, size, None if views is None else views[i], i)
        return out

    def picture(
        self, frame: NDArray[np.uint8], size: int, view: Crop | None, number: int = 0
    ) -> NDArray[np.uint8]:
        """One frame of `apply`; `number` is its place in the sequence."""
        picture = np.asarray(self._picture(frame, size, view))
        if self.motion[0] >= 2:
            picture = _motion_blur(picture, *self.motion)
        if self.noise_sigma > 0:
            # One field, cut at another place for each frame: as good as new, and cheap.
            room = max(1, NOISE_SIDE - size)
            top, left = (self.noise_seed + number * 37) % room, (self.noise_seed // room + number * 53) % room
            noise = _noise_field()[top : top + size, left : left + size]
            picture = np.clip(picture + noise * np.float32(self.noise_sigma) + 0.5, 0, 255).astype(np.uint8)
        return picture

    def _picture(self, frame: NDArray[np.uint8], size: int, view: Crop | None) -> Image.Image:
        height, width = frame.shape[:2]
        unit = min(height, width)
        image = Image.fromarray(frame)
        if view is None:
            x, y, wide, high = 0.0, 0.0, width / unit, height / unit
        else:
            x, y, wide, high = view.x, view.y, view.side, view.side
        pixels = (
            unit * max(wide, high) / size * math.sqrt(abs(np.linalg.det(np.reshape(self.matrix, (2, 2)))))
        )
        if pixels > 1.8:  # sampling alone would skip pixels, which no resize at work does
            image = image.reduce(2)
            unit, height, width = unit / 2, height / 2, width / 2
        # Output pixel -> augmented picture -> source, in picture units until the last step.
        a, b, c, d = self.matrix
        left, top = x - wide / 2, y - high / 2
        coefficients = (
            a * wide / size * unit,
            b * high / size * unit,
            (a * left + b * top + self.centre[0]) * unit + width / 2,
            c * wide / size * unit,
            d * high / size * unit,
            (c * left + d * top + self.centre[1]) * unit + height / 2,
        )
        image = image.transform(
            (size, size),
            Image.Transform.AFFINE,
            coefficients,
            resample=Image.Resampling.BILINEAR,
            fillcolor=self.border,
        )
        if self.low_resolution:
            small = (self.low_resolution, self.low_resolution)
            image = image.resize(small, Image.Resampling.BOX).resize((size, size), Image.Resampling.BILINEAR)
        if self.blur_sigma > 0:
            image = image.filter(ImageFilter.GaussianBlur(self.blur_sigma * size / 224))
        if self.saturation != 1.0:
            image = Image.blend(image.convert("L").convert("RGB"), image, self.saturation)
        if self.table is not None:
            image = image.point(list(self.table))
        if self.cut_out is not None:
            left, top, right, bottom = (round(v * size) for v in self.cut_out)
            image.paste(self.border, (left, top, right, bottom))
        return image

    def points(self, xy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where points of the source are in the augmented picture, both in picture units. xy: float32 [..., 2]."""
        inverse = np.linalg.inv(np.array(self.matrix, np.float64).reshape(2, 2))
        moved: NDArray[np.float64] = (xy - np.array(self.centre)) @ inverse.T
        return moved.astype(np.float32)

    def ticks(self, start: int, frames: int, total: int) -> NDArray[np.int64]:
        """Which sampled frames the sequence from `start` takes at this speed: int64 [frames], held at the end."""
        steps = np.round(start + np.arange(frames) * self.speed).astype(np.int64)
        return np.clip(steps, 0, total - 1)


def draw(rng: np.random.Generator, ranges: Ranges) -> Augmentation:
    """Draws once for a whole sequence."""

    def within(pair: Range) -> float:
        return float(rng.uniform(*pair))

    def sometimes(chance: float) -> bool:
        return bool(rng.random() < chance)

    flip = sometimes(ranges.flip_chance)
    zoom = within(ranges.zoom)
    stretch = math.exp(float(rng.uniform(*np.log(ranges.stretch))))
    angle = math.radians(float(rng.uniform(-ranges.rotate_degrees, ranges.rotate_degrees)))
    x_scale, y_scale = zoom * stretch * (-1 if flip else 1), zoom
    cos, sin = math.cos(angle), math.sin(angle)
    centre = tuple(float(rng.uniform(-ranges.shift, ranges.shift)) for _ in range(2))
    low_light = within(ranges.low_light) if sometimes(ranges.low_light_chance) else 1.0
    noise = within(ranges.noise_sigma) if sometimes(ranges.noise_chance) or low_light < 1 else 0.0
    return Augmentation(
        flip=flip,
        matrix=(x_scale * cos, -y_scale * sin, x_scale * sin, y_scale * cos),
        centre=(centre[0], centre[1]),
        rotate_radians=angle,
        border=tuple(int(v) for v in rng.integers(0, 256, 3)) if sometimes(0.5) else (0, 0, 0),  # type: ignore[arg-type]
        table=_table(
            within(ranges.brightness) * low_light,
            within(ranges.contrast),
            within(ranges.gamma),
            [within(ranges.colour) for _ in range(3)],
        ),
        saturation=within(ranges.saturation),
        blur_sigma=within(ranges.blur_sigma) if sometimes(ranges.blur_chance) else 0.0,
        motion=(within(ranges.motion_blur_pixels), float(rng.uniform(0, math.pi)))
        if sometimes(ranges.motion_blur_chance)
        else (0.0, 0.0),
        noise_sigma=noise,
        noise_seed=int(rng.integers(2**31)),
        low_resolution=round(within(ranges.low_resolution)) if sometimes(ranges.low_resolution_chance) else 0,
        cut_out=_box(rng, ranges.cut_out_side) if sometimes(ranges.cut_out_chance) else None,
        speed=within(ranges.speed),
    )


def _table(
    brightness: float, contrast: float, gamma: float, colour: Sequence[float]
) -> tuple[int, ...] | None:
    """Brightness, contrast about the middle, gamma and the channels' gains as one table of 3 x 256 entries."""
    if brightness == contrast == gamma == 1.0 and all(c == 1.0 for c in colour):
        return None
    values = (np.arange(256) / 255.0) ** gamma
    values = (values - 0.5) * contrast + 0.5
    channels = [np.clip(values * brightness * c, 0, 1) for c in colour]
    return tuple(int(v) for v in np.round(np.concatenate(channels) * 255))


def _box(rng: np.random.Generator, side: Range) -> tuple[float, float, float, float]:
    width, height = (float(rng.uniform(*side)) for _ in range(2))
    left, top = (float(rng.uniform(0, 1 - s)) for s in (width, height))
    return (left, top, left + width, top + height)


@lru_cache(maxsize=1)
def _noise_field() -> NDArray[np.float32]:
    """One field of unit noise, made once; every draw cuts its own part out of it."""
    return np.random.default_rng(0).standard_normal((NOISE_SIDE, NOISE_SIDE, 3), np.float32)


def _motion_blur(picture: NDArray[np.uint8], length: float, direction: float) -> NDArray[np.uint8]:
    """Mean of copies shifted along a line: what a moving camera does."""
    steps = max(2, round(length))
    total = np.zeros(picture.shape, np.uint16)
    for k in range(steps):
        offset = (k - (steps - 1) / 2) * length / steps
        shift = (round(offset * math.sin(direction)), round(offset * math.cos(direction)))
        total += np.roll(picture, shift, axis=(0, 1))
    return (total // steps).astype(np.uint8)
