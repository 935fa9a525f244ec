"""LSTMs that tests work out in NumPy."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exerlitenet.export.head_graph import HeadWeights

Floats = NDArray[np.float32]


class Recurrence:
    """Two LSTMs, gates in the order input, forget, cell, output; then a softmax of the last output, and a phase.

    The first takes its gates as they are, as a sequence head does.
    """

    def __init__(self, frames: int = 5, units: Sequence[int] = (4, 3), classes: int = 3) -> None:
        rng = np.random.default_rng(0)
        self.frames, self.units = frames, tuple(units)

        def weights(*shape: int) -> Floats:
            return rng.normal(0, 0.8, shape).astype(np.float32)

        self.recurrent = [weights(n, 4 * n) for n in units]
        self.kernels = [weights(a, 4 * b) for a, b in itertools.pairwise(units)]
        self.biases = [weights(4 * n) for n in units[1:]]
        self.dense, self.of_phase = weights(units[-1], classes), weights(units[-1], 1)

    @property
    def width(self) -> int:
        return 4 * self.units[0]

    def windows(self, count: int, seed: int = 1) -> Floats:
        """float32 [count, frames, width]."""
        shape = (count, self.frames, self.width)
        return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)

    def step(
        self, features: Floats, states: list[Floats] | None
    ) -> tuple[Floats, Floats | None, list[Floats]]:
        """See `recognition.streaming_head.SteppingHead`."""
        rows = len(features) if states is None else len(states[0])
        now = (
            [np.zeros((rows, n), np.float32) for n in self.units for _ in range(2)]
            if states is None
            else states
        )
        after, phases = [], []
        for frame in features.swapaxes(0, 1):
            fresh: list[Floats] = []
            given = frame
            for layer, recurrent in enumerate(self.recurrent):
                if layer:
                    given = given @ self.kernels[layer - 1] + self.biases[layer - 1]
                hidden, carry = _cell(given + now[2 * layer] @ recurrent, now[2 * layer + 1])
                fresh += [hidden, carry]
                given = hidden
            now = fresh
            after.append(now)
            phases.append(_sigmoid(given @ self.of_phase)[:, 0])
        logits = now[-2] @ self.dense
        raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
        probabilities = raised / raised.sum(axis=-1, keepdims=True)
        return (
            probabilities,
            np.stack(phases, axis=1),
            [np.stack(states) for states in zip(*after, strict=True)],
        )

    def head(self, *, phase: bool = True) -> HeadWeights:
        """The same as weights of a head's graph; what the encoder has of them is left empty."""
        nothing = np.zeros((0, 4 * self.units[0]), np.float32), np.zeros(4 * self.units[0], np.float32)
        entries = [nothing, *zip(self.kernels, self.biases, strict=True)]
        lstm = tuple((k, r, b) for (k, b), r in zip(entries, self.recurrent, strict=True))
        dense = ((self.dense, np.zeros(self.dense.shape[1], np.float32)),)
        of_phase = (self.of_phase, np.zeros(1, np.float32)) if phase else None
        return HeadWeights(lstm, dense, of_phase, self.dense.shape[1])


def _cell(gates: Floats, carry: Floats) -> tuple[Floats, Floats]:
    i, f, c, o = np.split(gates, 4, axis=-1)
    carry = _sigmoid(f) * carry + _sigmoid(i) * np.tanh(c)
    return _sigmoid(o) * np.tanh(carry), carry


def _sigmoid(values: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-values))
    return found
