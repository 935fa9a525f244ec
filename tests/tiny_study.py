"""A study of a few seconds: the paper's systems on a backbone of two convolutions.

As a program it runs one, and kills itself where the test says: `tiny_study.py DATASET STUDY UNIT`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from exerlitenet.reproduction.plan import Plan, make_plan
from exerlitenet.training.cnn_lstm import network
from exerlitenet.training.networks import backbone
from tiny_training import tiny_backbone

TINY = (
    *("sequence.frames=4", "sequence.size=32", "sequence.source_short_side=40", "sequence.stride=4"),
    *("phases.0.epochs=1", "phases.0.learning_rate=0.003", "phases.1.epochs=1", "phases.1.trainable=last:3"),
    "augment.copies=1",
)
TWO_UNITS = ('systems=["frozen", "single_frame"]', 'splits=["sequence"]')


def tiny_plan(*settings: str) -> Plan:
    """Both splits with one seed; `settings` are more of `--set`."""
    return make_plan([*TINY, "seeds=[0]", *settings])


def without_large_weights(name: str, size: int, weights: Any) -> Any:
    """In place of `build_backbone`, where only MobileNetV3Small's ImageNet weights can be had."""
    if weights == "imagenet" and name != "MobileNetV3Small":
        raise backbone.WeightsUnavailable(f"ImageNet weights of {name} could not be downloaded")
    return tiny_backbone(name, size, weights)


class Killer:
    """A progress that ends its own process, as `kill -9` does, when the first epoch of a unit is done."""

    def __init__(self, unit: str) -> None:
        self._unit, self._inside = unit, False

    def step(self, what: str, done: float, total: float | None, note: str = "") -> None:
        pass

    def say(self, line: str) -> None:
        self._inside = self._inside or line.endswith(self._unit)
        if self._inside and " epoch 1 of " in line:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    dataset, out, unit = sys.argv[1:]
    from exerlitenet.reproduction.run import reproduce

    backbone.build_backbone = network.build_backbone = without_large_weights
    plan = tiny_plan(*TWO_UNITS)
    reproduce(Path(dataset), plan, out=Path(out), resume=True, progress=Killer(unit))


if __name__ == "__main__":
    main()
