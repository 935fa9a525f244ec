"""Batches of single augmented frames with the teacher's joints, drawn by step so that a killed run can go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.augment import Augmentation, Ranges, draw
from exerlitenet.datasets.frames import StoredClip
from exerlitenet.datasets.landmarks import LANDMARKS, TARGETS, picture_points, posture_target
from exerlitenet.errors import InputError
from exerlitenet.recognition.follower import LEAST_JOINTS, VISIBLE, box_of, crop_of
from exerlitenet.video.crop import Crop, whole_crop

WHOLE_CHANCE = 0.2
"""How often a frame is looked at whole, as the first one of a stream is."""

NEIGHBOURS = 8
"""Ticks on either side whose joints may widen the view, as those of earlier frames do at work."""

SIDE_FACTOR = (0.82, 1.45)
OFFSET = 0.14
"""How far a view may be from the right one: factor on its side, and parts of it to either side."""


@dataclass(frozen=True)
class PosedClip:
    """A clip with a teacher's poses.

    poses: float32 [rows, 33, 7], row k belongs to tick k of `clip`.
    weight: how often frames of this clip are drawn, relative to others.
    """

    clip: StoredClip
    poses: NDArray[np.float32]
    weight: float


class PostureBatches:
    """Batch `k` is the same whenever it is asked for: chance comes from (seed, k) alone."""

    def __init__(self, clips: Sequence[PosedClip], ranges: Ranges, seed: int) -> None:
        self._clips = [c for c in clips if np.isfinite(c.poses[: c.clip.ticks, 0, 0]).any()]
        if not self._clips:
            raise InputError(
                "no clip has poses to learn posture from; put poses/NAME.npy for each NAME.mp4 beside the "
                "manifest, or give every stage of posture.stages a share of rendered people"
            )
        self._rows = [np.flatnonzero(np.isfinite(c.poses[: c.clip.ticks, 0, 0])) for c in self._clips]
        weights = np.array([c.weight for c in self._clips], np.float64)
        if not weights.sum() > 0:
            raise InputError("none of the clips with poses is ever drawn; give one a weight above 0")
        self._chances = weights / weights.sum()
        self._ranges = ranges
        self._seed = seed

    def batch(self, step: int, count: int, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """float32 [count, size, size, 3] in [0,1] and targets float32 [count, 13, 9]."""
        rng = np.random.default_rng([self._seed, step])
        pixels = np.empty((count, size, size, 3), np.uint8)
        targets = np.empty((count, len(LANDMARKS), TARGETS), np.float32)
        for i, chosen in enumerate(rng.choice(len(self._clips), count, p=self._chances)):
            posed = self._clips[chosen]
            row = int(rng.choice(self._rows[chosen]))
            augmentation = draw(rng, self._ranges)
            view = drawn_view(rng, posed, row, augmentation)
            pixels[i] = augmentation.picture(posed.clip.frames[row], size, view)
            targets[i] = posture_target(posed.poses[row], posed.clip.aspect, augmentation, view)
        return pixels.astype(np.float32) / np.float32(255), targets

    def stream(
        self, first: int, last: int, count: int, size: int, workers: int = 2
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Batches `first` to `last` - 1 in order, made ahead by `workers` threads."""
        with ThreadPoolExecutor(workers) as pool:
            waiting: list[Future[tuple[NDArray[np.float32], NDArray[np.float32]]]] = []
            following = first
            for _ in range(first, last):
                while following < last and len(waiting) < 2 * workers:
                    waiting.append(pool.submit(self.batch, following, count, size))
                    following += 1
                yield waiting.pop(0).result()


def drawn_view(rng: np.random.Generator, posed: PosedClip, row: int, augmentation: Augmentation) -> Crop:
    """Where the network may be looking when it meets this frame: about the person, more or less, or at the whole."""
    height, width = posed.clip.frames.shape[1:3]
    whole = whole_crop(height, width)
    x, y = rng.uniform(-OFFSET, OFFSET, 2)
    factor = float(np.exp(rng.uniform(*np.log(SIDE_FACTOR))))
    before, after = rng.integers(0, NEIGHBOURS + 1, 2)
    if rng.random() >= WHOLE_CHANCE:
        poses = posed.poses[max(0, row - before) : row + after + 1]
        points = augmentation.points(picture_points(poses, width / height))
        found = points[poses[:, list(LANDMARKS), 3] >= VISIBLE]  # NaN is not
        if len(found) >= LEAST_JOINTS:
            right = crop_of(box_of(found), whole.side)
            side = right.side * factor
            return Crop(right.x + float(x) * side, right.y + float(y) * side, side)
    side = whole.side * min(factor, 1.15)
    return Crop(float(x) * side / 2, float(y) * side / 2, side)
