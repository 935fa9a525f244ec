"""Training of the paper's network: its two phases, or any others that a configuration names.

A phase is one stretch of Adam on one part of the network, with early stopping on the validation loss; its best
weights are where the next phase begins, with an optimizer of its own. What a phase leaves frozen is run once (see
`features`). `training.loop` does the rest.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.manifest import Manifest
from exerlitenet.datasets.windows import PLAIN, FrameOrder, Item, SequencePixels, prefetch
from exerlitenet.progress import Lines, Logged, Progress
from exerlitenet.training.checkpoint import State
from exerlitenet.training.cnn_lstm.data import SequenceData, read_sequences
from exerlitenet.training.cnn_lstm.features import Above, FeatureCache
from exerlitenet.training.cnn_lstm.metrics import write_metrics
from exerlitenet.training.cnn_lstm.network import Network, build, set_trainable, training_parts
from exerlitenet.training.config import Config, PhaseConfig
from exerlitenet.training.keras import adam
from exerlitenet.training.loop import Batch, TrainingPhase, train
from exerlitenet.training.run import Run

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]
OnResults = Callable[[SequenceData, Sequence[Mapping[str, Any]]], None]
"""Given the data and, of every phase, its name, epochs, best_epoch and the probabilities [sequences, classes]
that its best weights give for each held-out part; with `thorough` the others that `fit` describes.
"""

Supply = Any
"""FeatureCache or SequencePixels: `inputs(items)` gives what the learning part reads, `shuffled()` the same with the
frames of every sequence in an order drawn by chance.
"""

HELD_OUT = ("validation", "test")


def fit(
    dataset: Path | Manifest,
    config: Config,
    *,
    weights: str | Path | None,
    out: Path,
    resume: bool = False,
    progress: Progress | None = None,
    order: FrameOrder = "true",
    on_results: OnResults | None = None,
    shared: Path | None = None,
    thorough: bool = False,
) -> Run:
    """Train a network on a dataset; everything that comes of it is in the folder `out`.

    weights: of the backbone: "imagenet", None or "none", or a file (see `build_backbone`).
    resume: continue the run in `out` where it was killed; begins one when there is none, and returns at
        once when it is finished.
    order: of the frames of every sequence, held-out ones too.
    on_results: called before the run counts as finished, so what it keeps is there for every finished run; it may
        be called again after a kill.
    shared: a folder of frozen activations that runs on the same sequences share (see `FeatureCache.shared`).
    thorough: after every phase the test part is predicted twice more, which adds to its results "last", what its last
        weights give in place of the best, and "disordered", what the best give for frames in an order drawn by chance.

    Raises InputError for a dataset without enough clips, a folder that is not free, a resumed run with
    another dataset or configuration, and a loss that is no number.
    """
    run = Run.create(out, config, weights=weights, resume=resume)
    with run.training():
        if not run.finished:
            logged = Logged(progress or Lines(), run.log)
            data, results = _train(run, dataset, weights, logged, order, shared, thorough)
            if on_results is not None:
                on_results(data, results)
            write_metrics(run, data, results)
    return run


def _train(
    run: Run,
    dataset: Path | Manifest,
    weights: str | Path | None,
    progress: Progress,
    order: FrameOrder,
    shared: Path | None,
    thorough: bool,
) -> tuple[SequenceData, list[dict[str, Any]]]:
    """Every phase from wherever the run is. Returns the data and what each phase gave."""
    import keras

    config = run.config
    keras.utils.set_random_seed(config.seed)
    network = build(config.model, config.sequence, config.classes, weights)
    for phase in config.phases:  # so that a later phase that cannot be is known now
        training_parts(network, phase.trainable)
    data = read_sequences(run, dataset, progress, order)
    phases = [
        partial(_phase, run, network, data, number, progress, shared, thorough)
        for number in range(len(config.phases))
    ]
    return data, train(run, run.checkpoint, network.full, phases, progress).results


def _phase(
    run: Run,
    network: Network,
    data: SequenceData,
    number: int,
    progress: Progress,
    shared: Path | None,
    thorough: bool,
) -> TrainingPhase:
    """A phase of the configuration, ready to be trained."""
    config, phase = run.config, run.config.phases[number]
    set_trainable(network, phase.trainable)
    supply, model = _supply(run, network, data, phase, progress, shared)
    compile_phase(model, phase)
    train_part = data.split.sequences_of("train")
    validation = data.items("validation")
    parameters = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    progress.say(
        f"phase {phase.name}: learning rate {phase.learning_rate:g}, batch {phase.batch}, "
        f"{parameters:,} trainable parameters"
    )

    def batches(epoch: int) -> Iterator[Batch]:
        order = np.random.default_rng([config.seed, number, epoch]).permutation(train_part)
        cached = supply is not data.pixels
        items = [copy_of(int(i), epoch, config.augment.copies, cached=cached) for i in order]
        return batches_of(supply, items, data.targets(items), phase.batch)

    def validate() -> tuple[float, float]:
        probabilities = predict(model, supply, validation, phase.batch)
        return loss_and_accuracy(probabilities, data.targets(validation))

    def probabilities_of(source: Supply, part: str) -> list[list[float]]:
        items = data.items(part)
        if not items:
            return []
        return [[round(float(p), 7) for p in row] for row in predict(model, source, items, phase.batch)]

    def finish(state: State) -> dict[str, Any]:
        result: dict[str, Any] = {"name": phase.name, "epochs": state.epoch, "best_epoch": state.best_epoch}
        if thorough:
            result["last"] = probabilities_of(supply, "test")
        network.full.load_weights(run.best_weights)
        result["probabilities"] = {p: probabilities_of(supply, p) for p in HELD_OUT if data.items(p)}
        if thorough:
            result["disordered"] = probabilities_of(supply.shuffled(), "test")
        return result

    return TrainingPhase(
        name=phase.name,
        rate=f"phases.{number}.learning_rate, now {phase.learning_rate:g}",
        model=model,
        whole=network.full,
        epochs=phase.epochs,
        steps=lambda epoch: math.ceil(len(train_part) / phase.batch),
        batches=batches,
        random_layers=network.layers,
        seed=(config.seed, number),
        validate=validate if validation else None,
        patience=phase.patience,
        best=run.best_weights,
        finish=finish,
    )


def _supply(
    run: Run,
    network: Network,
    data: SequenceData,
    phase: PhaseConfig,
    progress: Progress,
    shared: Path | None,
) -> tuple[Supply, keras.Model]:
    """Where the learning part's inputs come from, and the learning part."""
    fixed, model = training_parts(network, phase.trainable)
    if fixed is None:
        return data.pixels, model
    if shared is not None:
        return share(network, fixed, data.pixels, run.config, phase, shared, progress), model
    copies, train_part = run.config.augment.copies, data.split.sequences_of("train")
    items = [copy_of(i, k, copies, cached=True) for k in range(max(1, copies)) for i in train_part]
    items += [item for part in HELD_OUT for item in data.items(part)]
    began = time.monotonic()
    on_progress = partial(progress.step, f"{phase.name}: running the frozen layers once")
    cache = FeatureCache.open(run.cache, fixed, data.pixels, items, network.spec.frames, on_progress)
    progress.say(f"frozen layers run once on {len(items)} sequences in {time.monotonic() - began:.0f} s")
    return cache, model


def share(
    network: Network,
    fixed: keras.Model,
    pixels: SequencePixels,
    config: Config,
    phase: PhaseConfig,
    folder: Path,
    progress: Progress,
    above: Above | None = None,
) -> FeatureCache:
    """The shared activations of one phase's frozen part, run here where they are not there yet.

    above: see `FeatureCache.open`.
    """
    on_progress = partial(progress.step, f"{phase.name}: running the frozen layers once")
    copies, frames = config.augment.copies, network.spec.frames
    return FeatureCache.shared(folder, fixed, pixels, copies, frames, on_progress, above)


def copy_of(sequence: int, epoch: int, copies: int, *, cached: bool) -> Item:
    """Which copy of a training sequence an epoch reads: kept copies take turns, and where every epoch starts
    from pixels each draws a new one.
    """
    if copies == 0:
        return (sequence, PLAIN)
    return (sequence, epoch % copies if cached else epoch)


def compile_phase(model: keras.Model, phase: PhaseConfig) -> None:
    """Adam and categorical cross-entropy, as in the paper's table 1."""
    import keras

    model.compile(
        optimizer=adam(phase.learning_rate),
        loss=keras.losses.CategoricalCrossentropy(),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    model.optimizer.build(model.trainable_variables)


def batches_of(supply: Supply, items: Sequence[Item], targets: Floats, batch: int) -> Iterator[Batch]:
    """The items in their order, `batch` at a time, read in the background."""
    starts = range(0, len(items), batch)
    read = prefetch(lambda start: only(supply.inputs(items[start : start + batch])), starts)
    for start, inputs in zip(starts, read, strict=True):
        yield inputs, targets[start : start + batch]


def predict(model: keras.Model, supply: Supply, items: Sequence[Item], batch: int) -> Floats:
    """Probabilities, float32 [items, classes]."""
    # The last batch is filled up, since TensorFlow compiles anew for every batch size.
    whole = [*items, *[items[-1]] * (-len(items) % batch)]
    inputs = (inputs for inputs, _ in batches_of(supply, whole, np.empty((len(whole), 0), np.float32), batch))
    return np.concatenate([model.predict_on_batch(values) for values in inputs])[: len(items)]


def loss_and_accuracy(probabilities: Floats, targets: Floats) -> tuple[float, float]:
    """Mean categorical cross-entropy and accuracy. Both arrays: float32 [items, classes]."""
    true = np.clip((probabilities * targets).sum(1), 1e-7, 1)
    right = probabilities.argmax(1) == targets.argmax(1)
    return float(-np.log(true).mean()), float(right.mean())


def only(inputs: list[Floats]) -> Any:
    """Keras takes one array as itself and several as a list."""
    return inputs if len(inputs) > 1 else inputs[0]
