"""Clips made worse on purpose: how a model does in poor light, at low resolution, with another camera or
framing.

Each degradation maps frames to frames, in front of everything a model does with them. Section 6.1 of the
paper names low resolution and poor light as limits; the others are what home cameras differ in. None of
them is drawn at random from clip to clip, so every model meets the same pictures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from exerlitenet.errors import InputError
from exerlitenet.results import Frame
from exerlitenet.video.sequence import TICK_TOLERANCE_S

Degradation = Callable[[Iterable[Frame]], Iterator[Frame]]
Pixels = NDArray[np.uint8]

LIGHT_FACTOR = 0.25
LIGHT_NOISE = 8.0
LIGHT_SEED = 20_240
SHORT_SIDE = 64
BLUR_SIGMA_AT_224 = 3.0
CROPPED_SHARE = 0.2


def light(frames: Iterable[Frame]) -> Iterator[Frame]:
    """A quarter of the light, with the noise (Gaussian, sigma 8 of 255) that a camera then shows."""
    rng = np.random.default_rng(LIGHT_SEED)
    for frame in frames:
        noise = rng.standard_normal(frame.rgb.shape, np.float32)
        dark = frame.rgb * np.float32(LIGHT_FACTOR) + np.float32(LIGHT_NOISE) * noise
        yield replace(frame, rgb=np.clip(np.rint(dark), 0, 255).astype(np.uint8))


def at_rate(rate: float) -> Degradation:
    """As a camera of `rate` frames a second would deliver it: frames dropped or repeated, by time.

    Frame k has the time k / rate and shows the latest picture at that time.
    """

    def degraded(frames: Iterable[Frame]) -> Iterator[Frame]:
        start_s: float | None = None
        latest: Frame | None = None
        k = 0
        for frame in frames:
            start_s = frame.time_s if start_s is None else start_s
            # Ticks before this frame still show the one before it.
            while latest is not None and start_s + k / rate < frame.time_s - TICK_TOLERANCE_S:
                yield replace(latest, time_s=start_s + k / rate)
                k += 1
            latest = frame
        if (
            latest is not None
            and start_s is not None
            and start_s + k / rate <= latest.time_s + TICK_TOLERANCE_S
        ):
            yield replace(latest, time_s=start_s + k / rate)

    return degraded


def _each(change: Callable[[Pixels], Pixels]) -> Degradation:
    """Changes every picture by itself."""
    return lambda frames: (replace(frame, rgb=change(frame.rgb)) for frame in frames)


def _lower(rgb: Pixels) -> Pixels:
    """Down to a short side of 64 pixels and back to the former size."""
    height, width = rgb.shape[:2]
    scale = SHORT_SIDE / min(height, width)
    if scale >= 1:
        return rgb
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    image = Image.fromarray(rgb).resize(small, Image.Resampling.BOX)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def _blurred(rgb: Pixels) -> Pixels:
    """Out of focus: Gaussian of sigma 3 pixels at a short side of 224, in proportion at other sizes."""
    sigma = BLUR_SIGMA_AT_224 * min(rgb.shape[:2]) / 224
    return np.asarray(Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(sigma)))


def _padded(rgb: Pixels) -> Pixels:
    """With black to a square."""
    height, width = rgb.shape[:2]
    side = max(height, width)
    out = np.zeros((side, side, 3), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    out[top : top + height, left : left + width] = rgb
    return out


def _cropped(rgb: Pixels, *, top: bool) -> Pixels:
    """Without the upper fifth of the picture, as when the camera points too low, or without the lower one."""
    rows = min(len(rgb) - 1, math.floor(len(rgb) * CROPPED_SHARE))
    return np.ascontiguousarray(rgb[rows:] if top else rgb[: len(rgb) - rows])


DEGRADATIONS: Mapping[str, Degradation] = {
    "light": light,
    "resolution": _each(_lower),
    "blur": _each(_blurred),
    "fps-5": at_rate(5),
    "fps-10": at_rate(10),
    "fps-15": at_rate(15),
    "fps-60": at_rate(60),
    # As front cameras do.
    "mirrored": _each(lambda rgb: np.ascontiguousarray(rgb[:, ::-1])),
    "letterboxed": _each(_padded),
    "crop-head": _each(lambda rgb: _cropped(rgb, top=True)),
    "crop-feet": _each(lambda rgb: _cropped(rgb, top=False)),
}


def degradations(name: str) -> dict[str, Degradation]:
    """The degradation of that name, or all of them for "all". Raises InputError for an unknown name."""
    if name == "all":
        return dict(DEGRADATIONS)
    if name not in DEGRADATIONS:
        raise InputError(f"expected a degradation (all, {', '.join(DEGRADATIONS)}), got {name!r}")
    return {name: DEGRADATIONS[name]}
