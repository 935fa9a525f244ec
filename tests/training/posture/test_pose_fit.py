"""Teaching the frame network: stages, averages, statistics, and going on after a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exerlitenet.datasets.augment import Ranges
from exerlitenet.errors import InputError
from exerlitenet.training.posture import pose_fit
from exerlitenet.training.posture.pose_data import PostureBatches
from exerlitenet.training.posture.pose_fit import (
    PostureReport,
    PostureStage,
    PostureTable,
    fit_posture,
    reestimate_norms,
    trainable_posture,
)
from exerlitenet.training.posture.run import load_posture
from tiny_posture import posed, quick, tiny_config

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

STAGES = (PostureStage(32, 4, 4, 1e-2, 1e-3), PostureStage(64, 3, 4, 5e-3, 1e-4))


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with quick():
        yield


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pose_fit, "REPORT_EVERY", 2)


def batches_of(stage: PostureStage) -> PostureBatches:
    return PostureBatches([posed(k) for k in range(3)], Ranges(), 0)


def train(folder: Path, report: Callable[[PostureReport], None] | None = None) -> list[Any]:
    """The weights of the network that a stage at 64 pixels loads from the file."""
    path = fit_posture(STAGES, batches_of, None, folder, seed=5, checkpoint_every=2, report=report)
    return list(load_posture(tiny_config(), path).get_weights())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], list[PostureReport], Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pose_fit, "REPORT_EVERY", 2)
        folder, reports = tmp_path_factory.mktemp("posture"), list[PostureReport]()
        return train(folder, reports.append), reports, folder


def test_reports_tell_steps_loss_and_time(whole: tuple[list[Any], list[PostureReport], Path]) -> None:
    _, reports, folder = whole
    assert [(r.stage, r.step, r.steps, r.block) for r in reports] == [
        *((0, 2, 4, 2), (0, 4, 4, 2)),
        *((1, 2, 3, 2), (1, 3, 3, 1)),
    ]
    assert all(0 < r.loss < 100 and r.seconds > 0 for r in reports)
    assert PostureReport(0, 50, 200, 1.0, 25.0, 50).seconds_left == 75
    assert [path.name for path in folder.iterdir()] == ["posture.weights.h5"]


def test_every_tensor_learns_and_every_statistic_is_new(
    whole: tuple[list[Any], list[PostureReport], Path],
) -> None:
    keras.utils.set_random_seed(5)
    initial = trainable_posture(STAGES[0], None)
    names = [weight.path for weight in initial.weights]
    assert sum("moving" in name for name in names) == 6
    for name, before, after in zip(names, initial.get_weights(), whole[0], strict=True):
        assert np.isfinite(after).all()
        assert not np.allclose(before, after, atol=1e-7), name


@pytest.mark.parametrize(("stage", "step"), [(0, 4), (1, 3)])
def test_a_killed_run_goes_on_to_the_same_weights(
    whole: tuple[list[Any], list[PostureReport], Path], tmp_path: Path, stage: int, step: int
) -> None:
    def killed(now: PostureReport) -> None:
        if (now.stage, now.step) == (stage, step):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, killed)
    assert [path.name for path in tmp_path.iterdir()] == ["posture.checkpoint.npz"]
    reports: list[PostureReport] = []
    resumed = train(tmp_path, reports.append)
    # A checkpoint is there after two steps, so no earlier report comes again.
    assert (reports[0].stage, reports[0].step) == (stage, step)
    for mine, wanted in zip(resumed, whole[0], strict=True):
        np.testing.assert_allclose(mine, wanted, atol=1e-5)


def test_a_run_killed_after_its_last_stage_goes_on_at_that_stages_size(
    whole: tuple[list[Any], list[PostureReport], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pose_fit, "reestimate_norms", killed)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path)
    for mine, wanted in zip(train(tmp_path), whole[0], strict=True):
        np.testing.assert_allclose(mine, wanted, atol=1e-5)


def test_a_finished_phase_is_not_trained_again(
    whole: tuple[list[Any], list[PostureReport], Path],
) -> None:
    (whole[2] / "posture.checkpoint.npz").write_bytes(b"left by a kill at the very end")

    def never(now: PostureReport) -> None:
        raise AssertionError("it trains")

    for mine, wanted in zip(train(whole[2], never), whole[0], strict=True):
        np.testing.assert_array_equal(mine, wanted)
    assert [path.name for path in whole[2].iterdir()] == ["posture.weights.h5"]


def test_the_weights_are_the_average_over_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An average that hardly moves stays where it begins, after the first step, which is of at most 1e-2 / 20."""
    monkeypatch.setattr(pose_fit, "EMA_MOMENTUM", 1.0 - 1e-9)
    path = fit_posture(STAGES[:1], batches_of, None, tmp_path, seed=5)
    keras.utils.set_random_seed(5)
    initial = trainable_posture(STAGES[0], None)
    found = load_posture(tiny_config("sequence.size=32"), path)
    for weight, before, after in zip(
        initial.weights, initial.get_weights(), found.get_weights(), strict=True
    ):
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


def test_a_loss_that_is_no_number_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.Model, "train_on_batch", lambda *_: float("nan"))
    with pytest.raises(InputError, match=r"posture\.stages\.0: the loss of step 1 .* now 0\.01"):
        train(tmp_path)


def test_a_damaged_checkpoint_is_said(tmp_path: Path) -> None:
    (tmp_path / "posture.checkpoint.npz").write_bytes(b"no archive")
    with pytest.raises(InputError, match="begin anew"):
        train(tmp_path)


def test_a_file_of_other_weights_is_refused(tmp_path: Path) -> None:
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "text.weights.h5").write_text("no weights")
    for name in ("other", "text", "missing"):
        with pytest.raises(InputError, match="must hold the weights of the frame network"):
            load_posture(tiny_config(), tmp_path / f"{name}.weights.h5")


STAGE = {"size": 64, "steps": 2, "batch": 4, "learning_rate": 1e-3, "final_learning_rate": 1e-4}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"stages": [STAGE | {"stepz": 3}]}, r"unknown key posture\.stages\.0\.stepz.*did you mean steps"),
        ({"stages": [STAGE | {"size": 40}]}, "32 divides"),
        ({"stages": [STAGE | {"steps": 0}]}, r"posture\.stages\.0\.steps must be a whole number from 1"),
        ({"stages": [STAGE | {"batch": "8"}]}, r"posture\.stages\.0\.batch must be a whole number"),
        (
            {"stages": [STAGE | {"rendered": 1.5}]},
            r"posture\.stages\.0\.rendered must be a number from 0 to 1",
        ),
        ({"stages": [{"size": 64}]}, r"posture\.stages\.0\.steps is missing"),
        ({"stages": []}, "at least one entry"),
        ({}, "at least one entry"),
        ({"stages": [STAGE], "unlabeled": "x"}, r"unknown key posture\.unlabeled.*did you mean unlabelled"),
        ({"stages": [STAGE], "unlabelled": "x"}, "go together"),
    ],
)
def test_an_unfit_table_is_one_line(table: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        PostureTable.from_mapping(table)
    assert "\n" not in str(raised.value)


def test_the_shipped_configuration_fits() -> None:
    from exerlitenet.training.config import load_config

    config = load_config("default")
    table = PostureTable.from_mapping(config.extra["posture"])
    sizes = [stage.size for stage in table.stages]
    assert sizes == sorted(sizes)
    assert sizes[-1] == config.sequence.size, "learns last at the size that it works at"
