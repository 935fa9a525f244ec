"""Batches of single augmented frames with the teacher's joints, drawn by step so that a killed run can go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exerlitenet.errors import InputError
from exerlitenet.training.augment import Ranges, draw
from exerlitenet.training.frames import StoredClip
from exerlitenet.training.landmarks import LANDMARKS, TARGETS, posture_target


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
            pixels[i] = augmentation.apply(posed.clip.frames[row : row + 1], size)[0]
            targets[i] = posture_target(posed.poses[row], posed.clip.aspect, augmentation)
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
