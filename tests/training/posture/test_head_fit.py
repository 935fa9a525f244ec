"""Training the sequence head: its loss, what it learns, what it leaves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exerlitenet.datasets.clips import Clip
from exerlitenet.errors import InputError
from exerlitenet.training import loop
from exerlitenet.training.posture.head import build_head
from exerlitenet.training.posture.head_data import Copy, HeadWindows
from exerlitenet.training.posture.head_fit import fit_head, phase_loss
from exerlitenet.training.run import Run
from tiny_posture import CLASSES, Quiet, quick, tiny_config

keras = pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CONFIG = tiny_config(
    *("sequence.frames=5", "head.lstm=[8, 6]", "head.dense=8", "head.dropout=0.1", "head.epochs=3"),
    *("head.batch=12", "head.windows=8", "head.phase_delay=1", "head.learning_rate=3e-2", "seed=3"),
)
Trained = tuple[list[Any], Run]


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


def train(folder: Path, validation: bool = True) -> Trained:
    run = Run.create(folder, CONFIG, resume=True)
    held_out = windows() if validation else None
    head = fit_head(run, "head", windows(), held_out, Quiet(), clips=9)
    return list(head.network.get_weights()), run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("runs") / "run")


def test_it_learns_and_leaves_a_history_and_the_weights(whole: Trained) -> None:
    rows = whole[1].history
    assert [(row["phase"], row["epoch"]) for row in rows] == [("head", n) for n in (1, 2, 3)]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert rows[-1]["val_loss"] < rows[0]["val_loss"]
    assert rows[-1]["val_accuracy"] > 0.9
    assert [path.name for path in (whole[1].folder / "head").iterdir()] == ["head.weights.h5"]


def test_every_tensor_learns(whole: Trained) -> None:
    keras.utils.set_random_seed(3)
    initial = build_head(CONFIG.head, 5, 3).network
    for weight, before, after in zip(initial.weights, initial.get_weights(), whole[0], strict=True):
        assert np.isfinite(after).all()
        assert not np.allclose(before, after, atol=1e-7), weight.path


def test_a_finished_head_is_read_again(whole: Trained) -> None:
    folder = whole[1].folder / "head"
    (folder / "head.checkpoint.npz").write_bytes(b"left by a kill at the very end")
    for mine, wanted in zip(train(whole[1].folder)[0], whole[0], strict=True):
        np.testing.assert_array_equal(mine, wanted)
    assert [path.name for path in folder.iterdir()] == ["head.weights.h5"]


def test_without_validation_there_are_no_figures_of_it(tmp_path: Path) -> None:
    assert not any("val_loss" in row for row in train(tmp_path / "run", validation=False)[1].history)


def test_a_loss_that_is_no_number_names_the_learning_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "train_epoch", lambda *_: {"loss": math.nan, "accuracy": 0.0})
    with pytest.raises(InputError, match=rf"lower head\.learning_rate, now {CONFIG.head.learning_rate:g}"):
        train(tmp_path / "run")


def test_the_phase_loss_looks_where_the_phase_is_known() -> None:
    target = np.zeros((1, 4, 2), np.float32)
    target[0, :, 0] = (0.0, 0.5, 1.0, 0.2)
    target[0, 1:3, 1] = 1
    said = np.array([[0.9, 0.6, 0.7, 0.9]], np.float32)
    assert float(phase_loss(target, said)) == pytest.approx((0.1 + 0.3) / 2)
    target[..., 1] = 0
    assert float(phase_loss(target, said)) == 0
