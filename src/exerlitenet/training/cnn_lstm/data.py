"""A dataset as the paper's network learns from it: clips decoded, cut into sequences and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.frames import store_clips
from exerlitenet.datasets.manifest import Manifest
from exerlitenet.datasets.split import PARTS, Split, check_no_leak, split_by_group, split_by_sequence
from exerlitenet.datasets.windows import (
    PLAIN,
    ClipSequence,
    FrameOrder,
    Item,
    SequencePixels,
    cut_sequences,
)
from exerlitenet.folders import cache_folder
from exerlitenet.progress import Progress
from exerlitenet.training.config import Config, SplitConfig
from exerlitenet.training.run import Run, RunClip, RunSplit, read_clips


@dataclass(frozen=True)
class SequenceData:
    """The sequences of a run. Indices run over `sequences`."""

    classes: tuple[str, ...]
    clips: tuple[Clip, ...]
    sequences: tuple[ClipSequence, ...]
    split: RunSplit
    pixels: SequencePixels

    def items(self, part: str) -> list[Item]:
        """The sequences of a part as they are, without augmentation."""
        return [(i, PLAIN) for i in self.split.sequences_of(part)]

    def targets(self, items: Sequence[Item]) -> NDArray[np.float32]:
        """One-hot classes, float32 [items, classes]."""
        places = [self.classes.index(self.sequences[i].label) for i, _ in items]
        targets: NDArray[np.float32] = np.eye(len(self.classes), dtype=np.float32)[places]
        return targets


def read_sequences(
    run: Run, dataset: Path | Manifest, progress: Progress, order: FrameOrder = "true"
) -> SequenceData:
    """Reads the dataset, decodes its clips into the store, and splits them as the run says.

    dataset: a manifest is taken as it is, for studies that read it once. What cannot be used is said and left
    out. The first call writes the run's split; a later one compares.
    Raises InputError when a class has no clips, when the split cannot be made, and when a resumed run meets
    other clips than before.
    """
    config = run.config
    manifest = dataset if isinstance(dataset, Manifest) else read_clips(dataset, config, progress)
    sequences, pixels = cut_clips(manifest, config, progress, order)
    clips = tuple(RunClip.of(clip) for clip in manifest.clips)
    wanted = config.split
    if wanted.protocol == "sequence":
        parts = split_by_sequence([s.label for s in sequences], wanted.fractions, wanted.seed)
    else:
        parts = split_clips(clips, wanted)
    split = RunSplit(parts, clips, tuple((s.clip, s.start) for s in sequences))
    run.keep_split(split, manifest.root)
    counts = ", ".join(f"{part} {len(split.sequences_of(part))}" for part in PARTS)
    progress.say(f"{len(clips)} clips, {len(sequences)} sequences: {counts}. {split.split.statement}")
    return SequenceData(config.classes, manifest.clips, sequences, split, pixels)


def cut_clips(
    manifest: Manifest, config: Config, progress: Progress, order: FrameOrder = "true"
) -> tuple[tuple[ClipSequence, ...], SequencePixels]:
    """Decodes clips into the store, or finds them there, and cuts them into sequences."""
    spec = config.sequence
    stored = store_clips(
        [clip.path for clip in manifest.clips],
        cache_folder() / "frames",
        rate=spec.rate,
        side=max(spec.source_short_side, spec.size),
        on_progress=partial(progress.step, "decoding clips"),
    )
    sequences = cut_sequences(manifest.clips, stored, spec.frames, config.stride)
    return sequences, SequencePixels(sequences, stored, spec, config.augment.ranges, config.seed, order)


def split_clips(clips: Sequence[Clip | RunClip], wanted: SplitConfig) -> Split:
    """The split by group; nothing is decoded for it. Raises InputError where the groups do not allow it."""
    groups = [clip.group for clip in clips]
    split = split_by_group([clip.label for clip in clips], groups, wanted.fractions, wanted.seed)
    check_no_leak(split, groups, [clip.digest for clip in clips])
    return split
