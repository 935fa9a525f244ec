"""The solids of what a person holds or sits on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from exerlitenet.synthetic.kinematics import Array, Skeleton, unit
from exerlitenet.synthetic.person import Body, Colour, Look, shade
from exerlitenet.synthetic.raster import Solid

Held = Literal["nothing", "dumbbells", "left", "right", "barbell", "bar_on_back", "goblet", "ball"]


@dataclass(frozen=True)
class Props:
    """What is held; size scales weights; seat: a block to sit on (middle of its top, half-width, half-
    length).
    """

    held: Held = "nothing"
    size: float = 1.0
    seat: tuple[tuple[float, float, float], float, float] | None = None
    seat_back: bool = False


def held(body: Body, look: Look, pose: Skeleton, props: Props) -> list[Solid]:
    """The solids of what is held and of the seat."""
    out: list[Solid] = []
    r = 0.055 * props.size
    grips = pose.wrists + 0.7 * (pose.knuckles - pose.wrists)
    if props.held in ("dumbbells", "left", "right"):
        for hand in (0, 1):
            if (props.held == "left" and hand == 1) or (props.held == "right" and hand == 0):
                continue
            out.extend(dumbbell(grips[:, hand], pose.handle[:, hand], r, look))
    elif props.held == "goblet":
        middle = grips.mean(1) + 0.03 * pose.chest_axes[:, :, 2]
        out.extend(dumbbell(middle, pose.chest_axes[:, :, 1], 1.3 * r, look))
    elif props.held == "ball":
        middle = grips.mean(1)
        out.append(Solid(middle, middle + np.array([0.0, 0.01, 0.0]), (2.0 * r, 2.0 * r), look.weight))
    elif props.held in ("barbell", "bar_on_back"):
        across = unit(grips[:, 0] - grips[:, 1])
        middle = grips.mean(1)
        if props.held == "bar_on_back":
            across = pose.chest_axes[:, :, 0]
            middle = pose.neck + 0.005 * pose.chest_axes[:, :, 1] - 0.075 * pose.chest_axes[:, :, 2]
        half = 0.55 + 0.3 * min(props.size, 1.5)
        out.append(
            Solid(middle - half * across, middle + half * across, (0.013, 0.013), look.metal, caps=(0.0, 0.0))
        )
        for s in (1.0, -1.0):
            for k, plate in enumerate((2.6 * r, 2.0 * r)):
                inner = middle + s * (half - 0.16 + 0.05 * k) * across
                tone = look.weight if k == 0 else shade(look.weight, 0.8)
                out.extend(drum(inner, inner + s * 0.04 * across, plate, tone))
    if props.seat is not None:
        out.extend(_seat(pose, props))
    return out


def drum(start: Array, end: Array, r: float, colour: Colour) -> list[Solid]:
    """A short cylinder with flat faces."""
    axis = 1e-3 * unit(end - start)
    face = shade(colour, 0.9)
    return [
        Solid(start, end, (r, r), colour, caps=(0.0, 0.0), shading="smooth"),
        Solid(start, start - axis, (r, r), face, caps=(0.0, 0.0), lift=0.004, shading="face"),
        Solid(end, end + axis, (r, r), face, caps=(0.0, 0.0), lift=0.004, shading="face"),
    ]


def dumbbell(middle: Array, axis: Array, r: float, look: Look) -> list[Solid]:
    """A dumbbell round `middle` [n,3] along `axis` [n,3] with heads of radius `r`."""
    out = [Solid(middle - 0.07 * axis, middle + 0.07 * axis, (0.015, 0.015), look.metal, caps=(0.0, 0.0))]
    for s in (1.0, -1.0):
        inner = middle + s * 0.055 * axis
        out.extend(drum(inner, inner + s * 0.9 * r * axis, r, look.weight))
    return out


def _seat(pose: Skeleton, props: Props) -> list[Solid]:
    if props.seat is None:
        return []
    (x, y, z), half_width, half_length = props.seat
    n = len(pose.pelvis)

    def fixed(dx: float, dy: float, dz: float) -> Array:
        return np.broadcast_to(np.array([x + dx, y + dy, z + dz]), (n, 3))

    across = np.broadcast_to([1.0, 0.0, 0.0], (n, 3))
    dark: Colour = (0.13, 0.13, 0.15)
    out = [
        Solid(fixed(0, -0.04, -half_length), fixed(0, -0.04, half_length), (half_width, half_width), dark,
              (0.04, 0.04), across, (0.0, 0.0)),
    ]  # fmt: skip
    out.extend(
        Solid(fixed(dx, -0.06, dz), fixed(dx, 0.02 - y, dz), (0.02, 0.02), (0.35, 0.35, 0.37))
        for dz in (-0.8 * half_length, 0.8 * half_length)
        for dx in (-0.7 * half_width, 0.7 * half_width)
    )
    if props.seat_back:
        out.append(Solid(fixed(0, 0.0, -half_length), fixed(0, 0.45, -half_length - 0.08), (half_width, half_width),
                         dark, (0.03, 0.03), across, (0.02, 0.02)))  # fmt: skip
    return out
