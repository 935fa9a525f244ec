"""What runs the two graphs of a model: the line between recognition and whatever computes it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from exerlitenet.errors import InputError
from exerlitenet.video.sequence import SequenceSpec

Floats = NDArray[np.float32]

WHOLE_SQUARE = (0.0, 0.0, 1.0)
"""The crop of a whole picture that is as wide as high."""


def no_joints(name: str) -> InputError:
    """For a model that is asked to follow a person, and cannot find one."""
    return InputError(f'{name} finds no joints, so it cannot follow a person; use aspect "squash" or "pad"')


def whole_squares(count: int) -> Floats:
    """Crops of `count` whole pictures that are as wide as high: float32 [count, 3]."""
    return np.tile(np.array(WHOLE_SQUARE, np.float32), (count, 1))


class Engine(Protocol):
    """A model at work. A bundle's engine is ONNX Runtime; a training run is evaluated through Keras.

    name: what results call the model.
    classes: names in the order of the probabilities.
    spec: rate, window and size of what it is fed.
    phase_delay: ticks by which the phase is behind the window's last frame.
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
        """Frames to features: float32 [n, size, size, 3] in [0,1] -> float32 [n, width].

        Where the spec follows a person, the frames show whole pictures as wide as high.
        """
        ...

    def encode_crops(self, pixels: Floats, crops: Floats) -> tuple[Floats, Floats]:
        """The same where the spec follows a person, for frames that were cropped.

        crops: float32 [n, 3], x, y and side of each in picture units (see `video.crop`).
        Returns features float32 [n, width] and joints float32 [n, 13, 6], x and y from 0 to 1 across the crop.
        Raises InputError from a model that finds no joints.
        """
        ...

    def classify(self, windows: Floats) -> tuple[Floats, Floats | None]:
        """Windows of features float32 [n, frames, width] -> probabilities [n, classes], and phases or None.

        Phases [n, frames]: that at frame t belongs to frame t - phase_delay, and depends on frames up to t only.
        """
        ...
