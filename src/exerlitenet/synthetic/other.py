"""Movements that are neither squat nor biceps curl, done on the feet or seated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from exerlitenet.synthetic.body import Body
from exerlitenet.synthetic.curl import seated
from exerlitenet.synthetic.kinematics import SIDE, Array, Controls
from exerlitenet.synthetic.postures import (
    arms_by_angle,
    draw_stance,
    hands_at,
    hands_in_world,
    hanging_plumb,
    lowered,
    standing,
)
from exerlitenet.synthetic.props import Held, Props
from exerlitenet.synthetic.tempo import Schedule, ease, wobble

Made = tuple[Controls, Props]
Maker = Callable[[np.random.Generator, Body, Schedule], Made]


@dataclass(frozen=True)
class Movement:
    """make: controls for a schedule; period: seconds of a cycle, drawn between; alternate: sides take turns."""

    make: Maker
    period: tuple[float, float] = (1.4, 4.0)
    alternate: bool = False
    odds: float = 1.0


def _base(rng: np.random.Generator, body: Body, plan: Schedule, sway: float = 1.0) -> Controls:
    return standing(rng, body, plan.time, draw_stance(rng, body, (0.9, 1.8)), sway)


def _weights(rng: np.random.Generator, often: float = 0.75) -> Props:
    held: Held = "dumbbells" if rng.random() < often else "nothing"
    return Props(held, float(rng.uniform(0.6, 1.1)))


def _with_arms(base: Controls, arms: tuple[Array, Array, Array]) -> Controls:
    return replace(base, hands=arms[0], elbow_pole=arms[1], handle=arms[2])


def _both(value: Array) -> Array:
    return np.stack([value, value], 1)


def still(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Standing, hands hanging, on the hips, clasped or crossed, perhaps with a dumbbell in each hand."""
    n = len(plan.time)
    base = _base(rng, body, plan, 1.5)
    kind = int(rng.integers(5))
    if kind == 1:
        base = _with_arms(
            base, hands_at(body, n, (0.85 * body.half_shoulders, -0.8 * body.trunk, 0.05), (1, 0.1, -0.4))
        )
    elif kind == 2:
        base = _with_arms(base, hands_at(body, n, (0.02, -0.7 * body.trunk, 0.2), (1.0, -0.4, -0.2)))
    elif kind == 3:
        base = _with_arms(base, hands_at(body, n, (-0.5 * body.half_shoulders, -0.2, 0.17), (0.7, -0.9, 0.1)))
    return base, _weights(rng, 0.35 if kind in (0, 4) else 0.0)


def talking(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Standing or sitting and talking with the hands."""
    base, props = _base(rng, body, plan, 2.5), Props()
    if rng.random() < 0.3:
        base, props = seated(rng, body, base, props)
    size = float(rng.uniform(0.4, 1.0))
    bend = np.stack([0.9 + size * 0.7 * wobble(rng, plan.time, 1.2) for _ in range(2)], 1)
    forward = np.stack([0.15 + 0.25 * size * wobble(rng, plan.time, 1.0) for _ in range(2)], 1)
    out = np.stack([0.2 + 0.15 * size * wobble(rng, plan.time, 0.8) for _ in range(2)], 1)
    if rng.random() < 0.3:
        bend[:, int(rng.integers(2))] = 0.2
    turn = 0.4 * np.stack([wobble(rng, plan.time, 0.8) for _ in range(2)], 1)
    moved = _with_arms(base, arms_by_angle(body, forward, out, np.maximum(bend, 0.1), turn))
    gaze, turned = 0.35 * wobble(rng, plan.time, 0.5), 0.08 * wobble(rng, plan.time)
    return replace(moved, head_yaw=gaze, twist=turned), props


def _marching(
    rng: np.random.Generator, body: Body, plan: Schedule, lift: float, swing: float, elbow: float
) -> Made:
    base = _base(rng, body, plan)
    ankles, foot_pitch = base.ankles.copy(), base.foot_pitch.copy()
    ankles[..., 1] += lift * plan.phase
    ankles[..., 2] += (0.25 * lift if lift > 0.2 else -0.3 * lift) * plan.phase
    foot_pitch += 0.5 * plan.phase
    pelvis = base.pelvis.copy()
    pelvis[:, 0] += 0.03 * (plan.phase[:, 1] - plan.phase[:, 0])
    pelvis[:, 1] -= 0.012
    opposite = plan.phase[:, ::-1]
    arms = arms_by_angle(
        body,
        swing * (opposite - 0.6 * plan.phase),
        np.full_like(opposite, 0.1),
        elbow + 0.4 * elbow * opposite,
    )
    moved = _with_arms(base, arms)
    return replace(moved, ankles=ankles, foot_pitch=foot_pitch, pelvis=pelvis), Props()


def walking(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Walking on the spot with swinging arms."""
    return _marching(rng, body, plan, float(rng.uniform(0.10, 0.22)), float(rng.uniform(0.3, 0.6)), 0.35)


def high_knees(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Knees lifted to the hips in turn."""
    return _marching(rng, body, plan, float(rng.uniform(0.38, 0.48)), float(rng.uniform(0.3, 0.7)), 1.3)


def lateral_raise(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Stretched arms raised to the sides."""
    top = float(rng.uniform(1.3, 1.65))
    out = 0.12 + top * plan.phase
    arms = arms_by_angle(body, np.full_like(out, 0.1), out, np.full_like(out, rng.uniform(0.1, 0.4)))
    return _with_arms(_base(rng, body, plan), arms), _weights(rng)


def front_raise(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Stretched arms raised to the front."""
    top = float(rng.uniform(1.3, 1.7))
    forward = 0.05 + top * plan.phase
    bend = np.full_like(forward, rng.uniform(0.08, 0.3))
    arms = arms_by_angle(body, forward, np.full_like(forward, 0.06), bend, 0.0, "across")
    return _with_arms(_base(rng, body, plan), arms), _weights(rng)


def shoulder_press(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Hands pressed from the shoulders to over the head, standing or seated."""
    base, props = _base(rng, body, plan), _weights(rng, 0.95)
    if rng.random() < 0.3:
        base, props = seated(rng, body, base, props)
    b = body.half_shoulders
    if rng.random() < 0.3:
        props = replace(props, held="barbell")
    n = len(plan.time)
    low = hands_at(body, n, (b + 0.08, 0.02, 0.08), (0.5, -1.0, 0.3))
    high = hands_at(body, n, (b * 0.9, 0.96 * body.arm - 0.03, 0.03), (1.0, -0.1, 0.4))
    w = plan.phase[..., None]
    return _with_arms(base, (low[0] * (1 - w) + high[0] * w, low[1] * (1 - w) + high[1] * w, low[2])), props


def triceps(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """A weight behind the head stretched upwards with upright upper arms."""
    bend = 2.2 - 2.0 * plan.phase
    forward = np.full_like(bend, float(rng.uniform(2.7, 3.0)))
    arms = arms_by_angle(body, forward, np.full_like(bend, -0.05), bend, 0.0, "across")
    return _with_arms(_base(rng, body, plan), arms), _weights(rng, 0.9)


def upright_row(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Hands drawn up along the body to the chin, elbows high."""
    n = len(plan.time)
    low = hands_at(body, n, (0.1, -0.96 * body.arm, 0.12), (1.0, 0.0, -0.3))
    high = hands_at(body, n, (0.08, -0.10, 0.16), (1.0, 0.9, 0.0))
    w = plan.phase[..., None]
    arms = (low[0] * (1 - w) + high[0] * w, low[1] * (1 - w) + high[1] * w, low[2])
    props = replace(_weights(rng), held="barbell") if rng.random() < 0.5 else _weights(rng)
    return _with_arms(_base(rng, body, plan), arms), props


def bent_row(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Bent forward, weights drawn to the waist."""
    base = _base(rng, body, plan)
    n = len(plan.time)
    down = lowered(body, base, np.full(n, rng.uniform(0.3, 0.6)), 0.25, 1.0, float(rng.uniform(0.45, 0.75)))
    lean = down.lean.mean()
    angle = lean - (lean + 0.5) * plan.phase
    arms = arms_by_angle(body, angle, np.full_like(angle, 0.15), 0.15 + 1.55 * plan.phase, 0.0, "forward")
    props = _weights(rng, 1.0)
    return _with_arms(down, arms), replace(props, held="barbell") if rng.random() < 0.4 else props


def lunge(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """One foot steps forward, the body sinks between both feet, and back; sides in turn."""
    base = _base(rng, body, plan)
    step = float(rng.uniform(0.55, 0.75)) * body.leg
    forward = ease(plan.phase * 1.6)
    low = ease(np.clip(plan.phase.max(1) * 1.4 - 0.4, 0, 1))
    ankles, foot_pitch, pelvis = base.ankles.copy(), base.foot_pitch.copy(), base.pelvis.copy()
    ankles[..., 2] += step * forward
    moving = np.sin(np.pi * np.clip(forward, 0, 1))
    ankles[..., 1] += 0.08 * moving
    behind = forward[:, ::-1]
    foot_pitch += 0.9 * behind
    ankles[..., 1] += 0.6 * body.foot * np.sin(0.9 * behind)
    pelvis[:, 2] += 0.5 * step * forward.max(1)
    pelvis[:, 1] -= 0.08 * forward.max(1) + float(rng.uniform(0.18, 0.30)) * body.leg * low
    down = replace(base, ankles=ankles, foot_pitch=foot_pitch, pelvis=pelvis, lean=base.lean + 0.08 * low)
    kind = rng.random()
    if kind < 0.4:
        return hanging_plumb(body, down), _weights(rng, 0.7)
    place = (0.85 * body.half_shoulders, -0.8 * body.trunk, 0.05) if kind < 0.75 else (0.03, -0.1, 0.24)
    return _with_arms(down, hands_at(body, len(plan.time), place, (1.0, -0.3, -0.3))), Props()


def deadlift(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Hip hinge with hanging arms: trunk forward, knees a little bent."""
    base = _base(rng, body, plan)
    p = plan.joint_phase
    down = lowered(body, base, 0.06 + float(rng.uniform(0.15, 0.75)) * p, 0.15, 0.3)
    lean = float(rng.uniform(0.9, 1.35)) * p
    pelvis = down.pelvis.copy()
    pelvis[:, 2] -= 0.16 * body.leg * p
    down = replace(down, pelvis=pelvis, lean=lean, curve=base.curve + 0.1 * p, head_pitch=-0.5 * lean)
    props = _weights(rng, 0.8)
    props = replace(props, held="barbell") if rng.random() < 0.5 else props
    hung = hanging_plumb(body, down, out=0.02)
    across = np.zeros_like(hung.handle)
    across[..., 0] = 1.0
    return replace(hung, handle=across), props


def jumping_jack(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Feet apart and arms over the head by jumps."""
    base = _base(rng, body, plan)
    p = plan.phase
    ankles, pelvis = base.ankles.copy(), base.pelvis.copy()
    spread = float(rng.uniform(0.25, 0.42))
    ankles[..., 0] = SIDE * (0.09 + spread * p)
    hop = 0.06 * np.sin(np.pi * p.max(1)) ** 2
    ankles[..., 1] += hop[:, None]
    reach = np.sqrt((0.985 * body.leg) ** 2 - (ankles[:, 0, 0] - body.half_hips) ** 2)
    pelvis[:, 1] = body.ankle_height + reach + hop
    arms = arms_by_angle(body, np.full_like(p, 0.05), 0.1 + 2.7 * p, np.full_like(p, 0.25))
    return replace(_with_arms(base, arms), ankles=ankles, pelvis=pelvis), Props()


def sit_down(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Sits down once and stays."""
    base = _base(rng, body, plan)
    sat, props = seated(rng, body, base, Props())
    at = float(rng.uniform(0.15, 0.5)) * plan.seconds
    w = ease((plan.time - at) / float(rng.uniform(1.0, 1.8)))
    pelvis = base.pelvis.copy()
    pelvis[:, 2] += sat.ankles[:, 0, 2].mean() - 0.05
    base = replace(base, ankles=sat.ankles, pelvis=pelvis)
    mixed = base.mix(sat, w)
    lean = mixed.lean + 0.55 * np.sin(np.pi * w) ** 2
    n = len(plan.time)
    knees = hands_at(body, n, (0.6 * body.half_shoulders, -0.85 * body.trunk, 0.3), (1.0, -0.3, -0.4))
    rest = _with_arms(
        mixed, (mixed.hands * (1 - w[:, None, None]) + knees[0] * w[:, None, None], knees[1], knees[2])
    )
    return replace(rest, lean=lean), props


def waving(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """One hand waves beside the head."""
    base = _base(rng, body, plan, 1.5)
    s = int(rng.integers(2))
    n = len(plan.time)
    raised = ease(plan.time / 0.8) * ease((plan.seconds - plan.time) / 0.8)
    forward, out, bend = np.full((n, 2), 0.05), np.full((n, 2), 0.12), np.full((n, 2), 0.2)
    turn = np.zeros((n, 2))
    out[:, s] += 1.2 * raised
    bend[:, s] += raised * (1.6 + 0.35 * np.sin(2 * np.pi * rng.uniform(1.0, 2.0) * plan.time))
    turn[:, s] = -1.4 * raised
    return _with_arms(base, arms_by_angle(body, forward, out, bend, turn)), Props()


def drinking(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """A cup in the right hand goes to the mouth and down to the chest again."""
    base = _base(rng, body, plan, 1.5)
    n = len(plan.time)
    low = hands_at(body, n, (0.75 * body.half_shoulders, -0.32, 0.26), (0.6, -1.0, -0.3))
    high = hands_at(body, n, (0.05, 0.10, 0.20), (0.8, -1.0, 0.1))
    w = plan.joint_phase[:, None]
    hands, pole, handle = base.hands.copy(), base.elbow_pole.copy(), base.handle.copy()
    hands[:, 1] = low[0][:, 1] * (1 - w) + high[0][:, 1] * w
    pole[:, 1] = low[1][:, 1]
    handle[:, 1] = np.concatenate([0 * w, 1.0 + 0 * w, -0.5 * w], 1)
    head = base.head_pitch - 0.2 * plan.joint_phase
    return replace(base, hands=hands, elbow_pole=pole, handle=handle, head_pitch=head), Props("cup")


def small_dips(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Knees bend by at most 35 degrees, arms swing along: never a squat."""
    base = _base(rng, body, plan)
    p = plan.joint_phase
    down = lowered(body, base, 0.06 + np.radians(rng.uniform(18, 33)) * p, 0.4, 0.7)
    swing = _both(float(rng.uniform(0.3, 1.2)) * (1 - 1.4 * p))
    arms = arms_by_angle(body, swing, np.full_like(swing, 0.1), np.full_like(swing, rng.uniform(0.1, 0.6)))
    return _with_arms(down, arms), Props()


def calf_raise(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Heels rise, the body with them."""
    base = _base(rng, body, plan)
    pitch = 0.65 * plan.joint_phase
    rise = 0.70 * body.foot * np.sin(pitch)
    ankles, pelvis = base.ankles.copy(), base.pelvis.copy()
    ankles[..., 1] += rise[:, None]
    pelvis[:, 1] += rise
    return replace(base, ankles=ankles, pelvis=pelvis, foot_pitch=_both(pitch)), _weights(rng, 0.5)


def side_bend(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """The trunk bends to the left and right in turn."""
    base = _base(rng, body, plan)
    bend = float(rng.uniform(0.35, 0.6)) * (plan.phase[:, 1] - plan.phase[:, 0])
    return replace(base, side=base.side + bend), _weights(rng, 0.4)


def arm_circles(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Stretched arms held to the sides draw circles."""
    turn = 2 * np.pi * float(rng.uniform(0.5, 1.4)) * plan.time
    size = float(rng.uniform(0.15, 0.5))
    forward, out = _both(size * np.cos(turn)), _both(1.45 + size * np.sin(turn))
    return _with_arms(
        _base(rng, body, plan), arms_by_angle(body, forward, out, np.full_like(out, 0.1))
    ), Props()


def boxing(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Fists at the chin strike forward in turn."""
    base = _base(rng, body, plan, 1.5)
    n = len(plan.time)
    guard = hands_at(body, n, (0.10, 0.0, 0.22), (0.5, -1.0, -0.1))
    strike = hands_at(body, n, (0.04, 0.04, 0.95 * body.arm), (0.6, -0.6, 0.0))
    w = plan.phase[..., None]
    arms = (guard[0] * (1 - w) + strike[0] * w, guard[1], guard[2])
    return replace(_with_arms(base, arms), twist=0.35 * (plan.phase[:, 1] - plan.phase[:, 0])), Props()


def toe_touch(rng: np.random.Generator, body: Body, plan: Schedule) -> Made:
    """Stretched legs, hands reach to the feet and back over the head."""
    base = _base(rng, body, plan)
    p = plan.joint_phase
    pelvis = base.pelvis.copy()
    pelvis[:, 2] -= 0.12 * p
    down = replace(base, pelvis=pelvis, lean=base.lean + 1.5 * p, curve=base.curve + 0.5 * p)
    places = np.zeros((len(p), 2, 3))
    places[..., 0] = SIDE * 0.12
    places[..., 1] = (1.05 * body.height * (1 - p) + 0.1)[:, None]
    places[..., 2] = (0.15 + 0.2 * np.sin(np.pi * p))[:, None]
    pole = np.zeros_like(places)
    pole[..., 0], pole[..., 2] = SIDE, 0.3
    return hands_in_world(body, down, places, pole), Props()


UPRIGHT: dict[str, Movement] = {
    "standing": Movement(still, odds=2.0),
    "standing_talking": Movement(talking, odds=2.0),
    "walking_in_place": Movement(walking, (0.45, 0.75), alternate=True, odds=1.5),
    "high_knees": Movement(high_knees, (0.4, 0.9), alternate=True),
    "lateral_raise": Movement(lateral_raise, odds=1.5),
    "front_raise": Movement(front_raise, odds=1.5),
    "shoulder_press": Movement(shoulder_press, odds=1.8),
    "triceps_extension": Movement(triceps),
    "upright_row": Movement(upright_row),
    "barbell_row": Movement(bent_row),
    "lunge": Movement(lunge, (1.8, 4.0), alternate=True, odds=2.0),
    "deadlift": Movement(deadlift, (1.8, 4.5), odds=2.0),
    "jumping_jack": Movement(jumping_jack, (0.75, 1.4), odds=1.5),
    "sit_down": Movement(sit_down),
    "waving": Movement(waving),
    "drinking": Movement(drinking, (2.0, 5.0)),
    "small_dips": Movement(small_dips, (0.9, 2.5), odds=1.5),
    "calf_raise": Movement(calf_raise, (1.0, 2.5)),
    "side_bend": Movement(side_bend, alternate=True),
    "arm_circles": Movement(arm_circles),
    "boxing": Movement(boxing, (0.45, 1.0), alternate=True),
    "toe_touch": Movement(toe_touch, (1.8, 4.0)),
}
