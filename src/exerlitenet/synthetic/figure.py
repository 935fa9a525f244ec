"""The solids of a dressed person, and of what the person holds or sits on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from exerlitenet.synthetic.body import Body
from exerlitenet.synthetic.kinematics import Array, Skeleton, unit
from exerlitenet.synthetic.look import Colour, Look
from exerlitenet.synthetic.raster import Solid

Held = Literal["nothing", "dumbbells", "left", "right", "barbell", "bar_on_back", "goblet", "ball", "cup"]


@dataclass(frozen=True)
class Props:
    """What is held; size scales weights; seat: a block to sit on (middle of its top, half-width, half-
    length).
    """

    held: Held = "nothing"
    size: float = 1.0
    seat: tuple[tuple[float, float, float], float, float] | None = None
    seat_back: bool = False


def shade(colour: Colour, by: float) -> Colour:
    """The colour made lighter (by > 1) or darker, within 0..1."""
    red, green, blue = (min(max(c * by, 0.0), 1.0) for c in colour)
    return (red, green, blue)


def dressed(body: Body, look: Look, pose: Skeleton) -> list[Solid]:
    """All solids of the person, in no particular order."""
    return [
        *_legs(body, look, pose),
        *_torso(body, look, pose),
        *_arms(body, look, pose),
        *_head(body, look, pose),
    ]


def _legs(body: Body, look: Look, pose: Skeleton) -> list[Solid]:
    h, g = body.height, body.girth
    hip_r, knee_r = 0.050 * h * g * (1 + 0.06 * body.femininity), 0.0325 * h * (0.5 + 0.5 * g)
    calf_r, ankle_r = 0.0345 * h * (0.4 + 0.6 * g), 0.0215 * h
    out: list[Solid] = []
    for s in (0, 1):
        hip, knee, ankle = pose.hips[:, s], pose.knees[:, s], pose.ankles[:, s]
        calf = knee + 0.33 * (ankle - knee) - 0.012 * pose.foot_axes[:, s, :, 2]
        covered = look.legs in ("trousers", "wide", "leggings")
        loose = {"trousers": 0.010, "wide": 0.022, "shorts": 0.0, "leggings": 0.0}[look.legs]
        upper = look.legs_colour if covered else look.skin
        out.append(Solid(hip, knee, (hip_r + 0.4 * loose, knee_r + loose), upper))
        if look.legs in ("trousers", "wide"):
            cuff = ankle_r + loose + (0.012 if look.legs == "wide" else 0.004)
            end = knee + 0.93 * (ankle - knee)
            out.append(Solid(knee, end, (knee_r + loose, cuff), upper, caps=(knee_r + loose, 0.0)))
            out.append(Solid(calf, ankle, (calf_r, ankle_r), upper))
        else:
            out.append(Solid(knee, calf, (knee_r, calf_r), upper))
            out.append(Solid(calf, ankle, (calf_r, ankle_r), upper))
        if look.legs == "shorts":
            end = hip + look.shorts_end * (knee - hip)
            r = knee_r + (hip_r - knee_r) * (1 - look.shorts_end)
            out.append(
                Solid(hip, end, (hip_r + 0.006, r + 0.018), look.legs_colour, caps=(hip_r + 0.006, 0.0))
            )
        if look.socks is not None and look.legs != "trousers":
            top = ankle + 0.25 * (knee - ankle)
            out.append(Solid(top, ankle, (ankle_r + 0.008, ankle_r + 0.005), look.socks, caps=(0.0, ankle_r)))
        axes = pose.foot_axes[:, s]
        forward, up = axes[:, :, 2], axes[:, :, 1]
        back = pose.heels[:, s] + 0.030 * forward + 0.022 * up
        ball = pose.toes[:, s] - 0.035 * forward + 0.014 * up
        side = axes[:, :, 0]
        width = 0.155 * body.foot
        out.append(Solid(back, ball, (0.8 * width, width), look.shoe, (0.036, 0.026), side, (0.035, 0.045)))
        out.append(Solid(ankle, 0.4 * back + 0.6 * ball + 0.01 * up, (ankle_r * 1.1, 0.03), look.shoe))
        down = -0.022 * up
        out.append(Solid(back + down, ball + 0.8 * down, (0.85 * width, 1.04 * width), look.sole, (0.014, 0.012),
                         side, (0.04, 0.05)))  # fmt: skip
    return out


def _torso(body: Body, look: Look, pose: Skeleton) -> list[Solid]:
    h, g, f = body.height, body.girth, body.femininity
    across_low, across = pose.pelvis_axes[:, :, 0], pose.chest_axes[:, :, 0]
    up_low, up, front = pose.pelvis_axes[:, :, 1], pose.chest_axes[:, :, 1], pose.chest_axes[:, :, 2]
    hip_w, waist_w = body.half_hips + 0.045 * h * g, (0.080 - 0.010 * f) * h * g
    chest_w = body.half_shoulders * 0.86 * (0.7 + 0.3 * g)
    belly = 0.060 * h * g**1.5
    low = pose.pelvis - 0.015 * up_low
    waist = pose.pelvis + 0.24 * body.trunk * up_low
    top = pose.neck - 0.10 * body.trunk * up
    middle = look.skin if look.midriff else look.shirt
    out = [
        Solid(low, waist, (hip_w, waist_w), look.legs_colour, (0.062 * h * g, belly), across_low, (0.05 * h, 0.02)),
        Solid(waist, pose.chest, (waist_w * 1.02, chest_w * 0.97), middle, (belly * 1.02, 0.060 * h * g), across,
              (0.035, 0.03), stripes=look.shirt_stripes * 0.5),
        Solid(pose.chest, top, (chest_w, chest_w * 0.98), look.shirt, (0.062 * h * g, 0.055 * h), across,
              (0.05, 0.05), stripes=look.shirt_stripes),
        Solid(pose.shoulders[:, 0], pose.shoulders[:, 1], (0.030 * h, 0.030 * h), look.shirt),
        Solid(pose.neck - 0.02 * up, pose.neck + 1.5 * body.neck * up, (0.036 * h, 0.029 * h), look.skin),
        Solid(0.45 * pose.shoulders[:, 0] + 0.55 * pose.neck, pose.neck + 0.3 * body.neck * up, (0.028 * h, 0.02 * h),
              look.skin if look.sleeve == "none" else look.shirt),
        Solid(0.45 * pose.shoulders[:, 1] + 0.55 * pose.neck, pose.neck + 0.3 * body.neck * up, (0.028 * h, 0.02 * h),
              look.skin if look.sleeve == "none" else look.shirt),
    ]  # fmt: skip
    if not look.midriff:
        hem = pose.pelvis + 0.10 * body.trunk * up_low
        out.append(
            Solid(
                hem,
                waist,
                (hip_w * 0.97 + 0.008, waist_w + 0.012),
                look.shirt,
                (0.062 * h * g + 0.010, belly + 0.008),
                across_low,
                (0.004, 0.03),
            )  # fmt: skip
        )
    if f > 0.5:
        for s in (1.0, -1.0):
            bust = pose.chest + 0.24 * body.trunk * up + 0.042 * h * front + s * 0.04 * h * across
            out.append(Solid(bust, bust - 0.02 * up, (0.034 * h, 0.036 * h), look.shirt))
    if look.print_colour is not None and look.shirt != look.skin:
        spot = pose.chest + 0.28 * body.trunk * up + (0.060 * h * g + 0.006) * front
        out.append(
            Solid(
                spot - 0.035 * up,
                spot + 0.035 * up,
                (0.055, 0.055),
                look.print_colour,
                (0.006, 0.006),
                across,
                (0.0, 0.0),
                lift=0.02,
            )  # fmt: skip
        )
    return out


def _arms(body: Body, look: Look, pose: Skeleton) -> list[Solid]:
    h, g = body.height, body.girth
    shoulder_r, elbow_r = 0.0310 * h * (0.35 + 0.65 * g), 0.0225 * h * (0.5 + 0.5 * g)
    fore_r, wrist_r, hand_r = 0.0240 * h * (0.5 + 0.5 * g), 0.0155 * h, 0.0175 * h
    out: list[Solid] = []
    for s in (0, 1):
        shoulder, elbow, wrist, knuckle = (
            x[:, s] for x in (pose.shoulders, pose.elbows, pose.wrists, pose.knuckles)
        )
        covered = look.sleeve == "long"
        colour = look.shirt if covered else look.skin
        loose = 0.006 if covered else 0.0
        middle = shoulder + 0.5 * (elbow - shoulder)
        bulge = elbow + 0.28 * (wrist - elbow)
        out.append(Solid(shoulder, middle, (shoulder_r, 0.0285 * h * (0.3 + 0.7 * g) + loose), colour))
        out.append(Solid(middle, elbow, (0.0285 * h * (0.3 + 0.7 * g) + loose, elbow_r + loose), colour))
        out.append(Solid(elbow, bulge, (elbow_r + loose, fore_r + loose), colour))
        out.append(Solid(bulge, wrist, (fore_r + loose, wrist_r + loose * 1.5), colour))
        palm = wrist + 0.75 * (knuckle - wrist)
        out.append(Solid(wrist, palm, (wrist_r, hand_r), look.skin))
        out.append(Solid(palm, knuckle + 0.25 * (knuckle - wrist), (hand_r, 0.012 * h), look.skin))
        if look.sleeve == "short":
            end = shoulder + 0.55 * (elbow - shoulder)
            out.append(Solid(shoulder, end, (shoulder_r + 0.006, shoulder_r + 0.010), look.shirt,
                             caps=(shoulder_r + 0.006, 0.0)))  # fmt: skip
    return out


def _head(body: Body, look: Look, pose: Skeleton) -> list[Solid]:
    side, up, front = (pose.head_axes[:, :, k] for k in range(3))
    r = 0.5 * body.head
    middle = pose.head
    out = [
        Solid(middle + 0.25 * r * up, middle - 0.30 * r * up + 0.05 * r * front, (0.72 * r, 0.60 * r), look.skin,
              (0.86 * r, 0.70 * r), side, (0.72 * r, 0.60 * r)),
    ]  # fmt: skip
    for s in (1.0, -1.0):
        ear = middle + s * 0.72 * r * side - 0.05 * r * front
        out.append(
            Solid(ear + 0.12 * r * up, ear - 0.12 * r * up, (0.12 * r, 0.10 * r), shade(look.skin, 0.9))
        )
        eye = middle + 0.27 * r * s * side + 0.10 * r * up + 0.72 * r * front
        out.append(Solid(eye, eye + 0.03 * r * side, (0.085 * r, 0.085 * r), (0.10, 0.07, 0.06), lift=0.02))
        brow = eye + 0.20 * r * up
        out.append(Solid(brow - 0.12 * r * side, brow + 0.12 * r * side, (0.045 * r, 0.045 * r), shade(look.hair, 0.8),
                         lift=0.02))  # fmt: skip
    nose = middle - 0.10 * r * up + 0.86 * r * front
    out.append(
        Solid(nose + 0.2 * r * up - 0.1 * r * front, nose, (0.06 * r, 0.11 * r), shade(look.skin, 1.02))
    )
    mouth = middle - 0.48 * r * up + 0.68 * r * front
    lips = (min(look.skin[0] * 0.85, 1.0), look.skin[1] * 0.58, look.skin[2] * 0.58)
    out.append(
        Solid(mouth - 0.18 * r * side, mouth + 0.18 * r * side, (0.055 * r, 0.055 * r), lips, lift=0.02)
    )
    if look.beard:
        chin = middle - 0.62 * r * up + 0.30 * r * front
        out.append(Solid(chin, chin + 0.15 * r * up, (0.50 * r, 0.58 * r), look.hair, (0.46 * r, 0.5 * r), side,
                         (0.30 * r, 0.2 * r)))  # fmt: skip
    if look.hair_style == "bald":
        return out
    crown = middle + 0.34 * r * up - 0.16 * r * front
    size = 1.12 if look.hair_style == "afro" else 0.82
    out.append(Solid(crown + 0.12 * r * up, crown - 0.28 * r * up - 0.12 * r * front, (size * r, (size - 0.06) * r),
                     look.hair, (size * r, size * 0.84 * r), side, (0.68 * r * (1 + (size > 1) * 0.3), 0.5 * r)))  # fmt: skip
    back = middle - 0.55 * r * front
    if look.hair_style == "long":
        out.append(Solid(crown - 0.1 * r * up - 0.2 * r * front, back - 1.7 * r * up, (0.78 * r, 0.62 * r), look.hair,
                         (0.42 * r, 0.25 * r), side, (0.3 * r, 0.15 * r)))  # fmt: skip
    elif look.hair_style == "tail":
        knot = middle + 0.45 * r * up - 0.95 * r * front
        out.append(Solid(knot, knot - 0.45 * r * front - 1.3 * r * up, (0.20 * r, 0.12 * r), look.hair))
    elif look.hair_style == "bun":
        knot = middle + 0.75 * r * up - 0.75 * r * front
        out.append(Solid(knot, knot + 0.05 * r * up, (0.36 * r, 0.36 * r), look.hair))
    elif look.hair_style == "cap":
        brim = middle + 0.42 * r * up + 0.65 * r * front
        out.append(Solid(brim, brim + 0.5 * r * front - 0.08 * r * up, (0.6 * r, 0.5 * r), look.hair,
                         (0.06 * r, 0.05 * r), side, (0.1 * r, 0.2 * r)))  # fmt: skip
    return out


def held(body: Body, look: Look, pose: Skeleton, props: Props) -> list[Solid]:
    """The solids of what is held and of the seat."""
    out: list[Solid] = []
    r = 0.055 * props.size
    grips = pose.wrists + 0.7 * (pose.knuckles - pose.wrists)
    if props.held in ("dumbbells", "left", "right"):
        for s in (0, 1):
            if (props.held == "left" and s == 1) or (props.held == "right" and s == 0):
                continue
            out.extend(_dumbbell(grips[:, s], pose.handle[:, s], r, look))
    elif props.held == "goblet":
        middle = grips.mean(1) + 0.03 * pose.chest_axes[:, :, 2]
        out.extend(_dumbbell(middle, pose.chest_axes[:, :, 1], 1.3 * r, look))
    elif props.held == "ball":
        middle = grips.mean(1)
        out.append(Solid(middle, middle + [0.0, 0.01, 0.0], (2.0 * r, 2.0 * r), look.weight))
    elif props.held == "cup":
        up = pose.handle[:, 1]
        grip = grips[:, 1]
        out.append(Solid(grip - 0.05 * up, grip + 0.07 * up, (0.035, 0.04), look.weight, caps=(0.0, 0.0)))
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
                out.append(Solid(inner, inner + s * 0.04 * across, (plate, plate), tone, caps=(0.0, 0.0)))
    if props.seat is not None:
        out.extend(_seat(pose, props))
    return out


def _dumbbell(middle: Array, axis: Array, r: float, look: Look) -> list[Solid]:
    out = [Solid(middle - 0.07 * axis, middle + 0.07 * axis, (0.015, 0.015), look.metal, caps=(0.0, 0.0))]
    for s in (1.0, -1.0):
        inner = middle + s * 0.055 * axis
        out.append(Solid(inner, inner + s * 0.9 * r * axis, (r, r), look.weight, caps=(0.0, 0.0)))
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
    for dz in (-0.8 * half_length, 0.8 * half_length):
        for dx in (-0.7 * half_width, 0.7 * half_width):
            out.append(Solid(fixed(dx, -0.06, dz), fixed(dx, 0.02 - y, dz), (0.02, 0.02), (0.35, 0.35, 0.37)))
    if props.seat_back:
        out.append(Solid(fixed(0, 0.0, -half_length), fixed(0, 0.45, -half_length - 0.08), (half_width, half_width),
                         dark, (0.03, 0.03), across, (0.02, 0.02)))  # fmt: skip
    return out
