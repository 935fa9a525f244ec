"""A training run at work behind recognition's Engine: Keras in place of a bundle's ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.export.head_graph import HeadWeights
from exerlitenet.recognition.engine import no_joints, whole_squares
from exerlitenet.training.config import Config

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TrainedParts:
    """A trained network as recognition and an export need it.

    encoder: pixels [n, size, size, 3], perhaps with crops [n, 3] -> projections [n, width], or a dict with
    "projection" and "joints". head: [b, frames, width] -> probabilities, or a dict with "probabilities" and "phase".
    head_weights: what the head computes with. full: the network as it was trained.
    """

    encoder: keras.Model
    head: keras.Model
    head_weights: HeadWeights
    full: keras.Model
    phase_delay: int = 0


class KerasEngine:
    """Runs a network's encoder and head, so that a run is evaluated by the same recogniser as a bundle."""

    def __init__(self, config: Config, parts: TrainedParts) -> None:
        self.name, self.classes, self.spec = config.name, config.classes, config.sequence
        self.phase_delay = parts.phase_delay
        self._encoder, self._head = parts.encoder, parts.head
        self._follows = len(parts.encoder.inputs) > 1  # crops beside pixels

    def encode(self, pixels: Floats) -> Floats:
        """Frames to features: float32 [n, size, size, 3] in [0,1] -> float32 [n, width]."""
        if self._follows:
            return self.encode_crops(pixels, whole_squares(len(pixels)))[0]
        return np.asarray(self._encoder.predict_on_batch(pixels), np.float32)

    def encode_crops(self, pixels: Floats, crops: Floats) -> tuple[Floats, Floats]:
        """Frames that were cropped, crops float32 [n, 3]: features float32 [n, width] and joints float32 [n, 13, 6].

        Raises InputError from a model that finds no joints.
        """
        if not self._follows:
            raise no_joints(self.name)
        out: Any = self._encoder.predict_on_batch([pixels, crops])
        return np.asarray(out["projection"], np.float32), np.asarray(out["joints"], np.float32)

    def classify(self, windows: Floats) -> tuple[Floats, Floats | None]:
        """Windows of features float32 [n, frames, width] -> probabilities [n, classes], and phases [n, frames]
        from a model that gives them.
        """
        out: Any = self._head.predict_on_batch(windows)
        if not isinstance(out, dict):
            return np.asarray(out, np.float32), None
        return np.asarray(out["probabilities"], np.float32), np.asarray(out["phase"], np.float32)
