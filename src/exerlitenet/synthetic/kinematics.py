"""From what a movement asks for (pelvis, trunk, feet, hands) to joint positions of a body: inverse
kinematics.

Axes of a person: x to the person's left, y up, z forward; the floor is y = 0. Index 0 of a pair is left, 1
right.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from exerlitenet.synthetic.person import Body

Array = NDArray[np.float64]
SIDE = np.array([1.0, -1.0])
"""Sign of x for left and right."""


@dataclass(frozen=True)
class Controls:
    """What a movement asks for, one row per frame (n frames); angles in radians, lengths in metres.

    pelvis [n,3]: middle of the hip joints. lean, side, twist [n]: trunk pitched forward, rolled to the left,
    turned to the left. curve [n]: extra forward pitch of the chest. head_pitch, head_yaw [n]: of the head
    against the chest, down and to the left. ankles [n,2,3]; foot_yaw [n,2]: toes to the left; foot_pitch
    [n,2]: toes down; knees point along the feet. hands [n,2,3]: wrist from shoulder, in the chest's axes;
    elbow_pole [n,2,3]: where the elbow points, same axes. handle [n,2,3]: axis of what a hand holds, same
    axes.
    """

    pelvis: Array
    lean: Array
    side: Array
    twist: Array
    curve: Array
    head_pitch: Array
    head_yaw: Array
    ankles: Array
    foot_yaw: Array
    foot_pitch: Array
    hands: Array
    elbow_pole: Array
    handle: Array

    def mix(self, other: Controls, weight: Array) -> Controls:
        """`self` where weight [n] is 0, `other` where it is 1, in between in a straight line."""
        mixed = {}
        for field in fields(self):
            one, two = getattr(self, field.name), getattr(other, field.name)
            w = weight.reshape((-1,) + (1,) * (one.ndim - 1))
            mixed[field.name] = one * (1.0 - w) + two * w
        return Controls(**mixed)


@dataclass(frozen=True)
class Skeleton:
    """Joint positions in metres, [n,3] each or [n,2,3] for pairs, and orientations [n,3,3] (columns: axes)."""

    pelvis: Array
    chest: Array
    neck: Array
    head: Array
    hips: Array
    knees: Array
    ankles: Array
    heels: Array
    toes: Array
    shoulders: Array
    elbows: Array
    wrists: Array
    knuckles: Array
    handle: Array
    pelvis_axes: Array
    chest_axes: Array
    head_axes: Array
    foot_axes: Array

    def placed(self, yaw: float, shift: Array) -> Skeleton:
        """The same person turned by `yaw` radians to the left about the vertical, then moved by `shift` [3]."""
        turn = rotation_y(np.array([yaw]))[0]
        moved = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_axes"):
                moved[field.name] = turn @ value
            elif field.name == "handle":
                moved[field.name] = value @ turn.T
            else:
                moved[field.name] = value @ turn.T + shift
        return Skeleton(**moved)


def rotation_x(angle: Array) -> Array:
    """[n] radians -> [n,3,3]; a positive angle tips up towards forward."""
    c, s, o, i = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    return np.stack([i, o, o, o, c, -s, o, s, c], -1).reshape((*angle.shape, 3, 3))


def rotation_y(angle: Array) -> Array:
    """[n] radians -> [n,3,3]; a positive angle turns forward towards left."""
    c, s, o, i = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    return np.stack([c, o, s, o, i, o, -s, o, c], -1).reshape((*angle.shape, 3, 3))


def rotation_z(angle: Array) -> Array:
    """[n] radians -> [n,3,3]; a positive angle tips left towards up."""
    c, s, o, i = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    return np.stack([c, -s, o, s, c, o, o, o, i], -1).reshape((*angle.shape, 3, 3))


def apply(axes: Array, vector: Array) -> Array:
    """Rotate: axes [n,3,3] by vectors [n,3] or [n,2,3]."""
    rule = "nij,nkj->nki" if vector.ndim == 3 else "nij,nj->ni"
    return np.asarray(np.einsum(rule, axes, vector))


def unit(vector: Array) -> Array:
    """Vectors of length one along the last axis; zero stays zero."""
    return np.asarray(vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9))


def two_bones(root: Array, target: Array, first: float, second: float, pole: Array) -> tuple[Array, Array]:
    """Middle joint and end of a chain of two bones that reaches for `target`, bent towards `pole`.

    root, target, pole: [..., 3]. A target out of reach is brought to 0.9995 of the chain's length.
    """
    line = target - root
    distance = np.linalg.norm(line, axis=-1, keepdims=True)
    direction = line / np.maximum(distance, 1e-9)
    reach = np.clip(distance, abs(first - second) + 0.01, 0.9995 * (first + second))
    along = (first**2 - second**2 + reach**2) / (2.0 * reach)
    out = np.sqrt(np.maximum(first**2 - along**2, 0.0))
    side = pole - np.sum(pole * direction, -1, keepdims=True) * direction
    fallback = np.where(np.abs(direction[..., 2:3]) < 0.9, [0.0, 0.0, 1.0], [0.0, 1.0, 0.0])
    fallback = fallback - np.sum(fallback * direction, -1, keepdims=True) * direction
    weak = np.linalg.norm(side, axis=-1, keepdims=True) < 1e-6
    side = unit(np.where(weak, fallback, side))
    return root + along * direction + out * side, root + reach * direction


def trunk_axes(controls: Controls) -> tuple[Array, Array]:
    """Orientation of pelvis and chest, [n,3,3] each."""
    pelvis = (
        rotation_y(0.35 * controls.twist) @ rotation_x(0.85 * controls.lean) @ rotation_z(0.4 * controls.side)
    )
    chest = (
        rotation_y(controls.twist) @ rotation_x(controls.lean + controls.curve) @ rotation_z(controls.side)
    )
    return pelvis, chest


def solve(body: Body, controls: Controls) -> Skeleton:
    """Joint positions that do what `controls` ask for with this body's bone lengths."""
    pelvis_axes, chest_axes = trunk_axes(controls)
    half = np.zeros((1, 2, 3))
    half[0, :, 0] = SIDE * body.half_hips
    hips = controls.pelvis[:, None] + apply(pelvis_axes, np.broadcast_to(half, (len(pelvis_axes), 2, 3)))
    foot_axes = rotation_y(controls.foot_yaw) @ rotation_x(controls.foot_pitch)
    forward = foot_axes[..., 2]
    down = -foot_axes[..., 1]
    flat_forward = rotation_y(controls.foot_yaw)[..., 2]
    knees, ankles = two_bones(hips, controls.ankles, body.thigh, body.shank, flat_forward)
    heels = ankles + forward * (-0.26 * body.foot) + down * (body.ankle_height - 0.012)
    toes = ankles + forward * (0.70 * body.foot) + down * (body.ankle_height - 0.015)

    lower, upper = pelvis_axes[:, :, 1], chest_axes[:, :, 1]
    chest = controls.pelvis + 0.42 * body.trunk * lower
    neck = chest + 0.58 * body.trunk * upper
    half = np.zeros((1, 2, 3))
    half[0, :, 0] = SIDE * body.half_shoulders
    half[0, :, 1] = -0.03
    shoulders = neck[:, None] + apply(chest_axes, np.broadcast_to(half, (len(chest_axes), 2, 3)))
    wrist_targets = shoulders + apply(chest_axes, controls.hands)
    elbows, wrists = two_bones(
        shoulders, wrist_targets, body.upper_arm, body.forearm, apply(chest_axes, controls.elbow_pole)
    )
    knuckles = wrists + 0.62 * body.hand * unit(wrists - elbows)
    head_axes = chest_axes @ rotation_y(controls.head_yaw) @ rotation_x(controls.head_pitch)
    head = neck + body.neck * upper + 0.5 * body.head * head_axes[:, :, 1] + 0.012 * head_axes[:, :, 2]
    return Skeleton(
        pelvis=controls.pelvis,
        chest=chest,
        neck=neck,
        head=head,
        hips=hips,
        knees=knees,
        ankles=ankles,
        heels=heels,
        toes=toes,
        shoulders=shoulders,
        elbows=elbows,
        wrists=wrists,
        knuckles=knuckles,
        handle=apply(chest_axes, unit(controls.handle)),
        pelvis_axes=pelvis_axes,
        chest_axes=chest_axes,
        head_axes=head_axes,
        foot_axes=foot_axes,
    )
