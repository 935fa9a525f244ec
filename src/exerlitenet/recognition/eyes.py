"""A frame becomes features: prepared as the model wants it, at the place where it looks, and encoded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exerlitenet.recognition.engine import Engine, Floats
from exerlitenet.recognition.follow import Follower
from exerlitenet.video.sequence import prepare, to_unit_range
from exerlitenet.video.view import View


class Eyes:
    """One stream's way of looking. A model that follows a person looks where it saw them last."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._follower = Follower() if engine.spec.aspect == "follow" else None
        self._view: View | None = None
        self._joints: Floats | None = None

    @property
    def view(self) -> View | None:
        """Where the last frame was looked at; None for a model that does not follow."""
        return self._view

    @property
    def joints(self) -> Floats | None:
        """What was seen there: float32 [13, 6], x and y from 0 to 1 across `view`, then visibility and space."""
        return self._joints

    def let_go(self) -> None:
        """Looks at the whole next frame, where the model follows a person."""
        if self._follower is not None:
            self._follower.let_go()

    def encode(self, rgb: NDArray[np.uint8]) -> Floats:
        """The next frame, uint8 [height, width, 3] of any size, as features float32 [width]."""
        spec = self._engine.spec
        feature: Floats
        if self._follower is None:
            feature = self._engine.encode(to_unit_range(prepare(rgb, spec))[None])[0]
            return feature
        view = self._follower.view(*rgb.shape[:2])
        pixels = to_unit_range(prepare(rgb, spec, view))
        features, joints = self._engine.look(pixels[None], view.to_array()[None])
        self._follower.see(joints[0])
        self._view, self._joints = view, joints[0]
        feature = features[0]
        return feature


def encode_apart(engine: Engine, frames: NDArray[np.uint8]) -> Floats:
    """Frames, uint8 [n, height, width, 3], each looked at whole and by itself: features float32 [n, width].

    Nobody is followed, so machines that add numbers up in different orders agree closely. Where one frame's joints say
    where the next is looked at, a last digit becomes a pixel that is rounded the other way, and grows from there.
    """
    spec = engine.spec
    return np.concatenate([engine.encode(to_unit_range(prepare(frame, spec))[None]) for frame in frames])
