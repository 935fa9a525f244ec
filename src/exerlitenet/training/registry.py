"""The model types, each with how it is trained, taken apart and described; and what is done with a run of any type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.errors import InputError
from exerlitenet.export.export import ExportReport, Parts, export_bundle
from exerlitenet.files import replacing
from exerlitenet.progress import Progress
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.training.cnn_lstm import fit as cnn_lstm_fit
from exerlitenet.training.cnn_lstm import network as cnn_lstm
from exerlitenet.training.config import Config
from exerlitenet.training.engine import KerasEngine, TrainedParts
from exerlitenet.training.posture import model as posture
from exerlitenet.training.posture import run as posture_run
from exerlitenet.training.run import Run, RunClip
from exerlitenet.training.summary import Describable, ModelDescription, SetTrainable, describe_network
from exerlitenet.video.sequence import prepare, sequence_of, window_indices
from exerlitenet.video.source import open_video

# Rendered clips to compare Keras and ONNX Runtime on, from seeds that no training uses.
COMPARED_SEEDS = range(1_000_100, 1_000_104)
# Sequences of the dataset that a run keeps to compare its bundle on.
KEPT_SEQUENCES = 8
# Of a run's metrics, what a model's card has no room for.
NOT_ON_THE_CARD = frozenset(
    [
        "provenance",
        "results",
        "by_group",
        "by_person",
        "by_activity",
        "worst",
        "worst_counted",
        "failed",
        "phases",
    ]
)


@dataclass(frozen=True)
class ModelType:
    """What the registry needs of a model type.

    fit: trains a configuration on a dataset; called as `fit_run` is.
    parts: of a trained run, what recognition and an export need. Raises InputError for one without weights.
    network: the network of a configuration without pretrained weights, and what sets which part of it learns.
    cross_validates: whether `fit` takes `folds`.
    """

    fit: Callable[..., Run]
    parts: Callable[[Run], TrainedParts]
    network: Callable[[Config], tuple[Describable, SetTrainable]]
    cross_validates: bool = False


def _cnn_lstm_network(config: Config) -> tuple[Describable, SetTrainable]:
    network = cnn_lstm.build(config.model, config.sequence, config.classes, weights=None)
    return network, partial(cnn_lstm.set_trainable, network)


def _posture_network(config: Config) -> tuple[Describable, SetTrainable]:
    network = posture.build_posture_network(config)
    return network, network.set_trainable


# model.kind -> the model type.
MODEL_TYPES: dict[str, ModelType] = {
    "recurrent": ModelType(cnn_lstm_fit.fit, cnn_lstm.parts_of, _cnn_lstm_network),
    "posture": ModelType(posture_run.fit_default, posture.parts_of, _posture_network, cross_validates=True),
}


def fit_run(
    dataset: Path,
    config: Config,
    *,
    weights: str | Path | None,
    out: Path,
    resume: bool = False,
    progress: Progress | None = None,
    folds: int | None = None,
) -> Run:
    """Trains what a configuration describes; see `cnn_lstm.fit.fit` and `posture.run.fit_default`.

    folds: cross-validate in so many folds by group; InputError for a model type that does not.
    """
    model_type = MODEL_TYPES[config.model.kind]
    if folds is not None and not model_type.cross_validates:
        raise InputError('folds are for configurations with model.kind="posture"; leave --folds out')
    more = {} if folds is None else {"folds": folds}
    run = model_type.fit(dataset, config, weights=weights, out=out, resume=resume, progress=progress, **more)
    keep_sequences(run, dataset)
    return run


def describe_model(config: Config) -> ModelDescription:
    """Builds a configuration's network with random weights and describes it."""
    return describe_network(config, *MODEL_TYPES[config.model.kind].network(config))


def keep_sequences(run: Run, dataset: Path) -> None:
    """Stores some of the dataset's sequences in the run, so that an export can be compared on them later."""
    path = run.folder / "sequences.npz"
    if path.exists():
        return
    spec = run.config.sequence
    # Those that the run could read; the dataset may hold others.
    known = {clip.name for clip in run.split.clips}
    manifest = read_manifest(dataset, classes=run.config.classes, check=False)
    clips = [clip for clip in manifest.clips if RunClip.of(clip).name in known]
    if not clips:  # moved or changed since a finished run was trained
        return
    chosen = clips[:: max(1, len(clips) // KEPT_SEQUENCES)][:KEPT_SEQUENCES]
    kept = []
    for clip in chosen:
        with open_video(clip.path, rate=spec.rate, short_side=spec.source_short_side) as video:
            kept.append(np.round(sequence_of(video, spec) * 255).astype(np.uint8))
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, sequences=np.stack(kept))


def recognizer_of_run(folder: Path) -> Recognizer:
    """The recogniser of a finished run, through Keras. Raises InputError when the folder is no finished run."""
    run = Run.open(folder)
    config = run.config
    engine = KerasEngine(config, MODEL_TYPES[config.model.kind].parts(run))
    return Recognizer(engine, config.thresholds.segments, config.thresholds.counting)


def export_run(folder: Path, out: Path, *, int8: bool = False) -> ExportReport:
    """A finished run as a bundle in the new folder `out`. See `export.export_bundle`."""
    run = Run.open(folder)
    metrics, config = run.metrics, run.config
    rendered, sample = _rendered_sequences(config)
    kept = run.folder / "sequences.npz"
    real: list[NDArray[np.uint8]] = []
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as stored:
            real = list(stored["sequences"])
    trained = MODEL_TYPES[config.model.kind].parts(run)
    parts = Parts(
        name=config.name,
        classes=config.classes,
        spec=config.sequence,
        encoder=trained.encoder,
        head=trained.head_weights,
        full=trained.full,
        phase_delay=trained.phase_delay,
        segments=config.thresholds.segments,
        counting=config.thresholds.counting,
    )
    return export_bundle(
        parts,
        out,
        [*real, *rendered],
        sample=sample,
        metrics=_figures(metrics),
        provenance=_provenance(run),
        int8=int8,
    )


def _rendered_sequences(config: Config) -> tuple[list[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Sequences of rendered people at the model's rate and size, and the first one's frames as they are."""
    from exerlitenet.synthetic.clip import render_clip

    spec = config.sequence
    sequences, shown = [], []
    for seed, label in zip(COMPARED_SEEDS, ("squat", "biceps_curl", "none", "squat"), strict=True):
        clip = render_clip(seed, label, seconds=spec.window_s + 2, fps=2 * spec.rate)
        frames = clip.frames[::2]
        shown.append(frames[window_indices(0, len(frames), spec.frames)])
        sequences.append(np.stack([prepare(frame, spec) for frame in shown[-1]]))
    return sequences, shown[0]


def _provenance(run: Run) -> dict[str, Any]:
    """Where the model comes from, and which clips (by content) were in which part of its split."""
    split = run.split
    found = run.provenance()
    found.pop("dataset")
    config = found["config"]
    if "posture" in config:  # folders of the machine that trained stay out of a model's card
        table = config["posture"]
        names = {key: Path(value).name for key, value in table.items() if isinstance(value, str)}
        found["config"] = config | {"posture": table | names}
    parts = {part: split.digests(part) for part in ("validation", "test")}
    return found | {"protocol": found["split"], "split": parts}


def _figures(metrics: dict[str, Any]) -> dict[str, Any]:
    """A run's metrics for the card: without its provenance and without rows for single clips and people."""

    def short(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: short(inner) for key, inner in value.items() if key not in NOT_ON_THE_CARD}

    figures: dict[str, Any] = short(metrics)
    return figures
