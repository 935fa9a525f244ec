"""Training the sequence head on cached posture: a fixed number of epochs, averaged weights, resumable."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exerlitenet.errors import InputError
from exerlitenet.files import replacing
from exerlitenet.training.checkpoint import State, load_optimizer, load_state, save_checkpoint
from exerlitenet.training.posture.head import Head, HeadConfig, build_head
from exerlitenet.training.posture.head_data import HeadBatch, HeadWindows

if TYPE_CHECKING:
    import keras

EMA_MOMENTUM = 0.995
VALIDATION_WINDOWS = 2048


@dataclass(frozen=True)
class HeadEpoch:
    """A row of history.csv. Losses count classes and phase; accuracy is that of windows, classes weighed alike.

    val_loss, val_accuracy: None without a validation part.
    """

    phase: str
    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    seconds: float


def fit_head(
    config: HeadConfig,
    train: HeadWindows,
    validation: HeadWindows | None,
    folder: Path,
    *,
    clips: int,
    frames: int,
    classes: int,
    seed: int,
    report: Callable[[HeadEpoch], None] | None = None,
) -> Head:
    """Trains, or goes on where a killed run was. The weights are averaged over steps; none are chosen by validation.

    clips: how many there are, which with `config.windows` sets the steps of an epoch.
    folder: gets `head.weights.h5` at the end, and a checkpoint after every epoch.
    report: is told of every epoch; a resumed run may tell of one again.
    Raises InputError for a loss that is no number, and for a checkpoint that cannot be read.
    """
    import keras

    done = folder / "head.weights.h5"
    checkpoint = folder / "head.checkpoint.npz"
    keras.utils.set_random_seed(seed)
    head = build_head(config, frames, classes)
    if done.exists():
        head.network.load_weights(done)
        checkpoint.unlink(missing_ok=True)
        return head
    folder.mkdir(parents=True, exist_ok=True)
    steps = max(1, clips * config.windows // config.batch)
    network = compiled(head, steps)
    first = 0
    if checkpoint.exists():
        first = load_state(checkpoint, network).epoch
        load_optimizer(checkpoint, network.optimizer.variables)
    seen = (
        validation.batch(np.random.default_rng(seed), VALIDATION_WINDOWS) if validation is not None else None
    )
    for epoch in range(first + 1, config.epochs + 1):
        # Order and noise come from the epoch's number, so a resumed run takes the same steps.
        _seed_noise(head, [seed, epoch])
        rng = np.random.default_rng([seed, epoch])
        started = time.monotonic()
        rows = [step(network, train.batch(rng, config.batch)) for _ in range(steps)]
        loss, accuracy = np.mean(rows, axis=0)
        if not np.isfinite(loss):
            raise InputError(
                f"the loss of the head's epoch {epoch} is no number; lower head.learning_rate, now "
                f"{config.learning_rate:g}"
            )
        val_loss, val_accuracy = (None, None) if seen is None else _test(network, seen)
        # Told before it is kept: a run killed between the two tells again, and no epoch goes missing.
        if report is not None:
            seconds = round(time.monotonic() - started, 2)
            report(HeadEpoch("head", epoch, float(loss), float(accuracy), val_loss, val_accuracy, seconds))
        save_checkpoint(checkpoint, State(epoch=epoch), network, network.optimizer.variables)
    network.optimizer.finalize_variable_values(network.trainable_variables)
    with replacing(done) as temporary:
        network.save_weights(temporary)
    checkpoint.unlink()
    return head


def _seed_noise(head: Head, seed: list[int]) -> None:
    """Sets what dropout and noise draw from here on, whatever they drew before: layers keep chance of their own."""
    chance = np.random.default_rng([*seed, 1])
    for layer in head.network.layers:
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign([int(chance.integers(2**31)), 0])


def compiled(head: Head, steps: int) -> keras.Model:
    """The head's network, ready for `epochs` epochs of `steps` steps: cosine down, weights averaged."""
    import keras

    config = head.config
    schedule = keras.optimizers.schedules.CosineDecay(
        config.learning_rate,
        decay_steps=steps * config.epochs,
        alpha=config.final_learning_rate / config.learning_rate,
    )
    head.network.compile(
        keras.optimizers.AdamW(
            schedule,
            weight_decay=config.weight_decay,
            use_ema=True,
            ema_momentum=EMA_MOMENTUM,
            clipnorm=5.0,
        ),
        loss={
            "classes": keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
            "phase": phase_loss,
        },
        loss_weights={"classes": 1.0, "phase": config.phase_weight},
        metrics={"classes": "categorical_accuracy"},
    )
    head.network.optimizer.build(head.network.trainable_variables)
    return head.network


def phase_loss(target: Any, phase: Any) -> Any:
    """Mean absolute error where the phase is known. target: [b, frames, 2], phase and weight; phase: [b, frames]."""
    from keras import ops

    weight = target[..., 1]
    return ops.sum(ops.abs(target[..., 0] - phase) * weight) / ops.maximum(ops.sum(weight), 1.0)


def step(network: keras.Model, batch: HeadBatch) -> tuple[float, float]:
    """One step of training: loss and accuracy of the batch before it."""
    logs = network.train_on_batch(*_arrays(batch), return_dict=True)
    network.reset_metrics()
    return float(logs["loss"]), float(logs["classes_categorical_accuracy"])


def _test(network: keras.Model, batch: HeadBatch) -> tuple[float, float]:
    logs = network.test_on_batch(*_arrays(batch), return_dict=True)
    network.reset_metrics()
    return float(logs["loss"]), float(logs["classes_categorical_accuracy"])


def _arrays(batch: HeadBatch) -> tuple[list[Any], dict[str, Any]]:
    phase = np.stack([batch.phase, batch.phase_weight], axis=-1)
    return [batch.joints, batch.context], {"classes": batch.classes, "phase": phase}
