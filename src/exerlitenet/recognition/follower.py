"""Following a person: which square of the next frame to crop, from the joints that the model found in this one.

The first frame is taken whole. From then on the crop is a square around the person, so that distance, place and the
picture's aspect matter little. It grows at once when a limb comes near its edge, and shrinks slowly, so that a
repetition moves the person within the crop and not the crop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exerlitenet.video.crop import Crop, whole_crop

VISIBLE = 0.5
LEAST_JOINTS = 4
MARGIN = 1.3
"""Side of the crop over the larger extent of the joints: the head rises above the nose, hands beyond the wrists."""

SMALLEST_SIDE = 0.25
GROW = 0.7
SHRINK = 0.06
"""Parts of the way that an edge of the box goes in one tick, outward and inward."""

LOST_TICKS = 4


class Follower:
    """Where one stream's model crops. Call `crop` before a frame is encoded and `update` after it."""

    def __init__(self) -> None:
        # Left, top, right, bottom of the person in picture units; None while nobody is followed.
        self._box: NDArray[np.float32] | None = None
        self._crop: Crop | None = None
        self._lost = 0

    def crop(self, height: int, width: int) -> Crop:
        """What to crop from a picture of this size."""
        whole = whole_crop(height, width)
        self._crop = whole if self._box is None else crop_of(self._box, whole.side)
        return self._crop

    def reset(self) -> None:
        """The next frame is taken whole, wherever the person was."""
        self._box = None

    def update(self, joints: NDArray[np.float32]) -> None:
        """What the model found in the crop.

        joints: float32 [13, 3 or more]: x and y, 0 to 1 across the crop, and visibility.
        """
        if self._crop is None:
            raise ValueError("update() is about the crop that crop() gave; call crop() first")
        found = joints[joints[:, 2] >= VISIBLE, :2]
        if len(found) < LEAST_JOINTS:
            self._lost += 1
            if self._lost >= LOST_TICKS:
                self._box = None
            return
        self._lost = 0
        box = box_of(self._crop.to_picture(found))
        if self._box is None:
            self._box = box
            return
        outward = np.array(
            [box[0] < self._box[0], box[1] < self._box[1], box[2] > self._box[2], box[3] > self._box[3]]
        )
        self._box = (self._box + np.where(outward, GROW, SHRINK) * (box - self._box)).astype(np.float32)


def box_of(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Left, top, right, bottom of points float32 [n, 2]: float32 [4]."""
    return np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)


def crop_of(box: NDArray[np.float32], whole_side: float) -> Crop:
    """The crop around a person's box, never larger than the picture."""
    left, top, right, bottom = (float(v) for v in box)
    side = MARGIN * max(right - left, bottom - top)
    side = min(max(side, SMALLEST_SIDE), whole_side)
    return Crop((left + right) / 2, (top + bottom) / 2, side)


def finds_person(joints: NDArray[np.float32] | None) -> bool | None:
    """Whether enough joints are visible to follow a person by them.

    False is worth more than True: a posture network finds something like a person in many empty rooms.

    joints: float32 [n, 3 or more], the third column visibility; None from a model that finds no joints.
    """
    return None if joints is None else int((joints[:, 2] >= VISIBLE).sum()) >= LEAST_JOINTS
