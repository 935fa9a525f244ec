"""A data set, a configuration and a backbone so small that training takes a second.

As a program it trains, and kills itself where the test says: `tiny_training.py DATASET RUN WHERE PHASE EPOCH`.
WHERE: inside an epoch, after it, or nowhere.
"""

from __future__ import annotations

import csv
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from clips import write_clip
from exerlitenet.training.config import Config, load_config

SIZE = 32


def write_dataset(folder: Path, clips: int = 12, groups: int = 6) -> Path:
    """Squats are dark, curls are bright; twenty noisy frames each."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "group"])
        for number in range(clips):
            label, level = (("squat", 40), ("biceps_curl", 160))[number % 2]
            frames = [rng.integers(level, level + 60, (40, 48, 3), dtype=np.uint8) for _ in range(20)]
            write_clip(folder / f"{number}.mp4", frames, fps=8)
            writer.writerow([f"{number}.mp4", label, f"g{number % groups}"])
    return folder


def tiny_config(*overrides: str, phases: int = 2) -> Config:
    """The paper's two phases, or the first only, on a network of a few hundred parameters."""
    config = load_config(
        "paper",
        [
            *("sequence.frames=4", f"sequence.size={SIZE}", "sequence.source_short_side=40"),
            *("sequence.stride=4", "model.pooling=average", "model.lstm=[6, 5]", "model.dense=[4]"),
            *("phases.0.epochs=2", "phases.0.learning_rate=0.01", "split.protocol=group"),
            *("phases.1.epochs=2", "phases.1.learning_rate=0.003", "phases.1.trainable=last:3"),
            *overrides,
        ],
    )
    return replace(config, phases=config.phases[:phases])


def tiny_backbone(name: str, size: int, weights: Any) -> Any:
    """In place of `build_backbone`: two convolutions with batch norm, [n, size, size, 3] -> [n, 4, 4, 8]."""
    import keras
    from keras import layers

    pixels = keras.Input((size, size, 3), name="pixels")
    maps = layers.Conv2D(6, 4, strides=4, name="conv_0")(pixels)
    maps = layers.BatchNormalization(name="norm_0")(maps)
    maps = layers.ReLU(name="relu_0")(maps)
    maps = layers.Conv2D(8, 3, strides=2, padding="same", name="conv_1")(maps)
    maps = layers.BatchNormalization(name="norm_1")(maps)
    return keras.Model(pixels, layers.ReLU(name="relu_1")(maps), name="tiny")


class Killer:
    """A progress that ends its own process, as `kill -9` does, in the middle of an epoch or right after it."""

    def __init__(self, where: str, phase: str, epoch: int) -> None:
        self._where, self._phase, self._epoch = where, phase, epoch

    def step(self, what: str, done: float, total: float | None, note: str = "") -> None:
        inside = what.startswith(f"{self._phase}, epoch {self._epoch} ")
        if self._where == "inside" and inside and done == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    def say(self, line: str) -> None:
        if self._where == "after" and line.startswith(f"{self._phase} epoch {self._epoch} of "):
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    dataset, out, where, phase, epoch = sys.argv[1:]
    import tensorflow as tf

    from exerlitenet.training.cnn_lstm import fit, network

    tf.config.experimental.enable_op_determinism()
    network.build_backbone = tiny_backbone
    killer = Killer(where, phase, int(epoch))
    fit.fit(Path(dataset), tiny_config(), weights=None, out=Path(out), resume=True, progress=killer)


if __name__ == "__main__":
    main()
