"""Training the default model: posture first, then the sequence head, from one configuration."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from exerlitenet.datasets.augment import Ranges
from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.frames import stored_clips
from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.datasets.split import Split, split_by_group
from exerlitenet.errors import InputError
from exerlitenet.files import replacing
from exerlitenet.progress import Lines, Progress, Stretch
from exerlitenet.training.config import Config
from exerlitenet.training.posture.engine import COUNTING, SEGMENTS, build_posture_network, check_family
from exerlitenet.training.posture.head_run import Looks, cross_validate, held_out, other_folds, write_metrics
from exerlitenet.training.posture.network import build_posture
from exerlitenet.training.posture.pose_clips import posed_clips, unlabelled_videos
from exerlitenet.training.posture.pose_data import PosedClip, PostureBatches
from exerlitenet.training.posture.pose_fit import PostureStage, PostureTable, fit_posture
from exerlitenet.training.posture.record import Record
from exerlitenet.training.posture.rendered import RenderedTable, rendered_clips
from exerlitenet.training.run import Run, RunClip, RunSplit
from exerlitenet.training.weights import load_weights

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class UnlabelledClip:
    """A clip that only teaches posture."""

    path: Path
    poses: Path | None
    group: str


def fit_default(
    dataset: Path,
    config: Config,
    *,
    weights: str | Path | None,
    out: Path,
    resume: bool = False,
    progress: Progress | None = None,
    folds: int | None = None,
) -> Run:
    """Trains the model of a configuration with `model.kind = "posture"`; everything that comes of it lies in `out`.

    weights: of the backbone at the start: "imagenet", "none" or a file.
    folds: cross-validate the sequence head in so many folds by group, then train it on all clips
        (see `cross_validation`).
        Without it the head learns from the training part and is judged on the others.
    resume: go on with the run in `out` where it was killed.
    Raises InputError for a configuration of another kind, a dataset without clips of every class or without
    poses, a folder that is not free, and a resumed run with another dataset, protocol or configuration.
    """
    check_family(config)
    PostureTable.from_mapping(config.extra.get("posture", {}))
    RenderedTable.from_mapping(config.extra.get("rendered", {}))
    run = Run.create(out, config, weights=weights, resume=resume)
    record = Record(run, progress or Lines())
    try:
        if not run.finished:
            _train(run, Path(dataset), weights, folds, record)
    except InputError:
        if not any(run.folder.glob("posture/*")):  # nothing was learned yet, so nothing half-written stays
            shutil.rmtree(run.folder / "posture", ignore_errors=True)
            run.discard()
        raise
    run.finish()
    return run


def _train(run: Run, dataset: Path, weights: str | Path | None, folds: int | None, progress: Record) -> None:
    """From wherever the run stands to its metrics."""
    config = run.config
    manifest = read_manifest(
        dataset, classes=config.classes, progress=Stretch(progress, "looking at the clips")
    )
    for fault in manifest.faults:
        progress.say(f"not used: {fault.file}: {fault.problem}")
    clips = manifest.clips
    missing = [name for name in config.classes if all(clip.label != name for clip in clips)]
    if missing:
        raise InputError(
            f"{dataset} has no clips of class {missing[0]}; add some, or set classes to those it has"
        )
    split = _split(config, clips)
    kept = split if folds is None else everything(len(clips), split.seed)
    divided = RunSplit(kept, tuple(RunClip.of(clip) for clip in clips))
    if not run.has_split:
        run.write_split(divided)
    elif run.split != divided or other_folds(run.folder, folds):
        raise InputError(
            f"{run.folder} was begun with other clips than {dataset} now holds, or with other --folds; give the same, "
            "or begin anew in another folder"
        )
    progress.say(f"{len(clips)} clips. {split.statement}")
    left_out = (*split.validation, *split.test)
    weights_file = train_posture(
        run, dataset, [clips[i] for i in split.train], [clips[i] for i in left_out], weights, progress
    )
    posture = load_posture(config, weights_file)
    looks = Looks(run, posture, clips, progress)
    if folds is None:
        head = looks.train_head("head", split.train, split.validation)
        judged = held_out(looks, head, left_out)
    else:
        judged = cross_validate(looks, folds, frozenset(split.train))
        head = looks.train_head("head", range(len(clips)), ())
    judged.save(run.folder)
    network = build_posture_network(config)
    network.posture.set_weights(posture.get_weights())
    network.head.network.set_weights(head.network.get_weights())
    with replacing(run.best_weights) as temporary:
        network.full.save_weights(temporary)
    evaluations = judged.evaluate(clips, SEGMENTS, COUNTING) if judged.clips else {}
    protocol = evaluations["left out"].protocol if folds is not None else split.statement
    write_metrics(run, clips, evaluations, protocol)


def everything(clips: int, seed: int) -> Split:
    """The split of a run whose final head learns from all clips."""
    parts = {"train": tuple(range(clips)), "validation": (), "test": ()}
    return Split("group", seed, (1.0, 0.0, 0.0), parts)


def train_posture(
    run: Run,
    dataset: Path,
    clips: Sequence[Clip],
    held_out: Sequence[Clip],
    weights: str | Path | None,
    progress: Record,
) -> Path:
    """Phase 1. Returns the file with the frame network's weights.

    clips: those to learn from. held_out: those that the model will be judged on; nothing of their sources is used.
    """
    config = run.config
    folder = run.folder / "posture"
    table = PostureTable.from_mapping(config.extra.get("posture", {}))
    if not (folder / "posture.weights.h5").exists():
        _check_poses(table, RenderedTable.from_mapping(config.extra.get("rendered", {})), clips, dataset)
    ranges = replace(Ranges(**config.augment.ranges), speed=(1.0, 1.0))
    rate = config.sequence.rate
    everyone: list[Clip | UnlabelledClip] = list(clips)
    if table.unlabelled:
        sources = sources_of(dataset, frozenset(clip.name for clip in held_out))
        if held_out and not sources:
            progress.say(
                f"{dataset} names no sources, so unlabelled videos may show people that are judged on"
            )
        found = unlabelled_videos(Path(table.unlabelled), Path(table.unlabelled_poses), sources)
        progress.say(f"{len(found)} unlabelled videos with poses")
        everyone += [UnlabelledClip(path, poses, f"unlabelled {source}") for path, poses, source in found]
    real = stored_clips([clip.path for clip in everyone], rate, progress)

    def batches_of(stage: PostureStage) -> PostureBatches:
        chosen: list[PosedClip] = posed_clips(everyone, real, rate, 1 - stage.rendered)
        if stage.rendered:
            clips = rendered_clips(config, progress)
            frames = stored_clips([clip.path for clip in clips], rate, progress)
            chosen += posed_clips(clips, frames, rate, stage.rendered)
        progress.begin(f"posture at {stage.size} pixels", stage.steps)
        return PostureBatches(chosen, ranges, config.seed)

    return fit_posture(
        table.stages,
        batches_of,
        weights,
        folder,
        seed=config.seed,
        report=lambda now: progress.posture(table.stages[now.stage], now),
    )


def load_posture(config: Config, weights: Path) -> keras.Model:
    """The frame network with the weights of phase 1. Raises InputError when the file does not hold them."""
    import keras

    network = build_posture(config.sequence.size, None)
    # The file was written by the training model, whose layers are these.
    training = keras.Model(network.input, network.output["joints"], name="posture_training")
    load_weights(training, weights, "the frame network")
    return network


def sources_of(dataset: Path, files: frozenset[str]) -> frozenset[str]:
    """Column `source` of these files in the dataset's CSV; empty where it has none."""
    table = dataset / "manifest.csv" if dataset.is_dir() else dataset
    if not table.is_file():
        return frozenset()
    with table.open(newline="", encoding="utf-8-sig") as file:
        return frozenset(
            row["source"] for row in csv.DictReader(file) if row.get("source") and row.get("file") in files
        )


def _check_poses(table: PostureTable, rendered: RenderedTable, clips: Sequence[Clip], dataset: Path) -> None:
    """Raises InputError when some stage has nothing to learn from, before anything long is done."""
    for number, stage in enumerate(table.stages):
        if stage.rendered and not rendered.clips:
            raise InputError(
                f"posture.stages.{number}.rendered is {stage.rendered:g}, but rendered.clips is 0; set one of them"
            )
        if not stage.rendered and not table.unlabelled and all(clip.poses is None for clip in clips):
            raise InputError(
                f"{dataset} has no poses to learn posture from; put poses/NAME.npy for each NAME.mp4 beside the "
                f"manifest, or set posture.stages.{number}.rendered above 0"
            )


def _split(config: Config, clips: Sequence[Clip]) -> Split:
    if config.split.protocol != "group":
        raise InputError('the default model is split by group; set split.protocol="group"')
    labels, groups = [clip.label for clip in clips], [clip.group for clip in clips]
    return split_by_group(labels, groups, config.split.fractions, config.split.seed)
