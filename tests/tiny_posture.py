"""The default model so small that training takes seconds, and a rendered data set for it.

As a program it trains, and kills itself where the test says: `tiny_posture.py DATASET RUN TEXT [FOLDS]`, once a
line that begins with TEXT has been said.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import quiet_progress
from augmentations import NO_AUGMENTATION
from exerlitenet.datasets.augment import draw
from exerlitenet.datasets.frames import StoredClip
from exerlitenet.training.config import Config, load_config
from exerlitenet.training.posture.pose_data import PosedClip
from exerlitenet.training.run import Run
from shared import once

CLASSES = ("squat", "biceps_curl", "none")
STILL = draw(np.random.default_rng(0), NO_AUGMENTATION)
"""An augmentation that changes nothing."""


_STAGE = "batch = 4, learning_rate = 1e-2, final_learning_rate = 1e-3"
TINY = (
    *("sequence.size=64", "sequence.frames=6", "sequence.least_frames=4"),
    "split.fractions=[0.7, 0.3, 0.0]",
    f"posture.stages=[{{size=32, steps=3, {_STAGE}}}, {{size=64, steps=2, {_STAGE}, rendered=0.5}}]",
    *("head.copies=1", "head.lstm=[8, 6]", "head.dense=5", "head.epochs=2", "head.batch=8"),
    *("head.windows=4", "head.phase_delay=2", "rendered.clips=3", "rendered.seconds=2.0"),
)
"""What makes the default configuration tiny."""


def tiny_config(*overrides: str) -> Config:
    """Two posture stages of few steps at 32 and 64 pixels, and a head of a few hundred parameters."""
    return load_config("default", [*TINY, *overrides])


def tiny_backbone(name: str, size: int, weights: Any) -> Any:
    """In place of `build_backbone`: strides 16 and 32 as MobileNetV3Small has, with batch norm."""
    import keras
    from keras import layers

    pixels = keras.Input((size, size, 3), name="pixels")
    maps = layers.Conv2D(6, 4, strides=4, use_bias=False, name="conv_0")(pixels)
    maps = layers.ReLU(name="relu_0")(layers.BatchNormalization(name="norm_0")(maps))
    maps = layers.Conv2D(8, 4, strides=4, use_bias=False, name="conv_1")(maps)
    maps = layers.BatchNormalization(name="norm_1")(maps)
    maps = layers.ReLU(name="expanded_conv_7_add")(maps)
    maps = layers.Conv2D(10, 2, strides=2, use_bias=False, name="conv_2")(maps)
    maps = layers.BatchNormalization(name="norm_2")(maps)
    return keras.Model(pixels, layers.ReLU(name="relu_2")(maps), name="tiny")


@contextmanager
def quick() -> Iterator[None]:
    """The small backbone, fewer windows and batches that only evaluate, and no compiling of networks.

    A few steps of a small network take less time than TensorFlow's compiling of it.
    """
    import tensorflow

    tensorflow.config.run_functions_eagerly(True)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("exerlitenet.training.networks.backbone.build_backbone", tiny_backbone)
            patch.setattr("exerlitenet.training.posture.pose_fit.NORM_BATCHES", 3)
            patch.setattr("exerlitenet.training.posture.head_fit.VALIDATION_WINDOWS", 64)
            yield
    finally:
        tensorflow.config.run_functions_eagerly(False)


def write_rendered(folder: Path, clips: int = 6) -> Path:
    """Rendered people of every class in turn, each a group of its own."""
    from exerlitenet.synthetic.dataset import write_dataset

    seeds = range(1_000_200, 1_000_200 + clips)
    write_dataset(folder, seeds, seconds=2.0, labels=[CLASSES[k % 3] for k in range(clips)])
    return folder


def pose(x: float = 0.5, y: float = 0.5, visibility: float = 1.0) -> Any:
    """float32 [33, 7]: joints spread about (x, y), in units of the height, no two alike."""
    out = np.zeros((33, 7), np.float32)
    spread = np.linspace(-0.1, 0.1, 33)
    out[:, 0], out[:, 1], out[:, 3] = x + spread, y - spread, visibility
    out[:, 4:7] = np.random.default_rng(0).normal(0, 0.3, (33, 3))
    return out


def posed(number: int, ticks: int = 8, weight: float = 1.0) -> PosedClip:
    """A clip of noise, with poses in every frame."""
    rng = np.random.default_rng(number)
    frames = rng.integers(0, 256, (ticks, 40, 40, 3), dtype=np.uint8)
    poses = np.stack([pose(0.4 + 0.02 * k + 0.01 * number) for k in range(ticks)])
    return PosedClip(StoredClip(frames, 1.0), poses, weight)


class Quiet(quiet_progress.Quiet):
    """Kills its own process at a line that begins with `kill`."""

    def __init__(self, kill: str | None = None) -> None:
        super().__init__()
        self._kill = kill

    def say(self, line: str) -> None:
        super().say(line)
        if self._kill is not None and line.startswith(self._kill):
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    dataset, out, kill, *folds = sys.argv[1:]
    from exerlitenet.training.posture.run import fit_default

    with quick():
        fit_default(
            Path(dataset),
            tiny_config(),
            weights=None,
            out=Path(out),
            progress=Quiet(kill),
            folds=int(folds[0]) if folds else None,
        )


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache for all, so that clips are rendered once; and the small backbone."""
    folder = once(tmp_path_factory, "posture-cache", Path.mkdir)
    with pytest.MonkeyPatch.context() as patch, quick():
        patch.setenv("EXERLITENET_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once(tmp_path_factory, "posture-clips", write_rendered)


@pytest.fixture(scope="module")
def whole(dataset: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Quiet]:
    """A finished run, and what was said while it was made. Trained once; each file of tests has a copy."""
    from exerlitenet.training.posture.run import fit_default

    def train(folder: Path) -> None:
        progress = Quiet()
        fit_default(dataset, tiny_config(), weights=None, out=folder / "run", progress=progress)
        (folder / "progress.json").write_text(json.dumps(vars(progress)))

    made = once(tmp_path_factory, "posture-run", train)
    progress = Quiet()
    vars(progress).update(json.loads((made / "progress.json").read_text()))
    copy = shutil.copytree(made / "run", tmp_path_factory.mktemp("runs") / "whole")
    return Run.open(copy), progress


def weights_of(run: Run) -> list[Any]:
    from exerlitenet.training.posture.model import load_posture_network

    return list(load_posture_network(run).full.get_weights())


def without_seconds(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures to four digits, as two processes may add in another order."""
    return [
        {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items() if k != "seconds"}
        for row in rows
    ]


if __name__ == "__main__":
    main()
