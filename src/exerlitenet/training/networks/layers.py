"""Keras layers of our own, written in `keras.ops`, so they run on each of Keras' backends.

Importing this module does not import Keras; the first use of one of its classes does.
"""

from __future__ import annotations

import math
from functools import cache
from types import SimpleNamespace
from typing import Any

LAYERS = (
    "CaffePreprocessing",
    "FrameWise",
    "InputProjection",
    "ProjectedLSTM",
    "Recurrence",
    "StillTimeDistributed",
)


def __getattr__(name: str) -> Any:
    if name in LAYERS:
        return getattr(_define(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _define() -> SimpleNamespace:
    """Defines the classes, once: their bases come from Keras."""
    import keras
    from keras import ops

    @keras.saving.register_keras_serializable("exerlitenet")
    class FrameWise(keras.layers.Wrapper):  # type: ignore[misc]
        """A layer or model applied to every frame by one call on (batch x time) frames.

        [batch, frames, ...] -> [batch, frames, ...]. The same function as `keras.layers.TimeDistributed`,
        which calls its layer once a frame, with the same weights under the same names. The wrapped layer
        always runs in inference mode: frames of one clip resemble each other so much that batch-norm
        statistics taken from them are spoilt. Its trainable variables, gamma and beta among them, still get
        gradients. A model with several inputs takes a list of tensors.
        """

        def build(self, input_shape: Any) -> None:
            if not self.layer.built:
                self.layer.build((input_shape[0], *input_shape[2:]))

        def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
            several = isinstance(input_shape[0], list | tuple)
            shapes = list(input_shape) if several else [input_shape]
            inner = [(shape[0], *shape[2:]) for shape in shapes]
            outer = self.layer.compute_output_shape(inner if several else inner[0])
            return (*shapes[0][:2], *outer[1:])

        def call(self, inputs: Any) -> Any:
            several = isinstance(inputs, list | tuple)
            tensors = list(inputs) if several else [inputs]
            folded = [ops.reshape(tensor, (-1, *tensor.shape[2:])) for tensor in tensors]
            outputs = self.layer(folded if several else folded[0], training=False)
            return ops.reshape(outputs, (-1, tensors[0].shape[1], *outputs.shape[1:]))

    @keras.saving.register_keras_serializable("exerlitenet")
    class StillTimeDistributed(keras.layers.TimeDistributed):  # type: ignore[misc]
        """The paper's TimeDistributed, with the wrapped layer always in inference mode (see FrameWise)."""

        def call(self, inputs: Any) -> Any:
            return super().call(inputs, training=False)

    @keras.saving.register_keras_serializable("exerlitenet")
    class ProjectedLSTM(keras.layers.Layer):  # type: ignore[misc]
        """`keras.layers.LSTM` with the input matrix applied to the whole sequence at once, outside the time
        loop.

        [batch, frames, features] -> [batch, frames, units], or [batch, units] without `return_sequences`.
        Weights (kernel [features, 4 units], recurrent_kernel [units, 4 units], bias [4 units]; gates in the
        order input, forget, cell, output), their initial values, the parameter count and the results are
        those of `keras.layers.LSTM`. One large matrix product in place of one a frame is several times
        faster, and it lets a stream project every frame once however many windows hold it. The loop is
        unrolled, so the number of frames must be known.
        """

        def __init__(self, units: int, return_sequences: bool = False, **options: Any) -> None:
            super().__init__(**options)
            self.units = units
            self.return_sequences = return_sequences

        def build(self, input_shape: tuple[int | None, ...]) -> None:
            gates = 4 * self.units
            self.kernel = self.add_weight(
                shape=(input_shape[-1], gates), name="kernel", initializer="glorot_uniform"
            )
            self.recurrent_kernel = self.add_weight(
                shape=(self.units, gates), name="recurrent_kernel", initializer="orthogonal"
            )
            self.bias = self.add_weight(shape=(gates,), name="bias", initializer=_forget_gate_ones)

        def project(self, inputs: Any) -> Any:
            """The part that belongs to the frame: [..., features] -> [..., 4 units], bias included."""
            return ops.add(ops.matmul(inputs, self.kernel), self.bias)

        def recur(self, projected: Any) -> Any:
            """The part that belongs to the sequence: [batch, frames, 4 units] -> the layer's output."""
            outputs = []
            hidden = carry = None
            for frame in range(projected.shape[1]):
                gates = projected[:, frame]
                if hidden is not None:  # the first state is zero
                    gates = gates + ops.matmul(hidden, self.recurrent_kernel)
                i, f, c, o = ops.split(gates, 4, axis=-1)
                fresh = ops.sigmoid(i) * ops.tanh(c)
                carry = fresh if carry is None else ops.sigmoid(f) * carry + fresh
                hidden = ops.sigmoid(o) * ops.tanh(carry)
                outputs.append(hidden)
            return ops.stack(outputs, axis=1) if self.return_sequences else hidden

        def call(self, inputs: Any) -> Any:
            return self.recur(self.project(inputs))

        def macs(self, input_shape: tuple[int | None, ...]) -> int:
            """Multiply-accumulates of one sequence; the first step's recurrent product counts as well."""
            frames = int(input_shape[1] or 0)
            return frames * 4 * self.units * (int(input_shape[-1] or 0) + self.units)

        def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
            return (*input_shape[:2], self.units) if self.return_sequences else (input_shape[0], self.units)

        def get_config(self) -> dict[str, Any]:
            base: dict[str, Any] = super().get_config()
            return base | {"units": self.units, "return_sequences": self.return_sequences}

    class InputProjection(keras.layers.Layer):  # type: ignore[misc]
        """The frame's part of a ProjectedLSTM, sharing its weights: [..., features] -> [..., 4 units]."""

        def __init__(self, lstm: ProjectedLSTM, **options: Any) -> None:
            super().__init__(**options)
            self.lstm = lstm

        def call(self, inputs: Any) -> Any:
            return self.lstm.project(inputs)

        def macs(self, input_shape: tuple[int | None, ...]) -> int:
            """Multiply-accumulates of one input [batch, ..., features]."""
            return math.prod(int(size or 0) for size in input_shape[1:]) * 4 * self.lstm.units

    class Recurrence(keras.layers.Layer):  # type: ignore[misc]
        """The sequence's part of a ProjectedLSTM, sharing its weights: [batch, frames, 4 units] -> output."""

        def __init__(self, lstm: ProjectedLSTM, **options: Any) -> None:
            super().__init__(**options)
            self.lstm = lstm

        def call(self, inputs: Any) -> Any:
            return self.lstm.recur(inputs)

        def macs(self, input_shape: tuple[int | None, ...]) -> int:
            """Multiply-accumulates of one sequence [batch, frames, 4 units]."""
            return int(input_shape[1] or 0) * 4 * self.lstm.units * self.lstm.units

    @keras.saving.register_keras_serializable("exerlitenet")
    class CaffePreprocessing(keras.layers.Layer):  # type: ignore[misc]
        """RGB in [0,1] -> what ResNet50 and VGG16 learned from: BGR, 0..255, less ImageNet's mean colour."""

        def call(self, inputs: Any) -> Any:
            red, green, blue = ops.split(inputs * 255.0, 3, axis=-1)
            return ops.concatenate([blue - 103.939, green - 116.779, red - 123.68], axis=-1)

        def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
            return input_shape

    return SimpleNamespace(**{name: value for name, value in locals().items() if name in LAYERS})


def _forget_gate_ones(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """LSTM's usual first bias: 1 for the forget gate, 0 for the others."""
    from keras import ops

    units = shape[0] // 4
    return ops.concatenate(
        [ops.zeros((units,), dtype), ops.ones((units,), dtype), ops.zeros((2 * units,), dtype)]
    )
