"""What the frame network gives for augmented copies of every clip, and windows of it for the sequence head.

The frame network is frozen in the head's phase, so it runs once over every copy; an epoch of the head then costs
seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.augment import Augmentation, Ranges, draw
from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.frames import StoredClip
from exerlitenet.export.export import to_onnx
from exerlitenet.files import replacing
from exerlitenet.recognition.follower import Follower
from exerlitenet.recognition.onnx_engine import session_of
from exerlitenet.recognition.repetitions import ideal_phase
from exerlitenet.results import NONE
from exerlitenet.video.crop import crop_picture
from exerlitenet.video.sequence import to_unit_range, window_indices

if TYPE_CHECKING:
    import keras

WORKERS = 2


class PostureGraph:
    """A trained frame network (see `build_posture`) in ONNX Runtime, several times faster than Keras on a stream of
    single frames; several threads may use it at once.
    """

    def __init__(self, network: keras.Model) -> None:
        self.size = int(network.input.shape[1])
        with TemporaryDirectory() as folder:
            path = Path(folder) / "posture.onnx"
            to_onnx(network, path)
            self._session = session_of(path)
        self._input = self._session.get_inputs()[0].name

    def see(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """float32 [n, size, size, 3] in [0,1] -> joints float32 [n, 13, 6] and context float32 [n, 128]."""
        joints, context = self._session.run(["joints", "context"], {self._input: pixels})
        return np.asarray(joints, np.float32), np.asarray(context, np.float32)


@dataclass(frozen=True)
class Copy:
    """One clip under one augmentation, as the frame network encodes it while it follows the person.

    joints: float16 [ticks, 13, 6], x and y in picture units; context: float16 [ticks, 128].
    phase, known: [ticks], the repetition's phase and where it is known.
    """

    joints: NDArray[np.float16]
    context: NDArray[np.float16]
    phase: NDArray[np.float32]
    known: NDArray[np.bool_]


def encode_copies(
    posture: PostureGraph,
    clips: Sequence[StoredClip],
    labels: Sequence[Clip],
    ranges: Ranges | None,
    targets: Sequence[Sequence[Path]],
    *,
    rate: float,
    seeds: Sequence[Sequence[int]],
    on_progress: Callable[[int, int], object] | None = None,
) -> list[list[Copy]]:
    """Copies of every clip, [clip][copy], one for each of its `targets`, where they are kept for a run that is killed.

    seeds: one for every clip; a copy's chance comes from it and the copy's number.
    ranges: what happens to them; None leaves the clips as they are. The person is followed throughout.
    """
    left = [
        (number, copy, target)
        for number in range(len(clips))
        for copy, target in enumerate(targets[number])
        if not target.exists()
    ]
    for folder in {target.parent for _, _, target in left}:
        folder.mkdir(parents=True, exist_ok=True)
    every = sum(len(row) for row in targets)
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting = []
        for number, copy, target in left:
            augmentation = None
            if ranges is not None:
                augmentation = draw(np.random.default_rng([*seeds[number], copy]), ranges)
            clip, extremes_s = clips[number], labels[number].extremes_s
            waiting.append(pool.submit(_encode, posture, clip, extremes_s, augmentation, target, rate))
        try:
            for done, future in enumerate(waiting, every - len(left) + 1):
                future.result()
                if on_progress is not None:
                    on_progress(done, every)
        finally:
            pool.shutdown(cancel_futures=True)
    return [[load_copy(target) for target in row] for row in targets]


def _encode(
    posture: PostureGraph,
    clip: StoredClip,
    extremes_s: Sequence[float],
    augmentation: Augmentation | None,
    target: Path,
    rate: float,
) -> None:
    """Encodes a clip as a stream, each frame cropped by what those before it showed, and keeps the result."""
    ticks = np.arange(clip.ticks)
    if augmentation is not None:
        count = max(1, int((clip.ticks - 1) / augmentation.speed) + 1)
        ticks = augmentation.ticks(0, count, clip.ticks)
    follower = Follower()
    joints, context = [], []
    for number, tick in enumerate(ticks):
        frame = np.asarray(clip.frames[tick])
        view = follower.crop(*frame.shape[:2])
        if augmentation is None:
            pixels = crop_picture(frame, view, posture.size)
        else:
            pixels = augmentation.picture(frame, posture.size, view, number)
        joints_now, context_now = posture.see(to_unit_range(pixels)[None])
        follower.update(joints_now[0])
        places = view.to_picture(joints_now[0, :, :2])
        joints.append(np.concatenate([places, joints_now[0, :, 2:]], axis=-1))
        context.append(context_now[0])
    phase, known = ideal_phase(ticks / rate, extremes_s, clip.ticks / rate)
    with replacing(target) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            joints=np.stack(joints).astype(np.float16),
            context=np.stack(context).astype(np.float16),
            phase=phase,
            known=known,
        )


def load_copy(path: Path) -> Copy:
    """A copy that `encode_copies` made."""
    with np.load(path, allow_pickle=False) as stored:
        return Copy(stored["joints"], stored["context"], stored["phase"], stored["known"])


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
        labels: Sequence[Clip],
        classes: Sequence[str],
        *,
        frames: int,
        phase_delay: int,
        least_frames: int = 0,
        weights: Sequence[float] | None = None,
        none_share: float = 0.0,
    ) -> None:
        self._copies = copies
        self._class_of = np.array([list(classes).index(clip.label) for clip in labels])
        self._classes = len(classes)
        self._frames = frames
        self._least = least_frames or frames
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
            # Drawn by its end, as a stream has them: the first ones hold the first frame.
            end = int(rng.integers(self._least - 1, max(ticks, self._least)))
            start = end - self._frames + 1
            index = window_indices(start, ticks, self._frames)
            joints.append(copy.joints[index])
            context.append(copy.context[index])
            # By place in the window, not by tick: a clip shorter than the window holds its last frame.
            places = np.arange(self._frames)
            delayed = index[np.maximum(places - self._delay, 0)]
            phase.append(copy.phase[delayed])
            reached = start + places - self._delay >= 0
            reached &= places >= self._delay
            weight.append(copy.known[delayed] & reached & bool(self._has_phase[number]))
        return HeadBatch(
            np.stack(joints).astype(np.float32),
            np.stack(context).astype(np.float32),
            np.eye(self._classes, dtype=np.float32)[self._class_of[chosen]],
            np.stack(phase),
            np.stack(weight).astype(np.float32),
        )
