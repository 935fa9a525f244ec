"""A rendered clip with its truth: what `render_clip` makes of a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from exerlitenet.errors import InputError
from exerlitenet.synthetic.camera import Camera, frame_person
from exerlitenet.synthetic.exercises import CURLS, SQUATS, curling, sides_of, squatting
from exerlitenet.synthetic.figure import dressed
from exerlitenet.synthetic.kinematics import Controls, Skeleton, rotation_y, solve
from exerlitenet.synthetic.landmarks import ANGLES, joint_angles, landmark_positions, seen_landmarks
from exerlitenet.synthetic.person import Body, Look, draw_body, draw_look
from exerlitenet.synthetic.postures import draw_stance, resting_hands, standing, walking, waving
from exerlitenet.synthetic.props import Props, held
from exerlitenet.synthetic.raster import Solid
from exerlitenet.synthetic.render import Style, draw_style, render
from exerlitenet.synthetic.room import build_room
from exerlitenet.synthetic.tempo import Schedule, draw_tempo, ease, schedule

Array = NDArray[np.float64]
LABELS = ("squat", "biceps_curl", "none")
VIEWS = ("front", "oblique", "side", "rear")
VIEW_ODDS = {
    "squat": (0.30, 0.28, 0.38, 0.04), "biceps_curl": (0.45, 0.32, 0.21, 0.02), "none": (0.38, 0.30, 0.28, 0.04),
}  # fmt: skip
YAWS = {"front": (0, 16), "oblique": (22, 62), "side": (74, 104), "rear": (140, 180)}
"""Degrees by which a person seen so is turned from the camera."""
OTHERS = ("standing", "walking_in_place", "waving")
NOBODY = "no_person"
ACTIVITIES = ("squat", "biceps_curl", *OTHERS, NOBODY)
SHORT_SIDE = 256
SHORTEST_CLIP_S = 1.0


@dataclass(frozen=True)
class Motion:
    """What the person does, when, with what; activity as in a manifest, style in words of the movement."""

    controls: Controls
    plan: Schedule
    props: Props
    activity: str
    style: str


@dataclass(frozen=True)
class RenderedClip:
    """A clip of n frames and everything true about it.

    Attributes:
        frames: uint8 [n, h, w, 3].
        fps: frames a second.
        label: "squat", "biceps_curl" or "none".
        activity: what is done, in a manifest's words.
        seed: what `render_clip` was given.
        repetitions: full cycles.
        extremes_s: the time of each peak: bottom of a squat, top of a curl; alternating arms count one each.
        phase: float32 [n], 0 at the start position, 1 at the peak; all 0 for none.
        joints: float32 [n, 33, 7], MediaPipe Pose's landmarks (see landmarks.seen_landmarks); NaN without a person.
        angles: degrees, float32 [n] each, for left and right elbow, shoulder, hip and knee; NaN without a person.
        style: which way of doing it.
        view: "front", "oblique", "side", "rear", or "none" without a person.
        empty: uint8 [h, w, 3], the first frame's background.
        segments: (label, start_s, end_s, repetitions) of each set, without rests.

    Examples:
        >>> from exerlitenet.synthetic.clip import render_clip
        >>> clip = render_clip(7, "squat", seconds=2.0, width=64, height=80)
        >>> clip.label, clip.frames.shape, clip.phase.shape
        ('squat', (30, 80, 64, 3), (30,))
    """

    frames: NDArray[np.uint8]
    fps: float
    label: str
    activity: str
    seed: int
    repetitions: int
    extremes_s: tuple[float, ...]
    phase: NDArray[np.float32]
    joints: NDArray[np.float32]
    angles: dict[str, NDArray[np.float32]]
    style: str
    view: str
    empty: NDArray[np.uint8]
    segments: tuple[tuple[str, float, float, int], ...]

    @property
    def seconds(self) -> float:
        return len(self.frames) / self.fps


def _check(
    choices: Mapping[str, tuple[str | None, Sequence[str]]],
    ranges: Mapping[str, tuple[float | None, float, float]],
) -> None:
    """Raises InputError for a value that is none of the choices, or outside its range; None is drawn later."""
    for name, (value, known) in choices.items():
        if value is not None and value not in known:
            raise InputError(f"{name} must be one of {', '.join(known)}, got {value!r}")
    for name, (number, low, high) in ranges.items():
        if number is not None and not low <= number <= high:
            raise InputError(f"{name} must lie between {low:g} and {high:g}, got {number:g}")


def label_of(activity: str) -> str:
    """The label an activity belongs to."""
    return activity if activity in ("squat", "biceps_curl") else "none"


def render_clip(
    seed: int,
    label: str | None = None,
    *,
    activity: str | None = None,
    style: str | None = None,
    seconds: float | None = None,
    fps: float = 15.0,
    width: int | None = None,
    height: int | None = None,
    repetitions: int | None = None,
    view: str | None = None,
) -> RenderedClip:
    """Render the clip of a seed; what is None is drawn from the seed. The same call gives the same bytes.

    Args:
        seed: a whole number; another one is another person, room and camera.
        label: "squat", "biceps_curl" or "none".
        activity: in place of a label: what is done, such as "standing".
        style: which way of doing it.
        seconds: the clip's length.
        fps: frames a second.
        width: pixels; short side 256 and a drawn aspect when width and height are None.
        height: pixels.
        repetitions: of the exercise in the clip.
        view: "front", "oblique", "side" or "rear".

    Raises:
        InputError: for what cannot be rendered.

    Examples:
        >>> from exerlitenet.synthetic.clip import render_clip
        >>> render_clip(7, "biceps_curl", seconds=4.0, width=64, height=80, repetitions=2).repetitions
        2
    """
    _check(
        {"label": (label, LABELS), "activity": (activity, ACTIVITIES), "view": (view, VIEWS)},
        {
            "seconds": (seconds, SHORTEST_CLIP_S, 600),
            "fps": (fps, 2, 120),
            "width in pixels": (width, 32, 4096),
            "height in pixels": (height, 32, 4096),
            "repetitions": (repetitions, 1, 500),
        },
    )
    if label is not None and activity is not None and label_of(activity) != label:
        raise InputError(
            f"activity {activity!r} belongs to label {label_of(activity)!r}, got label {label!r}"
        )
    # One stream of random numbers per concern, so that a fixed argument does not change the rest of the clip.
    streams = np.random.default_rng([0x5E12, seed]).spawn(8)
    activity = _draw_activity(streams[0], label, activity)
    label = label_of(activity)
    size = _draw_size(streams[1], width, height)
    if activity == NOBODY:
        return _nobody(streams, seed, seconds, fps, size)
    body = draw_body(streams[2])
    look = draw_look(streams[2], body.femininity)
    motion = make_motion(streams[3], body, activity, style, fps=fps, seconds=seconds, repetitions=repetitions)
    drawn_view = str(streams[4].choice(VIEWS, p=VIEW_ODDS[label]))
    return film(streams, seed, body, look, motion, view or drawn_view, size, fps)


def make_motion(
    rng: np.random.Generator,
    body: Body,
    activity: str,
    style: str | None = None,
    *,
    fps: float,
    seconds: float | None,
    repetitions: int | None,
) -> Motion:
    """Controls and timing of an activity for a body. Raises InputError for a style that the activity lacks.

    What is no exercise lasts 4 to 12 s where `seconds` is None; its repetitions are steps of walking.
    """
    if activity in OTHERS:
        seconds = float(rng.uniform(4.0, 12.0)) if seconds is None else seconds
        plan = schedule(
            rng, fps=fps, seconds=seconds, repetitions=repetitions, tempo=draw_tempo(rng, (0.45, 0.75)),
            sides="alternate", rests=False,
        )  # fmt: skip
        return Motion(_idling(rng, body, activity, plan), plan, Props(), activity, activity)
    is_squat = activity == "squat"
    known, period, follow = (SQUATS, (1.4, 4.8), squatting) if is_squat else (CURLS, (1.2, 4.2), curling)
    if style is not None and style not in known:
        raise InputError(f"style of {activity} must be one of {', '.join(known)}, got {style!r}")
    drawn = str(rng.choice(list(known), p=list(known.values())))
    style = style or drawn
    plan = schedule(
        rng, fps=fps, seconds=seconds, repetitions=repetitions, tempo=draw_tempo(rng, period), sides=sides_of(style)
    )  # fmt: skip
    controls, props = follow(rng, body, plan, style)
    return Motion(controls, plan, props, activity, style)


def _idling(rng: np.random.Generator, body: Body, activity: str, plan: Schedule) -> Controls:
    """Someone who does no exercise, as one of OTHERS."""
    controls = standing(rng, body, plan.time, draw_stance(rng, body, (0.9, 1.8)), 1.5)
    if activity == "walking_in_place":
        return walking(rng, body, controls, plan)
    if activity == "waving":
        raised = ease(plan.time / 0.8) * ease((plan.seconds - plan.time) / 0.8)
        return controls.mix(waving(body, controls, plan.time), raised)
    return resting_hands(rng, body, controls) if rng.random() < 0.6 else controls


def film(
    streams: list[np.random.Generator],
    seed: int,
    body: Body,
    look: Look,
    motion: Motion,
    view: str,
    size: tuple[int, int],
    fps: float,
    *,
    extra: list[Solid] | None = None,
    camera: Camera | None = None,
    style: Style | None = None,
    yaw: float | None = None,
) -> RenderedClip:
    """Put a moving person in front of a camera and render it.

    extra: more solids, in the person's axes; camera, style, yaw: drawn when None.
    """
    local = solve(body, motion.controls)
    yaw = draw_yaw(streams[4], view) if yaw is None else yaw
    pose = local.placed(yaw, np.zeros(3))
    solids = placed(
        [*dressed(body, look, local), *held(body, look, local, motion.props), *(extra or [])], yaw
    )
    positions = landmark_positions(body, pose)
    camera = camera or draw_camera(streams[5], pose, positions, size, motion.activity)
    frames = len(positions)
    clear = float(np.clip(np.abs(positions[..., [0, 2]]).max() + 0.2, 0.6, 1.6))
    room = build_room(streams[6], camera, clear)
    style = style or draw_style(streams[7], frames, min(size))
    pictures, empty = render(solids, camera, room, style, frames, int(streams[7].integers(2**31)))
    label = label_of(motion.activity)
    exercise = label != "none"
    phase = motion.plan.joint_phase if exercise else np.zeros(frames)
    return RenderedClip(
        frames=pictures,
        fps=fps,
        label=label,
        activity=motion.activity,
        seed=seed,
        repetitions=len(motion.plan.extremes_s) if exercise else 0,
        extremes_s=motion.plan.extremes_s if exercise else (),
        phase=phase.astype(np.float32),
        joints=seen_landmarks(positions, camera, style.shake.astype(np.float64)),
        angles=joint_angles(local),
        style=motion.style,
        view=view,
        empty=empty,
        segments=sets_of(label, motion.plan) if exercise else (),
    )


def sets_of(label: str, plan: Schedule) -> tuple[tuple[str, float, float, int], ...]:
    """(label, start_s, end_s, repetitions) of each set of a schedule."""
    return tuple(
        (label, round(float(a), 4), round(float(b), 4), sum(bool(a <= t <= b) for t in plan.extremes_s))
        for a, b in plan.spans
    )


def draw_yaw(rng: np.random.Generator, view: str) -> float:
    """Radians by which the person is turned from the camera; positive to the picture's right."""
    side = 1.0 if rng.random() < 0.5 else -1.0
    return side * float(np.radians(rng.uniform(*YAWS[view])))


def placed(solids: list[Solid], yaw: float) -> list[Solid]:
    """Solids turned about the vertical like the person."""
    turn = rotation_y(np.array([yaw]))[0].T
    return [
        replace(
            s, start=s.start @ turn, end=s.end @ turn, across=None if s.across is None else s.across @ turn
        )
        for s in solids
    ]


def draw_camera(
    rng: np.random.Generator, pose: Skeleton, positions: Array, size: tuple[int, int], activity: str
) -> Camera:
    """A camera that shows the person whole, or for curls and standing sometimes from the hips or knees up."""
    width, height = size
    crop = rng.random()
    crown = pose.head + np.array([0.0, 0.14, 0.0])
    shown = np.concatenate([positions.reshape(-1, 3), crown])
    upper = np.concatenate([positions[:, :25].reshape(-1, 3), crown])
    knees = np.concatenate([upper, pose.knees.reshape(-1, 3)])
    if activity != "squat" and crop < 0.30:
        shown = upper
    elif crop < (0.04 if activity == "squat" else 0.45):
        shown = knees
    wide = float(rng.uniform(35, 75))
    fill = float(rng.uniform(0.62, 0.97)) if rng.random() < 0.8 else float(rng.uniform(0.4, 0.7))
    slack = max(0.0, 1.0 - fill)
    kind = rng.random()
    low, high = (0.8, 1.6) if kind < 0.65 else (0.2, 0.8) if kind < 0.85 else (1.6, 2.1)
    camera_height = float(rng.uniform(low, high))
    return frame_person(
        shown,
        field_of_view=float(np.radians(wide)),
        fill=fill,
        offset=(
            float(rng.uniform(-0.4, 0.4)) * slack * (1.6 if width > height else 1.0),
            float(rng.uniform(-0.35, 0.35)) * slack,
        ),
        width=width,
        height=height,
        roll=float(np.radians(rng.normal(0.0, 1.0))),
        camera_height=camera_height,
    )


def _draw_activity(rng: np.random.Generator, label: str | None, activity: str | None) -> str:
    drawn_label = LABELS[int(rng.integers(3))]
    drawn = str(rng.choice([*OTHERS, NOBODY]))
    if activity is not None:
        return activity
    label = label or drawn_label
    return drawn if label == "none" else label


def _draw_size(rng: np.random.Generator, width: int | None, height: int | None) -> tuple[int, int]:
    aspects = [(16, 9), (9, 16), (1, 1), (4, 3), (3, 4), (3, 2)]
    across, down = aspects[int(rng.choice(len(aspects), p=[0.42, 0.26, 0.1, 0.12, 0.06, 0.04]))]
    scale = SHORT_SIDE / min(across, down)
    if width is None and height is None:
        width, height = round(across * scale / 2) * 2, round(down * scale / 2) * 2
    elif width is None and height is not None:
        width = max(32, round(height * across / down / 2) * 2)
    elif height is None and width is not None:
        height = max(32, round(width * down / across / 2) * 2)
    return width or SHORT_SIDE, height or SHORT_SIDE


def _nobody(
    streams: list[np.random.Generator], seed: int, seconds: float | None, fps: float, size: tuple[int, int]
) -> RenderedClip:
    drawn = float(streams[3].uniform(3.0, 8.0))
    frames = max(2, round((seconds or drawn) * fps))
    width, height = size
    points = np.array([[-0.3, 0.0, -0.2], [0.3, 1.75, 0.2]])
    camera = frame_person(
        points, field_of_view=float(np.radians(streams[5].uniform(35, 75))), fill=0.8,
        offset=(0.0, 0.0), width=width, height=height, camera_height=float(streams[5].uniform(0.6, 1.7)),
    )  # fmt: skip
    room = build_room(streams[6], camera, 0.6)
    style = draw_style(streams[7], frames, min(size))
    pictures, empty = render([], camera, room, style, frames, int(streams[7].integers(2**31)))
    angles = {name: np.full(frames, np.nan, np.float32) for name in ANGLES}
    return RenderedClip(
        frames=pictures, fps=fps, label="none", activity=NOBODY, seed=seed, repetitions=0, extremes_s=(),
        phase=np.zeros(frames, np.float32), joints=np.full((frames, 33, 7), np.nan, np.float32),
        angles=angles, style=NOBODY, view="none", empty=empty, segments=(),
    )  # fmt: skip
