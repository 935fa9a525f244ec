"""Training the sequence head: loss, averages, and going on after a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exerlitenet.datasets.clips import Clip
from exerlitenet.errors import InputError
from exerlitenet.training.posture.head import HeadConfig, build_head
from exerlitenet.training.posture.head_data import Copy, HeadWindows
from exerlitenet.training.posture.head_fit import HeadEpoch, fit_head, phase_loss
from tiny_posture import CLASSES, quick

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CONFIG = HeadConfig(
    lstm=(8, 6), dense=8, dropout=0.1, epochs=3, batch=12, windows=8, phase_delay=1, learning_rate=3e-2
)


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with quick():
        yield


def copies() -> list[list[Copy]]:
    """Nine clips; joints and context tell the class, and joints move with the phase."""
    out = []
    for number in range(9):
        rng = np.random.default_rng(number)
        phase = (0.5 + 0.5 * np.sin(np.arange(14) / 2)).astype(np.float32)
        joints = rng.normal(0.1 * (number % 3), 0.05, (14, 13, 6)) + phase[:, None, None] * 0.3
        context = rng.normal(number % 3 - 1, 0.1, (14, 128))
        known = np.ones(14, np.bool_)
        out.append([Copy(joints.astype(np.float16), context.astype(np.float16), phase, known)])
    return out


def windows() -> HeadWindows:
    labels = [Clip(Path(f"{n}"), CLASSES[n % 3], f"g{n}") for n in range(9)]
    return HeadWindows(copies(), labels, CLASSES, frames=5, phase_delay=1)


def train(
    folder: Path, report: Callable[[HeadEpoch], None] | None = None, validation: bool = True
) -> list[Any]:
    head = fit_head(
        *(CONFIG, windows(), windows() if validation else None, folder),
        clips=9,
        frames=5,
        classes=3,
        seed=3,
        report=report,
    )
    return list(head.network.get_weights())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], list[HeadEpoch], Path]:
    folder, epochs = tmp_path_factory.mktemp("head"), list[HeadEpoch]()
    return train(folder, epochs.append), epochs, folder


def test_epochs_are_told_and_it_learns(whole: tuple[list[Any], list[HeadEpoch], Path]) -> None:
    _, epochs, folder = whole
    assert [(e.phase, e.epoch) for e in epochs] == [("head", n) for n in (1, 2, 3)]
    assert epochs[-1].loss < epochs[0].loss
    assert epochs[-1].val_loss is not None
    assert epochs[0].val_loss is not None
    assert epochs[-1].val_loss < epochs[0].val_loss
    assert epochs[-1].val_accuracy is not None
    assert epochs[-1].val_accuracy > 0.9
    assert [path.name for path in folder.iterdir()] == ["head.weights.h5"]


def test_every_tensor_learns(whole: tuple[list[Any], list[HeadEpoch], Path]) -> None:
    keras.utils.set_random_seed(3)
    initial = build_head(CONFIG, 5, 3).network
    for weight, before, after in zip(initial.weights, initial.get_weights(), whole[0], strict=True):
        assert np.isfinite(after).all()
        assert not np.allclose(before, after, atol=1e-7), weight.path


def test_a_killed_run_goes_on_to_the_same_weights(
    whole: tuple[list[Any], list[HeadEpoch], Path], tmp_path: Path
) -> None:
    """Noise and dropout included, since they draw from the epoch."""
    epoch = 2

    def killed(now: HeadEpoch) -> None:
        if now.epoch == epoch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, killed)
    epochs: list[HeadEpoch] = []
    resumed = train(tmp_path, epochs.append)
    assert epochs[0].epoch == epoch
    for now, wanted in zip(epochs, whole[1][epoch - 1 :], strict=True):
        assert now.loss == pytest.approx(wanted.loss, abs=1e-5)
        assert now.val_loss == pytest.approx(wanted.val_loss, abs=1e-5)
    for mine, wanted_weights in zip(resumed, whole[0], strict=True):
        np.testing.assert_allclose(mine, wanted_weights, atol=1e-5)


def test_a_finished_head_is_read_again(whole: tuple[list[Any], list[HeadEpoch], Path]) -> None:
    (whole[2] / "head.checkpoint.npz").write_bytes(b"left by a kill at the very end")

    def never(now: HeadEpoch) -> None:
        raise AssertionError("it trains")

    for mine, wanted in zip(train(whole[2], never), whole[0], strict=True):
        np.testing.assert_array_equal(mine, wanted)
    assert [path.name for path in whole[2].iterdir()] == ["head.weights.h5"]


def test_without_validation_there_are_no_figures_of_it(tmp_path: Path) -> None:
    def first(now: HeadEpoch) -> None:
        assert (now.val_loss, now.val_accuracy) == (None, None)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, first, validation=False)


def test_the_phase_loss_looks_where_the_phase_is_known() -> None:
    target = np.zeros((1, 4, 2), np.float32)
    target[0, :, 0] = (0.0, 0.5, 1.0, 0.2)
    target[0, 1:3, 1] = 1
    said = np.array([[0.9, 0.6, 0.7, 0.9]], np.float32)
    assert float(phase_loss(target, said)) == pytest.approx((0.1 + 0.3) / 2)
    target[..., 1] = 0
    assert float(phase_loss(target, said)) == 0


def test_a_loss_that_is_no_number_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exerlitenet.training.posture.head_fit.step", lambda *_: (float("nan"), 0.0))
    with pytest.raises(InputError, match=r"epoch 1 is no number; lower head\.learning_rate, now 0\.03"):
        train(tmp_path)
