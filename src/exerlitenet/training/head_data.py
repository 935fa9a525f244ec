"""What the frame network says of augmented copies of every clip, and windows of it for the sequence head.

The frame network is frozen in the head's phase, so it runs once over every copy; an epoch of the head then costs
seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from exerlitenet.recognition.repetitions import ideal_phase
from exerlitenet.training.augment import Ranges, draw
from exerlitenet.training.frames import StoredClip
from exerlitenet.training.landmarks import LANDMARKS
from exerlitenet.training.posture import CONTEXT_UNITS, JOINT_VALUES
from exerlitenet.video.sequence import to_unit_range, window_indices

if TYPE_CHECKING:
    import keras

ENCODE_BATCH = 64


class Labelled(Protocol):
    """What is needed of a clip here."""

    @property
    def label(self) -> str: ...

    @property
    def group(self) -> str: ...

    @property
    def extremes_s(self) -> tuple[float, ...]: ...


@dataclass(frozen=True)
class Copy:
    """One clip under one augmentation, as the frame network sees it.

    joints: float16 [ticks, 13, 6]; context: float16 [ticks, 128].
    phase, known: [ticks], the repetition's phase and where it is known.
    """

    joints: NDArray[np.float16]
    context: NDArray[np.float16]
    phase: NDArray[np.float32]
    known: NDArray[np.bool_]


def encode_copy(
    posture: keras.Model,
    clip: StoredClip,
    label: Labelled,
    ranges: Ranges,
    size: int,
    rate: float,
    seed: Sequence[int],
) -> Copy:
    """One augmented copy; `seed` decides the augmentation."""
    augmentation = draw(np.random.default_rng(seed), ranges)
    ticks = max(1, int((clip.ticks - 1) / augmentation.speed) + 1)
    chosen = augmentation.ticks(0, ticks, clip.ticks)
    joints = np.empty((ticks, len(LANDMARKS), JOINT_VALUES), np.float16)
    context = np.empty((ticks, CONTEXT_UNITS), np.float16)
    for start in range(0, ticks, ENCODE_BATCH):
        part = chosen[start : start + ENCODE_BATCH]
        pixels = to_unit_range(augmentation.apply(clip.frames[part], size))
        # One shape for every call: another would make the backend build its graph anew.
        padded = np.concatenate([pixels, np.zeros((ENCODE_BATCH - len(part), *pixels.shape[1:]), np.float32)])
        out = posture.predict_on_batch(padded)
        joints[start : start + len(part)] = out["joints"][: len(part)]
        context[start : start + len(part)] = out["context"][: len(part)]
    phase, known = ideal_phase(chosen / rate, label.extremes_s, clip.ticks / rate)
    return Copy(joints, context, phase, known)


def encode_copies(
    posture: keras.Model,
    clips: Sequence[StoredClip],
    labels: Sequence[Labelled],
    ranges: Ranges,
    folder: Path,
    *,
    copies: int,
    size: int,
    rate: float,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[list[Copy]]:
    """`copies` copies of every clip, [clip][copy]; kept in `folder`, so a killed run goes on where it was."""
    folder.mkdir(parents=True, exist_ok=True)
    out: list[list[Copy]] = [[] for _ in clips]
    done = 0
    for copy in range(copies):
        for number, (clip, label) in enumerate(zip(clips, labels, strict=True)):
            target = folder / f"{number:05d}-{copy:02d}.npz"
            if not target.exists():
                made = encode_copy(posture, clip, label, ranges, size, rate, [seed, number, copy])
                temporary = target.with_suffix(".tmp")
                with temporary.open("wb") as file:
                    np.savez(
                        file, joints=made.joints, context=made.context, phase=made.phase, known=made.known
                    )
                temporary.replace(target)
            with np.load(target, allow_pickle=False) as stored:
                out[number].append(
                    Copy(stored["joints"], stored["context"], stored["phase"], stored["known"])
                )
            done += 1
            if progress is not None:
                progress(done, copies * len(clips))
    return out


@dataclass(frozen=True)
class HeadBatch:
    """joints [b, frames, 13, 6], context [b, frames, 128], classes one-hot [b, classes]; phase and its weight
    [b, frames], already delayed: at frame t they speak of frame t - phase_delay.
    """

    joints: NDArray[np.float32]
    context: NDArray[np.float32]
    classes: NDArray[np.float32]
    phase: NDArray[np.float32]
    phase_weight: NDArray[np.float32]


class HeadWindows:
    """Windows drawn so that classes count alike, and within a class every group by the root of its clips."""

    def __init__(
        self,
        copies: Sequence[Sequence[Copy]],
        labels: Sequence[Labelled],
        classes: Sequence[str],
        *,
        frames: int,
        phase_delay: int,
        none: str = "none",
    ) -> None:
        self._copies = copies
        self._class_of = np.array([list(classes).index(clip.label) for clip in labels])
        self._classes = len(classes)
        self._frames = frames
        self._delay = phase_delay
        self._has_phase = np.array([clip.label != none for clip in labels])
        sizes = Counter((clip.label, clip.group) for clip in labels)
        weights = np.array([sizes[clip.label, clip.group] ** -0.5 for clip in labels])
        for k in range(self._classes):
            mine = self._class_of == k
            weights[mine] /= weights[mine].sum()
        self._chances = weights / weights.sum()

    def batch(self, rng: np.random.Generator, count: int) -> HeadBatch:
        """A batch of `count` windows."""
        chosen = rng.choice(len(self._copies), count, p=self._chances)
        joints, context, phase, weight = [], [], [], []
        for number in chosen:
            copy = self._copies[number][rng.integers(len(self._copies[number]))]
            ticks = len(copy.joints)
            start = int(rng.integers(max(1, ticks - self._frames + 1)))
            index = window_indices(start, ticks, self._frames)
            joints.append(copy.joints[index])
            context.append(copy.context[index])
            delayed = np.maximum(index - self._delay, start)
            phase.append(copy.phase[delayed])
            held = np.arange(self._frames) >= self._delay
            weight.append(copy.known[delayed] & held & bool(self._has_phase[number]))
        return HeadBatch(
            np.stack(joints).astype(np.float32),
            np.stack(context).astype(np.float32),
            np.eye(self._classes, dtype=np.float32)[self._class_of[chosen]],
            np.stack(phase),
            np.stack(weight).astype(np.float32),
        )
