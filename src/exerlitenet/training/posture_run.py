"""Training the default model: posture first, then the sequence head, from one configuration."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exerlitenet.errors import InputError
from exerlitenet.training.augment import Ranges
from exerlitenet.training.clips import Clip
from exerlitenet.training.config import Config
from exerlitenet.training.frames import StoredClip, store_clips
from exerlitenet.training.manifest import Manifest, read_manifest
from exerlitenet.training.posture_clips import posed_clips, unlabelled_videos
from exerlitenet.training.posture_data import PosedClip, PostureBatches
from exerlitenet.training.posture_fit import PostureStage, fit_posture

# Frames are stored a little larger than the network's input, so that a crop still has detail.
STORE_SIDE = 256


@dataclass(frozen=True)
class PostureTable:
    """Table [posture] of a configuration."""

    stages: tuple[PostureStage, ...]
    unlabelled: str = ""
    unlabelled_poses: str = ""

    @classmethod
    def from_mapping(cls, table: Mapping[str, Any]) -> PostureTable:
        """InputError names what is missing or unknown."""
        values = dict(table)
        stages = tuple(PostureStage.from_mapping(row) for row in values.pop("stages", ()))
        if not stages:
            raise InputError("[posture] needs at least one entry in stages")
        try:
            return cls(stages=stages, **values)
        except TypeError as fault:
            raise InputError(f"[posture]: {fault}") from fault


@dataclass(frozen=True)
class RenderedTable:
    """Table [rendered] of a configuration: how many rendered clips, how long, from which seed on."""

    clips: int = 0
    seconds: float = 8.0
    first_seed: int = 1000

    @classmethod
    def from_mapping(cls, table: Mapping[str, Any]) -> RenderedTable:
        """InputError names what is unknown."""
        try:
            return cls(**table)
        except TypeError as fault:
            raise InputError(f"[rendered]: {fault}") from fault


@dataclass(frozen=True)
class UnlabelledClip:
    """A clip that only teaches posture."""

    path: Path
    poses: Path | None
    group: str


def rendered_manifest(
    table: RenderedTable, cache: Path, progress: Callable[[int, int], None] | None
) -> Manifest:
    """Rendered clips with their poses, made once for a table's values."""
    from exerlitenet.synthetic.dataset import write_dataset

    folder = cache / "rendered" / f"{table.first_seed}-{table.clips}-{table.seconds:g}"
    if not (folder / "manifest.csv").is_file():
        seeds = range(table.first_seed, table.first_seed + table.clips)
        write_dataset(folder, seeds, seconds=table.seconds, progress=progress)
    return read_manifest(folder, check=False)


def sources_of(dataset: Path, files: frozenset[str]) -> frozenset[str]:
    """Column `source` of these files in the dataset's CSV; empty where it has none."""
    table = dataset / "manifest.csv" if dataset.is_dir() else dataset
    if not table.is_file():
        return frozenset()
    with table.open(newline="", encoding="utf-8") as file:
        return frozenset(
            row["source"] for row in csv.DictReader(file) if row.get("source") and row["file"] in files
        )


def train_posture(
    config: Config,
    dataset: Path,
    clips: Sequence[Clip],
    barred: Sequence[Clip],
    weights: str | Path | None,
    folder: Path,
    cache: Path,
    *,
    report: Callable[[dict[str, float]], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Phase 1. Returns the file with the frame network's weights.

    clips: those to learn from. barred: those that the model will be judged on; nothing of their sources is used.
    """
    table = PostureTable.from_mapping(config.extra["posture"])
    ranges = replace(Ranges(**config.augment.ranges), speed=(1.0, 1.0))
    rate = config.sequence.rate
    everyone: list[Clip | UnlabelledClip] = list(clips)
    if table.unlabelled:
        sources = sources_of(dataset, frozenset(clip.name for clip in barred))
        found = unlabelled_videos(Path(table.unlabelled), Path(table.unlabelled_poses), sources)
        everyone += [UnlabelledClip(path, poses, f"unlabelled {source}") for path, poses, source in found]

    def stored(paths: Sequence[Path]) -> list[StoredClip]:
        return store_clips(paths, cache / "frames", rate=rate, side=STORE_SIDE, progress=progress)

    real = stored([clip.path for clip in everyone])

    def batches_of(stage: PostureStage) -> PostureBatches:
        chosen: list[PosedClip] = posed_clips(everyone, real, rate, 1 - stage.rendered)
        if stage.rendered:
            manifest = rendered_manifest(
                RenderedTable.from_mapping(config.extra["rendered"]), cache, progress
            )
            frames = stored([clip.path for clip in manifest.clips])
            chosen += posed_clips(manifest.clips, frames, rate, stage.rendered)
        return PostureBatches(chosen, ranges, config.seed)

    return fit_posture(table.stages, batches_of, weights, folder, seed=config.seed, report=report)
