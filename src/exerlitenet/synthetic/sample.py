"""The clip of the demo: one person, one room, five squats, a wave, six biceps curls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exerlitenet.synthetic.camera import frame_person
from exerlitenet.synthetic.clip import Motion, RenderedClip, film, sets_of
from exerlitenet.synthetic.exercises import curling, squatting
from exerlitenet.synthetic.kinematics import Array, rotation_y, solve
from exerlitenet.synthetic.person import Colour, Look, draw_body
from exerlitenet.synthetic.postures import Stance, arms_by_angle, standing, waving
from exerlitenet.synthetic.props import Props, dumbbell
from exerlitenet.synthetic.raster import Solid
from exerlitenet.synthetic.render import Style
from exerlitenet.synthetic.tempo import Schedule, Tempo, active_in, ease, schedule

SAMPLE_SEED = 1_000_000
SQUATS, CURLS = 5, 6
SQUATS_FROM_S, SQUATS_S = 3.0, 14.5
WAVE_FROM_S, WAVE_S = 18.2, 2.6
GRASP_S = 21.9
CURLS_FROM_S, CURLS_S = 23.0, 14.0
SECONDS = 39.5
ROOM_SEED = 22
YAW = np.radians(24.0)
LOOK = Look(
    skin=(0.87, 0.66, 0.52),
    hair=(0.14, 0.09, 0.06),
    hair_style="short",
    shirt=(0.12, 0.42, 0.62),
    shirt_stripes=0.0,
    print_colour=(0.92, 0.90, 0.84),
    sleeve="short",
    midriff=False,
    legs="shorts",
    legs_colour=(0.13, 0.14, 0.18),
    shorts_end=0.72,
    shoe=(0.86, 0.30, 0.22),
    sole=(0.92, 0.92, 0.90),
    socks=(0.92, 0.92, 0.90),
    beard=True,
    metal=(0.62, 0.63, 0.66),
    weight=(0.12, 0.12, 0.13),
)


def sample_clip(*, fps: float = 15.0, width: int = 256, height: int = 456) -> RenderedClip:
    """The demo's clip, 39.5 s, upright as from a phone, always the same.

    Rest, 5 squats, a wave, dumbbells taken from two stands, 6 curls. Its `segments` are the truth of both
    exercises; `repetitions`, `extremes_s` and `phase` cover both. label is that of the first exercise, activity
    names both.
    """
    streams = np.random.default_rng([0x5E12, SAMPLE_SEED]).spawn(8)
    body = replace(draw_body(np.random.default_rng(3)), femininity=0.1)
    time = np.arange(round(SECONDS * fps)) / fps
    squats = _set(streams[0], time, fps, SQUATS, Tempo(1.25, 0.15, 1.15, 0.35), SQUATS_FROM_S, SQUATS_S)
    curls = _set(streams[1], time, fps, CURLS, Tempo(1.0, 0.15, 1.0, 0.2), CURLS_FROM_S, CURLS_S)
    stance = Stance(1.45 * body.half_hips, 0.25)
    rest = standing(streams[2], body, time, stance)
    squatted, _ = squatting(np.random.default_rng(11), body, squats, "arms_rising", stance)
    curled, _ = curling(np.random.default_rng(5), body, curls, "both", stance)
    controls = rest.mix(squatted, squats.active)
    controls = controls.mix(waving(body, controls, time), _span(time, WAVE_FROM_S, WAVE_S))
    grasp = np.full((len(time), 2), 1.0)
    reaching = arms_by_angle(body, -0.05 * grasp, 0.42 * grasp, 0.15 * grasp)
    reached = replace(rest, hands=reaching[0], elbow_pole=reaching[1], handle=reaching[2])
    controls = controls.mix(reached, _span(time, GRASP_S - 0.9, 1.5))
    controls = controls.mix(curled, ease((time - GRASP_S - 0.1) / 0.8))
    plan = Schedule(
        time,
        np.maximum(squats.phase, curls.phase),
        np.ones(len(time)),
        np.maximum(squats.active, curls.active),
        (*squats.extremes_s, *curls.extremes_s),
        (),
        float(len(time) / fps),
    )
    local = solve(body, controls)
    grips = local.wrists + 0.7 * (local.knuckles - local.wrists)
    taken = round(GRASP_S * fps)
    extra: list[Solid] = []
    for s in (0, 1):
        held = (time >= GRASP_S)[:, None]
        middle = np.where(held, grips[:, s], grips[taken, s])
        axis = np.where(held, local.handle[:, s], local.handle[taken, s])
        extra.extend(dumbbell(middle, axis, 0.055, LOOK))
        extra.extend(_stand(grips[taken, s], len(time)))
    shown = np.concatenate([local.head + np.array([0, 0.16, 0]), *(local.ankles[:, s] for s in (0, 1))])
    shown = shown @ rotation_y(np.array([YAW]))[0].T
    camera = frame_person(
        shown, field_of_view=float(np.radians(42)), fill=0.80, offset=(0.02, 0.0), width=width,
        height=height, camera_height=1.25,
    )  # fmt: skip
    sun = np.array([-0.45, -0.75, -0.48])
    style = Style(
        sun=sun, ambient=0.72, diffuse=0.46, tint=np.array([1.03, 1.0, 0.96]), shadow=0.45, noise=0.0, blur=0.0,
        shake=np.zeros((len(time), 2), np.int64), gamma=0.95, vignette=0.12,
    )  # fmt: skip
    streams[6] = np.random.default_rng(ROOM_SEED)
    motion = Motion(controls, plan, Props(), "squat", "arms_rising")
    clip = film(
        streams, SAMPLE_SEED, body, LOOK, motion, "oblique", (width, height), fps,
        extra=extra, camera=camera, style=style, yaw=float(YAW),
    )  # fmt: skip
    segments = (*sets_of("squat", squats), *sets_of("biceps_curl", curls))
    return replace(clip, activity="squat;biceps_curl", segments=segments)


def _span(time: Array, start: float, seconds: float) -> Array:
    """0, then 1 from `start` for `seconds`, with soft edges inside; [n]."""
    return np.minimum(ease((time - start) / 0.6), ease((start + seconds - time) / 0.6))


def _set(
    rng: np.random.Generator, time: Array, fps: float, count: int, tempo: Tempo, start: float, seconds: float
) -> Schedule:
    """A set of repetitions in `seconds` from `start`, as a schedule over the whole of `time`."""
    part = schedule(rng, fps=fps, seconds=seconds, repetitions=count, tempo=tempo, rests=False)
    first, n = round(start * fps), len(part.time)
    phase, reach = np.zeros((len(time), 2)), np.ones(len(time))
    phase[first : first + n], reach[first : first + n] = part.phase, part.reach
    begin = first / fps
    spans = tuple((a + begin, b + begin) for a, b in part.spans)
    extremes = tuple(round(float(t + begin), 4) for t in part.extremes_s)
    return Schedule(time, phase, reach, active_in(time, spans), extremes, spans, float(len(time) / fps))


def _stand(top: Array, n: int) -> list[Solid]:
    """A slim stand whose plate lies under `top` [3]."""
    wood: Colour = (0.62, 0.46, 0.30)
    plate = np.broadcast_to(top - np.array([0.0, 0.06, 0.0]), (n, 3))
    foot = np.broadcast_to(np.array([top[0], 0.0, top[2]]), (n, 3))
    up = np.array([0.0, 0.02, 0.0])
    return [
        Solid(plate - up, foot, (0.025, 0.025), (0.25, 0.25, 0.27), caps=(0.0, 0.0), shading="smooth"),
        Solid(plate - up, plate, (0.11, 0.11), wood, caps=(0.0, 0.0), shading="smooth"),
        Solid(plate, plate + 0.05 * up, (0.11, 0.11), wood, caps=(0.0, 0.0), shading="face"),
        Solid(foot, foot + up, (0.13, 0.13), (0.25, 0.25, 0.27), caps=(0.0, 0.0), shading="smooth"),
    ]
