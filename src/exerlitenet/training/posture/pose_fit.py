"""Teaching the frame network to see joints: a loop over steps that can be killed and resumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exerlitenet.errors import InputError
from exerlitenet.files import replacing
from exerlitenet.training.checkpoint import State, load_optimizer, load_state, save_checkpoint
from exerlitenet.training.posture.pose_data import PostureBatches
from exerlitenet.training.posture.prune import silence_dead_units
from exerlitenet.training.tables import Table

if TYPE_CHECKING:
    import keras

# Statistics move this much a step: the phase is too short for Keras' 0.999.
NORM_MOMENTUM = 0.99
EMA_MOMENTUM = 0.998
NORM_BATCHES = 40
REPORT_EVERY = 50


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
        if self.size % 32 or self.size < 32 or self.steps < 1 or self.batch < 1:
            raise InputError(
                f"a posture stage needs a size that 32 divides, steps and batch from 1 up, got size={self.size}, "
                f"steps={self.steps}, batch={self.batch}"
            )

    @classmethod
    def from_table(cls, table: Table) -> PostureStage:
        """From a table of the configuration; InputError names what is missing, unknown or unfit."""
        stage = cls(
            size=table.integer("size", None, low=32),
            steps=table.integer("steps", None, low=1),
            batch=table.integer("batch", None, low=1),
            learning_rate=table.number("learning_rate", None, low=1e-12, high=10),
            final_learning_rate=table.number("final_learning_rate", None, low=0, high=10),
            rendered=table.number("rendered", 0.0, low=0, high=1),
        )
        table.finish()
        return stage


@dataclass(frozen=True)
class PostureTable:
    """Table [posture] of a configuration.

    unlabelled, unlabelled_poses: folders of more videos and of their poses; both empty where there are none.
    """

    stages: tuple[PostureStage, ...]
    unlabelled: str = ""
    unlabelled_poses: str = ""

    @classmethod
    def from_mapping(cls, table: Mapping[str, Any]) -> PostureTable:
        """InputError names what is missing, unknown or unfit."""
        read = Table(table, "configuration", "posture.")
        stages = tuple(PostureStage.from_table(row) for row in read.tables("stages"))
        if not stages:
            raise InputError("configuration: posture.stages must have at least one entry, got none")
        # An empty text means that there are none.
        folders = [read.take(key, "", "a folder", str) for key in ("unlabelled", "unlabelled_poses")]
        read.finish()
        if bool(folders[0]) != bool(folders[1]):
            raise InputError(
                "posture.unlabelled and posture.unlabelled_poses go together; one of them is missing"
            )
        return cls(stages, *folders)


@dataclass(frozen=True)
class PostureReport:
    """How far a stage is: steps done of all; mean loss, and seconds, of the `block` steps since the last report."""

    stage: int
    step: int
    steps: int
    loss: float
    seconds: float
    block: int

    @property
    def seconds_left(self) -> float:
        """What the rest of the stage takes at this pace."""
        return (self.steps - self.step) * self.seconds / self.block


def fit_posture(
    stages: Sequence[PostureStage],
    batches_of: Callable[[PostureStage], PostureBatches],
    weights: str | Path | None,
    folder: Path,
    *,
    seed: int,
    checkpoint_every: int = 100,
    report: Callable[[PostureReport], None] | None = None,
) -> Path:
    """Trains, or goes on where a killed run was, and returns the file with the averaged weights.

    batches_of: what a stage learns from.
    folder: gets `posture.weights.h5` at the end, and checkpoints while it runs.
    report: is told how it goes, every 50 steps; a resumed run may tell of some steps again.
    Raises InputError for a loss that is no number, and for a checkpoint that cannot be read.
    """
    import keras

    done = folder / "posture.weights.h5"
    checkpoint = folder / "posture.checkpoint.npz"
    if done.exists():
        checkpoint.unlink(missing_ok=True)
        return done
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(seed)
    network = trainable_posture(stages[0], None if checkpoint.exists() else weights)
    state = load_state(checkpoint, network) if checkpoint.exists() else State()
    if state.phase == len(stages) > 1:  # killed after the last stage
        network = _at_size(network, stages[-1])
    for number in range(state.phase, len(stages)):
        stage = stages[number]
        if number > 0:
            network = _at_size(network, stage)
        keras.utils.set_random_seed(seed)
        if state.epoch:
            load_optimizer(checkpoint, network.optimizer.variables)
        batches = batches_of(stage)
        before = sum(s.steps for s in stages[:number])
        stream = batches.stream(before + state.epoch, before + stage.steps, stage.batch, stage.size)
        losses: list[float] = []
        started = time.monotonic()
        for step, (pixels, targets) in enumerate(stream, state.epoch + 1):
            losses.append(float(network.train_on_batch(pixels, targets)))
            if not np.isfinite(losses[-1]):
                raise InputError(
                    f"posture.stages.{number}: the loss of step {step} is no number; lower its learning_rate, "
                    f"now {stage.learning_rate:g}"
                )
            if step % REPORT_EVERY == 0 or step == stage.steps:
                seconds, started = time.monotonic() - started, time.monotonic()
                if report is not None:
                    mean = float(np.mean(losses))
                    report(PostureReport(number, step, stage.steps, mean, seconds, len(losses)))
                losses = []
            if step % checkpoint_every == 0 and step < stage.steps:
                save_checkpoint(checkpoint, State(number, step), network, network.optimizer.variables)
        network.optimizer.finalize_variable_values(network.trainable_variables)
        state = State(number + 1)
        save_checkpoint(checkpoint, state, network)
    reestimate_norms(
        network,
        batches_of(stages[-1]),
        stages[-1],
        first=sum(s.steps for s in stages),
        count=NORM_BATCHES,
    )
    last, first = stages[-1], sum(s.steps for s in stages)
    unseen = batches_of(last).stream(first, first + NORM_BATCHES, last.batch, last.size)
    silence_dead_units(network, (pixels for pixels, _ in unseen))
    with replacing(done) as temporary:
        network.save_weights(temporary)
    checkpoint.unlink()
    return done


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
    count: int = NORM_BATCHES,
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
