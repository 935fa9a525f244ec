"""What the frame network gives for every clip, kept in the run's cache, and heads trained and run on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from exerlitenet.datasets.augment import Ranges
from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.frames import stored_clips
from exerlitenet.progress import Progress
from exerlitenet.recognition.tracker import ClipPredictions
from exerlitenet.results import Prediction
from exerlitenet.training.posture.head import Head
from exerlitenet.training.posture.head_data import Copy, HeadWindows, PostureGraph, encode_copies
from exerlitenet.training.posture.head_fit import fit_head
from exerlitenet.training.posture.pose_data import rendered_people
from exerlitenet.training.run import Run
from exerlitenet.video.sequence import SequenceSpec, window_indices

RENDERED_WEIGHT = 0.5
"""Rendered clips count less than real ones in the head's windows."""


class ClipFeatures:
    """What the frame network gives for every clip: augmented copies to learn from, and each clip as it is.

    clips: of the dataset, all of them. Copies are in `cache`, by default the run's, so that a killed run continues,
    and every head of a cross-validation learns from the same ones.
    """

    def __init__(
        self,
        run: Run,
        graph: PostureGraph,
        clips: Sequence[Clip],
        progress: Progress,
        *,
        cache: Path | None = None,
    ) -> None:
        self.run, self.clips, self.progress = run, clips, progress
        self._cache = cache or run.cache
        self._graph = graph
        self._rendered = rendered_people(run.config, progress)
        self._augmented: dict[int, list[Copy]] = {}
        self._plain: dict[int, Copy] = {}

    def augmented(self, chosen: Sequence[int]) -> list[list[Copy]]:
        """Copies of these clips, and of all rendered ones after them."""
        everyone = [*self.clips, *self._rendered]
        wanted = [*chosen, *range(len(self.clips), len(everyone))]
        new = [i for i in wanted if i not in self._augmented]
        config = self.run.config
        made = self._encode(everyone, new, config.augment.ranges, config.head.copies, "augmented copies")
        self._augmented |= dict(zip(new, made, strict=True))
        return [self._augmented[i] for i in wanted]

    def plain(self, chosen: Sequence[int]) -> list[Copy]:
        """These clips as they are, as the recogniser would get them."""
        new = [i for i in chosen if i not in self._plain]
        made = self._encode(self.clips, new, None, 1, "clips as they are")
        self._plain |= {i: copies[0] for i, copies in zip(new, made, strict=True)}
        return [self._plain[i] for i in chosen]

    def _encode(
        self, clips: Sequence[Clip], chosen: Sequence[int], ranges: Ranges | None, copies: int, what: str
    ) -> list[list[Copy]]:
        if not chosen:
            return []
        folder = self._cache / ("plain" if ranges is None else "copies")
        rate = self.run.config.sequence.rate
        found = [clips[i] for i in chosen]
        return encode_copies(
            self._graph,
            stored_clips([clip.path for clip in found], rate, self.progress),
            found,
            ranges,
            [[folder / f"{_key(clip)}-{copy:02d}.npz" for copy in range(copies)] for clip in found],
            rate=rate,
            seeds=[[self.run.config.seed, i] for i in chosen],
            on_progress=partial(self.progress.step, f"encoding {what}"),
        )

    def windows(self, chosen: Sequence[int], *, plain: bool = False) -> HeadWindows:
        """Windows of these clips: of augmented copies beside rendered people, or of the clips as they are."""
        config = self.run.config
        clips = [self.clips[i] for i in chosen]
        copies = [[copy] for copy in self.plain(chosen)] if plain else self.augmented(chosen)
        if not plain:
            clips += self._rendered
        return HeadWindows(
            copies,
            clips,
            config.classes,
            frames=config.sequence.frames,
            least_frames=config.sequence.least_frames,
            phase_delay=config.head.phase_delay,
            weights=[RENDERED_WEIGHT if clip in self._rendered else 1.0 for clip in clips],
            none_share=config.head.none_share,
        )

    def train_head(self, name: str, train: Sequence[int], validation: Sequence[int]) -> Head:
        """A head that learns from these clips, in the run's folder `name`; nothing is chosen by `validation`."""
        windows = self.windows(train)
        held_out = self.windows(validation, plain=True) if validation else None
        clips = len(train) + len(self._rendered)
        return fit_head(self.run, name, windows, held_out, self.progress, clips=clips)

    def predict(self, head: Head, chosen: Sequence[int]) -> list[ClipPredictions]:
        """What the head gives for these clips as they are."""
        spec, classes = self.run.config.sequence, self.run.config.classes
        return [predict_clip(head, copy, classes, spec) for copy in self.plain(chosen)]


def predict_clip(head: Head, copy: Copy, classes: Sequence[str], spec: SequenceSpec) -> ClipPredictions:
    """Every window of a clip as it is, from the first that is classified to the one that ends with the clip.

    The recogniser takes one frame after the other; here the frame network's output is there already, so all windows
    pass the head in one call. Predictions and phases are those of one stream of these features (a test compares them).
    """
    frames, rate, first, delay = spec.frames, spec.rate, spec.first_window, head.config.phase_delay
    ticks = len(copy.joints)
    # Ends of the windows. Behind the clip its last frame is held: only then is the phase of the last frames known.
    ends = np.arange(first - 1, max(ticks, first) + delay)
    index = np.stack([window_indices(int(end) - frames + 1, ticks, frames) for end in ends])
    out = head.network.predict_on_batch(
        [copy.joints[index].astype(np.float32), copy.context[index].astype(np.float32)]
    )
    probabilities, phase = np.asarray(out["classes"]), np.asarray(out["phase"])
    predictions = []
    for k, end in enumerate(ends[: len(ends) - delay]):
        named = dict(zip(classes, (float(p) for p in probabilities[k]), strict=True))
        time_s = float(min(end, ticks - 1) / rate)
        predictions.append(Prediction(time_s, named, max(named, key=lambda name: named[name])))
    # The first window gives the phases of all its frames, each later one that of its newest.
    given = [
        (t - (frames - first) - delay, float(phase[0, t])) for t in range(frames - first + delay, frames)
    ]
    given += [(int(end) - delay, float(phase[k, -1])) for k, end in enumerate(ends) if k > 0]
    phases = [(tick / rate, value) for tick, value in given if 0 <= tick < ticks]
    return ClipPredictions(predictions, phases, ticks / rate)


def _key(clip: Clip) -> str:
    return hashlib.sha256(f"{clip.digest}|{clip.name}|{clip.path.name}".encode()).hexdigest()[:24]
