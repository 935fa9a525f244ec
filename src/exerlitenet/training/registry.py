"""One door to both families of models: training a configuration, judging a run, exporting it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.manifest import read_manifest
from exerlitenet.datasets.split import PARTS
from exerlitenet.errors import InputError
from exerlitenet.export.export import ExportReport, Parts, export_bundle
from exerlitenet.files import replacing
from exerlitenet.progress import Progress
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.training.config import Config
from exerlitenet.training.run import Run, RunClip
from exerlitenet.video.sequence import prepare, sequence_of, window_indices
from exerlitenet.video.source import open_video

# Rendered clips to compare Keras and ONNX Runtime on, from seeds that no training uses.
COMPARED_SEEDS = range(1_000_100, 1_000_104)
# Sequences of the dataset that a run keeps to compare its bundle on.
KEPT_SEQUENCES = 8
# Of a run's metrics, what a model's card has no room for.
LEFT_OUT = frozenset(
    (
        "provenance",
        "results",
        "by_group",
        "by_person",
        "by_activity",
        "worst",
        "worst_counted",
        "failed",
        "phases",
    )
)


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
    """Trains what a configuration describes; see `fit.fit` and `posture_run.fit_default`.

    folds: cross-validate in so many folds by group; for the posture family.
    """
    if config.model.kind == "posture":
        from exerlitenet.training.posture.run import fit_default

        run = fit_default(
            dataset, config, weights=weights, out=out, resume=resume, progress=progress, folds=folds
        )
    elif folds is not None:
        raise InputError('folds are for configurations with model.kind="posture"; leave --folds out')
    else:
        from exerlitenet.training.cnn_lstm.fit import fit

        run = fit(dataset, config, weights=weights, out=out, resume=resume, progress=progress).run
    keep_sequences(run, dataset)
    return run


def keep_sequences(run: Run, dataset: Path) -> None:
    """Stores some of the dataset's sequences in the run, so that an export can be compared on them later."""
    path = run.folder / "sequences.npz"
    if path.exists():
        return
    spec = run.config.sequence
    # Those that the run could read; the dataset may hold others.
    known = {clip.name for clip in run.split.clips}
    clips = [
        clip
        for clip in read_manifest(dataset, classes=run.config.classes, check=False).clips
        if RunClip.of(clip).name in known
    ]
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
    if run.config.model.kind == "posture":
        from exerlitenet.training.posture.engine import (
            COUNTING,
            SEGMENTS,
            PostureEngine,
            load_posture_network,
        )

        return Recognizer(PostureEngine(load_posture_network(run), run.config), SEGMENTS, COUNTING)
    from exerlitenet.training.cnn_lstm.engine import KerasEngine

    return Recognizer(KerasEngine.from_run(run))


def export_run(folder: Path, out: Path, *, int8: bool = False) -> ExportReport:
    """A finished run as a bundle in the new folder `out`. See `export.export_bundle`."""
    run = Run.open(folder)
    metrics = run.metrics
    rendered, sample = _rendered_sequences(run.config)
    kept = run.folder / "sequences.npz"
    real: list[NDArray[np.uint8]] = []
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as stored:
            real = list(stored["sequences"])
    return export_bundle(
        _parts(run),
        out,
        [*real, *rendered],
        sample=sample,
        metrics=_figures(metrics),
        provenance=_provenance(run),
        int8=int8,
    )


def _parts(run: Run) -> Parts:
    config = run.config
    if config.model.kind == "posture":
        from exerlitenet.training.posture.engine import COUNTING, SEGMENTS, load_posture_network
        from exerlitenet.training.posture.head import frame_encoder, head_weights

        whole = load_posture_network(run)
        return Parts(
            name=config.name,
            classes=config.classes,
            spec=config.sequence,
            encoder=frame_encoder(whole.posture, whole.head),
            head=head_weights(whole.head),
            full=whole.full,
            phase_delay=whole.head.config.phase_delay,
            segments=SEGMENTS,
            counting=COUNTING,
        )
    from exerlitenet.training.cnn_lstm.engine import load_network
    from exerlitenet.training.cnn_lstm.network import encoder
    from exerlitenet.training.cnn_lstm.network import head_weights as recurrent_head

    network = load_network(run)
    return Parts(
        name=config.name,
        classes=config.classes,
        spec=config.sequence,
        encoder=encoder(network),
        head=recurrent_head(network),
        full=network.full,
    )


def _rendered_sequences(config: Config) -> tuple[list[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Sequences of rendered people at the model's rate and size, and the first one's frames as they are."""
    from exerlitenet.synthetic.clip import render_clip

    spec = config.sequence
    sequences = []
    sample: NDArray[np.uint8] | None = None
    for seed, label in zip(COMPARED_SEEDS, ("squat", "biceps_curl", "none", "squat"), strict=True):
        clip = render_clip(seed, label, seconds=spec.window_s + 2, fps=2 * spec.rate)
        frames = clip.frames[::2]
        frames = frames[window_indices(0, len(frames), spec.frames)]
        sequences.append(np.stack([prepare(frame, spec) for frame in frames]))
        sample = frames if sample is None else sample
    assert sample is not None
    return sequences, sample


def _provenance(run: Run) -> dict[str, Any]:
    """Where the model comes from, and which clips (by content) stood in which part of its split."""
    split = run.split
    parts = {part: sorted({split.clips[i].digest for i in split.clips_of(part)}) for part in PARTS}
    found = run.provenance()
    found.pop("dataset")
    config = found["config"]
    if "posture" in config:  # folders of the machine that trained stay out of a model's card
        posture = config["posture"]
        names = {key: Path(value).name for key, value in posture.items() if isinstance(value, str)}
        found["config"] = config | {"posture": posture | names}
    return found | {
        "protocol": found["split"],
        "split": {part: parts[part] for part in ("validation", "test")},
    }


def _figures(metrics: dict[str, Any]) -> dict[str, Any]:
    """A run's metrics for the card: without its provenance and without rows for single clips and people."""

    def short(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: short(inner) for key, inner in value.items() if key not in LEFT_OUT}

    figures: dict[str, Any] = short(metrics)
    return figures
