"""Training the default model: posture first, then the sequence head, from one configuration."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exerlitenet.errors import InputError
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.training.augment import Ranges
from exerlitenet.training.cache import cache_folder
from exerlitenet.training.clips import Clip
from exerlitenet.training.config import Config
from exerlitenet.training.evaluate import evaluate
from exerlitenet.training.files import replacing
from exerlitenet.training.frames import StoredClip, store_clips
from exerlitenet.training.head import Head, HeadConfig
from exerlitenet.training.head_data import Copy, HeadWindows, encode_copies
from exerlitenet.training.head_fit import HeadEpoch, fit_head
from exerlitenet.training.manifest import read_manifest
from exerlitenet.training.posture import build_posture
from exerlitenet.training.posture_clips import posed_clips, unlabelled_videos
from exerlitenet.training.posture_data import PosedClip, PostureBatches
from exerlitenet.training.posture_fit import REPORT_EVERY, PostureReport, PostureStage, fit_posture
from exerlitenet.training.posture_network import PostureEngine, PostureNetwork, build_posture_network
from exerlitenet.training.progress import Lines, Progress, Stretch
from exerlitenet.training.report import write_report
from exerlitenet.training.run import Run, RunClip, RunSplit
from exerlitenet.training.split import Split, folds_by_group, split_by_group

if TYPE_CHECKING:
    import keras

# Frames are stored a little larger than the network's input, so that a crop still has detail.
STORE_SIDE = 256
# Rendered clips count less than real ones in the head's windows.
RENDERED_WEIGHT = 0.3


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
    Raises InputError for a dataset without clips of every class or without poses, and a folder that is not free.
    """
    run = Run.create(out, config, weights=weights, resume=resume)
    progress = progress or Lines()
    if run.finished:
        return run
    progress.begin("looking at the clips", 0)
    manifest = read_manifest(dataset, classes=config.classes)
    for fault in manifest.faults:
        progress.say(f"not used: {fault.file}: {fault.problem}")
    split = _split(config, manifest.clips, fold)
    if not run.has_split:
        run.write_split(RunSplit(split, tuple(RunClip.of(clip) for clip in manifest.clips)))
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
    run.finish()
    return run


def train_posture(
    run: Run,
    dataset: Path,
    clips: Sequence[Clip],
    held_out: Sequence[Clip],
    weights: str | Path | None,
    progress: Progress,
) -> Path:
    """Phase 1. Returns the file with the frame network's weights.

    clips: those to learn from. held_out: those that the model will be judged on; nothing of their sources is used.
    """
    config = run.config
    table = PostureTable.from_mapping(config.extra["posture"])
    ranges = replace(Ranges(**config.augment.ranges), speed=(1.0, 1.0))
    rate = config.sequence.rate
    everyone: list[Clip | UnlabelledClip] = list(clips)
    if table.unlabelled:
        sources = sources_of(dataset, frozenset(clip.name for clip in held_out))
        found = unlabelled_videos(Path(table.unlabelled), Path(table.unlabelled_poses), sources)
        everyone += [UnlabelledClip(path, poses, f"unlabelled {source}") for path, poses, source in found]
    real = _stored([clip.path for clip in everyone], rate, progress)

    def batches_of(stage: PostureStage) -> PostureBatches:
        chosen: list[PosedClip] = posed_clips(everyone, real, rate, 1 - stage.rendered)
        if stage.rendered:
            clips = rendered_clips(config, progress)
            frames = _stored([clip.path for clip in clips], rate, progress)
            chosen += posed_clips(clips, frames, rate, stage.rendered)
        return PostureBatches(chosen, ranges, config.seed)

    def report(now: PostureReport) -> None:
        size = table.stages[now.stage].size
        if now.step <= REPORT_EVERY or now.step == now.steps:
            progress.begin(f"posture at {size} pixels", now.steps)
        progress.advance(now.step, f"loss {now.loss:.3f}")
        row = {"phase": f"posture {size}", "epoch": now.step, "loss": now.loss, "seconds": now.seconds}
        run.write_history([*run.history, row])
        run.log(f"posture at {size} pixels: step {now.step} of {now.steps}, loss {now.loss:.4f}")

    return fit_posture(
        table.stages, batches_of, weights, run.folder / "posture", seed=config.seed, report=report
    )


def train_head(
    run: Run, posture: Path, train: Sequence[Clip], validation: Sequence[Clip], progress: Progress
) -> Head:
    """Phase 2, on what the frame network of phase 1 says of copies of every clip."""
    config = run.config
    head = HeadConfig.from_mapping(config.extra.get("head", {}))
    spec = config.sequence
    rendered = rendered_clips(config, progress) if "rendered" in config.extra else ()
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
            copies, clips, config.classes, frames=spec.frames, phase_delay=head.phase_delay, weights=weights
        )

    learning = windows(everyone, encoded(everyone, Ranges(**config.augment.ranges), head.copies, "training"))
    judged = windows(validation, encoded(validation, Ranges.none(), 1, "validation")) if validation else None

    def report(epoch: HeadEpoch) -> None:
        if epoch.epoch == 1:
            progress.begin("sequence head", head.epochs)
        progress.advance(epoch.epoch, f"loss {epoch.loss:.3f}")
        run.write_history([*run.history, asdict(epoch)])
        progress.say(
            f"head {epoch.epoch}/{head.epochs}: loss {epoch.loss:.4f}, accuracy {epoch.accuracy:.1%}; "
            f"validation {epoch.val_loss:.4f}, {epoch.val_accuracy:.1%} ({epoch.seconds:.0f} s)"
        )

    return fit_head(
        head,
        learning,
        judged,
        run.folder / "head",
        clips=len(everyone),
        frames=spec.frames,
        classes=len(config.classes),
        seed=config.seed,
        report=report,
    )


def judge_run(run: Run, network: PostureNetwork, clips: Sequence[Clip], progress: Progress) -> None:
    """Judges the held-out clips as `evaluate` does; writes metrics.json and report.html."""
    metrics: dict[str, Any] = {"provenance": run.provenance(), "statement": run.split.split.statement}
    evaluation = None
    if clips:
        recognizer = Recognizer(PostureEngine(network, run.config))
        evaluation = evaluate(
            recognizer.recognize,
            clips,
            run.config.classes,
            model=run.config.name,
            protocol=run.split.split.statement,
            progress=Stretch(progress, "judging held-out clips"),
        )
        metrics["held_out"] = evaluation.to_json()
    write_report(
        run.report_file,
        title=f"Training run: {run.config.name}",
        evaluation=evaluation,
        history=run.history,
        config=run.config.to_dict(),
        split_statement=run.split.split.statement,
    )
    run.write_metrics(metrics)


def load_posture(config: Config, weights: Path) -> keras.Model:
    """The frame network with the weights of phase 1."""
    import keras

    network = build_posture(config.sequence.size, None)
    # The file was written by the training model, whose layers are these.
    keras.Model(network.input, network.output["joints"], name="posture_training").load_weights(weights)
    return network


def rendered_clips(config: Config, progress: Progress) -> tuple[Clip, ...]:
    """Rendered people with exact poses, made once for the table's values and kept in the cache."""
    from exerlitenet.synthetic.dataset import write_dataset

    table = RenderedTable.from_mapping(config.extra["rendered"])
    folder = cache_folder() / "rendered" / f"{table.first_seed}-{table.clips}-{table.seconds:g}"
    if not (folder / "manifest.csv").is_file():
        seeds = range(table.first_seed, table.first_seed + table.clips)
        write_dataset(folder, seeds, seconds=table.seconds, progress=Stretch(progress, "rendering people"))
    return read_manifest(folder, classes=config.classes, check=False).clips


def sources_of(dataset: Path, files: frozenset[str]) -> frozenset[str]:
    """Column `source` of these files in the dataset's CSV; empty where it has none."""
    table = dataset / "manifest.csv" if dataset.is_dir() else dataset
    if not table.is_file():
        return frozenset()
    with table.open(newline="", encoding="utf-8") as file:
        return frozenset(
            row["source"] for row in csv.DictReader(file) if row.get("source") and row["file"] in files
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
    left_out = frozenset(folds_by_group(labels, groups, folds, config.split.seed)[number])
    parts = {
        "train": tuple(i for i in range(len(clips)) if i not in left_out),
        "validation": tuple(sorted(left_out)),
        "test": (),
    }
    return Split("group", config.split.seed, (1 - 1 / folds, 1 / folds, 0.0), parts)
