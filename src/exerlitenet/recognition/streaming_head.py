"""A streaming (stateful) head: the overlapping windows of one stream, none of whose frames is computed twice.

A window is computed from its first frame to its last, and every frame begins a window, so a frame belongs to as many
windows as a window has frames. All of them get the same frame next: their states are kept side by side, and a new frame
moves them on as one batch, which costs a fraction of computing the newest window from its beginning. The results are
those of each whole window.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from exerlitenet.recognition.engine import Engine, Floats

NEXT = "_next"
"""An output of a sequence head with this behind an input's name holds the state that the input takes."""


class SteppingHead(Protocol):
    """A sequence head that can resume windows where it stopped."""

    def step(
        self, features: Floats, states: list[Floats] | None
    ) -> tuple[Floats, Floats | None, list[Floats]]:
        """Features float32 [b, frames, width] of windows; states float32 [windows, units] each, None for new windows.

        Where b is 1, all windows whose states are given get those frames. Returns probabilities [windows, classes],
        phases [windows, frames] or None, and the states after every frame, [frames, windows, units] each.
        """
        ...


class StreamingHead:
    """The windows of one stream, `frames` of them at any time; the first frame is held in front of the stream."""

    def __init__(self, head: SteppingHead, first: Floats, frames: int) -> None:
        """first: features float32 [width] of the stream's first frame, which need not be pushed."""
        self._head = head
        self._frames = frames
        held = np.repeat(first[None, None], frames, axis=1)
        # After k frames that are all the first one: the state of the window that ends `frames - k` frames from now.
        self._states = [states[:, 0] for states in head.step(held, None)[2]]
        self._oldest = frames - 1

    def push(self, feature: Floats) -> tuple[Floats, Floats | None]:
        """The stream's next frame, float32 [width]: what `Engine.classify` gives for the window that ends with it.

        Returns probabilities [classes], and the phase [1] at its last frame, or None from a model without a phase.
        """
        for state in self._states:
            # The window that ended with the frame before makes room for the one that begins now.
            state[self._oldest] = 0
        probabilities, phases, states = self._head.step(feature[None, None], self._states)
        self._states = [state[0] for state in states]
        self._oldest = (self._oldest - 1) % self._frames
        return probabilities[self._oldest], None if phases is None else phases[self._oldest]


def streaming_head_of(engine: Engine, first: Floats) -> StreamingHead | None:
    """The windows of a stream whose first frame has these features [width].

    None from an engine without a method `streaming_head`: it computes every window as a whole.
    """
    begin = getattr(engine, "streaming_head", None)
    head: StreamingHead | None = None if begin is None else begin(first)
    return head
