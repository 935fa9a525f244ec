"""What the frame network says of augmented copies of every clip, and windows of it for the sequence head.

The frame network is frozen in the head's phase, so it runs once over every copy; an epoch of the head then costs
seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from exerlitenet.files import replacing
from exerlitenet.recognition.repetitions import ideal_phase
from exerlitenet.results import NONE
from exerlitenet.training.augment import Augmentation, Ranges, draw
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


@dataclass(frozen=True)
class _Planned:
    """A copy to be made: which clip, under which augmentation, and the ticks it takes."""

    clip: StoredClip
    label: Labelled
    augmentation: Augmentation
    ticks: NDArray[np.int64]
    target: Path

    @classmethod
    def of(
        cls, clip: StoredClip, label: Labelled, ranges: Ranges, seed: Sequence[int], target: Path
    ) -> _Planned:
        augmentation = draw(np.random.default_rng(seed), ranges)
        count = max(1, int((clip.ticks - 1) / augmentation.speed) + 1)
        return cls(clip, label, augmentation, augmentation.ticks(0, count, clip.ticks), target)

    def pixels(self, size: int) -> NDArray[np.uint8]:
        """uint8 [ticks, size, size, 3]."""
        return self.augmentation.apply(self.clip.frames[self.ticks], size)

    def save(self, joints: NDArray[np.float16], context: NDArray[np.float16], rate: float) -> None:
        phase, known = ideal_phase(self.ticks / rate, self.label.extremes_s, self.clip.ticks / rate)
        with replacing(self.target) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, joints=joints, context=context, phase=phase, known=known)


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
    """`copies` copies of every clip, [clip][copy]; kept in `folder`, so a killed run goes on where it was.

    Frames of consecutive copies share a call, since a call of one fixed size is what runs fast.
    """
    folder.mkdir(parents=True, exist_ok=True)
    targets = [
        [folder / f"{number:05d}-{copy:02d}.npz" for copy in range(copies)] for number in range(len(clips))
    ]
    planned = [
        _Planned.of(clips[number], labels[number], ranges, [seed, number, copy], targets[number][copy])
        for number in range(len(clips))
        for copy in range(copies)
        if not targets[number][copy].exists()
    ]
    done = copies * len(clips) - len(planned)
    # Frames that wait for a full call, and copies whose frames are not all encoded yet.
    pixels = np.empty((0, size, size, 3), np.uint8)
    joints = np.empty((0, len(LANDMARKS), JOINT_VALUES), np.float16)
    context = np.empty((0, CONTEXT_UNITS), np.float16)
    waiting: list[_Planned] = []
    for plan, picture in zip(planned, _ahead(planned, size), strict=True):
        waiting.append(plan)
        pixels = np.concatenate([pixels, picture])
        last = plan is planned[-1]
        while len(pixels) >= ENCODE_BATCH or (last and len(pixels)):
            part, pixels = pixels[:ENCODE_BATCH], pixels[ENCODE_BATCH:]
            padding = np.zeros((ENCODE_BATCH - len(part), size, size, 3), np.uint8)
            out = posture.predict_on_batch(to_unit_range(np.concatenate([part, padding])))
            joints = np.concatenate([joints, out["joints"][: len(part)].astype(np.float16)])
            context = np.concatenate([context, out["context"][: len(part)].astype(np.float16)])
        while waiting and len(joints) >= len(waiting[0].ticks):
            ready = waiting.pop(0)
            ticks = len(ready.ticks)
            ready.save(joints[:ticks], context[:ticks], rate)
            joints, context = joints[ticks:], context[ticks:]
            done += 1
            if progress is not None:
                progress(done, copies * len(clips))
    return [[load_copy(target) for target in row] for row in targets]


def load_copy(path: Path) -> Copy:
    """A copy that `encode_copies` made."""
    with np.load(path, allow_pickle=False) as stored:
        return Copy(stored["joints"], stored["context"], stored["phase"], stored["known"])


def _ahead(planned: Sequence[_Planned], size: int, workers: int = 2) -> Iterator[NDArray[np.uint8]]:
    """Pixels of every planned copy in order, made a few ahead by threads."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: list[Future[NDArray[np.uint8]]] = []
        following = 0
        for _ in planned:
            while following < len(planned) and len(waiting) < 2 * workers:
                waiting.append(pool.submit(planned[following].pixels, size))
                following += 1
            yield waiting.pop(0).result()


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
    """Windows drawn so that classes count alike, and within a class every group by the root of its clips.

    weights: of each clip besides, such as less for rendered ones.
    none_share: of the windows that show no exercise, where there is a class for them; 0 counts it as the others.
    """

    def __init__(
        self,
        copies: Sequence[Sequence[Copy]],
        labels: Sequence[Labelled],
        classes: Sequence[str],
        *,
        frames: int,
        phase_delay: int,
        weights: Sequence[float] | None = None,
        none_share: float = 0.0,
    ) -> None:
        self._copies = copies
        self._class_of = np.array([list(classes).index(clip.label) for clip in labels])
        self._classes = len(classes)
        self._frames = frames
        self._delay = phase_delay
        self._has_phase = np.array([clip.label != NONE for clip in labels])
        sizes = Counter((clip.label, clip.group) for clip in labels)
        chances = np.array([sizes[clip.label, clip.group] ** -0.5 for clip in labels])
        if weights is not None:
            chances *= np.asarray(weights)
        for k in range(self._classes):
            mine = self._class_of == k
            share = 1.0
            if none_share and classes[k] == NONE:
                share = none_share / (1 - none_share) * (self._classes - 1)
            chances[mine] *= share / max(chances[mine].sum(), 1e-12)
        self._chances = chances / chances.sum()

    def batch(self, rng: np.random.Generator, count: int) -> HeadBatch:
        """A batch of `count` windows."""
        chosen = rng.choice(len(self._copies), count, p=self._chances)
        joints, context, phase, weight = [], [], [], []
        for number in chosen.tolist():
            copy = self._copies[number][int(rng.integers(len(self._copies[number])))]
            ticks = len(copy.joints)
            start = int(rng.integers(max(1, ticks - self._frames + 1)))
            index = window_indices(start, ticks, self._frames)
            joints.append(copy.joints[index])
            context.append(copy.context[index])
            # By place in the window, not by tick: a clip shorter than the window holds its last frame.
            places = np.arange(self._frames)
            delayed = index[np.maximum(places - self._delay, 0)]
            phase.append(copy.phase[delayed])
            reached = places >= self._delay
            weight.append(copy.known[delayed] & reached & bool(self._has_phase[number]))
        return HeadBatch(
            np.stack(joints).astype(np.float32),
            np.stack(context).astype(np.float32),
            np.eye(self._classes, dtype=np.float32)[self._class_of[chosen]],
            np.stack(phase),
            np.stack(weight).astype(np.float32),
        )
