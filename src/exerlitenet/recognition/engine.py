"""What runs the two graphs of a model: the line between recognition and whatever computes it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from exerlitenet.video.sequence import SequenceSpec

Floats = NDArray[np.float32]


class Engine(Protocol):
    """A model at work. A bundle's engine is ONNX Runtime; a training run is judged through Keras.

    name: what results call the model.
    classes: names in the order of the probabilities.
    spec: rate, window and size of what it is fed.
    phase_delay: ticks by which the phase lies behind the window's last frame.
    """

    @property
    def name(self) -> str: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def spec(self) -> SequenceSpec: ...

    @property
    def phase_delay(self) -> int: ...

    def encode(self, pixels: Floats) -> Floats:
        """Frames to features: float32 [n, size, size, 3] in [0,1] -> float32 [n, width]."""
        ...

    def judge(self, windows: Floats) -> tuple[Floats, Floats | None]:
        """Windows of features float32 [n, frames, width] -> probabilities [n, classes], and phases or None.

        Phases [n, frames]: that at frame t speaks of frame t - phase_delay, and depends on frames up to t only.
        """
        ...
