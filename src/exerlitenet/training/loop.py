"""The training loop of every network: epochs, checkpoints, history, early stopping.

A training is a list of phases; each has a compiled model and the batches of every epoch. After every epoch a
checkpoint is written, and everything random comes from (seed, epoch), so a run that was killed and resumed gives the
same numbers as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exerlitenet.errors import InputError
from exerlitenet.files import replacing
from exerlitenet.progress import Progress
from exerlitenet.training.checkpoint import State, load_optimizer, load_state, save_checkpoint
from exerlitenet.training.run import Run

if TYPE_CHECKING:
    import keras

Batch = tuple[Any, Any]
"""Inputs and targets, as the model's `train_on_batch` takes them."""


@dataclass(frozen=True)
class TrainingPhase:
    """One stretch of training of one part of a network.

    name: in the history. rate: the learning rate's key and value, for the message when the loss is no number.
    model: compiled; what learns. whole: the network that it is a part of; the checkpoint keeps its weights.
    batches: epoch (from 1) -> its `steps(epoch)` batches; the same whenever they are asked for.
    random_layers: layers that draw chance, such as dropout; seed: what they draw comes from it and the epoch.
    validate: loss and accuracy on the validation part; None without one.
    patience: the phase ends after so many epochs without a lower loss; None runs all epochs.
    best: where the whole network's weights are saved whenever the loss is lower than before.
    finish: called when the phase ends, before its last checkpoint; what it gives goes to `State.results`.
    """

    name: str
    rate: str
    model: keras.Model
    whole: keras.Model
    epochs: int
    steps: Callable[[int], int]
    batches: Callable[[int], Iterable[Batch]]
    random_layers: Sequence[Any] = ()
    seed: Sequence[int] = ()
    validate: Callable[[], tuple[float, float]] | None = None
    patience: int | None = None
    best: Path | None = None
    finish: Callable[[State], Any] = lambda state: None


def train(
    run: Run,
    checkpoint: Path,
    network: keras.Model,
    phases: Sequence[Callable[[], TrainingPhase]],
    progress: Progress,
) -> State:
    """Trains all phases, from the checkpoint if there is one. Returns the last state.

    network: gets the checkpoint's weights before the first phase that is left is made.
    phases: each is made when its turn comes. Every epoch adds a row to the run's history.
    Raises InputError for a loss that is no number, and for a checkpoint that cannot be read.
    """
    state = State(rows_before=len(run.history))
    if checkpoint.is_file():
        state = load_state(checkpoint, network)
        run.write_history([*run.history[: state.rows_before], *state.rows])
        progress.say(f"continues after {len(state.rows)} epochs")
    while state.phase < len(phases):
        phase = phases[state.phase]()
        optimizer = phase.model.optimizer
        if state.epoch:
            load_optimizer(checkpoint, optimizer.variables)
        while state.epoch < phase.epochs and (phase.patience is None or state.waited < phase.patience):
            row = _epoch(phase, state.epoch + 1, progress)
            loss = row.get("val_loss", row["loss"])  # without validation the training loss has to serve
            state.epoch, state.waited = state.epoch + 1, state.waited + 1
            state.rows.append(row)
            if state.best_loss is None or loss < state.best_loss:
                state.best_epoch, state.best_loss, state.waited = state.epoch, loss, 0
                if phase.best is not None:
                    with replacing(phase.best) as temporary:
                        phase.whole.save_weights(temporary)
            # The best weights first: whatever an epoch leaves is there when the checkpoint knows of it.
            save_checkpoint(checkpoint, state, phase.whole, optimizer.variables)
            run.write_history([*run.history[: state.rows_before], *state.rows])
            progress.say(_line(row, state, phase))
        if optimizer.use_ema:  # the average over steps, in place of the last weights
            optimizer.finalize_variable_values(phase.model.trainable_variables)
        state.end_phase(phase.finish(state))
        save_checkpoint(checkpoint, state, phase.whole)
    return state


def _epoch(phase: TrainingPhase, epoch: int, progress: Progress) -> dict[str, Any]:
    """Trains an epoch and validates. Returns its row of the history."""
    began = time.monotonic()
    seed_layers(phase.random_layers, [*phase.seed, epoch])
    steps, what = phase.steps(epoch), f"{phase.name}, epoch {epoch} of {phase.epochs}"

    def on_step(step: int, loss: float) -> None:
        progress.step(what, step, steps, f"loss {loss:.3f}")

    row: dict[str, Any] = {"phase": phase.name, "epoch": epoch}
    row |= train_epoch(phase.model, phase.batches(epoch), on_step)
    if phase.validate is not None:
        row["val_loss"], row["val_accuracy"] = phase.validate()
    if not (math.isfinite(row["loss"]) and math.isfinite(row.get("val_loss", 0.0))):
        raise InputError(f"{phase.name}: the loss of epoch {epoch} is no number; lower {phase.rate}")
    return row | {"seconds": round(time.monotonic() - began, 2)}


def train_epoch(
    model: keras.Model, batches: Iterable[Batch], on_step: Callable[[int, float], object] | None = None
) -> dict[str, float]:
    """One pass over the batches. Returns the mean "loss", and "accuracy" if the model measures one.

    on_step: called with the step's number, from 1, and its loss.
    """
    import keras

    totals: dict[str, float] = {}
    items = 0
    for step, (inputs, targets) in enumerate(batches, 1):
        model.reset_metrics()
        figures = model.train_on_batch(inputs, targets, return_dict=True)
        size = len(keras.tree.flatten(targets)[0])
        for name in figures:
            key = "accuracy" if name.endswith("accuracy") else name
            totals[key] = totals.get(key, 0.0) + size * float(figures[name])
        items += size
        if on_step is not None:
            on_step(step, float(figures["loss"]))
    return {key: totals[key] / items for key in ("loss", "accuracy") if key in totals}


def seed_layers(layers: Sequence[Any], seed: Sequence[int]) -> None:
    """Sets what layers such as dropout draw from here on, whatever they drew before."""
    chance = np.random.default_rng([*seed, 1])
    for layer in layers:
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign([int(chance.integers(2**31)), 0])


def _line(row: dict[str, Any], state: State, phase: TrainingPhase) -> str:
    """One epoch as a line, with the time that the phase may still take."""
    text = f"{phase.name} epoch {row['epoch']} of {phase.epochs}: loss {row['loss']:.4f}"
    text += f" accuracy {row['accuracy']:.3f}" if "accuracy" in row else ""
    if "val_loss" in row:
        text += f", validation loss {row['val_loss']:.4f} accuracy {row['val_accuracy']:.3f}"
    left = (phase.epochs - state.epoch) * row["seconds"]
    if state.epoch == phase.epochs or state.waited == phase.patience:
        end = "done" if phase.patience is None else f"done, best epoch {state.best_epoch}"
    else:
        time_left = f"{left / 60:.0f} min" if left >= 90 else f"{left:.0f} s"
        end = f"{'about' if phase.patience is None else 'at most'} {time_left} left in this phase"
    return f"{text}, {row['seconds']:.1f} s; {end}"
