"""The room behind the person, ray-cast once per clip."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from exerlitenet.synthetic.camera import Camera
from exerlitenet.synthetic.kinematics import Array, rotation_y
from exerlitenet.synthetic.person import Colour, cloth

MARGIN = 12
"""Pixels by which a background is larger than the picture on each side, for a shaking camera."""


class Noise:
    """Smooth random values of about -1..1 over a plane."""

    def __init__(self, rng: np.random.Generator, size: int = 64) -> None:
        self.table = rng.uniform(-1.0, 1.0, (size, size))
        self.size = size

    def at(self, u: Array, v: Array, octaves: int = 3) -> Array:
        """Values at plane coordinates of any shape; the coarsest features are about one unit large."""
        total, weight = np.zeros(np.broadcast_shapes(u.shape, v.shape)), 0.6
        for _ in range(octaves):
            i, j = np.floor(u), np.floor(v)
            a, b = u - i, v - j
            a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
            i0, j0 = i.astype(np.int64) % self.size, j.astype(np.int64) % self.size
            i1, j1 = (i0 + 1) % self.size, (j0 + 1) % self.size
            t = self.table
            top = t[j0, i0] * (1 - a) + t[j0, i1] * a
            low = t[j1, i0] * (1 - a) + t[j1, i1] * a
            total += weight * (top * (1 - b) + low * b)
            u, v, weight = u * 2.1 + 7.3, v * 2.1 + 3.1, weight * 0.5
        return total


Texture = Callable[[Array, Array], Array]


def _plain(colour: Colour, noise: Noise, amount: float, scale: float) -> Texture:
    base = np.array(colour)
    return lambda u, v: base * (1.0 + amount * noise.at(u * scale, v * scale))[..., None]


def _planks(colour: Colour, noise: Noise, width: float) -> Texture:
    base = np.array(colour)

    def paint(u: Array, v: Array) -> Array:
        row = np.floor(u / width)
        tone = np.sin(row * 12.9898) * 43758.5453
        tone = 0.12 * ((tone - np.floor(tone)) - 0.5)
        grain = 0.10 * noise.at(u * 30, v * 1.5)
        gap = np.where(np.abs(u / width - row - 0.5) > 0.48, 0.75, 1.0)
        return base * ((1.0 + tone + grain) * gap)[..., None]

    return paint


def _tiles(colour: Colour, joint: Colour, noise: Noise, size: float, bricks: bool) -> Texture:
    base, line = np.array(colour), np.array(joint)

    def paint(u: Array, v: Array) -> Array:
        row = np.floor(v / size)
        across = u / (2 * size) + 0.5 * (row % 2) if bricks else u / size
        edge = 0.03 if bricks else 0.02
        on_line = (np.abs(v / size - row - 0.5) > 0.5 - edge * 1.5) | (
            np.abs(across - np.floor(across) - 0.5) > 0.5 - edge
        )
        tone = np.sin(row * 78.233 + np.floor(across) * 37.719) * 43758.5453
        tone = 1.0 + 0.14 * ((tone - np.floor(tone)) - 0.5) + 0.06 * noise.at(u * 6, v * 6)
        return np.where(on_line[..., None], line, base * tone[..., None])

    return paint


def _pastel(rng: np.random.Generator) -> Colour:
    value, tint = rng.uniform(0.35, 0.95), rng.uniform(-0.12, 0.12, 3)
    red, green, blue = (float(np.clip(value + t, 0.05, 1.0)) for t in tint)
    return (red, green, blue)


def _floor(rng: np.random.Generator, noise: Noise) -> Texture:
    wood = np.array([0.62, 0.43, 0.27]) * rng.uniform(0.5, 1.3)
    brown: Colour = (float(wood[0]), float(wood[1]), float(wood[2]))
    kind = int(rng.integers(5))
    if kind <= 1:
        return _planks(brown, noise, float(rng.uniform(0.08, 0.2)))
    if kind == 2:
        return _tiles(_pastel(rng), _pastel(rng), noise, float(rng.uniform(0.25, 0.6)), False)
    if kind == 3:
        return _plain(cloth(rng), noise, 0.25, 20.0)
    dark = float(rng.uniform(0.1, 0.5))
    return _plain((dark, dark, dark), noise, 0.35, 4.0)


def _wall(rng: np.random.Generator, noise: Noise) -> Texture:
    kind = int(rng.integers(8))
    if kind == 0:
        brick: Colour = (float(rng.uniform(0.4, 0.65)), 0.27, 0.20)
        return _tiles(brick, (0.6, 0.57, 0.53), noise, 0.075, True)
    if kind == 1:
        base = np.array(_pastel(rng))
        other, width = base * [0.9, 0.9, 0.92], float(rng.uniform(0.06, 0.5))
        return lambda u, v: np.where((np.floor(u / width) % 2 == 0)[..., None], base, other)
    if kind == 2:
        return _planks(_pastel(rng), noise, float(rng.uniform(0.1, 0.3)))
    if kind == 3:
        return _plain(cloth(rng), noise, 0.06, 1.0)
    return _plain(_pastel(rng), noise, 0.05, 1.5)


def _on_wall(rng: np.random.Generator, colours: Array, u: Array, v: Array, noise: Noise) -> Array:
    """Paint windows, posters, doors and shelves over a wall's colours at wall coordinates (metres)."""
    for _ in range(int(rng.integers(0, 5))):
        x, kind = float(rng.uniform(-3.5, 3.5)), int(rng.integers(5))
        width, height = float(rng.uniform(0.4, 1.6)), float(rng.uniform(0.4, 1.3))
        low = float(rng.uniform(0.8, 1.5))
        if kind == 1:
            width, height, low = 0.9, 2.05, 0.0
        du, dv = (u - x) / (width / 2), (v - low - height / 2) / (height / 2)
        inside = (np.abs(du) < 1) & (np.abs(dv) < 1)
        frame = inside & ((np.abs(du) > 1 - 0.08 / width) | (np.abs(dv) > 1 - 0.08 / height))
        if kind == 0:
            light = np.array([0.85, 0.93, 1.0]) * (1.1 + 0.15 * dv + 0.1 * noise.at(u * 2, v * 2))[..., None]
            colours = np.where(inside[..., None], light, colours)
            frame |= inside & (np.abs(du) < 0.04)
            colours = np.where(frame[..., None], np.array([0.92, 0.92, 0.9]), colours)
        elif kind == 4:
            books = np.sin(np.floor(u * 28) * 91.7 + np.floor((v - low) / 0.3) * 17.3)
            tone = 0.5 + 0.5 * np.stack(
                [np.sin(books * 70), np.sin(books * 50 + 1), np.sin(books * 90 + 2)], -1
            )
            spine = np.where(((v - low) % 0.3 > 0.24)[..., None], 0.15, 0.15 + 0.6 * tone)
            board = ((v - low) % 0.3 < 0.03) & inside
            colours = np.where(inside[..., None], spine, colours)
            colours = np.where(board[..., None], np.array([0.4, 0.28, 0.18]), colours)
        else:
            one, two = np.array(cloth(rng)), np.array(cloth(rng))
            blend = np.clip(0.5 + 0.5 * dv + 0.8 * noise.at(u * 3, v * 3), 0, 1)[..., None]
            colours = np.where(
                inside[..., None], one * (1 - blend) + two * blend if kind != 1 else one, colours
            )
            colours = np.where(frame[..., None], two * 0.6, colours)
    return colours


def _boxes(
    rng: np.random.Generator, origin: Array, rays: Array, colours: Array, depth: Array, clear: float
) -> Array:
    """Paint furniture: boxes on the floor outside a circle of `clear` metres round the person."""
    for _ in range(int(rng.integers(0, 6))):
        size = np.array([rng.uniform(0.3, 1.6), rng.uniform(0.3, 1.9), rng.uniform(0.3, 0.7)])
        rotate = rotation_y(np.array(rng.uniform(-0.4, 0.4)))
        x = float(rng.uniform(clear, 3.2)) * (1 if rng.random() < 0.5 else -1)
        z = float(rng.uniform(-3.0, 0.0))
        if rng.random() < 0.3:
            x, z = float(rng.uniform(-1.5, 1.5)), float(rng.uniform(-3.2, -clear - 0.6))
        o = rotate @ (origin - np.array([x, size[1] / 2, z]))
        d = rays @ rotate.T
        d = np.where(np.abs(d) < 1e-9, 1e-9, d)
        t1, t2 = (-size / 2 - o) / d, (size / 2 - o) / d
        near, far = np.minimum(t1, t2), np.maximum(t1, t2)
        t = near.max(-1)
        hit = (t < far.min(-1)) & (t > 0.3) & (t < depth)
        face = near.argmax(-1)
        tone = np.array([0.75, 1.15, 0.95])[face]
        local = o + t[..., None] * d
        bands = np.where(((local[..., 1] / size[1] * int(rng.integers(1, 5))) % 1.0) < 0.05, 0.7, 1.0)
        paint = np.array(cloth(rng)) * (tone * bands)[..., None]
        colours = np.where(hit[..., None], paint, colours)
        depth = np.where(hit, t, depth)
    return colours


def build_room(rng: np.random.Generator, camera: Camera, clear: float) -> NDArray[np.float32]:
    """A room for a camera, float32 [h+2m, w+2m, 3] in 0..255, m = MARGIN: colours under white light.

    clear: metres round the origin that stay free.
    """
    rng.random()  # once drew what kind of place; seeds keep their rooms
    noise, rays = Noise(rng), camera.rays(MARGIN)
    rotate = rotation_y(np.array(rng.normal(0.0, 0.2) if rng.random() < 0.6 else 0.0))
    o, d = rotate @ camera.position, rays @ rotate.T
    d = np.where(np.abs(d) < 1e-9, 1e-9, d)
    back = -clear - float(rng.choice([rng.uniform(0.1, 0.8), rng.uniform(0.8, 4.0)]))
    left = min(-clear - float(rng.uniform(0.2, 3.0)), o[0] - 0.5)
    right = max(clear + float(rng.uniform(0.2, 3.0)), o[0] + 0.5)
    top = max(float(rng.uniform(2.3, 3.6)), o[1] + 0.3)
    # (axis, place) of floor, ceiling, back wall and three further walls.
    planes = [(1, 0.0), (1, top), (2, back), (0, left), (0, right), (2, float(o[2]) + 2.0)]
    depth = np.full(rays.shape[:2], np.inf)
    which = np.zeros(rays.shape[:2], np.int64)
    for k, (axis, at) in enumerate(planes):
        t = (at - o[axis]) / d[..., axis]
        nearer = (t > 0.01) & (t < depth)
        depth, which = np.where(nearer, t, depth), np.where(nearer, k, which)
    depth = np.where(np.isfinite(depth), depth, 10.0)
    point = o + depth[..., None] * d
    floor, wall = _floor(rng, noise), _wall(rng, noise)
    side = wall if rng.random() < 0.7 else _wall(rng, noise)
    x, y, z = point[..., 0], point[..., 1], point[..., 2]
    colours = floor(x, z)
    if rng.random() < 0.3:
        half = (float(rng.uniform(0.4, 1.2)), float(rng.uniform(0.5, 1.2)))
        on_mat = (np.abs(x) < half[0]) & (np.abs(z) < half[1])
        colours = np.where(
            on_mat[..., None], np.array(cloth(rng)) * (1 + 0.1 * noise.at(x * 30, z * 30))[..., None], colours
        )
    white = np.array([0.92, 0.92, 0.9]) * rng.uniform(0.6, 1.0)
    colours = np.where((which == 1)[..., None], white, colours)
    behind = _on_wall(rng, wall(x, y), x, y, noise)
    skirting = np.array(_pastel(rng)) if rng.random() < 0.6 else None
    if skirting is not None:
        behind = np.where((y < 0.09)[..., None], skirting, behind)
    colours = np.where((which == 2)[..., None], behind, colours)
    beside = _on_wall(rng, side(z, y), z, y, noise) * rng.uniform(0.75, 1.0)
    colours = np.where((which >= 3)[..., None], beside, colours)
    colours = _boxes(rng, o, d, colours, depth, clear)
    # Corners are darker: a cheap stand-in for light that bounces.
    corner = np.minimum(np.minimum(np.abs(x - left), np.abs(x - right)), np.abs(z - back))
    corner = np.minimum(corner, np.where(which == 0, np.inf, np.abs(y)) + 0.1)
    picture = colours * (0.82 + 0.18 * np.clip(corner / 0.5, 0, 1))[..., None]
    pixels: NDArray[np.float32] = np.clip(picture * 255.0, 0, 255).astype(np.float32)
    if rng.random() < 0.3:
        soft = ImageFilter.GaussianBlur(float(rng.uniform(0.6, 2.5)))
        pixels = np.asarray(Image.fromarray(pixels.astype(np.uint8)).filter(soft), np.float32)
    return pixels
