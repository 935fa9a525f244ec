"""A frame becomes features: cropped and resized as the model wants it, and encoded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exerlitenet.recognition.engine import Engine, Floats
from exerlitenet.recognition.follower import Follower
from exerlitenet.video.crop import Crop
from exerlitenet.video.sequence import prepare, to_unit_range


class FrameEncoder:
    """The frames of one stream. For a model that follows a person, each is cropped where that person was last."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._follower = Follower() if engine.spec.aspect == "follow" else None
        self.crop: Crop | None = None
        """The last frame's crop; None for a model that does not follow."""
        self.joints: Floats | None = None
        """What was found in it: float32 [13, 6], x and y from 0 to 1 across `crop`, then visibility and space."""

    def reset(self) -> None:
        """Takes the next frame whole, where the model follows a person."""
        if self._follower is not None:
            self._follower.reset()

    def encode(self, rgb: NDArray[np.uint8]) -> Floats:
        """The next frame, uint8 [height, width, 3] of any size, as features float32 [width]."""
        spec = self._engine.spec
        if self._follower is None:
            features = self._engine.encode(to_unit_range(prepare(rgb, spec))[None])
        else:
            crop = self._follower.crop(*rgb.shape[:2])
            pixels = to_unit_range(prepare(rgb, spec, crop))
            features, joints = self._engine.encode_crops(pixels[None], crop.to_array()[None])
            self._follower.update(joints[0])
            self.crop, self.joints = crop, joints[0]
        feature: Floats = features[0]
        return feature


def encode_whole(engine: Engine, frames: NDArray[np.uint8]) -> Floats:
    """Frames, uint8 [n, height, width, 3], each taken whole and by itself: features float32 [n, width].

    Nobody is followed, so machines that add numbers up in different orders agree closely. Where one frame's joints
    decide the next one's crop, a last digit becomes a pixel that is rounded the other way, and grows from there.
    """
    spec = engine.spec
    return np.concatenate([engine.encode(to_unit_range(prepare(frame, spec))[None]) for frame in frames])
