"""The solids of a dressed person."""

from __future__ import annotations

from exerlitenet.synthetic.kinematics import Array, Skeleton
from exerlitenet.synthetic.person import Body, Colour, Look, shade
from exerlitenet.synthetic.raster import Solid


def dressed(body: Body, look: Look, pose: Skeleton) -> list[Solid]:
    """All solids of the person, in no particular order."""
    return [
        *_legs(body, look, pose),
        *_torso(body, look, pose),
        *_arms(body, look, pose),
        *_head(body, look, pose),
    ]


def _limb(
    start: Array, end: Array, r: tuple[float, float], colour: Colour, caps: tuple[float, float] | None = None
) -> Solid:
    return Solid(start, end, r, colour, caps=caps, shading="smooth")


def _legs(body: Body, look: Look, pose: Skeleton) -> list[Solid]:
    h, g = body.height, body.girth
    hip_r, knee_r = 0.049 * h * g * (1 + 0.06 * body.femininity), 0.0315 * h * (0.5 + 0.5 * g)
    calf_r, ankle_r = 0.0335 * h * (0.4 + 0.6 * g), 0.0205 * h
    loose = {"trousers": 0.010, "wide": 0.022, "shorts": 0.0, "leggings": 0.0}[look.legs]
    skin = look.skin if look.legs == "shorts" else look.legs_colour
    out: list[Solid] = []
    for s in (0, 1):
        hip, knee, ankle = pose.hips[:, s], pose.knees[:, s], pose.ankles[:, s]
        axes = pose.foot_axes[:, s]
        side, up, forward = axes[:, :, 0], axes[:, :, 1], axes[:, :, 2]
        calf = knee + 0.33 * (ankle - knee) - 0.012 * forward
        middle = hip + 0.5 * (knee - hip)
        middle_r = 0.46 * hip_r + 0.54 * knee_r + 0.004 * h
        if look.legs == "shorts":
            end = hip + look.shorts_end * (knee - hip)
            r = middle_r + (knee_r - middle_r) * (2 * look.shorts_end - 1)
            out.append(_limb(hip, end, (hip_r + 0.006, r + 0.018), look.legs_colour, (hip_r + 0.006, 0.0)))
            out.append(_limb(end, knee, (r, knee_r), skin, (0.0, knee_r)))
        else:
            out.append(_limb(hip, middle, (hip_r + 0.3 * loose, middle_r + 0.7 * loose), skin))
            out.append(_limb(middle, knee, (middle_r + 0.7 * loose, knee_r + loose), skin))
        out.append(_limb(knee, calf, (knee_r + loose, calf_r + loose), skin))
        if look.legs in ("trousers", "wide"):
            cuff = ankle_r + loose + (0.014 if look.legs == "wide" else 0.006)
            out.append(
                _limb(calf, knee + 0.95 * (ankle - knee), (calf_r + loose, cuff), skin, (calf_r + loose, 0.0))
            )
        else:
            out.append(_limb(calf, ankle, (calf_r, ankle_r), skin))
        if look.socks is not None and look.legs != "trousers":
            top = ankle + 0.25 * (knee - ankle)
            out.append(_limb(top, ankle, (ankle_r + 0.010, ankle_r + 0.005), look.socks, (0.0, ankle_r)))
        back = pose.heels[:, s] + 0.030 * forward + 0.022 * up
        ball = pose.toes[:, s] - 0.035 * forward + 0.014 * up
        width, down = 0.155 * body.foot, -0.022 * up
        instep = 0.4 * back + 0.6 * ball + 0.01 * up
        out.append(Solid(back, ball, (0.8 * width, width), look.shoe, (0.036, 0.026), side, (0.035, 0.045)))
        out.append(Solid(ankle, instep, (ankle_r * 1.1, 0.03), look.shoe))
        sole = (0.85 * width, 1.04 * width)
        out.append(Solid(back + down, ball + 0.8 * down, sole, look.sole, (0.014, 0.012), side, (0.04, 0.05)))
    return out


def _torso(body: Body, look: Look, pose: Skeleton) -> list[Solid]:
    h, g, f = body.height, body.girth, body.femininity
    low_side, side = pose.pelvis_axes[:, :, 0], pose.chest_axes[:, :, 0]
    low_up, up, front = pose.pelvis_axes[:, :, 1], pose.chest_axes[:, :, 1], pose.chest_axes[:, :, 2]
    hip_w, waist_w = body.half_hips + 0.042 * h * g, (0.080 - 0.012 * f) * h * g
    chest_w = body.half_shoulders * 0.84 * (0.75 + 0.25 * g)
    hip_d, belly = 0.060 * h * g, 0.056 * h * g**1.5
    chest_d = 0.060 * h * (0.4 + 0.6 * g)

    def at(share: float) -> Array:
        """A place on the spine: 0 between the hips, 1 at the base of the neck."""
        if share < 0.42:
            return pose.pelvis + share * body.trunk * low_up
        return pose.chest + (share - 0.42) * body.trunk * up

    middle = look.skin if look.midriff else look.shirt
    # (from, to, half-widths, half-depths, caps, colour, stripes): rings of a tube that narrows at the waist.
    rings = (
        (-0.05, 0.07, (0.86 * hip_w, hip_w), (0.9 * hip_d, hip_d), (0.045, 0.02), look.legs_colour, 0.0),
        (0.07, 0.27, (hip_w, waist_w), (hip_d, belly), (0.02, 0.02), middle, 0.4),
        (0.27, 0.45, (waist_w, 0.93 * chest_w), (belly, 0.94 * chest_d), (0.02, 0.02), middle, 0.4),
        (0.45, 0.72, (0.93 * chest_w, chest_w), (0.94 * chest_d, chest_d), (0.02, 0.02), look.shirt, 0.6),
        (0.72, 0.91, (chest_w, 0.92 * chest_w), (chest_d, 0.72 * chest_d), (0.02, 0.045), look.shirt, 0.4),
    )
    out: list[Solid] = []
    for start, end, wide, deep, caps, colour, share in rings:
        across = low_side if start < 0.27 else side
        bands = look.shirt_stripes * share if colour == look.shirt else 0.0
        out.append(
            Solid(at(start), at(end), wide, colour, deep, across, caps, stripes=bands, shading="smooth")
        )
    hem_w, hem_d = (0.98 * hip_w + 0.010, 0.88 * waist_w + 0.02), (hip_d + 0.010, belly + 0.008)
    if look.midriff:
        out.append(
            Solid(
                at(0.07), at(0.15), hem_w, look.legs_colour, hem_d, low_side, (0.02, 0.004), shading="smooth"
            )
        )
    else:
        out.append(
            Solid(at(0.04), at(0.20), hem_w, look.shirt, hem_d, low_side, (0.004, 0.02), shading="smooth")
        )
    yoke = 0.029 * h
    out.append(_limb(pose.shoulders[:, 0], pose.shoulders[:, 1], (yoke, yoke), look.shirt))
    nape = pose.neck + 1.5 * body.neck * up
    out.append(_limb(pose.neck - 0.02 * up, nape, (0.036 * h, 0.032 * h), look.skin))
    collar = look.skin if look.sleeve == "none" else look.shirt
    for s in (0, 1):
        slope = 0.45 * pose.shoulders[:, s] + 0.55 * pose.neck
        out.append(_limb(slope, pose.neck + 0.35 * body.neck * up, (0.026 * h, 0.018 * h), collar))
    if f > 0.5:
        for sign in (1.0, -1.0):
            bust = at(0.66) + 0.034 * h * front + sign * 0.040 * h * side
            out.append(Solid(bust, bust - 0.03 * up, (0.034 * h, 0.036 * h), look.shirt, shading="smooth"))
    if look.print_colour is not None and look.shirt != look.skin:
        spot = at(0.70) + (chest_d + 0.004) * front
        out.append(
            Solid(
                spot - 0.03 * up, spot + 0.03 * up, (0.055, 0.055), look.print_colour, (0.006, 0.006), side,
                (0.0, 0.0), lift=0.015, shading="smooth",
            )
        )  # fmt: skip
    return out


def _arms(body: Body, look: Look, pose: Skeleton) -> list[Solid]:
    h, g = body.height, body.girth
    shoulder_r, elbow_r = 0.0300 * h * (0.35 + 0.65 * g), 0.0215 * h * (0.5 + 0.5 * g)
    biceps_r = 0.0275 * h * (0.3 + 0.7 * g)
    fore_r, wrist_r, hand_r = 0.0235 * h * (0.5 + 0.5 * g), 0.0150 * h, 0.0170 * h
    covered = look.sleeve == "long"
    colour = look.shirt if covered else look.skin
    loose = 0.006 if covered else 0.0
    out: list[Solid] = []
    for s in (0, 1):
        shoulder, elbow = pose.shoulders[:, s], pose.elbows[:, s]
        wrist, knuckle = pose.wrists[:, s], pose.knuckles[:, s]
        middle = shoulder + 0.5 * (elbow - shoulder)
        bulge = elbow + 0.28 * (wrist - elbow)
        palm = wrist + 0.7 * (knuckle - wrist)
        above = look.shirt if look.sleeve == "short" else colour
        out.append(_limb(shoulder, middle, (shoulder_r, biceps_r + loose), above))
        out.append(_limb(middle, elbow, (biceps_r + loose, elbow_r + loose), colour))
        out.append(_limb(elbow, bulge, (elbow_r + loose, fore_r + loose), colour))
        out.append(_limb(bulge, wrist, (fore_r + loose, wrist_r + loose * 1.5), colour))
        out.append(_limb(wrist, palm, (wrist_r, hand_r), look.skin))
        out.append(Solid(palm, knuckle + 0.25 * (knuckle - wrist), (hand_r, 0.012 * h), look.skin))
        if look.sleeve == "short":
            end = shoulder + 0.55 * (elbow - shoulder)
            r = shoulder_r + 0.005
            out.append(_limb(shoulder, end, (r, r + 0.006), look.shirt, (r, 0.0)))
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
    crown = middle + 0.40 * r * up - 0.20 * r * front
    size = 1.12 if look.hair_style == "afro" else 0.82
    top, low = crown + 0.12 * r * up, crown - 0.28 * r * up - 0.12 * r * front
    caps = (0.68 * r * (1.3 if size > 1 else 1.0), 0.5 * r)
    out.append(
        Solid(top, low, (size * r, (size - 0.06) * r), look.hair, (size * r, size * 0.84 * r), side, caps)
    )
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
