"""Training the sequence head on kept posture: a fixed number of epochs, weights averaged over steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from exerlitenet.files import replacing
from exerlitenet.progress import Progress
from exerlitenet.training.loop import Batch, TrainingPhase, train
from exerlitenet.training.posture.head import Head, build_head
from exerlitenet.training.posture.head_data import HeadBatch, HeadWindows
from exerlitenet.training.run import Run

if TYPE_CHECKING:
    import keras

EMA_MOMENTUM = 0.995
VALIDATION_WINDOWS = 2048


def fit_head(
    run: Run,
    name: str,
    windows: HeadWindows,
    validation: HeadWindows | None,
    progress: Progress,
    *,
    clips: int,
) -> Head:
    """Trains, or continues where a killed run was. No weights are chosen by validation.

    name: of the folder in the run that gets `head.weights.h5` at the end, and a checkpoint after every epoch.
    clips: how many there are, which with `head.windows` sets the steps of an epoch.
    Raises InputError for a loss that is no number, and for a checkpoint that cannot be read.
    """
    import keras

    config, seed = run.config.head, run.config.seed + run.config.head.seed
    folder = run.folder / name
    done, checkpoint = folder / "head.weights.h5", folder / "head.checkpoint.npz"
    keras.utils.set_random_seed(seed)
    head = build_head(config, run.config.sequence.frames, len(run.config.classes))
    if done.exists():
        head.network.load_weights(done)
        checkpoint.unlink(missing_ok=True)
        return head
    folder.mkdir(parents=True, exist_ok=True)
    steps = max(1, clips * config.windows // config.batch)
    network = compiled(head, steps)

    def batches(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([seed, epoch])
        return (_arrays(windows.batch(rng, config.batch)) for _ in range(steps))

    held_out: Batch | None = None
    if validation is not None:
        held_out = _arrays(validation.batch(np.random.default_rng(seed), VALIDATION_WINDOWS))

    def validate() -> tuple[float, float]:
        assert held_out is not None
        figures = network.test_on_batch(*held_out, return_dict=True)
        network.reset_metrics()
        return float(figures["loss"]), float(figures["classes_categorical_accuracy"])

    phase = TrainingPhase(
        name=name,
        rate=f"head.learning_rate, now {config.learning_rate:g}",
        model=network,
        whole=network,
        epochs=config.epochs,
        steps=lambda epoch: steps,
        batches=batches,
        random_layers=network.layers,
        seed=(seed,),
        validate=None if held_out is None else validate,
    )
    train(run, checkpoint, network, [lambda: phase], progress)
    with replacing(done) as temporary:
        network.save_weights(temporary)
    checkpoint.unlink()
    return head


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


def _arrays(batch: HeadBatch) -> tuple[list[Any], dict[str, Any]]:
    phase = np.stack([batch.phase, batch.phase_weight], axis=-1)
    return [batch.joints, batch.context], {"classes": batch.classes, "phase": phase}
