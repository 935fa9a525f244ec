"""Adam in one pass takes the steps of Keras' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from exerlitenet.training.checkpoint import State, load_optimizer, save_checkpoint
from exerlitenet.training.cnn_lstm import optimizer

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def model_with(adam: Any) -> Any:
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(7, "tanh"), keras.layers.Dense(2)])
    model.compile(optimizer=adam, loss="mse")
    model.optimizer.build(model.trainable_variables)
    return model


def steps(model: Any, seeds: range) -> None:
    for seed in seeds:
        rng = np.random.default_rng(seed)
        model.train_on_batch(rng.random((8, 5), np.float32), rng.random((8, 2), np.float32))


def test_the_steps_are_those_of_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizer, "LARGE", 8)  # kernels in one pass, the last bias as Keras does it
    mine, theirs = model_with(optimizer.adam(0.01)), model_with(keras.optimizers.Adam(0.01))
    before = [weight.copy() for weight in mine.get_weights()]
    steps(mine, range(6))
    steps(theirs, range(6))
    pairs = zip(mine.get_weights(), theirs.get_weights(), before, strict=True)
    for ours, expected, first in pairs:
        assert np.abs(expected - first).max() > 0.02
        np.testing.assert_allclose(ours, expected, atol=1e-6)
    for ours, expected in zip(mine.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_it_goes_on_from_a_checkpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(optimizer, "LARGE", 8)
    whole, first, second = (model_with(optimizer.adam(0.01)) for _ in range(3))
    steps(whole, range(5))
    steps(first, range(3))
    save_checkpoint(tmp_path / "checkpoint.npz", State(), first, first.optimizer.variables)
    second.set_weights(first.get_weights())
    load_optimizer(tmp_path / "checkpoint.npz", second.optimizer.variables)
    steps(second, range(3, 5))
    for ours, expected in zip(second.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)
