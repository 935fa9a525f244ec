"""Body landmarks as targets: which ones, and what an augmentation does to them.

A teacher's poses are float [rows, 33, 7] in MediaPipe's order (x and y in units of the image height, z, visibility,
world x, y, z in metres about the hips); of them the thirteen that squats and curls turn on are learned.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.augment import Augmentation
from exerlitenet.video.crop import Crop

LANDMARKS = (0, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
"""Nose, then left and right shoulder, elbow, wrist, hip, knee, ankle, as MediaPipe numbers them."""

MIRROR = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11)
"""Where each of them goes when the picture is mirrored."""

ANGLES = ((1, 3, 5), (2, 4, 6), (7, 1, 3), (8, 2, 4), (1, 7, 9), (2, 8, 10), (7, 9, 11), (8, 10, 12))
"""Joints whose angle is a feature, as (end, vertex, end) among LANDMARKS: elbows, shoulders, hips, knees."""

TRUNK = (1, 2, 7, 8)
"""Shoulders and hips among LANDMARKS: their middle is the body's."""

TARGETS = 9
"""Numbers a landmark in a target: x, y, visibility, world x, y, z, then the weights of place, visibility, world."""

# A landmark a little outside the picture is still a target: the network may infer it from what it sees.
MARGIN = 0.15
# Below this visibility the teacher is guessing.
LEAST_VISIBILITY = 0.3


def picture_points(pose: NDArray[np.float32], aspect: float) -> NDArray[np.float32]:
    """A teacher's x and y of `LANDMARKS` in picture units: float32 [..., 33, 7] -> float32 [..., 13, 2].

    aspect: width / height of the picture.
    """
    xy = pose[..., list(LANDMARKS), :2] - np.array([aspect / 2, 0.5], np.float32)
    return (xy / np.float32(min(1.0, aspect))).astype(np.float32)


def posture_target(
    pose: NDArray[np.float32], aspect: float, augmentation: Augmentation, view: Crop
) -> NDArray[np.float32]:
    """What the network shall say of one augmented frame of which it sees the crop `view`.

    pose: float32 [33, 7], NaN where the teacher found nobody. aspect: width / height of the original picture.
    Returns float32 [13, 9] (see TARGETS); all weights are 0 where there is nothing to learn.
    """
    target = np.zeros((len(LANDMARKS), TARGETS), np.float32)
    landmarks = pose[list(LANDMARKS)]
    known = np.isfinite(landmarks[:, 0])
    if not known.any():
        return target
    landmarks = np.where(known[:, None], landmarks, 0).astype(np.float32)
    place = np.where(known[:, None], picture_points(pose, aspect), 0).astype(np.float32)
    xy = view.to_crop(augmentation.points(place))
    world = landmarks[:, 4:7].copy()
    cos, sin = math.cos(augmentation.rotate_radians), math.sin(augmentation.rotate_radians)
    world[:, :2] = world[:, :2] @ np.array([[cos, -sin], [sin, cos]], np.float32)
    visibility = landmarks[:, 3]
    if augmentation.flip:
        world[:, 0] *= -1
        order = list(MIRROR)
        xy, world, visibility, known = xy[order], world[order], visibility[order], known[order]
    inside = ((xy > -MARGIN) & (xy < 1 + MARGIN)).all(axis=1)
    in_picture = ((xy >= 0) & (xy <= 1)).all(axis=1)
    target[:, 0:2] = np.clip(xy, -1, 2)
    target[:, 2] = visibility * in_picture
    target[:, 3:6] = world
    seen = np.where(visibility >= LEAST_VISIBILITY, visibility, 0)
    target[:, 6] = known * inside * seen
    target[:, 7] = known
    # The body's shape in space is learned while most of the body is in the picture.
    target[:, 8] = known * (0.3 + 0.7 * seen) * (in_picture.mean() > 0.5)
    return target
