"""Teaching the frame network to see joints: a loop over steps that can be killed and resumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exerlitenet.errors import InputError
from exerlitenet.training.posture_data import PostureBatches
from exerlitenet.training.slots import TwoSlots

if TYPE_CHECKING:
    import keras

# Statistics move this much a step: the phase is too short for Keras' 0.999.
NORM_MOMENTUM = 0.99
EMA_MOMENTUM = 0.998


@dataclass(frozen=True)
class PostureStage:
    """Some steps at one picture size. Small pictures first cost half and teach most of what there is to learn.

    rendered: share of frames that show rendered people.
    """

    size: int
    steps: int
    batch: int
    learning_rate: float
    final_learning_rate: float
    rendered: float = 0.0

    def __post_init__(self) -> None:
        if self.size % 32 or self.steps < 1 or self.batch < 1:
            raise InputError(
                f"a posture stage needs a size that 32 divides, steps and batch from 1 up, got size={self.size}, "
                f"steps={self.steps}, batch={self.batch}"
            )

    @classmethod
    def from_mapping(cls, table: Mapping[str, Any]) -> PostureStage:
        """From a table of the configuration; InputError names what is missing or unknown."""
        try:
            return cls(**table)
        except TypeError as fault:
            raise InputError(f"posture.stages: {fault}") from fault


def fit_posture(
    stages: Sequence[PostureStage],
    batches_of: Callable[[PostureStage], PostureBatches],
    weights: str | Path | None,
    folder: Path,
    *,
    seed: int,
    checkpoint_every: int = 100,
    report: Callable[[dict[str, float]], None] | None = None,
) -> Path:
    """Trains, or goes on where a killed run was, and returns the file with the averaged weights.

    batches_of: what a stage learns from.
    folder: gets `posture.weights.h5` at the end, and checkpoints while it runs.
    report: is told stage, step, steps, loss (mean since the last report) and seconds.
    """
    import keras

    done = folder / "posture.weights.h5"
    if done.exists():
        return done
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = TwoSlots(folder, "posture")
    position = checkpoint.position()
    stage_now, step_now = position.get("stage", 0), position.get("step", 0)
    kept: list[Any] | None = None
    for number, stage in enumerate(stages):
        if number < stage_now:
            continue
        keras.utils.set_random_seed(seed)
        network = trainable_posture(stage, weights if number == 0 and kept is None else None)
        if kept is not None:
            network.set_weights(kept)
        first = 0
        if number == stage_now and checkpoint.exists:
            first = step_now
            checkpoint.restore(network, optimizer=first > 0)
        losses: list[float] = []
        started = time.monotonic()
        before = sum(s.steps for s in stages[:number])
        stream = batches_of(stage).stream(before + first, before + stage.steps, stage.batch, stage.size)
        for step, (pixels, targets) in enumerate(stream, first + 1):
            losses.append(float(network.train_on_batch(pixels, targets)))
            if report is not None and (step % 50 == 0 or step == stage.steps):
                seconds = time.monotonic() - started
                report(
                    {"stage": number, "step": step, "steps": stage.steps, "loss": float(np.mean(losses))}
                    | {"seconds": seconds}
                )
                losses = []
            if step % checkpoint_every == 0 and step < stage.steps:
                checkpoint.save(network, stage=number, step=step)
        network.optimizer.finalize_variable_values(network.trainable_variables)
        kept = network.get_weights()
        checkpoint.save(network, stage=number + 1, step=0)
    temporary = folder / "posture.tmp.weights.h5"
    network.save_weights(temporary)
    temporary.replace(done)
    checkpoint.remove()
    return done


def trainable_posture(stage: PostureStage, weights: str | Path | None) -> keras.Model:
    """The network at a stage's size, compiled for its steps: warm-up, then a cosine down to the final rate."""
    import keras

    from exerlitenet.training.posture import build_posture, posture_loss

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
