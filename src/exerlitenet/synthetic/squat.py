"""Squats in several styles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exerlitenet.synthetic.body import Body
from exerlitenet.synthetic.kinematics import Array, Controls
from exerlitenet.synthetic.motion import Motion
from exerlitenet.synthetic.postures import (
    Stance,
    arms_by_angle,
    draw_stance,
    hands_at,
    hanging_plumb,
    lowered,
    standing,
)
from exerlitenet.synthetic.props import Props
from exerlitenet.synthetic.tempo import Schedule, draw_tempo, schedule, wobble

STYLES = (
    "arms_forward", "arms_rising", "clasped", "crossed", "barbell", "dumbbells", "goblet", "hips", "behind_head",
    "hanging",
)  # fmt: skip
ODDS = (0.12, 0.18, 0.13, 0.06, 0.17, 0.10, 0.10, 0.05, 0.05, 0.04)


def squat(
    rng: np.random.Generator,
    body: Body,
    *,
    fps: float,
    seconds: float | None,
    repetitions: int | None,
    style: str | None = None,
) -> Motion:
    """A set of squats: knees bend by 70 to 125 degrees, feet stay on the floor."""
    drawn = str(rng.choice(STYLES, p=ODDS))
    style = style or drawn
    plan = schedule(rng, fps=fps, seconds=seconds, repetitions=repetitions, tempo=draw_tempo(rng, (1.4, 4.8)))
    controls, props = squatting(rng, body, plan, style)
    return Motion(controls, plan, props, "squat", style)


def squatting(
    rng: np.random.Generator, body: Body, plan: Schedule, style: str, stance: Stance | None = None
) -> tuple[Controls, Props]:
    """Controls and props of squats that follow `plan`."""
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
    low = down.curve + float(rng.uniform(0.0, 0.25)) * plan.joint_phase
    down = replace(down, curve=low)
    hands, pole, handle = _arms(rng, body, plan, style, n)
    ready = replace(down, hands=hands, elbow_pole=pole, handle=handle)
    props = Props()
    size = float(rng.uniform(0.8, 1.4))
    if style == "dumbbells":
        hung = hanging_plumb(body, down, out=0.10)
        forward = np.zeros((n, 2, 3))
        forward[..., 2] = 1.0
        return replace(hung, handle=forward), Props("dumbbells", size)
    if style == "hanging":
        return hanging_plumb(body, down, out=0.12), props
    if style == "barbell":
        return ready, Props("bar_on_back", size)
    if style == "goblet":
        return ready, Props("goblet" if rng.random() < 0.7 else "ball", size)
    return down.mix(ready, plan.active), props


def _arms(
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
        hands, pole, handle = hands_at(body, n, (-0.55 * b, -0.02, 0.15), (0.5, -0.2, 1.0))
        return hands, pole, handle
    if style == "barbell":
        return hands_at(body, n, (b + rng.uniform(0.10, 0.28), 0.00, -0.05), (0.35, -1.0, -0.5))
    if style == "goblet":
        return hands_at(body, n, (0.05, -0.10, 0.20), (0.45, -1.0, 0.1))
    if style == "hips":
        return hands_at(body, n, (0.85 * b, -0.80 * body.trunk, 0.05), (1.0, 0.1, -0.4))
    if style == "behind_head":
        return hands_at(body, n, (0.07, 0.16, -0.06), (1.0, 0.15, -0.1))
    return hands_at(body, n, (0.035, -rng.uniform(0.02, 0.14), rng.uniform(0.18, 0.30)), (0.8, -0.7, 0.1))
