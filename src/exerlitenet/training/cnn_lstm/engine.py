"""A training run at work: the recurrent family behind recognition's Engine, through Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.recognition.engine import no_joints
from exerlitenet.training.cnn_lstm.network import Network, build, encoder, sequence_head
from exerlitenet.training.run import Run
from exerlitenet.training.weights import check_trained, load_weights
from exerlitenet.video.sequence import SequenceSpec

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]


class KerasEngine:
    """Runs a network's two parts, so that a run is judged by the same recogniser as a bundle."""

    def __init__(self, network: Network, name: str) -> None:
        self._name = name
        self._spec, self._classes = network.spec, network.classes
        self._encoder, self._head = encoder(network), sequence_head(network)

    @classmethod
    def from_run(cls, run: Run) -> KerasEngine:
        """The engine with a run's best weights. Raises InputError when it has none, or another network's."""
        return cls(load_network(run), run.config.name)

    @property
    def name(self) -> str:
        return self._name

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    @property
    def spec(self) -> SequenceSpec:
        return self._spec

    @property
    def phase_delay(self) -> int:
        """This family gives no phase."""
        return 0

    def encode(self, pixels: Floats) -> Floats:
        """Frames to features: float32 [n, size, size, 3] in [0,1] -> float32 [n, width]."""
        return _run(self._encoder, pixels)

    def encode_crops(self, pixels: Floats, views: Floats) -> tuple[Floats, Floats]:
        """This model type finds no joints: raises InputError."""
        raise no_joints(self._name)

    def classify(self, windows: Floats) -> tuple[Floats, Floats | None]:
        """Windows of features float32 [n, frames, width] -> probabilities [n, classes], and no phase."""
        return _run(self._head, windows), None


def load_network(run: Run) -> Network:
    """A run's network with its best weights. Raises InputError when they are missing or do not fit."""
    config = run.config
    check_trained(run)
    network = build(config.model, config.sequence, config.classes, None)
    load_weights(network.full, run.best_weights, "the run's network")
    return network


def _run(model: keras.Model, inputs: Floats) -> Floats:
    outputs: Any = model.predict_on_batch(inputs)
    return np.asarray(outputs, np.float32)
