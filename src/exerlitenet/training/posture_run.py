"""Training the default model: posture first, then the sequence head, from one configuration."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exerlitenet.errors import InputError
from exerlitenet.files import replacing
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.training.augment import Ranges
from exerlitenet.training.cache import cache_folder
from exerlitenet.training.clips import Clip
from exerlitenet.training.config import Config
from exerlitenet.training.evaluate import evaluate
from exerlitenet.training.frames import StoredClip, store_clips
from exerlitenet.training.head import Head, HeadConfig
from exerlitenet.training.head_data import Copy, HeadWindows, encode_copies
from exerlitenet.training.head_fit import fit_head
from exerlitenet.training.manifest import read_manifest
from exerlitenet.training.posture import build_posture
from exerlitenet.training.posture_clips import posed_clips, unlabelled_videos
from exerlitenet.training.posture_data import PosedClip, PostureBatches
from exerlitenet.training.posture_fit import PostureStage, PostureTable, fit_posture
from exerlitenet.training.posture_network import (
    SEGMENTS,
    PostureEngine,
    PostureNetwork,
    build_posture_network,
    check_family,
)
from exerlitenet.training.posture_record import Record
from exerlitenet.training.progress import Lines, Progress, Stretch
from exerlitenet.training.rendered import RENDERED_WEIGHT, RenderedTable, rendered_clips
from exerlitenet.training.report import write_report
from exerlitenet.training.run import Run, RunClip, RunSplit
from exerlitenet.training.split import Split, folds_by_group, split_by_group
from exerlitenet.training.weights import load_weights

if TYPE_CHECKING:
    import keras

# Frames are stored a little larger than the network's input, so that a crop still has detail.
STORE_SIDE = 256


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
    fold: tuple[int, int] | None = None,
) -> Run:
    """Trains the model of a configuration with `model.kind = "posture"`; everything that comes of it lies in `out`.

    weights: of the backbone at the start: "imagenet", "none" or a file.
    fold: (k, n) leaves the k-th of n folds by group out for validation, in place of the configuration's split.
    resume: go on with the run in `out` where it was killed.
    Raises InputError for a configuration of another kind, a dataset without clips of every class or without
    poses, a folder that is not free, and a resumed run with another dataset, fold or configuration.
    """
    check_family(config)
    PostureTable.from_mapping(config.extra.get("posture", {}))
    RenderedTable.from_mapping(config.extra.get("rendered", {}))
    run = Run.create(out, config, weights=weights, resume=resume)
    record = Record(run, progress or Lines())
    try:
        if not run.finished:
            _train(run, Path(dataset), weights, fold, record)
    except InputError:
        if not any(run.folder.glob("posture/*")):  # nothing was learned yet, so nothing half-written stays
            shutil.rmtree(run.folder / "posture", ignore_errors=True)
            run.discard()
        raise
    run.finish()
    return run


def _train(
    run: Run, dataset: Path, weights: str | Path | None, fold: tuple[int, int] | None, progress: Record
) -> None:
    """From wherever the run stands to its metrics."""
    config = run.config
    manifest = read_manifest(
        dataset, classes=config.classes, progress=Stretch(progress, "looking at the clips")
    )
    for fault in manifest.faults:
        progress.say(f"not used: {fault.file}: {fault.problem}")
    missing = [name for name in config.classes if all(clip.label != name for clip in manifest.clips)]
    if missing:
        raise InputError(
            f"{dataset} has no clips of class {missing[0]}; add some, or set classes to those it has"
        )
    split = _split(config, manifest.clips, fold)
    divided = RunSplit(split, tuple(RunClip.of(clip) for clip in manifest.clips))
    if not run.has_split:
        run.write_split(divided)
    elif run.split != divided:
        raise InputError(
            f"{run.folder} was begun with other clips than {dataset} now holds, or with another fold; give the same, "
            "or begin anew in another folder"
        )
    progress.say(f"{len(manifest.clips)} clips. {split.statement}")
    train = [manifest.clips[i] for i in split.train]
    held_out = [manifest.clips[i] for i in (*split.validation, *split.test)]
    posture = train_posture(run, dataset, train, held_out, weights, progress)
    head = train_head(run, posture, train, [manifest.clips[i] for i in split.validation], progress)
    network = build_posture_network(config)
    network.posture.set_weights(load_posture(config, posture).get_weights())
    network.head.network.set_weights(head.network.get_weights())
    with replacing(run.best_weights) as temporary:
        network.full.save_weights(temporary)
    judge_run(run, network, held_out, progress)


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
    real = _stored([clip.path for clip in everyone], rate, progress)

    def batches_of(stage: PostureStage) -> PostureBatches:
        chosen: list[PosedClip] = posed_clips(everyone, real, rate, 1 - stage.rendered)
        if stage.rendered:
            clips = rendered_clips(config, progress)
            frames = _stored([clip.path for clip in clips], rate, progress)
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


def train_head(
    run: Run, posture: Path, train: Sequence[Clip], validation: Sequence[Clip], progress: Record
) -> Head:
    """Phase 2, on what the frame network of phase 1 says of copies of every clip."""
    config = run.config
    head = HeadConfig.from_mapping(config.extra.get("head", {}))
    spec = config.sequence
    rendered = rendered_clips(config, progress)
    everyone = [*train, *rendered]
    network = load_posture(config, posture)
    folder = run.cache / "copies"

    def encoded(clips: Sequence[Clip], ranges: Ranges, copies: int, name: str) -> list[list[Copy]]:
        return encode_copies(
            network,
            _stored([clip.path for clip in clips], spec.rate, progress),
            clips,
            ranges,
            folder / name,
            copies=copies,
            size=spec.size,
            rate=spec.rate,
            seed=config.seed,
            progress=Stretch(progress, f"posture of the {name} clips"),
        )

    def windows(clips: Sequence[Clip], copies: Sequence[Sequence[Copy]]) -> HeadWindows:
        weights = [RENDERED_WEIGHT if clip in rendered else 1.0 for clip in clips]
        return HeadWindows(
            copies,
            clips,
            config.classes,
            frames=spec.frames,
            phase_delay=head.phase_delay,
            weights=weights,
            none_share=head.none_share,
        )

    learning = windows(everyone, encoded(everyone, Ranges(**config.augment.ranges), head.copies, "training"))
    judged = windows(validation, encoded(validation, Ranges.none(), 1, "validation")) if validation else None

    progress.begin("sequence head", head.epochs)
    return fit_head(
        head,
        learning,
        judged,
        run.folder / "head",
        clips=len(everyone),
        frames=spec.frames,
        classes=len(config.classes),
        seed=config.seed,
        report=lambda now: progress.head(head.epochs, now),
    )


def judge_run(run: Run, network: PostureNetwork, clips: Sequence[Clip], progress: Progress) -> None:
    """Judges the held-out clips as `evaluate` does; writes metrics.json and report.html."""
    divided = run.split
    metrics: dict[str, Any] = {
        "model": run.config.name,
        "classes": list(run.config.classes),
        "statement": divided.split.statement,
        "counts": divided.split.counts([clip.label for clip in divided.clips]),
        "provenance": run.provenance(),
    }
    evaluation = None
    if clips:
        recognizer = Recognizer(PostureEngine(network, run.config), SEGMENTS)
        evaluation = evaluate(
            recognizer.recognize,
            clips,
            run.config.classes,
            model=run.config.name,
            protocol=divided.split.statement,
            progress=Stretch(progress, "judging held-out clips"),
        )
        metrics["held_out"] = evaluation.to_json()
    write_report(
        run.report_file,
        title=f"Training run: {run.config.name}",
        evaluation=evaluation,
        history=run.history,
        config=run.config.to_dict(),
        split_statement=divided.split.statement,
    )
    run.write_metrics(metrics)


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


def _stored(paths: Sequence[Path], rate: float, progress: Progress) -> list[StoredClip]:
    return store_clips(
        paths,
        cache_folder() / "frames",
        rate=rate,
        side=STORE_SIDE,
        progress=Stretch(progress, "decoding clips"),
    )


def _split(config: Config, clips: Sequence[Clip], fold: tuple[int, int] | None) -> Split:
    if config.split.protocol != "group":
        raise InputError('the default model is split by group; set split.protocol="group"')
    labels, groups = [clip.label for clip in clips], [clip.group for clip in clips]
    if fold is None:
        return split_by_group(labels, groups, config.split.fractions, config.split.seed)
    number, folds = fold
    if not 0 <= number < folds:
        raise InputError(f"folds are numbered from 0 to {folds - 1}, got {number}")
    left_out = frozenset(folds_by_group(labels, groups, folds, config.split.seed)[number])
    parts = {
        "train": tuple(i for i in range(len(clips)) if i not in left_out),
        "validation": tuple(sorted(left_out)),
        "test": (),
    }
    return Split("group", config.split.seed, (1 - 1 / folds, 1 / folds, 0.0), parts)
