"""A skeleton seen by a camera as MediaPipe Pose writes it: 33 landmarks of 7 numbers, and joint angles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exerlitenet.synthetic.camera import Camera
from exerlitenet.synthetic.kinematics import Skeleton
from exerlitenet.synthetic.person import Body

Array = NDArray[np.float64]

NOSE, LEFT_EAR, RIGHT_EAR = 0, 7, 8
SHOULDERS, ELBOWS, WRISTS = (11, 12), (13, 14), (15, 16)
HIPS, KNEES, ANKLES, HEELS, TOES = (23, 24), (25, 26), (27, 28), (29, 30), (31, 32)
LANDMARKS = 33
ANGLES = tuple(
    f"{side}_{joint}" for side in ("left", "right") for joint in ("elbow", "shoulder", "hip", "knee")
)


def landmark_positions(body: Body, pose: Skeleton) -> Array:
    """World positions of the 33 landmarks in MediaPipe Pose's order, [n,33,3] in metres."""
    n = len(pose.pelvis)
    side, up, front = (pose.head_axes[:, :, k] for k in range(3))
    r = 0.5 * body.head
    out = np.full((n, LANDMARKS, 3), np.nan)
    out[:, NOSE] = pose.head - 0.10 * r * up + 0.90 * r * front
    for s, sign in ((0, 1.0), (1, -1.0)):
        for k, across in enumerate((0.16, 0.27, 0.38)):
            out[:, 1 + 3 * s + k] = pose.head + sign * across * r * side + 0.10 * r * up + 0.70 * r * front
        out[:, 7 + s] = pose.head + sign * 0.74 * r * side - 0.05 * r * front
        out[:, 9 + s] = pose.head + sign * 0.2 * r * side - 0.48 * r * up + 0.68 * r * front
        fore = pose.knuckles[:, s] - pose.wrists[:, s]
        for k, far in ((17, 1.1), (19, 1.2), (21, 0.7)):
            out[:, k + s] = pose.wrists[:, s] + far * fore
    pairs = {
        11: pose.shoulders,
        13: pose.elbows,
        15: pose.wrists,
        23: pose.hips,
        25: pose.knees,
        27: pose.ankles,
    }
    for k, pair in (pairs | {29: pose.heels, 31: pose.toes}).items():
        out[:, k : k + 2] = pair
    return out


def seen_landmarks(positions: Array, camera: Camera, shift: Array) -> NDArray[np.float32]:
    """Landmarks as the camera sees them: float32 [n,33,7].

    positions: [n,33,3] world metres. shift [n,2]: pixels by which a frame's picture is moved. Columns: x and
    y in picture heights from the upper left corner; z in the same units from the middle of the hips, less is
    nearer; visibility (0 outside the picture); x right, y down, z away from the camera in metres from the
    middle of the hips.
    """
    seen = camera.seen(positions)
    hips = seen[:, list(HIPS)].mean(1, keepdims=True)
    xy, _ = camera.project(positions)
    xy = xy + shift[:, None]
    out = np.zeros((*positions.shape[:2], 7))
    out[..., :2] = xy / camera.height
    out[..., 2] = (
        (seen[..., 2] - hips[..., 2]) * (camera.focal / np.maximum(hips[..., 2], 0.1)) / camera.height
    )
    inside = (
        (xy[..., 0] >= 0) & (xy[..., 0] < camera.width) & (xy[..., 1] >= 0) & (xy[..., 1] < camera.height)
    )
    out[..., 3] = inside & (seen[..., 2] > 0.05)
    out[..., 4:] = seen - hips
    return out.astype(np.float32)


def angle(a: Array, b: Array, c: Array) -> Array:
    """Degrees at b between a and c; [..., 3] -> [...]; 180 when stretched."""
    u, v = a - b, c - b
    cosine = np.sum(u * v, -1) / np.maximum(np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1), 1e-9)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def joint_angles(pose: Skeleton) -> dict[str, NDArray[np.float32]]:
    """Degrees over n frames of left and right elbow, shoulder (upper arm against trunk), hip and knee."""
    found: list[Array] = []
    for s in (0, 1):
        hip, knee, shoulder, elbow = (x[:, s] for x in (pose.hips, pose.knees, pose.shoulders, pose.elbows))
        found += [angle(shoulder, elbow, pose.wrists[:, s]), angle(hip, shoulder, elbow)]
        found += [angle(shoulder, hip, knee), angle(hip, knee, pose.ankles[:, s])]
    return {name: degrees.astype(np.float32) for name, degrees in zip(ANGLES, found, strict=True)}
