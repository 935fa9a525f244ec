"""Draws solids with volume into a picture: tapered elliptic cylinders with round or flat ends, shaded, by
depth.

Every solid is drawn in closed form in its own bounding box: signed distance to the outline for soft edges, a
normal for the light, a depth per pixel for what hides what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exerlitenet.synthetic.camera import Camera

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]
Shading = Literal["round", "smooth", "face"]
"""Round: ends are shaded like balls. Smooth: ends are shaded like the rest, so that neighbours join without a
seam.
Face: a flat disc, evenly lit."""
MODES: dict[Shading, int] = {"round": 0, "smooth": 1, "face": 2}


@dataclass(frozen=True)
class Solid:
    """A tapered elliptic cylinder over n frames.

    start, end: [n,3] world metres. wide: half-widths at start and end along `across`; deep: half-depths at
    right angles to it. across: [n,3], or None for a round section. caps: how far the ends bulge (0: flat).
    colour: RGB 0..1. lift: metres by which it is drawn nearer to the camera than it is (for a face on a
    head). stripes: how many dark bands along its length. shading: see Shading.
    """

    start: Array
    end: Array
    wide: tuple[float, float]
    colour: tuple[float, float, float]
    deep: tuple[float, float] | None = None
    across: Array | None = None
    caps: tuple[float, float] | None = None
    lift: float = 0.0
    stripes: float = 0.0
    shading: Shading = "round"


@dataclass(frozen=True)
class Light:
    """direction [3]: from the scene to the light, in the camera's axes; ambient and diffuse: shares of
    brightness.
    """

    direction: Array
    ambient: float
    diffuse: float


@dataclass(frozen=True)
class Outlines:
    """Solids as seen by a camera: numbers [n, k, 21] for n frames and k solids, and their constant colours
    [k,3].

    The columns: x and y of the start, unit direction x and y, length, radius at the start, its change, cap at
    the start, cap at the end, depth, its change, bulge at the start, its change, shear, light along, across
    and towards, and the bounding box x0, x1, y0, y1, all in pixels except depths (metres).
    """

    numbers: NDArray[np.float32]
    colours: NDArray[np.float32]
    stripes: NDArray[np.float32]
    modes: NDArray[np.int64]
    order: NDArray[np.int64]


def outline(solids: list[Solid], camera: Camera, light: Light) -> Outlines:
    """Project solids for all frames at once."""
    start = np.stack([s.start for s in solids], 1)
    end = np.stack([s.end for s in solids], 1)
    wide = np.array([s.wide for s in solids])
    deep = np.array([s.deep or s.wide for s in solids])
    round_ = np.array([s.across is None and s.caps is None for s in solids])
    caps = np.array([s.caps if s.caps is not None else s.wide for s in solids])
    a3, b3 = camera.seen(start), camera.seen(end)
    axis = b3 - a3
    axis = axis / np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-9)
    hint = np.stack(
        [
            np.broadcast_to(camera.position * 0 + [0, 1, 0], s.start.shape) if s.across is None else s.across
            for s in solids
        ],
        1,
    )
    u = hint @ camera.axes.T
    u = u - np.sum(u * axis, -1, keepdims=True) * axis
    weak = np.linalg.norm(u, axis=-1, keepdims=True) < 1e-6
    u = np.where(weak, np.stack([axis[..., 1], axis[..., 2], axis[..., 0]], -1), u)
    u = u - np.sum(u * axis, -1, keepdims=True) * axis
    u = u / np.maximum(np.linalg.norm(u, axis=-1, keepdims=True), 1e-9)
    v = np.cross(axis, u)

    za, zb = np.maximum(a3[..., 2], 0.05), np.maximum(b3[..., 2], 0.05)
    sa, sb = camera.focal / za, camera.focal / zb
    centre = np.array(camera.centre)
    pa, pb = a3[..., :2] * sa[..., None] + centre, b3[..., :2] * sb[..., None] + centre
    line = pb - pa
    length = np.linalg.norm(line, axis=-1)
    # The axis' direction in the picture, also for one too short to have two ends there.
    e = axis[..., :2] * za[..., None] - a3[..., :2] * axis[..., 2:]
    size = np.linalg.norm(e, axis=-1, keepdims=True)
    e = np.where(size > 1e-6, e / np.maximum(size, 1e-6), [0.0, 1.0])
    # Perspective: the line of sight through the middle stands in for the camera's axis.
    sight = (a3 + b3) / 2.0
    sight = sight / np.linalg.norm(sight, axis=-1, keepdims=True)
    along = np.concatenate([e, np.zeros_like(e[..., :1])], -1)
    along = along - np.sum(along * sight, -1, keepdims=True) * sight
    along = along / np.linalg.norm(along, axis=-1, keepdims=True)
    cross = np.cross(sight, along)

    def extent(direction: Array, which: int, cap: Array | None = None) -> Array:
        total = (wide[:, which] * np.sum(u * direction, -1)) ** 2
        total += (deep[:, which] * np.sum(v * direction, -1)) ** 2
        if cap is not None:
            total += (cap * np.sum(axis * direction, -1)) ** 2
        return np.asarray(np.sqrt(total))

    ra, rb = extent(cross, 0, caps[:, 0]) * sa, extent(cross, 1, caps[:, 1]) * sb
    ca = np.maximum(extent(along, 0, caps[:, 0]) * sa, 0.35)
    cb = np.maximum(extent(along, 1, caps[:, 1]) * sb, 0.35)
    ba, bb = extent(sight, 0, caps[:, 0]), extent(sight, 1, caps[:, 1])
    ra, rb = np.maximum(ra, 0.3), np.maximum(rb, 0.3)
    # A round cone's outline leaves its axis at an angle (the common tangent of both discs).
    taper = ra - rb
    shear = np.where(
        round_ & (length > np.abs(taper) + 0.5), taper / np.sqrt(np.maximum(length**2 - taper**2, 1.0)), 0.0
    )
    lift = np.array([s.lift for s in solids])
    modes = np.array([MODES[s.shading] for s in solids])
    facing = np.sum(sight * axis, -1, keepdims=True)
    outward = facing * axis - sight
    outward = outward / np.maximum(np.linalg.norm(outward, axis=-1, keepdims=True), 1e-6)
    normal = np.where((modes == 1)[:, None], outward, -sight)
    normal = np.where((modes == 2)[:, None], -np.sign(facing) * axis, normal)
    light_towards = normal @ light.direction
    light_along, light_across = along @ light.direction, cross @ light.direction
    ba, bb = np.where(modes == 2, 0.0, ba), np.where(modes == 2, 0.0, bb)
    reach_a, reach_b = np.maximum(ra, ca) + 1.5, np.maximum(rb, cb) + 1.5
    x0 = np.minimum(pa[..., 0] - reach_a, pb[..., 0] - reach_b)
    x1 = np.maximum(pa[..., 0] + reach_a, pb[..., 0] + reach_b)
    y0 = np.minimum(pa[..., 1] - reach_a, pb[..., 1] - reach_b)
    y1 = np.maximum(pa[..., 1] + reach_a, pb[..., 1] + reach_b)
    behind = (a3[..., 2] < 0.15) | (b3[..., 2] < 0.15)
    x1 = np.where(behind, x0 - 1.0, x1)
    za, zb = za - lift, zb - lift
    numbers = np.stack(
        [
            pa[..., 0], pa[..., 1], e[..., 0], e[..., 1], length, ra, rb - ra, ca, cb, za, zb - za, ba, bb - ba, shear,
            light_along, light_across, light_towards, x0, x1, y0, y1,
        ],
        -1,
    )  # fmt: skip
    order = np.argsort(-np.minimum(za - ba, zb - bb), axis=1, kind="stable")
    return Outlines(
        numbers.astype(np.float32),
        np.array([s.colour for s in solids], np.float32),
        np.array([s.stripes for s in solids], np.float32),
        modes,
        order,
    )


def draw(
    picture: Pixels, depth: Pixels, outlines: Outlines, frame: int, light: Light, left: int, top: int
) -> None:
    """Draw the solids of one frame into `picture` float32 [h,w,3] (0..255) and `depth` float32 [h,w], in
    place.

    left, top: where the picture's first pixel is in the camera's picture.
    """
    height, width = depth.shape
    columns = np.arange(left, left + width, dtype=np.float32) + np.float32(0.5)
    rows = (np.arange(top, top + height, dtype=np.float32) + np.float32(0.5))[:, None]
    one, zero, half = np.float32(1.0), np.float32(0.0), np.float32(0.5)
    base = np.float32(light.ambient + 0.3 * light.diffuse)
    gain = np.float32(0.7 * light.diffuse)
    values = outlines.numbers[frame].tolist()
    modes = outlines.modes.tolist()
    for index in outlines.order[frame].tolist():
        (ax, ay, ex, ey, length, ra, dr, ca, cb, za, dz, ba, db, shear, la, lc, lz, x0, x1, y0, y1) = values[
            index
        ]
        i0, i1 = max(int(x0) - left, 0), min(int(x1) + 1 - left, width)
        j0, j1 = max(int(y0) - top, 0), min(int(y1) + 1 - top, height)
        if i0 >= i1 or j0 >= j1:
            continue
        dx, dy = columns[i0:i1] - ax, rows[j0:j1] - ay
        al = dx * ex + dy * ey
        ac = dy * ex - dx * ey
        t = al * (1.0 / max(length, 1e-3))
        if shear:
            t += np.abs(ac) * (shear / length)
        np.clip(t, zero, one, out=t)
        r = t * dr
        r += ra
        over = al
        over -= t * length
        if abs(ca - ra) > 0.2 or abs(cb - ra - dr) > 0.2:
            over *= np.where(over < 0, np.float32(ra / ca), np.float32((ra + dr) / cb))
        q2 = ac * ac
        q2 += over * over
        inverse = one / r
        q2 *= inverse
        q2 *= inverse
        cover = r * (one - np.sqrt(q2))
        cover += half
        np.clip(cover, zero, one, out=cover)
        mode = modes[index]
        np.subtract(one, q2, out=q2)
        nz = np.sqrt(np.maximum(q2, zero, out=q2), out=q2)
        z = t * dz
        z += za
        z -= (t * db + ba) * nz
        if mode == 1:
            np.multiply(ac, inverse, out=nz)
            nz *= nz
            np.subtract(one, nz, out=nz)
            np.sqrt(np.maximum(nz, zero, out=nz), out=nz)
        old = depth[j0:j1, i0:i1]
        # Neighbours that share a joint are as near as each other there: the later one wins, without a fight.
        cover *= z < old + np.float32(0.002)
        if mode == 2:
            ac[:] = lz
        else:
            ac *= lc
            if mode == 0:
                over *= la
                ac += over
            ac *= inverse
            nz *= lz
            ac += nz
        ac *= gain
        ac += base
        np.clip(ac, np.float32(0.12), np.float32(1.25), out=ac)
        if outlines.stripes[index] > 0:
            ac *= np.where(np.sin(t * outlines.stripes[index]) > 0.2, np.float32(0.72), one)
        patch = picture[j0:j1, i0:i1]
        patch += cover[..., None] * (ac[..., None] * outlines.colours[index] - patch)
        np.copyto(old, z, where=cover > half)
