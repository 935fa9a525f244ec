"""Frames of a person in a room: light, shadow, camera shake, sensor noise and blur."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from exerlitenet.synthetic.camera import Camera
from exerlitenet.synthetic.kinematics import Array
from exerlitenet.synthetic.raster import Light, Outlines, Pixels, Solid, draw, outline
from exerlitenet.synthetic.room import MARGIN

SHADOW_SCALE = 4
"""The shadow is drawn this many times smaller than the picture: it is soft."""


@dataclass(frozen=True)
class Style:
    """How the camera and the light treat a clip.

    sun [3]: direction from the scene to the light in the camera's axes; ambient, diffuse: shares of
    brightness; tint [3]: colour of the light; shadow: 0..1; noise: standard deviation in grey levels; blur:
    radius in pixels; shake [n,2]: whole pixels by which each frame is moved; gamma, vignette: 1 and 0 for
    none.
    """

    sun: Array
    ambient: float
    diffuse: float
    tint: Array
    shadow: float
    noise: float
    blur: float
    shake: NDArray[np.int64]
    gamma: float
    vignette: float


def draw_style(rng: np.random.Generator, frames: int, short_side: int) -> Style:
    """Light and camera drawn at random: most clips clear, some dark, tinted, noisy, blurred or shaking."""
    azimuth, height = rng.uniform(-np.pi, np.pi), rng.uniform(0.5, 1.35)
    sun = np.array([np.cos(height) * np.sin(azimuth), -np.sin(height), -np.cos(height) * np.cos(azimuth)])
    exposure = float(np.clip(rng.normal(0.98, 0.15), 0.5, 1.25))
    if rng.random() < 0.1:
        exposure *= float(rng.uniform(0.35, 0.7))
    contrast = float(rng.uniform(0.25, 0.65))
    warm = float(rng.normal(0.0, 0.07))
    tint = exposure * np.array([1.0 + warm, 1.0 + 0.2 * float(rng.normal(0, 0.1)), 1.0 - warm])
    shake = np.zeros((frames, 2), np.int64)
    if rng.random() < 0.3:
        size = float(rng.uniform(0.5, 3.5)) * short_side / 256
        walk = np.cumsum(rng.normal(0, 1, (frames + 8, 2)), 0)
        walk = walk[8:] * 0.5 + walk[4:-4] * 0.3 + walk[:-8] * 0.2
        walk -= walk.mean(0)
        walk = np.round(walk * size / max(float(np.abs(walk).max()), 1e-6))
        shake = np.clip(walk, -MARGIN, MARGIN).astype(np.int64)
    return Style(
        sun=sun,
        ambient=1.0 - 0.75 * contrast,
        diffuse=1.1 * contrast,
        tint=tint,
        shadow=float(rng.uniform(0.15, 0.6)),
        noise=float(rng.uniform(1.5, 8.0)) if rng.random() < 0.35 else 0.0,
        blur=float(rng.uniform(0.4, 1.1)) if rng.random() < 0.2 else 0.0,
        shake=shake,
        gamma=float(rng.uniform(0.8, 1.25)),
        vignette=float(rng.uniform(0.1, 0.4)) if rng.random() < 0.3 else 0.0,
    )


def finish(pixels: Pixels, style: Style) -> Pixels:
    """Tint, exposure and gamma of pixels 0..255 [..., 3]."""
    lit = np.clip(pixels * style.tint.astype(np.float32) / 255.0, 0.0, 1.0)
    return np.asarray(lit**style.gamma * 255.0, np.float32)


def render(
    solids: list[Solid], camera: Camera, room: Pixels, style: Style, frames: int, noise_seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Frames uint8 [n,h,w,3], and the first frame's background alone, uint8 [h,w,3], without noise and blur.

    room: as `build_room` makes it.
    """
    height, width = camera.height, camera.width
    back = finish(room, style)
    if style.vignette:
        y, x = np.mgrid[-1 : 1 : back.shape[0] * 1j, -1 : 1 : back.shape[1] * 1j]
        fall = 1.0 - style.vignette * np.clip((x * x + y * y) / 2, 0, 1)
        back = back * fall.astype(np.float32)[..., None]
    light = Light(style.sun, style.ambient, style.diffuse)
    person = shadows = None
    if solids:
        shadows = _shadow_outlines(solids, camera, style)
        colours = finish(np.array([s.colour for s in solids], np.float32) * 255.0, style)
        person = replace(outline(solids, camera, light), colours=colours)
    rng = np.random.default_rng(noise_seed)
    # A few fields of noise, moved about, look like fresh noise and cost little.
    fields = None
    if style.noise:
        fields = (rng.normal(0, style.noise, (3, height, width, 3)) + 0.5).astype(np.int16)
    out = np.empty((frames, height, width, 3), np.uint8)
    for k in range(frames):
        dx, dy = (int(v) for v in style.shake[k])
        picture = out[k]
        picture[:] = back[MARGIN - dy : MARGIN - dy + height, MARGIN - dx : MARGIN - dx + width]
        if person is not None and shadows is not None:
            left, right, top, low = _bounds(person.numbers[k], width, height, dx, dy)
            _cast(picture, *shadows, camera, style, k, dx, dy)
            if left < right and top < low:
                patch = picture[top:low, left:right].astype(np.float32)
                depth = np.full(patch.shape[:2], 1e9, np.float32)
                draw(patch, depth, person, k, light, left - dx, top - dy)
                np.clip(patch, 0, 255, out=patch)
                picture[top:low, left:right] = patch
        if style.blur:
            picture[:] = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(style.blur)))
        if fields is not None:
            field = np.roll(fields[k % 3], int(rng.integers(height * width)) * 3)
            noisy = picture.astype(np.int16)
            noisy += field
            picture[:] = np.clip(noisy, 0, 255, out=noisy)
    dx, dy = (int(v) for v in style.shake[0])
    empty = back[MARGIN - dy : MARGIN - dy + height, MARGIN - dx : MARGIN - dx + width].astype(np.uint8)
    return out, empty


def _bounds(
    numbers: NDArray[np.float32], width: int, height: int, dx: int, dy: int
) -> tuple[int, int, int, int]:
    drawn = numbers[numbers[:, 18] > numbers[:, 17]]
    if not len(drawn):
        return 0, 0, 0, 0
    left, right = int(drawn[:, 17].min()) + dx - 1, int(drawn[:, 18].max()) + dx + 2
    top, low = int(drawn[:, 19].min()) + dy - 1, int(drawn[:, 20].max()) + dy + 2
    return max(left, 0), min(right, width), max(top, 0), min(low, height)


def _shadow_outlines(solids: list[Solid], camera: Camera, style: Style) -> tuple[Outlines, Light]:
    """The solids pressed flat onto the floor along the light, for a camera of lower resolution."""
    to_light = style.sun @ camera.axes
    up = max(float(to_light[1]), 0.45)
    slope = np.array([to_light[0] / up, 1.0, to_light[2] / up])
    flat: list[Solid] = []
    lying = np.broadcast_to([0.0, 1.0, 0.0], solids[0].start.shape)
    for solid in solids:
        if max(solid.wide) < 0.03:
            continue
        start, end = (p - p[:, 1:2] * slope for p in (solid.start, solid.end))
        wide = (solid.wide[0] * 1.1, solid.wide[1] * 1.1)
        flat.append(Solid(start, end, (0.01, 0.01), (0.0, 0.0, 0.0), wide, lying, wide))
    scale = SHADOW_SCALE
    small = replace(
        camera, focal=camera.focal / scale, centre=(camera.centre[0] / scale, camera.centre[1] / scale),
        width=-(-camera.width // scale), height=-(-camera.height // scale),
    )  # fmt: skip
    light = Light(style.sun, 1.0, 0.0)
    drawn = outline(flat, small, light)
    return replace(drawn, colours=np.full_like(drawn.colours, 255.0)), light


def _cast(
    picture: NDArray[np.uint8], shadows: Outlines, light: Light, camera: Camera, style: Style, k: int, dx: int, dy: int
) -> None:  # fmt: skip
    """Darken the floor where the shadow falls, in place."""
    scale = SHADOW_SCALE
    left, right, top, low = _bounds(
        shadows.numbers[k], -(-camera.width // scale), -(-camera.height // scale), 0, 0
    )
    left, right, top, low = max(left - 1, 0), right + 1, max(top - 1, 0), low + 1
    if left >= right or top >= low:
        return
    cover = np.zeros((low - top, right - left, 3), np.float32)
    depth = np.full(cover.shape[:2], 1e9, np.float32)
    draw(cover, depth, shadows, k, light, left, top)
    mask = Image.fromarray(np.clip(cover[..., 0], 0, 255).astype(np.uint8)).filter(ImageFilter.BoxBlur(0.7))
    big = np.asarray(
        mask.resize((mask.width * scale, mask.height * scale), Image.Resampling.BILINEAR), np.float32
    )
    x0, y0 = left * scale + dx, top * scale + dy
    i0, j0 = max(x0, 0), max(y0, 0)
    i1, j1 = min(x0 + big.shape[1], picture.shape[1]), min(y0 + big.shape[0], picture.shape[0])
    if i0 >= i1 or j0 >= j1:
        return
    part = big[j0 - y0 : j1 - y0, i0 - x0 : i1 - x0]
    part = 1.0 - part * np.float32(style.shadow / 255.0)
    picture[j0:j1, i0:i1] = picture[j0:j1, i0:i1] * part[..., None]
