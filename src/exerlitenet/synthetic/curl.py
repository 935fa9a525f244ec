"""Biceps curls in several styles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exerlitenet.synthetic.body import Body
from exerlitenet.synthetic.kinematics import SIDE, Array, Controls
from exerlitenet.synthetic.motion import Motion
from exerlitenet.synthetic.postures import Stance, arms_by_angle, draw_stance, standing
from exerlitenet.synthetic.props import Held, Props
from exerlitenet.synthetic.tempo import Schedule, Sides, draw_tempo, schedule, wobble

STYLES = (
    "both", "alternating", "single_left", "single_right", "hammer", "hammer_alternating", "barbell", "seated",
    "seated_alternating", "empty_hands",
)  # fmt: skip
ODDS = (0.20, 0.16, 0.07, 0.08, 0.10, 0.07, 0.14, 0.07, 0.06, 0.05)


def sides_of(style: str) -> Sides:
    """Which arms a style curls."""
    if style.endswith("alternating"):
        return "alternate"
    if style.startswith("single"):
        return "left" if style.endswith("left") else "right"
    return "both"


def curl(
    rng: np.random.Generator,
    body: Body,
    *,
    fps: float,
    seconds: float | None,
    repetitions: int | None,
    style: str | None = None,
) -> Motion:
    """A set of curls: elbows bend from 8 to 35 degrees up to 105 to 145, upper arms near the body."""
    drawn = str(rng.choice(STYLES, p=ODDS))
    style = style or drawn
    plan = schedule(
        rng,
        fps=fps,
        seconds=seconds,
        repetitions=repetitions,
        tempo=draw_tempo(rng, (1.2, 4.2)),
        sides=sides_of(style),
    )
    controls, props = curling(rng, body, plan, style)
    return Motion(controls, plan, props, "biceps_curl", style)


def curling(
    rng: np.random.Generator, body: Body, plan: Schedule, style: str, stance: Stance | None = None
) -> tuple[Controls, Props]:
    """Controls and props of curls that follow `plan`."""
    time, n = plan.time, len(plan.time)
    drawn = draw_stance(rng, body, (0.9, 1.9))
    base = standing(rng, body, time, stance or drawn)
    props = Props(size=float(rng.uniform(0.7, 1.25)))
    if style.startswith("seated"):
        base, props = seated(rng, body, base, props)
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
    if hammer is False and style != "barbell" and rng.random() < 0.4:
        # Thumbs forward below, palms up above: the handle turns on the way.
        along = np.zeros_like(handle)
        along[..., 2] = 1.0
        share = np.clip(plan.phase * 2.5, 0, 1)[..., None]
        handle = along * (1 - share) * SIDE[:, None] + handle * share
    cheat = float(rng.uniform(-0.10, 0.04)) * plan.joint_phase
    controls = replace(base, hands=hands, elbow_pole=pole, handle=handle, lean=base.lean + cheat)
    held: Held = "barbell" if style == "barbell" else "dumbbells"
    if style.startswith("single"):
        one: Held = "left" if style.endswith("left") else "right"
        held = one if rng.random() < 0.7 else "dumbbells"
    if style == "empty_hands":
        held = "nothing"
    return controls, replace(props, held=held)


def seated(rng: np.random.Generator, body: Body, base: Controls, props: Props) -> tuple[Controls, Props]:
    """`base` sitting on a bench: thighs about level, shins about upright."""
    height = body.ankle_height + body.shank + float(rng.uniform(-0.06, 0.02))
    seat_top = height - 0.07
    ankles, pelvis = base.ankles.copy(), base.pelvis.copy()
    forward = 0.94 * body.thigh + float(rng.uniform(-0.08, 0.06))
    ankles[..., 0] = SIDE * body.half_hips * float(rng.uniform(1.1, 2.2))
    ankles[..., 2] = forward
    pelvis[:, 1] = height
    pelvis[:, 2] *= 0.3
    back = bool(rng.random() < 0.4)
    tip: Array = base.lean + (-0.12 if back else float(rng.uniform(-0.05, 0.15)))
    seat = (
        (0.0, seat_top, 0.05 if back else 0.0),
        float(rng.uniform(0.14, 0.22)),
        float(rng.uniform(0.22, 0.5)),
    )
    if back:
        seat = (seat[0], seat[1], 0.22)
    return replace(base, ankles=ankles, pelvis=pelvis, lean=tip), replace(props, seat=seat, seat_back=back)
