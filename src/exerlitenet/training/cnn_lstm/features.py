"""What the frozen part of a network gives for every sequence, computed once and kept on disk.

A phase that leaves the backbone's lower layers alone meets the same activations in every epoch, so they are
run once and read from memory-mapped files after that.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from exerlitenet.datasets.windows import PLAIN, Item, SequencePixels, prefetch
from exerlitenet.errors import InputError
from exerlitenet.files import write_atomically
from exerlitenet.video.sequence import to_unit_range

if TYPE_CHECKING:
    import keras

# Frames in one call: TensorFlow on a CPU is fastest with about this many.
FRAMES_A_CALL = 64
# Calls between two marks of how far a cache is filled, so a killed run repeats a few seconds.
CALLS_A_FLUSH = 32

OnProgress = Callable[[int, int], object]
"""Called with the number of sequences done, and of all."""


class FeatureCache:
    """Activations of sequences: one float32 file [items, frames, ...] for each tensor at the cut.

    `open` fills it, or continues where a killed run was; what other weights or another list of items made is
    thrown away. float32, so that a step from the cache is the step from pixels. Frames are kept as they came and
    put into the order that the network is to see on reading, so that a run on shuffled frames can share them.
    """

    def __init__(
        self, arrays: Sequence[NDArray[np.float32]], items: Sequence[Item], pixels: SequencePixels
    ) -> None:
        self._arrays, self._items, self._pixels = arrays, items, pixels
        self._rows = {item: row for row, item in enumerate(items)}

    @classmethod
    def open(
        cls,
        folder: Path,
        fixed: keras.Model,
        pixels: SequencePixels,
        items: Sequence[Item],
        frames: int,
        on_progress: OnProgress | None = None,
        above: Above | None = None,
    ) -> FeatureCache:
        """fixed: frames [n, size, size, 3] in [0,1] -> a tensor or a list of tensors [n, ...].

        above: where the lower layers of `fixed` were run before, only the rest is run.
        """
        shapes = [(len(items), frames, *tensor.shape[1:]) for tensor in fixed.outputs]
        key = _key(fixed, items, shapes, pixels)
        marker = folder / "filled.json"
        paths = [folder / f"features.{number}.npy" for number in range(len(shapes))]
        filled = _filled(marker, key)
        if filled is None:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            _check_space(folder, shapes)
            arrays = [
                open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
                for path, shape in zip(paths, shapes, strict=True)
            ]
            filled = 0
        else:
            arrays = [open_memmap(path, mode="r+") for path in paths]

        # Calls always start at the same items, so a resumed fill makes the same batches and the same numbers.
        step = max(1, FRAMES_A_CALL // frames)
        starts = range(filled, len(items), step)
        # The last call is filled up, since TensorFlow compiles anew for every number of frames.
        whole = [*items, *[items[-1]] * (-len(items) % step)]

        def batch(start: int) -> Any:
            several = whole[start : start + step]
            if above is not None:
                return above.below.frames(several)
            pictures = np.stack([pixels.in_order(item) for item in several])
            return to_unit_range(pictures.reshape(-1, *pictures.shape[2:]))

        network = fixed if above is None else above.network
        for start, inputs in zip(starts, prefetch(batch, starts), strict=True):
            end = min(start + step, len(items))
            outputs = network.predict_on_batch(inputs)
            several = outputs if isinstance(outputs, list) else [outputs]
            for array, output in zip(arrays, several, strict=True):
                array[start:end] = output.reshape(step, frames, *output.shape[1:])[: end - start]
            if end == len(items) or (start // step) % CALLS_A_FLUSH == CALLS_A_FLUSH - 1:
                for array in arrays:
                    array.flush()
                write_atomically(marker, json.dumps({"key": key, "rows": end}))
            if on_progress is not None:
                on_progress(end, len(items))
        return cls([np.load(path, mmap_mode="r") for path in paths], items, pixels)

    @classmethod
    def shared(
        cls,
        folder: Path,
        fixed: keras.Model,
        pixels: SequencePixels,
        copies: int,
        frames: int,
        on_progress: OnProgress | None = None,
        above: Above | None = None,
    ) -> FeatureCache:
        """`open` for runs that divide the same sequences differently: every sequence as it is and every copy,
        in a place of its own within `folder` for each network. Not for two processes at once until it is full.
        """
        items = [(i, copy) for copy in (PLAIN, *range(copies)) for i in range(len(pixels))]
        shapes = [(frames, *tensor.shape[1:]) for tensor in fixed.outputs]
        place = folder / _key(fixed, items, shapes, pixels)[:16]
        return cls.open(place, fixed, pixels, items, frames, on_progress, above)

    def shuffled(self) -> FeatureCache:
        """The same activations, the frames of every sequence in an order drawn by chance."""
        return FeatureCache(self._arrays, self._items, self._pixels.shuffled())

    def inputs(self, items: Sequence[Item]) -> list[NDArray[np.float32]]:
        """What the learning part reads: one float32 array [items, frames, ...] for each tensor at the cut."""
        places = [(self._rows[item], self._pixels.order_of(item)) for item in items]
        return [
            np.stack([array[row] if order is None else array[row][order] for row, order in places])
            for array in self._arrays
        ]

    def frames(self, items: Sequence[Item]) -> Any:
        """The frames of some items one after the other, as they came: float32 [items x frames, ...], or a list of
        such where several tensors cross the cut.
        """
        rows = [self._rows[item] for item in items]
        arrays = [np.concatenate([array[row] for row in rows]) for array in self._arrays]
        return arrays if len(arrays) > 1 else arrays[0]


@dataclass(frozen=True)
class Above:
    """The rest of a network above what was kept. network: what `below` keeps of a frame -> the network's output."""

    below: FeatureCache
    network: keras.Model


def _key(
    fixed: keras.Model, items: Sequence[Item], shapes: Sequence[tuple[Any, ...]], pixels: SequencePixels
) -> str:
    """What the content depends on, beyond the clips themselves."""
    facts = [pixels.identity, list(map(list, items)), [list(s) for s in shapes]]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for weight in fixed.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _check_space(folder: Path, shapes: Sequence[tuple[int, ...]]) -> None:
    """A full disk ends a program that writes to mapped memory without a word, so it is asked before."""
    needed, free = sum(4 * math.prod(shape) for shape in shapes), shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"keeping what the frozen layers give takes {needed / 1e9:.1f} GB, but {folder} has "
            f"{free / 1e9:.1f} GB left; make room, choose a run folder on another disk, or lower augment.copies"
        )


def _filled(marker: Path, key: str) -> int | None:
    """Rows that are there already; None when they are no use."""
    if not marker.is_file():
        return None
    state = json.loads(marker.read_text("utf-8"))
    return int(state["rows"]) if state["key"] == key else None
