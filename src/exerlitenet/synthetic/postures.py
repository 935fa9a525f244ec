"""Building blocks of movements: standing, walking, waving, arms by angle or by where the hands go."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exerlitenet.synthetic.kinematics import SIDE, Array, Controls, apply, trunk_axes, unit
from exerlitenet.synthetic.person import Body
from exerlitenet.synthetic.tempo import Schedule, wobble


@dataclass(frozen=True)
class Stance:
    """half_width: ankle from the middle, metres; toes: turned out, radians."""

    half_width: float
    toes: float


def draw_stance(rng: np.random.Generator, body: Body, wide: tuple[float, float]) -> Stance:
    """Feet about `wide` times as far apart as the hips, toes turned out 2 to 20 degrees."""
    return Stance(body.half_hips * float(rng.uniform(*wide)), float(np.radians(rng.uniform(2, 20))))


def arms_by_angle(
    body: Body, forward: Array, out: Array, bend: Array, turn: Array | float = 0.0, handle: str = "forward"
) -> tuple[Array, Array, Array]:
    """Arms from joint angles, all [n,2] in radians: hands, elbow poles and handles [n,2,3] in the chest's
    axes.

    forward: the upper arm raised to the front; out: raised to the side; bend: elbow flexion; turn: inward
    turn of the plane in which the elbow bends (0: the forearm rises to the front of a hanging arm). handle:
    "forward", "across" (palms up or down) or "hammer" (thumb up).
    """
    shape = forward.shape
    turn = np.broadcast_to(turn, shape)
    sign = np.broadcast_to(SIDE, shape)
    cf, sf, co, so = np.cos(forward), np.sin(forward), np.cos(out), np.sin(out)
    upper = np.stack([sign * so, -co * cf, co * sf], -1)
    # The direction the forearm bends to: what a hanging arm's "front" becomes, turned about the upper arm.
    front = np.stack([np.zeros(shape), sf, cf], -1)
    inward = np.cross(upper, front) * sign[..., None]
    bent = np.cos(turn)[..., None] * front + np.sin(turn)[..., None] * inward
    fore = np.cos(bend)[..., None] * upper + np.sin(bend)[..., None] * bent
    hands = body.upper_arm * upper + body.forearm * fore
    pole = unit(upper - fore + 0.05 * -bent)
    across = np.broadcast_to([1.0, 0.0, 0.0], (*shape, 3))
    if handle == "across":
        held = across
    elif handle == "hammer":
        held = unit(np.cross(fore, across) + 1e-6)
    else:
        held = np.broadcast_to([0.0, 0.0, 1.0], (*shape, 3))
    return hands, pole, np.array(held)


def hands_at(
    body: Body, n: int, place: tuple[float, float, float], pole: tuple[float, float, float]
) -> tuple[Array, Array, Array]:
    """Both wrists at a place in the chest's axes, from the middle between the shoulders, mirrored left and
    right.

    place: (outward, up, forward) in metres; pole: (outward, up, forward) direction of the elbows.
    """
    target = np.zeros((n, 2, 3))
    target[:] = np.array(place)
    target[..., 0] = SIDE * (place[0] - body.half_shoulders)
    poles = np.zeros((n, 2, 3))
    poles[:] = np.array(pole)
    poles[..., 0] = SIDE * pole[0]
    handle = np.broadcast_to([1.0, 0.0, 0.0], (n, 2, 3))
    return target, poles, np.array(handle)


def hanging_plumb(body: Body, controls: Controls, out: float) -> Controls:
    """Arms that hang straight down in the world whatever the trunk does."""
    _, chest = trunk_axes(controls)
    down = np.zeros((len(controls.lean), 2, 3))
    down[..., 1], down[..., 0] = -1.0, SIDE * out
    hands = apply(np.swapaxes(chest, -1, -2), unit(down) * 0.985 * body.arm)
    pole = np.zeros_like(hands)
    pole[..., 2], pole[..., 0] = -1.0, SIDE * 0.3
    back = apply(np.swapaxes(chest, -1, -2), pole)
    return replace(controls, hands=hands, elbow_pole=back)


def standing(
    rng: np.random.Generator, body: Body, time: Array, stance: Stance, sway: float = 1.0
) -> Controls:
    """Standing with feet planted, arms hanging, a little sway; n frames at `time` [n]."""
    n = len(time)
    ankles = np.zeros((n, 2, 3))
    ankles[..., 0] = SIDE * stance.half_width
    ankles[..., 1] = body.ankle_height
    pelvis = np.zeros((n, 3))
    spread = stance.half_width - body.half_hips
    reach = np.sqrt(max((0.993 * body.leg) ** 2 - spread**2, 0.01))
    pelvis[:, 0] = 0.008 * sway * wobble(rng, time)
    pelvis[:, 1] = body.ankle_height + reach
    pelvis[:, 2] = 0.02 + 0.008 * sway * wobble(rng, time)
    pair, zeros = np.zeros((n, 2)), np.zeros(n)
    bend, out = pair + float(rng.uniform(0.08, 0.35)), pair + float(rng.uniform(0.06, 0.2))
    hands, pole, handle = arms_by_angle(body, pair + 0.03, out, bend)
    return Controls(
        pelvis=pelvis,
        lean=zeros + 0.02 + 0.012 * sway * wobble(rng, time),
        side=0.012 * sway * wobble(rng, time),
        twist=0.02 * sway * wobble(rng, time),
        curve=zeros + 0.02,
        head_pitch=zeros + float(rng.uniform(-0.05, 0.15)) + 0.05 * sway * wobble(rng, time),
        head_yaw=0.12 * sway * wobble(rng, time),
        ankles=ankles,
        foot_yaw=np.broadcast_to(SIDE * stance.toes, (n, 2)).copy(),
        foot_pitch=np.zeros((n, 2)),
        hands=hands,
        elbow_pole=pole,
        handle=handle,
    )


def lowered(
    body: Body,
    base: Controls,
    knee_bend: Array,
    shin_share: float,
    lean_share: float,
    extra_lean: Array,
) -> Controls:
    """`base` with both knees bent by `knee_bend` [n] radians, feet where they are: a squat's legs and trunk.

    shin_share: the part of the bend that tips the shins forward (0.3 to 0.45). lean_share: 1 brings the
    shoulders back over the feet; less stays more upright.
    """
    shin = np.minimum(knee_bend * shin_share, 0.62)
    thigh = knee_bend - shin
    spread = np.abs(base.ankles[:, :, 0]).mean(1) - body.half_hips
    height = body.shank * np.cos(shin) + body.thigh * np.cos(thigh)
    distance2 = body.shank**2 + body.thigh**2 + 2 * body.shank * body.thigh * np.cos(knee_bend)
    # Legs that spread sideways leave less for the height.
    drop = np.sqrt(np.maximum(distance2 - spread**2, 0.01)) - np.sqrt(distance2)
    toes = np.abs(base.foot_yaw).mean(1)
    back = (body.shank * np.sin(shin) - body.thigh * np.sin(thigh)) * np.cos(toes)
    weight = np.clip(knee_bend / 0.25, 0.0, 1.0)
    pelvis = base.pelvis.copy()
    low = body.ankle_height + height + drop
    pelvis[:, 1] = np.minimum(base.pelvis[:, 1], base.pelvis[:, 1] * (1 - weight) + low * weight)
    pelvis[:, 2] = base.pelvis[:, 2] + back
    lean = np.arcsin(np.clip(lean_share * np.maximum(-back, 0.0) / (0.95 * body.trunk), 0.0, 0.9))
    lean = lean * np.clip(knee_bend * body.leg / 0.3, 0.0, 1.0)
    return replace(
        base, pelvis=pelvis, lean=base.lean + lean + extra_lean, head_pitch=base.head_pitch - 0.55 * lean
    )


def resting_hands(rng: np.random.Generator, body: Body, base: Controls) -> Controls:
    """`base` with hands on the hips or clasped."""
    if rng.random() < 0.5:
        place, pole = (0.85 * body.half_shoulders, -0.8 * body.trunk, 0.05), (1.0, 0.1, -0.4)
    else:
        place, pole = (0.02, -0.7 * body.trunk, 0.2), (1.0, -0.4, -0.2)
    hands, elbow_pole, handle = hands_at(body, len(base.lean), place, pole)
    return replace(base, hands=hands, elbow_pole=elbow_pole, handle=handle)


def walking(rng: np.random.Generator, body: Body, base: Controls, plan: Schedule) -> Controls:
    """`base` walking on the spot: feet lifted in turn, arms swinging."""
    lift, swing = float(rng.uniform(0.10, 0.22)), float(rng.uniform(0.3, 0.6))
    ankles, pelvis = base.ankles.copy(), base.pelvis.copy()
    ankles[..., 1] += lift * plan.phase
    ankles[..., 2] -= 0.3 * lift * plan.phase
    pelvis[:, 0] += 0.03 * (plan.phase[:, 1] - plan.phase[:, 0])
    pelvis[:, 1] -= 0.012
    opposite = plan.phase[:, ::-1]
    forward = swing * (opposite - 0.6 * plan.phase)
    hands, pole, handle = arms_by_angle(body, forward, np.full_like(forward, 0.1), 0.35 + 0.14 * opposite)
    moved = replace(base, hands=hands, elbow_pole=pole, handle=handle)
    return replace(moved, ankles=ankles, foot_pitch=base.foot_pitch + 0.5 * plan.phase, pelvis=pelvis)


def waving(body: Body, base: Controls, time: Array) -> Controls:
    """`base` with the right hand waving beside the head."""
    forward, out, bend, turn = (np.full((len(time), 2), angle) for angle in (0.05, 0.12, 0.2, 0.0))
    out[:, 1] = 1.25
    bend[:, 1] = 1.7 + 0.35 * np.sin(2 * np.pi * 1.4 * time)
    turn[:, 1] = -1.4
    hands, pole, handle = arms_by_angle(body, forward, out, bend, turn)
    return replace(base, hands=hands, elbow_pole=pole, handle=handle)
