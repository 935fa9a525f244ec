"""The training loop: history, early stopping, averages, resuming after a kill, and what ends it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exerlitenet.errors import InputError
from exerlitenet.training.checkpoint import State, load_optimizer, load_state, save_checkpoint
from exerlitenet.training.config import load_config
from exerlitenet.training.loop import Batch, TrainingPhase, train, train_epoch
from exerlitenet.training.run import Run
from quiet_progress import Quiet

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Training:
    """Two phases of a small network with dropout; the second one's optimizer averages its weights."""

    def __init__(self, folder: Path, epochs: int = 3) -> None:
        self.run = Run.create(folder, load_config("paper"), resume=True)
        keras.utils.set_random_seed(1)
        inputs = keras.Input((4,))
        hidden = keras.layers.Dropout(0.3)(keras.layers.Dense(6, "tanh")(inputs))
        self.network = keras.Model(inputs, keras.layers.Dense(1)(hidden))
        self.epochs = epochs
        self.losses: list[float] = []
        self.options: dict[str, Any] = {}

    def phase(self, number: int) -> TrainingPhase:
        self.network.compile(keras.optimizers.Adam(0.02, use_ema=number == 1), loss="mse")
        self.network.optimizer.build(self.network.trainable_variables)

        def batches(epoch: int) -> Iterator[Batch]:
            rng = np.random.default_rng([number, epoch])
            for count in (8, 5):
                values = rng.random((count, 4), np.float32)
                yield values, values.sum(1, keepdims=True)

        options: dict[str, Any] = {"best": self.run.best_weights} if number == 0 else {}
        return TrainingPhase(
            name=f"phase {number}",
            rate="the.rate, now 0.02",
            model=self.network,
            whole=self.network,
            epochs=self.epochs,
            steps=lambda epoch: 2,
            batches=batches,
            random_layers=self.network.layers,
            seed=(7, number),
            finish=lambda state: [state.epoch, state.best_epoch],
            **options | self.options,
        )

    def train(self, kill: str | None = None) -> State:
        progress = Killed(kill)
        phases = [partial(self.phase, number) for number in range(2)]
        return train(self.run, self.run.checkpoint, self.network, phases, progress)


class Killed(Quiet):
    """Ends the training at a line that begins like this."""

    def __init__(self, line: str | None) -> None:
        super().__init__()
        self._line = line

    def say(self, line: str) -> None:
        super().say(line)
        if self._line is not None and line.startswith(self._line):
            raise KeyboardInterrupt


def test_a_killed_training_ends_as_one_that_was_not(tmp_path: Path) -> None:
    """Dropout, the optimizer's moments and averages, the history and the results of phases included."""
    whole = Training(tmp_path / "whole")
    whole.run.write_history([{"phase": "before", "epoch": 1, "loss": 1.0}])
    state = whole.train()
    for line in ("phase 0 epoch 2", "phase 0 epoch 3", "phase 1 epoch 1"):
        killed = Training(tmp_path / "killed")
        if not killed.run.history:
            killed.run.write_history([{"phase": "before", "epoch": 1, "loss": 1.0}])
        with pytest.raises(KeyboardInterrupt):
            killed.train(line)
        killed.run.write_history([*killed.run.history, {"phase": "half", "epoch": 9, "loss": 0.0}])
    resumed = Training(tmp_path / "killed")
    found = resumed.train()
    assert found.results == state.results == [[3, found.results[0][1]], [3, found.results[1][1]]]
    for mine, wanted in zip(resumed.network.get_weights(), whole.network.get_weights(), strict=True):
        np.testing.assert_allclose(mine, wanted, atol=1e-6)
    rows, others = resumed.run.history, whole.run.history
    assert [(row["phase"], row["epoch"]) for row in rows] == [
        *(("before", 1), ("phase 0", 1), ("phase 0", 2), ("phase 0", 3)),
        *(("phase 1", 1), ("phase 1", 2), ("phase 1", 3)),
    ]
    assert [row["loss"] for row in rows] == pytest.approx([row["loss"] for row in others], abs=1e-6)
    assert len({round(row["loss"], 4) for row in rows}) == 7


def test_a_phase_ends_when_the_loss_no_longer_falls_and_the_best_weights_are_kept(tmp_path: Path) -> None:
    training, losses = Training(tmp_path / "run", epochs=9), iter((0.5, 0.3, 0.4, 0.6, 0.2))
    kept: list[Any] = []

    def validate() -> tuple[float, float]:
        kept.append(training.network.get_weights())
        return next(losses), 0.5

    training.options = {"validate": validate, "patience": 2}
    state = train(
        training.run, training.run.checkpoint, training.network, [partial(training.phase, 0)], Quiet()
    )
    assert state.results == [[4, 2]]
    assert [row["val_loss"] for row in training.run.history] == [0.5, 0.3, 0.4, 0.6]
    training.network.load_weights(training.run.best_weights)
    for mine, wanted in zip(training.network.get_weights(), kept[1], strict=True):
        np.testing.assert_array_equal(mine, wanted)


def test_each_epoch_says_how_long_the_phase_may_still_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fixed length is known; a phase that may stop early takes at most so long."""
    clock = iter(range(0, 10_000, 60))
    monkeypatch.setattr("exerlitenet.training.loop.time.monotonic", lambda: next(clock))
    for patience, word in ((None, "about"), (9, "at most")):
        training, progress = Training(tmp_path / word.replace(" ", "-")), Quiet()
        training.options = {"patience": patience}
        train(training.run, training.run.checkpoint, training.network, [partial(training.phase, 0)], progress)
        ends = [line.rpartition("; ")[2] for line in progress.lines]
        assert ends[:2] == [f"{word} 2 min left in this phase", f"{word} 60 s left in this phase"]
        assert ends[2].startswith("done")


@pytest.mark.parametrize("where", ["loss", "val_loss"])
def test_a_loss_that_is_no_number_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    training = Training(tmp_path / "run")
    if where == "val_loss":
        training.options = {"validate": lambda: (float("nan"), 0.0)}
    else:
        monkeypatch.setattr("exerlitenet.training.loop.train_epoch", lambda *_: {"loss": float("inf")})
    with pytest.raises(InputError, match=r"phase 0: the loss of epoch 1 is no number; lower the\.rate"):
        training.train()
    assert not training.run.checkpoint.exists()


def test_an_epochs_loss_is_the_mean_over_its_items() -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.0), loss="mse", metrics=[keras.metrics.BinaryAccuracy()])
    batches = [(np.ones((3, 1)), np.zeros((3, 1))), (np.ones((1, 1)), np.full((1, 1), 2.0))]
    steps: list[tuple[int, float]] = []
    found = train_epoch(model, batches, lambda *step: steps.append(step))
    assert found == {"loss": pytest.approx(1.0), "accuracy": pytest.approx(0.75)}
    assert steps == [(1, pytest.approx(0.0)), (2, pytest.approx(4.0))]


def test_a_damaged_checkpoint_is_said(tmp_path: Path) -> None:
    network, path = Training(tmp_path / "run").network, tmp_path / "checkpoint.npz"
    save_checkpoint(path, State(phase=1, rows=[{"loss": 0.5}]), network)
    assert load_state(path, network) == State(phase=1, rows=[{"loss": 0.5}])
    load_optimizer(path, [object()])  # none were stored, so none are set
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match="begin anew"):
        load_state(path, network)


def test_a_checkpoint_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network, path = Training(tmp_path / "run").network, tmp_path / "files" / "checkpoint.npz"
    path.parent.mkdir()
    save_checkpoint(path, State(epoch=1), network)

    def half_written(file: Any, **arrays: Any) -> None:
        file.write(b"half a checkpoint")
        raise KeyboardInterrupt

    monkeypatch.setattr("exerlitenet.training.checkpoint.np.savez", half_written)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, State(epoch=2), network)
    assert load_state(path, network) == State(epoch=1)
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.npz"]
