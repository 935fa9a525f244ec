"""Squats and biceps curls in several styles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exerlitenet.synthetic.kinematics import SIDE, Array, Controls
from exerlitenet.synthetic.person import Body
from exerlitenet.synthetic.postures import (
    Stance,
    arms_by_angle,
    draw_stance,
    hands_at,
    hanging_plumb,
    lowered,
    standing,
)
from exerlitenet.synthetic.props import Held, Props
from exerlitenet.synthetic.tempo import Schedule, Sides, wobble

SQUATS = {
    "arms_forward": 0.12, "arms_rising": 0.18, "clasped": 0.13, "crossed": 0.06, "barbell": 0.17, "dumbbells": 0.10,
    "goblet": 0.10, "hips": 0.05, "behind_head": 0.05, "hanging": 0.04,
}  # fmt: skip
CURLS = {
    "both": 0.20, "alternating": 0.16, "single_left": 0.07, "single_right": 0.08, "hammer": 0.10,
    "hammer_alternating": 0.07, "barbell": 0.14, "seated": 0.07, "seated_alternating": 0.06, "empty_hands": 0.05,
}  # fmt: skip
"""Styles, and how often each is drawn."""


def sides_of(style: str) -> Sides:
    """Which arms a style curls; both in a squat."""
    if style.endswith("alternating"):
        return "alternate"
    if style.startswith("single"):
        return "left" if style.endswith("left") else "right"
    return "both"


def squatting(
    rng: np.random.Generator, body: Body, plan: Schedule, style: str, stance: Stance | None = None
) -> tuple[Controls, Props]:
    """Controls and props of squats that follow `plan`: knees bend by 70 to 125 degrees, feet stay on the floor."""
    time, n = plan.time, len(plan.time)
    wide = (1.3, 2.0) if rng.random() < 0.75 else (1.9, 3.0)
    drawn = draw_stance(rng, body, wide)
    stance = stance or replace(drawn, toes=drawn.toes + (0.25 if wide[1] > 2.5 else 0.08))
    rest = standing(rng, body, time, stance)
    if style == "dumbbells":
        rest = hanging_plumb(body, rest, out=0.10)
    upright = style in ("goblet", "barbell", "behind_head") and rng.random() < 0.6
    depth = np.radians(rng.uniform(72, 125)) * plan.reach * plan.joint_phase
    shin = float(rng.uniform(0.30, 0.42))
    bend = np.maximum(depth, 0.08)
    lean_share = float(rng.uniform(0.55, 0.8) if upright else rng.uniform(0.75, 1.15))
    down = lowered(body, rest, bend, shin, lean_share, 0.05 * wobble(rng, time) * plan.joint_phase)
    down = replace(down, curve=down.curve + float(rng.uniform(0.0, 0.25)) * plan.joint_phase)
    hands, pole, handle = _squat_arms(rng, body, plan, style, n)
    ready = replace(down, hands=hands, elbow_pole=pole, handle=handle)
    size = float(rng.uniform(0.8, 1.4))
    if style == "dumbbells":
        hung = hanging_plumb(body, down, out=0.10)
        forward = np.zeros((n, 2, 3))
        forward[..., 2] = 1.0
        return replace(hung, handle=forward), Props("dumbbells", size)
    if style == "hanging":
        return hanging_plumb(body, down, out=0.12), Props()
    if style == "barbell":
        return ready, Props("bar_on_back", size)
    if style == "goblet":
        return ready, Props("goblet" if rng.random() < 0.7 else "ball", size)
    return down.mix(ready, plan.active), Props()


def _squat_arms(
    rng: np.random.Generator, body: Body, plan: Schedule, style: str, n: int
) -> tuple[Array, Array, Array]:
    b = body.half_shoulders
    if style in ("arms_forward", "arms_rising"):
        raised = float(rng.uniform(1.2, 1.7))
        share = plan.joint_phase if style == "arms_rising" else plan.active
        angle = np.stack([0.08 + raised * np.clip(share * 1.15, 0, 1)] * 2, 1)
        zeros = np.zeros((n, 2))
        return arms_by_angle(body, angle, zeros + rng.uniform(-0.05, 0.12), zeros + rng.uniform(0.05, 0.3))
    if style == "crossed":
        return hands_at(body, n, (-0.55 * b, -0.02, 0.15), (0.5, -0.2, 1.0))
    if style == "barbell":
        return hands_at(body, n, (b + rng.uniform(0.10, 0.28), 0.00, -0.05), (0.35, -1.0, -0.5))
    if style == "goblet":
        return hands_at(body, n, (0.05, -0.10, 0.20), (0.45, -1.0, 0.1))
    if style == "hips":
        return hands_at(body, n, (0.85 * b, -0.80 * body.trunk, 0.05), (1.0, 0.1, -0.4))
    if style == "behind_head":
        return hands_at(body, n, (0.07, 0.16, -0.06), (1.0, 0.15, -0.1))
    return hands_at(body, n, (0.035, -rng.uniform(0.02, 0.14), rng.uniform(0.18, 0.30)), (0.8, -0.7, 0.1))


def curling(
    rng: np.random.Generator, body: Body, plan: Schedule, style: str, stance: Stance | None = None
) -> tuple[Controls, Props]:
    """Controls and props of curls that follow `plan`: elbows bend from 8 to 35 degrees up to 105 to 145, upper arms
    near the body.
    """
    time, n = plan.time, len(plan.time)
    drawn = draw_stance(rng, body, (0.9, 1.9))
    base = standing(rng, body, time, stance or drawn)
    props = Props(size=float(rng.uniform(0.7, 1.25)))
    if style.startswith("seated"):
        base, props = _seated(rng, body, base, props)
    low, high = np.radians(rng.uniform(8, 35)), np.radians(rng.uniform(105, 145))
    bend = low + (high - low) * np.clip(plan.phase * (2 * plan.reach[:, None] - 1), 0, 1.06)
    swing = float(rng.uniform(0.0, 0.30))
    forward = float(rng.uniform(-0.08, 0.10)) + swing * plan.phase + 0.02 * wobble(rng, time)[:, None]
    out = np.zeros((n, 2)) + float(rng.uniform(0.06, 0.24))
    turn = float(rng.uniform(-0.25, 0.35))
    hammer = style.startswith("hammer")
    hands, pole, handle = arms_by_angle(body, forward, out, bend, turn, "hammer" if hammer else "across")
    if style == "barbell":
        grip = float(rng.uniform(0.8, 1.3)) * body.half_shoulders
        hands[..., 0] = SIDE * (grip - body.half_shoulders)
    if not hammer and style != "barbell" and rng.random() < 0.4:
        # Thumbs forward below, palms up above: the handle turns on the way.
        along = np.zeros_like(handle)
        along[..., 2] = 1.0
        share = np.clip(plan.phase * 2.5, 0, 1)[..., None]
        handle = along * (1 - share) * SIDE[:, None] + handle * share
    cheat = float(rng.uniform(-0.10, 0.04)) * plan.joint_phase
    controls = replace(base, hands=hands, elbow_pole=pole, handle=handle, lean=base.lean + cheat)
    held: Held = "barbell" if style == "barbell" else "nothing" if style == "empty_hands" else "dumbbells"
    if style.startswith("single") and rng.random() < 0.7:
        held = "left" if style.endswith("left") else "right"
    return controls, replace(props, held=held)


def _seated(rng: np.random.Generator, body: Body, base: Controls, props: Props) -> tuple[Controls, Props]:
    """`base` sitting on a bench: thighs about level, shins about upright."""
    height = body.ankle_height + body.shank + float(rng.uniform(-0.06, 0.02))
    ankles, pelvis = base.ankles.copy(), base.pelvis.copy()
    forward = 0.94 * body.thigh + float(rng.uniform(-0.08, 0.06))
    ankles[..., 0] = SIDE * body.half_hips * float(rng.uniform(1.1, 2.2))
    ankles[..., 2] = forward
    pelvis[:, 1] = height
    pelvis[:, 2] *= 0.3
    back = bool(rng.random() < 0.4)
    tip: Array = base.lean + (-0.12 if back else float(rng.uniform(-0.05, 0.15)))
    half_width, half_length = float(rng.uniform(0.14, 0.22)), float(rng.uniform(0.22, 0.5))
    seat = ((0.0, height - 0.07, 0.05 if back else 0.0), half_width, 0.22 if back else half_length)
    return replace(base, ankles=ankles, pelvis=pelvis, lean=tip), replace(props, seat=seat, seat_back=back)
