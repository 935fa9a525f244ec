"""Teaching the frame network: stages, averages, statistics, dead units, and resuming after a kill."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exerlitenet.datasets.augment import Ranges
from exerlitenet.errors import InputError
from exerlitenet.training import loop
from exerlitenet.training.config import PostureStage
from exerlitenet.training.posture import pose_fit
from exerlitenet.training.posture.pose_data import PostureBatches
from exerlitenet.training.posture.pose_fit import (
    fit_posture,
    prune_dead_units,
    reestimate_norms,
    trainable_posture,
)
from exerlitenet.training.posture.run import load_posture
from exerlitenet.training.run import Run
from quiet_progress import Quiet
from tiny_posture import posed, quick, tiny_config

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

STAGES = (PostureStage(32, 4, 4, 1e-2, 1e-3), PostureStage(64, 3, 4, 5e-3, 1e-4))
Trained = tuple[list[Any], Run]


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with quick(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(pose_fit, "EPOCH_STEPS", 2)
        yield


def batches_of(stage: PostureStage) -> PostureBatches:
    return PostureBatches([posed(k) for k in range(3)], Ranges(), 0)


def train(
    folder: Path, kill: str | None = None, stages: tuple[PostureStage, ...] = STAGES, size: int = 64
) -> Trained:
    """The weights of the network that a stage at `size` pixels loads from the file, and the run.

    kill: stops at a line that begins like this.
    """
    config = tiny_config(f"sequence.size={size}", "seed=5")
    run = Run.create(folder, config, resume=True)
    path = fit_posture(run, stages, batches_of, None, Stopped(kill))
    return list(load_posture(config, path).get_weights()), run


class Stopped(Quiet):
    def __init__(self, line: str | None) -> None:
        super().__init__()
        self._line = line

    def say(self, line: str) -> None:
        super().say(line)
        if self._line is not None and line.startswith(self._line):
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("posture") / "run")


def test_every_epoch_is_a_row_and_nothing_but_the_weights_is_left(whole: Trained) -> None:
    rows = whole[1].history
    assert [(row["phase"][:9], row["epoch"]) for row in rows] == [
        *(("posture 1", 1), ("posture 1", 2), ("posture 2", 1), ("posture 2", 2)),
    ]
    assert all(0 < row["loss"] < 100 for row in rows)
    assert [path.name for path in (whole[1].folder / "posture").iterdir()] == ["posture.weights.h5"]


def test_every_tensor_learns_and_every_statistic_is_new(whole: Trained) -> None:
    keras.utils.set_random_seed(5)
    initial = trainable_posture(STAGES[0], None)
    names = [weight.path for weight in initial.weights]
    assert sum("moving" in name for name in names) == 6
    for name, before, after in zip(names, initial.get_weights(), whole[0], strict=True):
        assert np.isfinite(after).all()
        assert not np.allclose(before, after, atol=1e-7), name


@pytest.mark.parametrize("line", ["posture 1 at 32 pixels (epochs of 2 steps) epoch 2", "posture 2 at"])
def test_a_killed_run_continues_to_the_same_weights(whole: Trained, tmp_path: Path, line: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", line)
    resumed, run = train(tmp_path / "run")
    for mine, wanted in zip(resumed, whole[0], strict=True):
        np.testing.assert_allclose(mine, wanted, atol=1e-5)
    for row, other in zip(run.history, whole[1].history, strict=True):
        assert row["loss"] == pytest.approx(other["loss"], abs=1e-5)


def test_a_run_killed_after_its_last_stage_continues_at_that_stages_size(
    whole: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pose_fit, "reestimate_norms", killed)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "run")
    for mine, wanted in zip(train(tmp_path / "run")[0], whole[0], strict=True):
        np.testing.assert_allclose(mine, wanted, atol=1e-5)


def test_a_finished_phase_is_not_trained_again(whole: Trained) -> None:
    folder = whole[1].folder / "posture"
    (folder / "posture.checkpoint.npz").write_bytes(b"left by a kill at the very end")
    for mine, wanted in zip(train(whole[1].folder, kill="")[0], whole[0], strict=True):
        np.testing.assert_array_equal(mine, wanted)
    assert [path.name for path in folder.iterdir()] == ["posture.weights.h5"]


def test_the_weights_are_the_average_over_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An average that hardly moves stays where it begins, after the first step, which is of at most 1e-2 / 20."""
    monkeypatch.setattr(pose_fit, "EMA_MOMENTUM", 1.0 - 1e-9)
    found, _ = train(tmp_path / "run", stages=STAGES[:1], size=32)
    keras.utils.set_random_seed(5)
    initial = trainable_posture(STAGES[0], None)
    for weight, before, after in zip(initial.weights, initial.get_weights(), found, strict=True):
        if "moving" not in weight.path:
            assert 0 < np.abs(after - before).max() < 5.1e-4


def test_statistics_are_the_mean_over_the_batches() -> None:
    network = trainable_posture(STAGES[0], None)
    for weight in network.weights:
        if "moving" in weight.path:
            weight.assign(np.full(weight.shape, 7.0))  # as if ImageNet had left it
    batches = batches_of(STAGES[0])
    reestimate_norms(network, batches, STAGES[0], first=10, count=3)
    first = network.get_layer("norm_0")
    maps = keras.Model(network.input, network.get_layer("conv_0").output)
    pixels = [batches.batch(10 + k, 4, 32)[0] for k in range(3)]
    means = [np.asarray(maps(batch)).mean((0, 1, 2)) for batch in pixels]
    np.testing.assert_allclose(np.asarray(first.moving_mean), np.mean(means, 0), atol=1e-5)
    variances = [np.asarray(maps(batch)).var((0, 1, 2)) for batch in pixels]
    np.testing.assert_allclose(np.asarray(first.moving_variance), np.mean(variances, 0), atol=1e-5)
    assert first.momentum == pose_fit.NORM_MOMENTUM


def test_a_loss_that_is_no_number_names_the_learning_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "train_epoch", lambda *_: {"loss": math.inf})
    rate = STAGES[0].learning_rate
    with pytest.raises(InputError, match=rf"lower posture\.stages\.0\.learning_rate, now {rate:g}"):
        train(tmp_path / "run")


def test_a_file_of_other_weights_is_refused(tmp_path: Path) -> None:
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "text.weights.h5").write_text("no weights")
    for name in ("other", "text", "missing"):
        with pytest.raises(InputError, match="must hold the weights of the frame network"):
            load_posture(tiny_config(), tmp_path / f"{name}.weights.h5")


def test_the_shipped_configuration_fits() -> None:
    from exerlitenet.training.config import load_config

    config = load_config("default")
    sizes = [stage.size for stage in config.posture.stages]
    assert sizes == sorted(sizes)
    assert sizes[-1] == config.sequence.size, "learns last at the size that it works at"


UNITS = 6


def with_dead_units() -> keras.Model:
    """One squeeze-and-excite block, named as in Keras' MobileNetV3; two of its units never fire."""
    layers = keras.layers
    pixels = keras.Input((8, 8, 3))
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(pixels)
    squeezed = layers.Conv2D(UNITS, 1, name="a_squeeze_excite_conv")(pooled)
    fired = layers.ReLU(name="a_squeeze_excite_relu")(squeezed)
    gate = layers.Conv2D(3, 1, activation="sigmoid", name="a_squeeze_excite_conv_1")(fired)
    model = keras.Model(pixels, layers.Multiply()([pixels, gate]))
    kernel, bias = model.get_layer("a_squeeze_excite_conv").get_weights()
    bias[[1, 4]] = -100.0
    model.get_layer("a_squeeze_excite_conv").set_weights([np.abs(kernel), bias])
    return model


def test_dead_units_are_zeroed_and_nothing_else_changes() -> None:
    keras.utils.set_random_seed(0)
    model = with_dead_units()
    pictures = [np.random.default_rng(k).random((4, 8, 8, 3), np.float32) for k in range(3)]
    before = [model.predict_on_batch(batch) for batch in pictures]
    kept = [np.copy(w) for w in model.get_layer("a_squeeze_excite_conv").get_weights()]
    assert prune_dead_units(model, pictures) == 2
    for batch, said in zip(pictures, before, strict=True):
        np.testing.assert_allclose(model.predict_on_batch(batch), said, atol=1e-6)
    kernel, bias = model.get_layer("a_squeeze_excite_conv").get_weights()
    excite = model.get_layer("a_squeeze_excite_conv_1").get_weights()[0]
    dead = np.isin(np.arange(UNITS), [1, 4])
    assert not kernel[..., dead].any()
    assert not bias[dead].any()
    assert not excite[..., dead, :].any()
    np.testing.assert_array_equal(kernel[..., ~dead], kept[0][..., ~dead])
    assert excite[..., ~dead, :].any()


def test_a_network_without_such_blocks_is_left_as_it_is() -> None:
    pixels = keras.Input((8, 8, 3))
    model = keras.Model(pixels, keras.layers.Conv2D(2, 1)(pixels))
    assert prune_dead_units(model, [np.zeros((1, 8, 8, 3), np.float32)]) == 0
