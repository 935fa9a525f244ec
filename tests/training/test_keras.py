"""Keras is loaded silently unless that fails; Adam in one pass takes the steps of Keras' own."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from exerlitenet.training import keras as training_keras
from exerlitenet.training.checkpoint import State, load_optimizer, save_checkpoint

IGNORED = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )


def test_nothing_is_said_where_it_works() -> None:
    pytest.importorskip("keras", reason="training needs Keras")
    result = python(
        "import sys; from exerlitenet.training.keras import import_keras; import_keras(); import_keras();"
        "print('keras' in sys.modules); print('after', file=sys.stderr)"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "True\n", "after\n")


def test_what_was_said_is_shown_where_it_fails(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "keras.py").write_text(
        "import os\nos.write(2, b'said before\\n')\nraise RuntimeError('broken')\n"
    )
    result = python(
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        "from exerlitenet.training.keras import import_keras\n"
        "try:\n    import_keras()\n"
        "except RuntimeError as error:\n    print(error)\n"
        "print('after', file=sys.stderr)"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "broken\n", "said before\nafter\n")


def model_with(adam: Any) -> Any:
    import keras

    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(7, "tanh"), keras.layers.Dense(2)])
    model.compile(optimizer=adam, loss="mse")
    model.optimizer.build(model.trainable_variables)
    return model


def steps(model: Any, seeds: range) -> None:
    for seed in seeds:
        rng = np.random.default_rng(seed)
        model.train_on_batch(rng.random((8, 5), np.float32), rng.random((8, 2), np.float32))


@IGNORED
def test_steps_of_adam_in_one_pass_are_those_of_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = pytest.importorskip("keras", reason="training needs Keras")
    monkeypatch.setattr(training_keras, "LARGE", 8)  # kernels in one pass, the last bias as Keras does it
    mine, theirs = model_with(training_keras.adam(0.01)), model_with(keras.optimizers.Adam(0.01))
    before = [weight.copy() for weight in mine.get_weights()]
    steps(mine, range(6))
    steps(theirs, range(6))
    pairs = zip(mine.get_weights(), theirs.get_weights(), before, strict=True)
    for ours, expected, first in pairs:
        assert np.abs(expected - first).max() > 0.02
        np.testing.assert_allclose(ours, expected, atol=1e-6)
    for ours, expected in zip(mine.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)


@IGNORED
def test_adam_continues_from_a_checkpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    pytest.importorskip("keras", reason="training needs Keras")
    monkeypatch.setattr(training_keras, "LARGE", 8)
    whole, first, second = (model_with(training_keras.adam(0.01)) for _ in range(3))
    steps(whole, range(5))
    steps(first, range(3))
    save_checkpoint(tmp_path / "checkpoint.npz", State(), first, first.optimizer.variables)
    second.set_weights(first.get_weights())
    load_optimizer(tmp_path / "checkpoint.npz", second.optimizer.variables)
    steps(second, range(3, 5))
    for ours, expected in zip(second.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)
