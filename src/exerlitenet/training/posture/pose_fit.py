"""Teaching the frame network to see joints, in stages of growing picture size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.files import replacing
from exerlitenet.progress import Progress
from exerlitenet.training.config import PostureStage
from exerlitenet.training.loop import Batch, TrainingPhase, train
from exerlitenet.training.posture.pose_data import PostureBatches
from exerlitenet.training.run import Run

if TYPE_CHECKING:
    import keras

# Statistics move this much a step: the phase is too short for Keras' 0.999.
NORM_MOMENTUM = 0.99
EMA_MOMENTUM = 0.998
NORM_BATCHES = 40
# Steps in what the loop, its checkpoints and the history call an epoch.
EPOCH_STEPS = 50


def fit_posture(
    run: Run,
    stages: Sequence[PostureStage],
    batches_of: Callable[[PostureStage], PostureBatches],
    weights: str | Path | None,
    progress: Progress,
) -> Path:
    """Trains, or continues where a killed run was, and returns the file with the averaged weights.

    batches_of: what a stage learns from. Everything is kept in the run's folder posture/.
    Raises InputError for a loss that is no number, and for a checkpoint that cannot be read.
    """
    import keras

    folder = run.folder / "posture"
    done, checkpoint = folder / "posture.weights.h5", folder / "posture.checkpoint.npz"
    if done.exists():
        checkpoint.unlink(missing_ok=True)
        return done
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(run.config.seed)
    network = trainable_posture(stages[0], None if checkpoint.exists() else weights)

    def phase(number: int) -> TrainingPhase:
        nonlocal network
        if number > 0:
            network = _at_size(network, stages[number])
        first = sum(stage.steps for stage in stages[:number])
        return _phase(number, stages[number], network, batches_of(stages[number]), first)

    train(run, checkpoint, network, [partial(phase, number) for number in range(len(stages))], progress)
    last, after = stages[-1], sum(stage.steps for stage in stages)
    if network.input.shape[1] != last.size:  # killed after the last stage
        network = _at_size(network, last)
    batches = batches_of(last)
    reestimate_norms(network, batches, last, first=after, count=NORM_BATCHES)
    unseen = batches.stream(after, after + NORM_BATCHES, last.batch, last.size)
    prune_dead_units(network, (pixels for pixels, _ in unseen))
    with replacing(done) as temporary:
        network.save_weights(temporary)
    checkpoint.unlink()
    return done


def _phase(
    number: int, stage: PostureStage, network: keras.Model, batches: PostureBatches, first: int
) -> TrainingPhase:
    """A stage as the loop takes it. first: steps of the stages before it."""

    def bounds(epoch: int) -> tuple[int, int]:
        return (epoch - 1) * EPOCH_STEPS, min(epoch * EPOCH_STEPS, stage.steps)

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        begin, end = bounds(epoch)
        return batches.stream(first + begin, first + end, stage.batch, stage.size)

    return TrainingPhase(
        name=f"posture {number + 1} at {stage.size} pixels (epochs of {EPOCH_STEPS} steps)",
        rate=f"posture.stages.{number}.learning_rate, now {stage.learning_rate:g}",
        model=network,
        whole=network,
        epochs=-(-stage.steps // EPOCH_STEPS),
        steps=lambda epoch: bounds(epoch)[1] - bounds(epoch)[0],
        batches=epoch_batches,
    )


def _at_size(network: keras.Model, stage: PostureStage) -> keras.Model:
    """The same weights at a stage's size: every size has a graph of its own, and the weights fit all of them."""
    kept = network.get_weights()
    network = trainable_posture(stage, None)
    network.set_weights(kept)
    return network


def reestimate_norms(
    network: keras.Model,
    batches: PostureBatches,
    stage: PostureStage,
    *,
    first: int,
    count: int,
) -> None:
    """Takes batch norm's statistics anew, as the plain mean over `count` batches.

    Those kept while training belong to weights that moved, not to their average; and after this none of them
    comes from ImageNet.
    """
    import keras

    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for number, (pixels, _) in enumerate(batches.stream(first, first + count, stage.batch, stage.size)):
        for layer in norms:
            layer.momentum = number / (number + 1)
        network(pixels, training=True)
    for layer in norms:
        layer.momentum = NORM_MOMENTUM


def trainable_posture(stage: PostureStage, weights: str | Path | None) -> keras.Model:
    """The network at a stage's size, compiled for its steps: warm-up, then a cosine down to the final rate."""
    import keras

    from exerlitenet.training.posture.network import build_posture, posture_loss

    network = build_posture(stage.size, weights)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = NORM_MOMENTUM
    model = keras.Model(network.input, network.output["joints"], name="posture_training")
    warmup = min(100, max(1, stage.steps // 10))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=stage.learning_rate / 20,
        warmup_target=stage.learning_rate,
        warmup_steps=warmup,
        decay_steps=max(1, stage.steps - warmup),
        alpha=stage.final_learning_rate / stage.learning_rate,
    )
    model.compile(
        keras.optimizers.Adam(schedule, use_ema=True, ema_momentum=EMA_MOMENTUM, clipnorm=5.0),
        loss=posture_loss,
    )
    model.optimizer.build(model.trainable_variables)
    return model


def prune_dead_units(network: keras.Model, pictures: Iterable[NDArray[np.float32]]) -> int:
    """Zeroes, in every squeeze-and-excite block, units that fire on none of these pictures; returns how many.

    A unit behind a ReLU that never fires gets no gradient, so its weights are still ImageNet's and mean nothing here.
    pictures: batches float32 [n, size, size, 3] in [0,1]. What the network gives for them does not change.
    """
    import keras

    layers: dict[str, Any] = {layer.name: layer for layer in network.layers}
    blocks = [name.removesuffix("_relu") for name in layers if name.endswith("squeeze_excite_relu")]
    if not blocks:
        return 0
    probe = keras.Model(network.input, {block: layers[block + "_relu"].output for block in blocks})
    fired: dict[str, NDArray[np.bool_]] = {}
    for batch in pictures:
        for block, values in probe.predict_on_batch(batch).items():
            now = np.asarray(values).max(axis=(0, 1, 2)) > 0
            fired[block] = now | fired.get(block, np.zeros_like(now))
    for block, alive in fired.items():
        kernel, bias = layers[block + "_conv"].get_weights()
        layers[block + "_conv"].set_weights([kernel * alive, bias * alive])
        kernel, bias = layers[block + "_conv_1"].get_weights()
        layers[block + "_conv_1"].set_weights([kernel * alive[:, None], bias])
    return int(sum((~alive).sum() for alive in fired.values()))
