"""Following a person: where to look in the next frame, from the joints that the model saw in this one.

The first frame is looked at whole. From then on the view is a square about the person, so that distance, place and
the picture's aspect matter little. It grows at once when a limb comes near its edge, and shrinks slowly, so that a
repetition moves the person within the view and not the view.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exerlitenet.video.view import View, whole_view

VISIBLE = 0.5
LEAST_JOINTS = 4
MARGIN = 1.3
"""Side of the view over the larger extent of the joints: the head rises above the nose, hands beyond the wrists."""

SMALLEST_SIDE = 0.25
GROW = 0.7
SHRINK = 0.06
"""Parts of the way that an edge of the box goes in one tick, outward and inward."""

LOST_TICKS = 4

LET_GO_S = 1.5
"""While no set runs, the view is let go of this often, so that it never stays on furniture."""


class Follower:
    """Where one stream's model looks. Call `view` before a frame is encoded and `see` after it."""

    def __init__(self) -> None:
        # Left, top, right, bottom of the person in picture units; None while nobody is followed.
        self._box: NDArray[np.float32] | None = None
        self._view: View | None = None
        self._lost = 0

    def view(self, height: int, width: int) -> View:
        """Where to look in a picture of this size."""
        whole = whole_view(height, width)
        self._view = whole if self._box is None else view_of(self._box, whole.side)
        return self._view

    def let_go(self) -> None:
        """The next frame is looked at whole, wherever the person was."""
        self._box = None

    def see(self, joints: NDArray[np.float32]) -> None:
        """What the model saw there. joints: float32 [13, 3 or more]: x and y, 0 to 1 in the view, and visibility."""
        if self._view is None:
            raise ValueError("see() speaks of the view that view() gave; call view() first")
        found = joints[joints[:, 2] >= VISIBLE, :2]
        if len(found) < LEAST_JOINTS:
            self._lost += 1
            if self._lost >= LOST_TICKS:
                self._box = None
            return
        self._lost = 0
        box = box_of(self._view.to_picture(found))
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


def view_of(box: NDArray[np.float32], whole_side: float) -> View:
    """The view about a person's box, never larger than the picture."""
    left, top, right, bottom = (float(v) for v in box)
    side = MARGIN * max(right - left, bottom - top)
    side = min(max(side, SMALLEST_SIDE), whole_side)
    return View((left + right) / 2, (top + bottom) / 2, side)
