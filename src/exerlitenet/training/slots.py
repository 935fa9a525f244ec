"""Checkpoints in two slots that change places, so that one of them is whole whenever a run is killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


class TwoSlots:
    """Weights and optimizer of a network in training, and how far it has come.

    A marker file names the slot that is whole; it is replaced in one step after the slot has been written.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._marker = folder / f"{name}.progress.json"

    @property
    def exists(self) -> bool:
        return self._marker.exists()

    def position(self) -> dict[str, int]:
        """What `save` was given last; empty when nothing was saved."""
        if not self.exists:
            return {}
        return {
            key: int(value) for key, value in json.loads(self._marker.read_text()).items() if key != "slot"
        }

    def save(self, network: keras.Model, **position: int) -> None:
        """Writes into the slot that is not in use, then points the marker at it."""
        slot = 1 - self._slot() if self.exists else 0
        network.save_weights(self._folder / f"{self._name}.{slot}.weights.h5")
        variables = {str(i): np.asarray(v) for i, v in enumerate(network.optimizer.variables)}
        np.savez(self._folder / f"{self._name}.{slot}.optimizer.npz", **variables)
        temporary = self._marker.with_suffix(".tmp")
        temporary.write_text(json.dumps({**position, "slot": slot}))
        temporary.replace(self._marker)

    def restore(self, network: keras.Model, *, optimizer: bool) -> None:
        """Brings weights back, and the optimizer's state too if asked; the network must be the one that was saved."""
        slot = self._slot()
        network.load_weights(self._folder / f"{self._name}.{slot}.weights.h5")
        if optimizer:
            path = self._folder / f"{self._name}.{slot}.optimizer.npz"
            with np.load(path, allow_pickle=False) as stored:
                for i, variable in enumerate(network.optimizer.variables):
                    variable.assign(stored[str(i)])

    def remove(self) -> None:
        """Deletes everything, at the end of a run."""
        for path in self._folder.glob(f"{self._name}.[01].*"):
            path.unlink()
        self._marker.unlink(missing_ok=True)

    def _slot(self) -> int:
        return int(json.loads(self._marker.read_text())["slot"])
