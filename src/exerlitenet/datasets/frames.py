"""Sampled frames of many clips, decoded once and kept on disk.

Training reads every frame many times under new augmentation, so decoding is done once: one file per clip, either
uint8 [ticks, side, side, 3], squashed to a square a little larger than the model's input so that a crop still has
detail, or [ticks, height, width, 3] with the picture's aspect, for a model that chooses its crop.
Evaluation never reads this store; it decodes the video as `recognize` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exerlitenet.errors import InputError
from exerlitenet.files import replacing, write_atomically
from exerlitenet.folders import cache_folder
from exerlitenet.progress import Progress
from exerlitenet.video.sequence import SequenceSpec, prepare, sample
from exerlitenet.video.source import open_video

# Short side of frames that keep their aspect; see `SequenceSpec.source_short_side`.
STORE_SIDE = 256


@dataclass(frozen=True)
class StoredClip:
    """Where one clip's frames lie, and what is needed to place a teacher's poses on them.

    frames: memory-mapped uint8 [ticks, height, width, 3]; tick k is the first frame at or after k / rate.
    aspect: width / height of the original picture.
    """

    frames: NDArray[np.uint8]
    aspect: float

    @property
    def ticks(self) -> int:
        return len(self.frames)


def store_clip(path: Path, folder: Path, rate: float, side: int, *, squash: bool = True) -> StoredClip:
    """Decodes one clip into `folder`, or finds it there from an earlier run. Raises InputError if unreadable.

    side: of the square, or the short side of a picture that is not squashed.
    """
    stat = path.stat()
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{rate}|{side}{'' if squash else '|whole'}"
    target = folder / (hashlib.sha256(key.encode()).hexdigest()[:24] + ".npy")
    aspect_file = target.with_suffix(".aspect")
    if not (target.exists() and aspect_file.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        spec = SequenceSpec(rate=rate, size=side, source_short_side=side)
        with open_video(path, rate=rate, short_side=side) as source:
            aspect = source.width / source.height
            frames = sample(source, rate)
            pictures = [prepare(frame.rgb, spec) if squash else frame.rgb for frame in frames]
        write_atomically(aspect_file, repr(aspect))
        with replacing(target) as temporary, temporary.open("wb") as file:
            np.save(file, np.stack(pictures))
    return StoredClip(np.load(target, mmap_mode="r"), float(aspect_file.read_text()))


def store_clips(
    paths: Sequence[Path],
    folder: Path,
    *,
    rate: float,
    side: int = 256,
    squash: bool = True,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[StoredClip]:
    """Decodes clips into `folder`; what is there already is kept, so a killed run continues where it was."""
    if not paths:
        raise InputError("there are no clips to decode: the dataset is empty")
    stored = []
    for number, path in enumerate(paths, 1):
        stored.append(store_clip(path, folder, rate, side, squash=squash))
        if on_progress is not None:
            on_progress(number, len(paths))
    return stored


def stored_clips(paths: Sequence[Path], rate: float, progress: Progress) -> list[StoredClip]:
    """Frames of these clips in the cache, `rate` a second, with the picture's aspect, at the size that a model meets at
    work.
    """
    return store_clips(
        paths,
        cache_folder() / "frames",
        rate=rate,
        side=STORE_SIDE,
        squash=False,
        on_progress=partial(progress.step, "decoding clips"),
    )
