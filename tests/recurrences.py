"""LSTMs that tests work out in NumPy, and write as TensorFlow's exporter does: one copy of the cell a frame."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphs import made, node

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

    def unrolled(self, *, phase: bool = True) -> Any:
        """The onnx.ModelProto: windows [n, frames, width] -> probabilities [n, classes] and phase [n, frames]."""
        constants: dict[str, Any] = {
            "axis": np.array([1], np.int64),
            "bounds": np.array([0, 1], np.int64),
            "free": np.array([0, 1], np.int64),
            "dense": self.dense,
            "of_phase": self.of_phase,
            "frames": np.array([-1, self.frames], np.int64),
        }
        nodes: list[Any] = []
        source = "windows"
        for layer, units in enumerate(self.units):
            constants[f"recurrent{layer}"] = self.recurrent[layer]
            if layer:
                constants |= {
                    f"kernel{layer}": self.kernels[layer - 1],
                    f"bias{layer}": self.biases[layer - 1],
                }
                _tensordot(nodes, constants, source, f"kernel{layer}", f"projected{layer}")
                nodes.append(node("Add", [f"projected{layer}", f"bias{layer}"], f"gates{layer}"))
                source = f"gates{layer}"
            hidden = self._layer(nodes, constants, layer, source)
            for k, name in enumerate(hidden):
                nodes.append(node("Unsqueeze", [name, "axis"], f"side{layer}_{k}"))
            source = f"sequence{layer}"
            sides = [f"side{layer}_{k}" for k in range(self.frames)]
            nodes.append(node("Concat", sides, source, axis=1))
            constants[f"units{layer}"] = np.array([units], np.int64)
        outputs: dict[str, Sequence[Any]] = {"probabilities": ["n", self.dense.shape[1]]}
        if phase:
            _tensordot(nodes, constants, source, "of_phase", "raw")
            nodes += [node("Sigmoid", ["raw"], "said"), node("Reshape", ["said", "frames"], "phase")]
            outputs["phase"] = ["n", self.frames]
        nodes += [
            node("MatMul", [hidden[-1], "dense"], "logits"),
            node("Softmax", ["logits"], "probabilities"),
        ]
        return made(nodes, constants, {"windows": ["n", self.frames, self.width]}, outputs)

    def _layer(self, nodes: list[Any], constants: dict[str, Any], layer: int, source: str) -> list[str]:
        """Adds the cells of all frames; returns the names of their outputs."""
        hidden, carry, names = "", "", []
        for k in range(self.frames):

            def own(name: str, k: int = k) -> str:
                return f"{name}{layer}_{k}"

            constants[own("start")] = np.array([0, k], np.int64)
            constants[own("end")] = np.array([2**31 - 1, k + 1], np.int64)
            cut = [source, own("start"), own("end"), "bounds"]
            nodes += [node("Slice", cut, own("cut")), node("Squeeze", [own("cut"), "axis"], own("frame"))]
            gates = own("frame")
            if hidden:
                nodes.append(node("MatMul", [hidden, f"recurrent{layer}"], own("again")))
                nodes.append(node("Add", [gates, own("again")], own("sum")))
                gates = own("sum")
            i, f, c, o = (own(gate) for gate in "ifco")
            nodes += [
                node("Split", [gates], i, f, c, o, axis=-1),
                node("Sigmoid", [i], own("input")),
                node("Tanh", [c], own("cell")),
                node("Mul", [own("input"), own("cell")], own("fresh")),
            ]
            if carry:
                nodes += [
                    node("Sigmoid", [f], own("forget")),
                    node("Mul", [own("forget"), carry], own("kept")),
                    node("Add", [own("kept"), own("fresh")], own("carry")),
                ]
            carry = own("carry") if carry else own("fresh")
            nodes += [
                node("Sigmoid", [o], own("open")),
                node("Tanh", [carry], own("bounded")),
                node("Mul", [own("open"), own("bounded")], own("hidden")),
            ]
            hidden = own("hidden")
            names.append(hidden)
        return names


def _tensordot(nodes: list[Any], constants: dict[str, Any], source: str, matrix: str, out: str) -> None:
    """[n, frames, a] times [a, b] -> [n, frames, b] by way of two sides, with the shape computed."""
    rows, width = constants[matrix].shape
    constants[f"{out}_flat"] = np.array([-1, rows], np.int64)
    constants[f"{out}_width"] = np.array([width], np.int64)
    nodes += [
        node("Reshape", [source, f"{out}_flat"], f"{out}_rows"),
        node("MatMul", [f"{out}_rows", matrix], f"{out}_product"),
        node("Shape", [source], f"{out}_shape"),
        node("Gather", [f"{out}_shape", "free"], f"{out}_sides", axis=0),
        node("Concat", [f"{out}_sides", f"{out}_width"], f"{out}_target", axis=0),
        node("Reshape", [f"{out}_product", f"{out}_target"], out),
    ]


def _cell(gates: Floats, carry: Floats) -> tuple[Floats, Floats]:
    i, f, c, o = np.split(gates, 4, axis=-1)
    carry = _sigmoid(f) * carry + _sigmoid(i) * np.tanh(c)
    return _sigmoid(o) * np.tanh(carry), carry


def _sigmoid(values: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-values))
    return found
