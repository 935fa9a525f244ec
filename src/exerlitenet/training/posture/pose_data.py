"""What teaches posture: clips with the poses of a teacher, and batches of single augmented frames of them.

Batches are drawn by step, so that a killed run can continue.
"""

from __future__ import annotations

import csv
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets import rendered
from exerlitenet.datasets.augment import Augmentation, Ranges, draw
from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.frames import StoredClip
from exerlitenet.datasets.landmarks import LANDMARKS, TARGETS, picture_points, posture_target
from exerlitenet.datasets.windows import prefetch
from exerlitenet.errors import InputError
from exerlitenet.progress import Progress
from exerlitenet.recognition.follower import LEAST_JOINTS, VISIBLE, box_of, crop_of
from exerlitenet.training.config import Config
from exerlitenet.video.crop import Crop, whole_crop

POSE_RATE = 7.5
"""Rows a second of a file of poses."""

WHOLE_CHANCE = 0.2
"""How often the crop is the whole frame, as for the first one of a stream."""

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
            view = drawn_crop(rng, posed, row, augmentation)
            pixels[i] = augmentation.picture(posed.clip.frames[row], size, view)
            targets[i] = posture_target(posed.poses[row], posed.clip.aspect, augmentation, view)
        return pixels.astype(np.float32) / np.float32(255), targets

    def stream(
        self, first: int, last: int, count: int, size: int, workers: int = 2
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Batches `first` to `last` - 1 in order, prefetched by `workers` threads."""
        return prefetch(lambda step: self.batch(step, count, size), range(first, last), workers)


def drawn_crop(rng: np.random.Generator, posed: PosedClip, row: int, augmentation: Augmentation) -> Crop:
    """The crop that the network may get of this frame: about the person, more or less, or the whole."""
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


def load_poses(path: Path, ticks: int, rate: float) -> NDArray[np.float32]:
    """Poses of `ticks` sampled frames: float32 [ticks, 33, 7], NaN beyond the file's end and where nobody was found.

    The file holds float16 [rows, 33, 7] at 7.5 rows a second.
    """
    try:
        # Opened here, since NumPy leaves a damaged file open.
        with path.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as fault:
        raise InputError(
            f"{path} must hold poses as float [rows, 33, 7], but cannot be read: {fault}"
        ) from fault
    if not isinstance(stored, np.ndarray):
        stored.close()
        raise InputError(f"{path} must hold poses as one array [rows, 33, 7], got several")
    if stored.ndim != 3 or stored.shape[1:] != (33, 7) or stored.dtype.kind != "f":
        raise InputError(
            f"{path} must hold poses as float [rows, 33, 7], got {stored.dtype} {list(stored.shape)}"
        )
    out = np.full((ticks, 33, 7), np.nan, np.float32)
    rows = np.round(np.arange(ticks) * POSE_RATE / rate).astype(int)
    there = rows < len(stored)
    out[there] = stored[rows[there]]
    return out


def posed_clips(
    clips: Sequence[Clip], stored: Sequence[StoredClip], rate: float, share: float
) -> list[PosedClip]:
    """Clips that have poses. Together they are drawn with weight `share`.

    A group counts with the root of its clips, so that a source with many clips of a few people does not rule.
    """
    sizes = Counter(clip.group for clip in clips)
    chosen = [
        (clip.poses, frames, sizes[clip.group] ** -0.5)
        for clip, frames in zip(clips, stored, strict=True)
        if clip.poses is not None
    ]
    total = sum(weight for _, _, weight in chosen)
    return [
        PosedClip(frames, load_poses(poses, frames.ticks, rate), share * weight / total)
        for poses, frames, weight in chosen
    ]


def unlabelled_videos(folder: Path, poses: Path, barred: frozenset[str]) -> list[Clip]:
    """The videos in `folder` whose source is not barred and whose poses are there; their sources are their groups.

    folder holds manifest.csv with the columns file and source. Sources of people that a model is evaluated on are
    barred, so that nothing of them is learned. Raises InputError when the table or the poses are missing.
    """
    table = folder / "manifest.csv"
    if not table.is_file():
        raise InputError(f"unlabelled videos need {table} with the columns file and source; it is not there")
    if not poses.is_dir():
        raise InputError(f"unlabelled videos need their poses, but {poses} is no folder")
    with table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not {"file", "source"} <= set(reader.fieldnames or ()):
            raise InputError(
                f"{table} must have the columns file and source, got {', '.join(reader.fieldnames or ())}"
            )
        rows = list(reader)
    found = []
    for row in rows:
        pose_file = poses / (Path(row["file"]).stem + ".npy")
        if row["source"] not in barred and pose_file.is_file():
            clip = Clip(folder / row["file"], "", f"unlabelled {row['source']}", poses=pose_file)
            found.append(clip)
    return found


def rendered_people(config: Config, progress: Progress) -> tuple[Clip, ...]:
    """The rendered clips that a configuration asks for; see `datasets.rendered`."""
    table = config.rendered
    seeds = range(table.first_seed, table.first_seed + table.clips)
    return rendered.rendered_clips(seeds, table.seconds, config.classes, progress)
