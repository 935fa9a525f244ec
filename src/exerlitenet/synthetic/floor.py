"""Movements on the floor that are neither squat nor biceps curl: push-up, plank, sit-up, bridge, mountain
climber.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exerlitenet.synthetic.body import Body
from exerlitenet.synthetic.kinematics import SIDE, Array, Controls
from exerlitenet.synthetic.other import Made, Movement
from exerlitenet.synthetic.postures import Stance, hands_in_world, standing
from exerlitenet.synthetic.props import Props
from exerlitenet.synthetic.tempo import Schedule, wobble

THICK = 0.11
"""Height of the hip joints over the floor of someone who lies on the back, metres."""


def _face_down(
    rng: np.random.Generator, body: Body, plan: Schedule, shoulder: Array, forearms: bool
) -> Controls:
    """Straight from the toes to the shoulders, which are `shoulder` [n] metres high; hands or forearms
    support.
    """
    n = len(plan.time)
    base = standing(rng, body, plan.time, Stance(float(rng.uniform(0.06, 0.14)), 0.0), 0.4)
    pitch = 1.25
    ankle_y = 0.70 * body.foot * np.sin(pitch) + 0.02
    length = body.leg + body.trunk
    rise = np.clip((shoulder - ankle_y) / length, -0.2, 0.6)
    angle = np.arcsin(rise)
    hip_sag = 0.03 * wobble(rng, plan.time)
    pelvis = np.zeros((n, 3))
    pelvis[:, 1] = ankle_y + 0.995 * body.leg * np.sin(angle) + hip_sag * 0.3
    pelvis[:, 2] = 0.0
    ankles = base.ankles.copy()
    ankles[..., 1] = ankle_y
    ankles[..., 2] = (-0.99 * body.leg * np.cos(angle))[:, None]
    # Feet stay where they are: the body shifts instead.
    shift = ankles[:, :, 2].mean() - ankles[:, 0, 2]
    pelvis[:, 2] += shift
    ankles[..., 2] += shift[:, None]
    down = np.zeros((n, 2, 3))
    down[..., 1] = -1.0
    controls = replace(
        base,
        pelvis=pelvis,
        lean=np.pi / 2 - angle,
        curve=np.zeros(n),
        ankles=ankles,
        foot_pitch=np.full((n, 2), pitch),
        knee_pole=down,
        head_pitch=np.full(n, float(rng.uniform(-0.5, 0.0))),
    )
    places = np.zeros((n, 2, 3))
    front = body.trunk * 0.97 + (0.9 * body.forearm if forearms else 0.0)
    places[..., 0] = SIDE * body.half_shoulders * (1.0 if forearms else float(rng.uniform(1.1, 1.6)))
    places[..., 1] = 0.04 if forearms else 0.075
    places[..., 2] = front + pelvis[:, 2].mean() * 1.0
    pole = np.zeros((n, 2, 3))
    if forearms:
        pole[..., 1], pole[..., 2] = -1.0, -0.6
    else:
        pole[..., 0], pole[..., 2], pole[..., 1] = SIDE * float(rng.uniform(0.3, 1.0)), -0.8, 0.2
    return hands_in_world(body, controls, places, pole)


def push_up(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """The straight body sinks to the floor and is pushed up."""
    high = 0.95 * body.arm + 0.05
    low = float(rng.uniform(0.16, 0.28))
    return _face_down(rng, body, plan, high - (high - low) * plan.joint_phase, False), Props()


def plank(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """The straight body held on the forearms or the hands."""
    forearms = bool(rng.random() < 0.6)
    height = body.upper_arm + 0.04 if forearms else 0.95 * body.arm + 0.05
    return _face_down(rng, body, plan, height + 0.01 * wobble(rng, plan.time), forearms), Props()


def mountain_climber(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """On the hands, knees drawn to the chest in turn."""
    n = len(plan.time)
    controls = _face_down(rng, body, plan, np.full(n, 0.95 * body.arm + 0.05), False)
    ankles = controls.ankles.copy()
    ankles[..., 2] += 0.75 * body.leg * plan.phase
    ankles[..., 1] += 0.06 * np.sin(np.pi * plan.phase)
    return replace(controls, ankles=ankles), Props()


def _on_back(rng: np.random.Generator, body: Body, plan: Schedule, lift: Array, hips: Array) -> Controls:
    """On the back with bent knees; the trunk rises by `lift` [n] radians, the hips by `hips` [n] metres."""
    n = len(plan.time)
    base = standing(rng, body, plan.time, Stance(body.half_hips * 1.2, 0.05), 0.3)
    pelvis = np.zeros((n, 3))
    pelvis[:, 1] = THICK + hips
    ankles = base.ankles.copy()
    ankles[..., 2] = float(rng.uniform(0.55, 0.75)) * body.leg
    ankles[..., 1] = body.ankle_height
    bridge = np.arcsin(np.clip(hips / body.trunk, 0, 0.8))
    return replace(
        base,
        pelvis=pelvis,
        lean=-np.pi / 2 + 0.35 * lift - bridge,
        curve=0.65 * lift,
        ankles=ankles,
        head_pitch=0.3 + 0.2 * lift,
    )


def sit_up(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """From lying on the back up to sitting, or a part of it (a crunch)."""
    n = len(plan.time)
    crunch = rng.random() < 0.5
    high = float(rng.uniform(0.5, 0.8) if crunch else rng.uniform(1.2, 1.6))
    controls = _on_back(rng, body, plan, 0.12 + high * plan.joint_phase, np.zeros(n))
    hands, pole = np.zeros((n, 2, 3)), np.zeros((n, 2, 3))
    behind = rng.random() < 0.6
    place = np.array([0.09, 0.16, -0.02] if behind else [-0.10, -0.06, 0.16])
    hands[:] = place
    hands[..., 0] = SIDE * (place[0] - body.half_shoulders)
    pole[..., 0], pole[..., 2] = SIDE, 0.1 if behind else 0.6
    return replace(controls, hands=hands, elbow_pole=pole), Props()


def bridge(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """On the back, the hips lifted until trunk and thighs are in line."""
    n = len(plan.time)
    hips = float(rng.uniform(0.18, 0.28)) * plan.joint_phase
    controls = _on_back(rng, body, plan, np.full(n, 0.05), hips)
    places = np.zeros((n, 2, 3))
    places[..., 0], places[..., 1], places[..., 2] = SIDE * 0.3, 0.04, 0.05
    pole = np.zeros((n, 2, 3))
    pole[..., 0] = SIDE
    return hands_in_world(body, controls, places, pole), Props()


FLOOR: dict[str, Movement] = {
    "push_up": Movement(push_up, (1.2, 3.5), odds=2.0),
    "plank": Movement(plank, odds=1.5),
    "sit_up": Movement(sit_up, (1.5, 4.0), odds=1.5),
    "glute_bridge": Movement(bridge, (1.5, 4.0)),
    "mountain_climber": Movement(mountain_climber, (0.5, 1.2), alternate=True),
}
