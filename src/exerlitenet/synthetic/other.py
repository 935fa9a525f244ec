"""People who do no exercise: they stand, walk on the spot or wave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exerlitenet.synthetic.body import Body
from exerlitenet.synthetic.kinematics import Array, Controls
from exerlitenet.synthetic.motion import Motion
from exerlitenet.synthetic.postures import arms_by_angle, draw_stance, hands_at, standing
from exerlitenet.synthetic.props import Props
from exerlitenet.synthetic.tempo import Schedule, draw_tempo, ease, schedule

OTHERS = ("standing", "walking_in_place", "waving")


def other(
    rng: np.random.Generator,
    body: Body,
    activity: str,
    *,
    fps: float,
    seconds: float | None,
    repetitions: int | None,
) -> Motion:
    """One of `OTHERS`, 4 to 12 seconds long where `seconds` is None. repetitions: steps of walking."""
    plan = schedule(
        rng,
        fps=fps,
        seconds=float(rng.uniform(4.0, 12.0)) if seconds is None else seconds,
        repetitions=repetitions,
        tempo=draw_tempo(rng, (0.45, 0.75)),
        sides="alternate",
        rests=False,
    )
    controls = standing(rng, body, plan.time, draw_stance(rng, body, (0.9, 1.8)), 1.5)
    if activity == "walking_in_place":
        controls = _walking(rng, body, controls, plan)
    elif activity == "waving":
        raised = ease(plan.time / 0.8) * ease((plan.seconds - plan.time) / 0.8)
        controls = controls.mix(waving(body, controls, plan.time), raised)
    elif rng.random() < 0.6:
        controls = _hands_on_hips_or_clasped(rng, body, controls)
    return Motion(controls, plan, Props(), activity, activity)


def _hands_on_hips_or_clasped(rng: np.random.Generator, body: Body, base: Controls) -> Controls:
    if rng.random() < 0.5:
        place, pole = (0.85 * body.half_shoulders, -0.8 * body.trunk, 0.05), (1.0, 0.1, -0.4)
    else:
        place, pole = (0.02, -0.7 * body.trunk, 0.2), (1.0, -0.4, -0.2)
    hands, elbow_pole, handle = hands_at(body, len(base.lean), place, pole)
    return replace(base, hands=hands, elbow_pole=elbow_pole, handle=handle)


def _walking(rng: np.random.Generator, body: Body, base: Controls, plan: Schedule) -> Controls:
    """Feet lifted in turn, arms swinging."""
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
