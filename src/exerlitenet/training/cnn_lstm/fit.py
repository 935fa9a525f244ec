"""Training of the recurrent family: the paper's two phases, or any others that a configuration names.

A phase is one stretch of Adam on one part of the network, with early stopping on the validation loss; its
best weights go on into the next phase, which has an optimizer of its own. What a phase leaves frozen is run
once (see `features`). After every epoch a checkpoint is written, and everything random comes from (seed, phase,
epoch), so a run that was killed goes on as if it had not been.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.datasets.manifest import Manifest
from exerlitenet.datasets.windows import PLAIN, FrameOrder, Item, SequencePixels, prefetch
from exerlitenet.errors import InputError
from exerlitenet.files import replacing
from exerlitenet.progress import Lines, Logged, Progress
from exerlitenet.training.checkpoint import State, load_optimizer, load_state, save_checkpoint
from exerlitenet.training.cnn_lstm.data import SequenceData, read_sequences
from exerlitenet.training.cnn_lstm.features import Above, FeatureCache
from exerlitenet.training.cnn_lstm.metrics import write_metrics
from exerlitenet.training.cnn_lstm.network import Network, build, set_trainable, training_parts
from exerlitenet.training.cnn_lstm.optimizer import adam
from exerlitenet.training.config import Config, Phase
from exerlitenet.training.run import Run

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]
Judged = Callable[[SequenceData, Sequence[Mapping[str, Any]]], None]
"""Given the data and, of every phase, its name, epochs, best_epoch and the probabilities [sequences, classes]
that its best weights give for each judged part; with `thorough` the others that it says.
"""

Supply = Any
"""FeatureCache or SequencePixels: `inputs(items)` gives what the learning part reads, `shuffled()` the same with the
frames of every sequence in an order drawn by chance.
"""

JUDGED = ("validation", "test")


@dataclass(frozen=True)
class RunResult:
    """A finished run. seconds: of this call, so less than the run's own after a resume."""

    run: Run
    metrics: dict[str, Any]
    seconds: float


def fit(
    dataset: Path | Manifest,
    config: Config,
    *,
    weights: str | Path | None,
    out: Path,
    resume: bool = False,
    progress: Progress | None = None,
    keep_cache: bool = False,
    order: FrameOrder = "true",
    judged: Judged | None = None,
    shared: Path | None = None,
    thorough: bool = False,
) -> RunResult:
    """Train a network on a dataset; everything that comes of it lies in the folder `out`.

    weights: of the backbone: "imagenet", None or "none", or a file (see `build_backbone`).
    resume: go on with the run in `out` where it was killed; begins one when there is none, and returns at
        once when it is finished.
    keep_cache: leave the frozen part's activations in `out`/cache at the end.
    order: of the frames of every sequence, judged ones too.
    judged: called before the run counts as finished, so what it keeps is there for every finished run; it may
        be called again after a kill.
    shared: a folder of frozen activations that runs on the same sequences share (see `FeatureCache.shared`).
    thorough: of every phase the test part is judged twice more, which adds to its results "last", what its last
        weights give in place of the best, and "disordered", what the best give for frames in an order drawn by chance.

    Raises InputError for a dataset without enough clips, a folder that is not free, a resumed run with
    another dataset or configuration, and a loss that is no number.
    """
    started = time.monotonic()
    run = Run.create(out, config, weights=weights, resume=resume)
    try:
        if not run.finished:
            told = Logged(progress or Lines(), run.log)
            data, results = _train(run, dataset, weights, told, order, shared, thorough)
            if judged is not None:
                judged(data, results)
            write_metrics(run, data, results)
    except InputError:
        # Where nothing was learned yet, nothing half-written stays.
        if not (run.checkpoint.exists() or run.best_weights.exists()):
            run.discard()
        raise
    run.finish(keep_cache=keep_cache)
    return RunResult(run, run.metrics, time.monotonic() - started)


def _train(
    run: Run,
    dataset: Path | Manifest,
    weights: str | Path | None,
    progress: Progress,
    order: FrameOrder,
    shared: Path | None,
    thorough: bool,
) -> tuple[SequenceData, list[dict[str, Any]]]:
    """Every phase from wherever the run stands. Returns the data and what each phase came to."""
    import keras

    config = run.config
    keras.utils.set_random_seed(config.seed)
    network = build(config.model, config.sequence, config.classes, weights)
    for phase in config.phases:  # so that a later phase that cannot be is known now
        training_parts(network, phase.trainable)
    data = read_sequences(run, dataset, progress, order)
    state = State()
    if run.checkpoint.is_file():
        state = load_state(run.checkpoint, network.full)
        run.write_history(state.history)
        progress.say(f"going on after {len(state.history)} epochs")
    while state.phase < len(config.phases):
        _train_phase(run, network, data, state, progress, shared, thorough)
    return data, state.results


def _train_phase(
    run: Run,
    network: Network,
    data: SequenceData,
    state: State,
    progress: Progress,
    shared: Path | None,
    thorough: bool,
) -> None:
    """From wherever the phase stands to its end: the network then has the phase's best weights, and the state
    points at the next phase.
    """
    phase = run.config.phases[state.phase]
    set_trainable(network, phase.trainable)
    supply, model = _supply(run, network, data, phase, progress, shared)
    compile_phase(model, phase)
    if state.epoch:
        load_optimizer(run.checkpoint, model.optimizer.variables)
    else:
        progress.say(
            f"phase {phase.name}: learning rate {phase.learning_rate:g}, batch {phase.batch}, "
            f"{sum(int(np.prod(v.shape)) for v in model.trainable_variables):,} trainable parameters"
        )
    while state.epoch < phase.epochs and state.waited < phase.patience:
        row = _epoch(run, network, model, supply, data, state, progress)
        watched = row.get("val_loss", row["loss"])  # without a validation part the training loss has to serve
        if not (math.isfinite(watched) and math.isfinite(row["loss"])):
            raise InputError(
                f"phase {phase.name}: the loss of epoch {row['epoch']} is no number; lower its learning_rate, "
                f"now {phase.learning_rate:g}"
            )
        state.epoch, state.waited = state.epoch + 1, state.waited + 1
        state.history.append(row)
        if state.best_loss is None or watched < state.best_loss:
            state.best_epoch, state.best_loss, state.waited = state.epoch, watched, 0
            with replacing(run.best_weights) as temporary:
                network.full.save_weights(temporary)
        # The best weights first: an epoch that the checkpoint knows of has left everything that it should.
        save_checkpoint(run.checkpoint, state, network.full, model.optimizer.variables)
        run.write_history(state.history)
        progress.say(_line(row, state, phase))

    def say(source: Supply, part: str) -> list[list[float]]:
        items = data.items(part)
        if not items:
            return []
        return [[round(float(p), 7) for p in row] for row in predict(model, source, items, phase.batch)]

    result: dict[str, Any] = {"name": phase.name, "epochs": state.epoch, "best_epoch": state.best_epoch}
    if thorough:
        result["last"] = say(supply, "test")
    network.full.load_weights(run.best_weights)
    result["probabilities"] = {part: say(supply, part) for part in JUDGED if data.items(part)}
    if thorough:
        result["disordered"] = say(supply.shuffled(), "test")
    state.results.append(result)
    state.phase, state.epoch, state.best_epoch, state.best_loss, state.waited = state.phase + 1, 0, 0, None, 0
    save_checkpoint(run.checkpoint, state, network.full)


def _epoch(
    run: Run,
    network: Network,
    model: keras.Model,
    supply: Supply,
    data: SequenceData,
    state: State,
    progress: Progress,
) -> dict[str, Any]:
    """Trains the phase's next epoch and validates. Returns its row of the history."""
    config, phase, epoch = run.config, run.config.phases[state.phase], state.epoch + 1
    began = time.monotonic()
    seed_epoch(network, config.seed, state.phase, epoch)
    train = np.random.default_rng([config.seed, state.phase, epoch]).permutation(
        data.split.sequences_of("train")
    )
    cached = supply is not data.pixels
    items = [copy_of(int(i), epoch, config.augment.copies, cached=cached) for i in train]
    steps = math.ceil(len(items) / phase.batch)
    progress.begin(f"{phase.name}, epoch {epoch} of at most {phase.epochs}", steps)
    loss, accuracy = train_epoch(model, supply, items, data.targets(items), phase.batch, progress)
    row: dict[str, Any] = {"phase": phase.name, "epoch": epoch, "loss": loss, "accuracy": accuracy}
    if items := data.items("validation"):
        probabilities = predict(model, supply, items, phase.batch)
        row["val_loss"], row["val_accuracy"] = loss_and_accuracy(probabilities, data.targets(items))
    return row | {"seconds": round(time.monotonic() - began, 2)}


def _supply(
    run: Run,
    network: Network,
    data: SequenceData,
    phase: Phase,
    progress: Progress,
    shared: Path | None,
) -> tuple[Supply, keras.Model]:
    """Where the learning part's inputs come from, and the learning part."""
    fixed, model = training_parts(network, phase.trainable)
    if fixed is None:
        return data.pixels, model
    if shared is not None:
        return share(network, fixed, data.pixels, run.config, phase, shared, progress), model
    copies, train = run.config.augment.copies, data.split.sequences_of("train")
    items = [copy_of(i, k, copies, cached=True) for k in range(max(1, copies)) for i in train]
    items += [item for part in JUDGED for item in data.items(part)]
    progress.begin(f"{phase.name}: running the frozen layers once", len(items))
    began = time.monotonic()
    cache = FeatureCache.open(run.cache, fixed, data.pixels, items, network.spec.frames, progress.advance)
    progress.say(f"frozen layers run once on {len(items)} sequences in {time.monotonic() - began:.0f} s")
    return cache, model


def share(
    network: Network,
    fixed: keras.Model,
    pixels: SequencePixels,
    config: Config,
    phase: Phase,
    folder: Path,
    progress: Progress,
    above: Above | None = None,
) -> FeatureCache:
    """The shared activations of one phase's frozen part, run here where they are not there yet.

    above: see `FeatureCache.open`.
    """
    copies, frames = config.augment.copies, network.spec.frames
    progress.begin(f"{phase.name}: running the frozen layers once", (copies + 1) * len(pixels))
    return FeatureCache.shared(folder, fixed, pixels, copies, frames, progress.advance, above)


def copy_of(sequence: int, epoch: int, copies: int, *, cached: bool) -> Item:
    """Which copy of a training sequence an epoch reads: kept copies take turns, and where every epoch starts
    from pixels each draws a new one.
    """
    if copies == 0:
        return (sequence, PLAIN)
    return (sequence, epoch % copies if cached else epoch)


def compile_phase(model: keras.Model, phase: Phase) -> None:
    """Adam and categorical cross-entropy, as in the paper's table 1."""
    import keras

    model.compile(
        optimizer=adam(phase.learning_rate),
        loss=keras.losses.CategoricalCrossentropy(),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    model.optimizer.build(model.trainable_variables)


def seed_epoch(network: Network, seed: int, phase: int, epoch: int) -> None:
    """Sets what dropout draws in this epoch, whatever was drawn before it."""
    from keras import layers

    chance = np.random.default_rng([seed, phase, epoch, 1])
    for layer in network.layers:
        if isinstance(layer, layers.Dropout):
            layer.seed_generator.state.assign([int(chance.integers(2**31)), 0])


def train_epoch(
    model: keras.Model,
    supply: Supply,
    items: Sequence[Item],
    targets: Floats,
    batch: int,
    progress: Progress,
) -> tuple[float, float]:
    """One pass over the items in their order. Returns mean loss and accuracy while training."""
    total = np.zeros(2)
    starts = range(0, len(items), batch)
    batches = prefetch(lambda start: supply.inputs(items[start : start + batch]), starts)
    for step, (start, inputs) in enumerate(zip(starts, batches, strict=True), 1):
        model.reset_metrics()
        figures = model.train_on_batch(only(inputs), targets[start : start + batch])
        total += np.array(figures) * len(inputs[0])
        progress.advance(step, f"loss {figures[0]:.3f}")
    loss, accuracy = total / len(items)
    return float(loss), float(accuracy)


def predict(model: keras.Model, supply: Supply, items: Sequence[Item], batch: int) -> Floats:
    """Probabilities, float32 [items, classes]."""
    # The last batch is filled up, since TensorFlow compiles anew for every batch size.
    whole = [*items, *[items[-1]] * (-len(items) % batch)]
    starts = range(0, len(whole), batch)
    batches = prefetch(lambda start: supply.inputs(whole[start : start + batch]), starts)
    return np.concatenate([model.predict_on_batch(only(inputs)) for inputs in batches])[: len(items)]


def loss_and_accuracy(probabilities: Floats, targets: Floats) -> tuple[float, float]:
    """Mean categorical cross-entropy and accuracy. Both arrays: float32 [items, classes]."""
    true = np.clip((probabilities * targets).sum(1), 1e-7, 1)
    right = probabilities.argmax(1) == targets.argmax(1)
    return float(-np.log(true).mean()), float(right.mean())


def only(inputs: list[Floats]) -> Any:
    """Keras takes one array as itself and several as a list."""
    return inputs if len(inputs) > 1 else inputs[0]


def _line(row: dict[str, Any], state: State, phase: Phase) -> str:
    """One epoch as a line, with the time that the phase may still take."""
    validation = ""
    if "val_loss" in row:
        validation = f", validation loss {row['val_loss']:.4f} accuracy {row['val_accuracy']:.3f}"
    left = (phase.epochs - state.epoch) * row["seconds"]
    if state.waited >= phase.patience or state.epoch == phase.epochs:
        ahead_text = f"done, best epoch {state.best_epoch}"
    else:
        ahead_text = f"at most {left / 60:.0f} min left in this phase"
    training = f"loss {row['loss']:.4f} accuracy {row['accuracy']:.3f}"
    return f"{phase.name} epoch {row['epoch']}: {training}{validation}, {row['seconds']:.1f} s; {ahead_text}"
