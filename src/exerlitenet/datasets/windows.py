"""Clips cut into sequences, and the pixels of each: plain, or as an augmented copy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exerlitenet.datasets.augment import Ranges, draw
from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.frames import StoredClip
from exerlitenet.errors import InputError
from exerlitenet.video.sequence import (
    SequenceSpec,
    prepare,
    to_unit_range,
    window_indices,
)

PLAIN = -1
"""In place of a copy's number: the sequence as it is, without augmentation."""

Item = tuple[int, int]
"""(sequence, copy): what a batch is made of."""

FrameOrder = Literal["true", "shuffled"]
"""Whether a network sees the frames of a sequence as they came, or in an order drawn by chance: a control that
shows whether movement matters to it.
"""

Job = TypeVar("Job")
Made = TypeVar("Made")


@dataclass(frozen=True)
class ClipSequence:
    """One window of a clip: the unit that the network learns from.

    clip: place of the clip in the dataset. start: first tick, at the model's rate.
    """

    clip: int
    start: int
    label: str
    group: str


def window_starts(ticks: int, frames: int, stride: int) -> list[int]:
    """First ticks of the windows over a clip of `ticks` sampled frames.

    Windows start at 0, stride, 2 stride, ... as long as they fit; a last one is added so that the clip's end
    is seen. A clip shorter than one window has one window that starts at 0 and holds the last frame.
    """
    if ticks < 1 or frames < 1 or stride < 1:
        raise InputError(f"ticks, frames and stride must be at least 1, got {ticks}, {frames}, {stride}")
    last = max(0, ticks - frames)
    starts = list(range(0, last + 1, stride))
    if starts[-1] != last:
        starts.append(last)
    return starts


def cut_sequences(
    clips: Sequence[Clip], stored: Sequence[StoredClip], frames: int, stride: int
) -> tuple[ClipSequence, ...]:
    """Windows of `frames` ticks over every clip, `stride` ticks apart (see `window_starts`)."""
    return tuple(
        ClipSequence(place, start, clip.label, clip.group)
        for place, (clip, kept) in enumerate(zip(clips, stored, strict=True))
        for start in window_starts(kept.ticks, frames, stride)
    )


class SequencePixels:
    """Pixels of sequences from the store of decoded clips.

    Copy k of sequence i is the same whenever it is asked for: chance comes from (seed, i, k) alone. So is its
    order of frames where they are shuffled, plain sequences among them.
    """

    def __init__(
        self,
        sequences: Sequence[ClipSequence],
        stored: Sequence[StoredClip],
        spec: SequenceSpec,
        ranges: Ranges,
        seed: int,
        order: FrameOrder = "true",
    ) -> None:
        self._sequences, self._stored = sequences, stored
        self._spec, self._ranges, self._seed, self._order = spec, ranges, seed, order

    def __len__(self) -> int:
        return len(self._sequences)

    @property
    def identity(self) -> str:
        """Changes when the pixels of any item would, but not with the order in which frames are shown."""
        facts = [asdict(self._spec), asdict(self._ranges), self._seed]
        facts += [[s.clip, s.start] for s in self._sequences] + [clip.ticks for clip in self._stored]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def shuffled(self) -> SequencePixels:
        """The same sequences, their frames in an order drawn by chance."""
        return SequencePixels(self._sequences, self._stored, self._spec, self._ranges, self._seed, "shuffled")

    def pixels(self, item: Item) -> NDArray[np.uint8]:
        """uint8 [frames, size, size, 3]."""
        frames, order = self.in_order(item), self.order_of(item)
        return frames if order is None else frames[order]

    def order_of(self, item: Item) -> NDArray[np.int64] | None:
        """The order in which an item's frames are shown, int64 [frames]; None for the true one."""
        if self._order == "true":
            return None
        index, copy = item
        chance = np.random.default_rng([self._seed, index, copy + 1, 1])
        return chance.permutation(self._spec.frames)

    def in_order(self, item: Item) -> NDArray[np.uint8]:
        """The same as `pixels` with frames as they came."""
        index, copy = item
        sequence, spec = self._sequences[index], self._spec
        clip = self._stored[sequence.clip]
        if copy == PLAIN:
            ticks = window_indices(sequence.start, clip.ticks, spec.frames)
            square = replace(spec, aspect="squash")
            return np.stack([prepare(frame, square) for frame in self._frames(clip, ticks)])
        augmentation = draw(np.random.default_rng([self._seed, index, copy]), self._ranges)
        ticks = augmentation.ticks(sequence.start, spec.frames, clip.ticks)
        return augmentation.apply(self._frames(clip, ticks), spec.size)

    def inputs(self, items: Sequence[Item]) -> list[NDArray[np.float32]]:
        """What the whole network reads: one array, float32 [items, frames, size, size, 3] in [0,1]."""
        return [to_unit_range(np.stack([self.pixels(item) for item in items]))]

    def _frames(self, clip: StoredClip, ticks: NDArray[np.int64]) -> NDArray[np.uint8]:
        frames: NDArray[np.uint8] = np.asarray(clip.frames[ticks])
        if self._spec.aspect == "pad":
            return np.stack([_unsquashed(frame, clip.aspect) for frame in frames])
        return frames


def _unsquashed(frame: NDArray[np.uint8], aspect: float) -> NDArray[np.uint8]:
    """A stored square, [side, side, 3], with its aspect (width / height) restored between black bars."""
    side = frame.shape[0]
    width, height = (side, round(side / aspect)) if aspect >= 1 else (round(side * aspect), side)
    picture = Image.fromarray(frame).resize((max(1, width), max(1, height)), Image.Resampling.BILINEAR)
    return prepare(np.asarray(picture), SequenceSpec(size=side, aspect="pad"))


def prefetch(make: Callable[[Job], Made], jobs: Sequence[Job], workers: int = 2) -> Iterator[Made]:
    """`make(job)` for every job in order, made by threads so that the next is ready in time."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: list[Future[Made]] = []
        for following in range(len(jobs)):
            waiting.append(pool.submit(make, jobs[following]))
            if len(waiting) > workers:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
