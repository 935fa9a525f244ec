"""Overlapping windows of one stream, judged without computing any of their frames twice.

A window is judged from its first frame to its last, and every frame begins a window, so a frame stands in as many
windows as a window has frames. All of them see the same frame next: their states are kept side by side, and a new frame
moves them on as one batch, which costs a fraction of going through the newest window from its beginning. What comes out
is what judging each whole window gives.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from exerlitenet.recognition.engine import Floats

NEXT = "_next"
"""An output of a sequence head with this behind an input's name holds the state that the input takes."""


class Stepper(Protocol):
    """What can go on with windows where it left off."""

    def step(
        self, features: Floats, states: list[Floats] | None
    ) -> tuple[Floats, Floats | None, list[Floats]]:
        """Features float32 [b, frames, width] of windows; states float32 [windows, units] each, None for new windows.

        Where b is 1, all windows whose states are given see those frames. Returns probabilities [windows, classes],
        phases [windows, frames] or None, and the states after every frame, [frames, windows, units] each.
        """
        ...


class RollingWindows:
    """The windows of one stream, `frames` of them at any time; the first frame is held in front of the stream."""

    def __init__(self, stepper: Stepper, first: Floats, frames: int) -> None:
        """first: features float32 [width] of the stream's first frame, which need not be pushed."""
        self._stepper = stepper
        self._frames = frames
        held = np.repeat(first[None, None], frames, axis=1)
        # After k frames that are all the first one: where the window stands that ends `frames - k` frames from now.
        self._states = [states[:, 0] for states in stepper.step(held, None)[2]]
        self._oldest = frames - 1

    def push(self, feature: Floats) -> tuple[Floats, Floats | None]:
        """The stream's next frame, float32 [width]. Judges the window that ends with it.

        Returns probabilities [classes], and the phase [1] at its last frame, or None from a model that says none.
        """
        for state in self._states:
            # The window that ended with the frame before makes room for the one that begins now.
            state[self._oldest] = 0
        probabilities, phases, states = self._stepper.step(feature[None, None], self._states)
        self._states = [state[0] for state in states]
        self._oldest = (self._oldest - 1) % self._frames
        return probabilities[self._oldest], None if phases is None else phases[self._oldest]
