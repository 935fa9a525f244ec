"""Training the default model: posture first, then the sequence head, from one configuration."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.frames import stored_clips
from exerlitenet.datasets.split import Split, folds_by_group, split_by_group
from exerlitenet.errors import InputError
from exerlitenet.evaluation.cross_validation import Folds, HeldOut
from exerlitenet.evaluation.report import report
from exerlitenet.evaluation.results import Evaluation
from exerlitenet.files import replacing
from exerlitenet.progress import Lines, Logged, Progress
from exerlitenet.training.config import Config, PostureStage
from exerlitenet.training.keras import load_weights
from exerlitenet.training.posture.clip_features import ClipFeatures
from exerlitenet.training.posture.head import Head
from exerlitenet.training.posture.head_data import PostureGraph
from exerlitenet.training.posture.model import build_posture_network
from exerlitenet.training.posture.network import build_posture
from exerlitenet.training.posture.pose_data import (
    PosedClip,
    PostureBatches,
    posed_clips,
    rendered_people,
    unlabelled_videos,
)
from exerlitenet.training.posture.pose_fit import fit_posture
from exerlitenet.training.run import Run, RunClip, RunSplit, read_clips

if TYPE_CHECKING:
    import keras


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
    """Trains the model of a configuration with `model.kind = "posture"`; everything that comes of it is in `out`.

    weights: of the backbone at the start: "imagenet", "none" or a file.
    folds: cross-validate the sequence head in so many folds by group, then train it on all clips (see
        `cross_validation`). Without it the head learns from the training part and is evaluated on the others.
    resume: continue the run in `out` where it was killed.
    Raises InputError for a dataset without clips of every class or without poses, a folder that is not free, and a
    resumed run with another dataset, protocol or configuration.
    """
    run = Run.create(out, config, weights=weights, resume=resume)
    with run.training():
        if not run.finished:
            _train(run, Path(dataset), weights, folds, Logged(progress or Lines(), run.log))
    return run


def _train(
    run: Run, dataset: Path, weights: str | Path | None, folds: int | None, progress: Progress
) -> None:
    """From wherever the run is to its metrics."""
    config = run.config
    clips = read_clips(dataset, config, progress).clips
    labels, groups = [clip.label for clip in clips], [clip.group for clip in clips]
    split = split_by_group(labels, groups, config.split.fractions, config.split.seed)
    kept = split if folds is None else _everything(len(clips), split.seed)
    run.keep_split(RunSplit(kept, tuple(RunClip.of(clip) for clip in clips)), dataset)
    if any(not path.name.endswith(f"-of-{folds}") for path in run.folder.glob("fold-*-of-*")):
        raise InputError(f"{run.folder} was begun with other --folds; give the same, or begin anew elsewhere")
    progress.say(f"{len(clips)} clips. {split.statement}")
    held_out = (*split.validation, *split.test)
    weights_file = train_posture(
        run, dataset, [clips[i] for i in split.train], [clips[i] for i in held_out], weights, progress
    )
    posture = load_posture(config, weights_file)
    features = ClipFeatures(run, PostureGraph(posture), clips, progress)
    if folds is None:
        head = features.train_head("head", split.train, split.validation)
        predicted = predict_folds(features, [(head, held_out)], frozenset())
    else:
        predicted = cross_validate(features, folds, frozenset(split.train))
        head = features.train_head("head", range(len(clips)), ())
    predicted.save(run.folder)
    network = build_posture_network(config)
    network.posture.set_weights(posture.get_weights())
    network.head.network.set_weights(head.network.get_weights())
    with replacing(run.best_weights) as temporary:
        network.full.save_weights(temporary)
    thresholds = config.thresholds
    evaluations: dict[str, Evaluation] = {}
    if predicted.clips:
        evaluations = predicted.evaluate(clips, thresholds.segments, thresholds.counting)
    protocol = evaluations["left out"].protocol if folds is not None else split.statement
    write_metrics(run, evaluations, protocol)


def _everything(clips: int, seed: int) -> Split:
    """The split of a run whose final head learns from all clips."""
    parts = {"train": tuple(range(clips)), "validation": (), "test": ()}
    return Split("group", seed, (1.0, 0.0, 0.0), parts)


def train_posture(
    run: Run,
    dataset: Path,
    clips: Sequence[Clip],
    held_out: Sequence[Clip],
    weights: str | Path | None,
    progress: Progress,
) -> Path:
    """Phase 1. Returns the file with the frame network's weights.

    clips: those to learn from. held_out: those that the model is evaluated on; nothing of their sources is used.
    """
    config, table = run.config, run.config.posture
    if not (run.folder / "posture" / "posture.weights.h5").exists():
        _check_poses(config, clips, dataset)
    ranges = replace(config.augment.ranges, speed=(1.0, 1.0))
    rate = config.sequence.rate
    everyone = list(clips)
    if table.unlabelled:
        sources = sources_of(dataset, frozenset(clip.name for clip in held_out))
        if held_out and not sources:
            progress.say(f"{dataset} names no sources, so unlabelled videos may show held-out people")
        found = unlabelled_videos(Path(table.unlabelled), Path(table.unlabelled_poses), sources)
        progress.say(f"{len(found)} unlabelled videos with poses")
        everyone += found
    real = stored_clips([clip.path for clip in everyone], rate, progress)

    def batches_of(stage: PostureStage) -> PostureBatches:
        chosen: list[PosedClip] = posed_clips(everyone, real, rate, 1 - stage.rendered)
        if stage.rendered:
            rendered = rendered_people(config, progress)
            frames = stored_clips([clip.path for clip in rendered], rate, progress)
            chosen += posed_clips(rendered, frames, rate, stage.rendered)
        return PostureBatches(chosen, ranges, config.seed)

    return fit_posture(run, table.stages, batches_of, weights, progress)


def load_posture(config: Config, weights: Path) -> keras.Model:
    """The frame network with the weights of phase 1. Raises InputError when the file does not hold them."""
    import keras

    network = build_posture(config.sequence.size, None)
    # The file was written by the training model, whose layers are these.
    training = keras.Model(network.input, network.output["joints"], name="posture_training")
    load_weights(training, weights, "the frame network")
    return network


def cross_validate(features: ClipFeatures, folds: int, known: frozenset[int]) -> Folds:
    """A head for every fold by group, each evaluated on the clips it has not learned from.

    known: clips from which the frame network has learned.
    """
    clips, config = features.clips, features.run.config
    parts = folds_by_group(
        [clip.label for clip in clips], [clip.group for clip in clips], folds, config.split.seed
    )

    def heads() -> Iterator[tuple[Head, Sequence[int]]]:
        for number, part in enumerate(parts):
            out = sorted(part)
            train = [i for i in range(len(clips)) if i not in out]
            yield features.train_head(f"fold-{number}-of-{folds}", train, out), out

    return predict_folds(features, heads(), known)


def predict_folds(
    features: ClipFeatures, heads: Iterable[tuple[Head, Sequence[int]]], known: frozenset[int]
) -> Folds:
    """What each head gives for the clips beside it, which it has not learned from. known: as in `cross_validate`."""
    found: list[HeldOut] = []
    folds = 0
    for fold, (head, chosen) in enumerate(heads):
        folds = fold + 1
        for i, predictions in zip(chosen, features.predict(head, chosen), strict=True):
            clip = features.clips[i]
            seconds = max(clip.seconds, predictions.end_s)
            found.append(HeldOut(clip.name, clip.digest, fold, i in known, seconds, predictions))
    config = features.run.config
    return Folds(config.name, config.classes, folds, config.sequence.window_s, tuple(found))


def write_metrics(run: Run, evaluations: dict[str, Evaluation], statement: str) -> None:
    """metrics.json and report.html of a run. The first evaluation is the one that the report shows."""
    divided = run.split
    metrics: dict[str, Any] = {
        "model": run.config.name,
        "classes": list(run.config.classes),
        "statement": statement,
        "counts": divided.split.counts([clip.label for clip in divided.clips]),
        "provenance": run.provenance(),
    } | {name.replace(" ", "_"): evaluation.to_json() for name, evaluation in evaluations.items()}
    page = report(
        title=f"Training run: {run.config.name}",
        evaluation=next(iter(evaluations.values()), None),
        history=run.history,
        config=run.config.to_dict(),
        split_statement=statement,
    )
    run.write_metrics(metrics, page)


def sources_of(dataset: Path, files: frozenset[str]) -> frozenset[str]:
    """Column `source` of these files in the dataset's CSV; empty where it has none."""
    table = dataset / "manifest.csv" if dataset.is_dir() else dataset
    if not table.is_file():
        return frozenset()
    with table.open(newline="", encoding="utf-8-sig") as file:
        return frozenset(
            row["source"] for row in csv.DictReader(file) if row.get("source") and row.get("file") in files
        )


def _check_poses(config: Config, clips: Sequence[Clip], dataset: Path) -> None:
    """Raises InputError when some stage has nothing to learn from, before anything long is done."""
    for number, stage in enumerate(config.posture.stages):
        if stage.rendered and not config.rendered.clips:
            raise InputError(
                f"posture.stages.{number}.rendered is {stage.rendered:g}, but rendered.clips is 0; set one of them"
            )
        if not stage.rendered and not config.posture.unlabelled and all(clip.poses is None for clip in clips):
            raise InputError(
                f"{dataset} has no poses to learn posture from; put poses/NAME.npy for each NAME.mp4 beside the "
                f"manifest, or set posture.stages.{number}.rendered above 0"
            )
