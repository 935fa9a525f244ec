"""A sequence head's ONNX graph, written from its weights: LSTMs one behind the other, dense layers, perhaps a phase.

ONNX's Scan runs one cell of all LSTMs frame after frame, and the states are inputs that may be left out, and outputs.
So the graph takes whole windows; but a stream may also hand it one frame with the states of all the windows that hold
the frame, as one batch: each goes one frame further (see `recognition.streaming_head`). ONNX's own LSTM operator
would not do: of its second state it gives only the last value, and a stream begins with the states after every frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.recognition.streaming_head import NEXT

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]

INPUT = "projections"
HEADER = '<ir_version: 8, opset_import: ["": 15]>'


@dataclass(frozen=True)
class HeadWeights:
    """Weights as Keras keeps them, float32.

    lstm: of each, kernel [inputs, 4 units], recurrent kernel [units, 4 units] and bias [4 units]; gates in the order
    input, forget, cell, output. The first one's kernel and bias are the encoder's, and not used here.
    dense: of each, kernel and bias; ReLU behind all but the last, softmax behind that.
    phase: kernel [units, 1] and bias [1] of the last LSTM's output of every frame, sigmoid behind it; or None.
    A head without LSTMs has no weights: what comes in are each frame's probabilities, and it gives their mean.
    classes: number of probabilities.
    """

    lstm: tuple[tuple[Floats, Floats, Floats], ...]
    dense: tuple[tuple[Floats, Floats], ...]
    phase: tuple[Floats, Floats] | None
    classes: int

    @property
    def roles(self) -> dict[str, str]:
        """Role -> name of the graph's output."""
        return {"probabilities": "probabilities"} | ({} if self.phase is None else {"phase": "phase"})

    @classmethod
    def of_layers(
        cls,
        lstm: Sequence[keras.layers.Layer],
        dense: Sequence[keras.layers.Layer],
        phase: keras.layers.Layer | None = None,
    ) -> HeadWeights:
        """From built Keras layers; at least one of each."""

        def weights(layer: keras.layers.Layer) -> Any:
            return tuple(layer.get_weights())

        return cls(
            tuple(map(weights, lstm)),
            tuple(map(weights, dense)),
            None if phase is None else weights(phase),
            int(dense[-1].units),
        )

    @classmethod
    def mean(cls, classes: int) -> HeadWeights:
        """Without LSTMs."""
        return cls((), (), None, classes)


def head_graph(head: HeadWeights) -> Any:
    """The onnx.ModelProto: projections [windows, frames, width] -> probabilities [windows, classes]; width is 4 units.

    And, from a head with a phase, "phase" [windows, frames]. State inputs are called hidden_1, carry_1, hidden_2 ...,
    float32 [windows, units], zero where left out; outputs of those names with `NEXT` hold the states after every
    frame, [frames, windows, units].
    """
    import onnx

    if not head.lstm:
        mean = (
            f"{HEADER} head (float[b, f, {head.classes}] {INPUT}) => (float[b, {head.classes}] probabilities)"
        )
        return onnx.parser.parse_model(
            f"{mean} {{ probabilities = ReduceMean <axes = [1], keepdims = 0> ({INPUT}) }}"
        )
    constants: dict[str, Floats] = {}
    inputs = [f"float[batch, frames, {len(head.lstm[0][2])}] {INPUT}"]
    outputs = [f"float[windows, {head.classes}] probabilities"]
    states, nodes = [], []
    for number, (kernel, recurrent, bias) in enumerate(head.lstm, 1):
        constants |= {f"recurrent_{number}": recurrent}
        constants |= {f"kernel_{number}": kernel, f"bias_{number}": bias} if number > 1 else {}
        for state in (f"hidden_{number}", f"carry_{number}"):
            constants[state] = np.zeros((1, len(recurrent)), np.float32)
            inputs.append(f"float[windows, {len(recurrent)}] {state}")
            outputs.append(f"float[frames, windows, {len(recurrent)}] {state}{NEXT}")
            nodes.append(f"{state}_first = Expand ({state}, rows)")
            states.append(state)

    def each(ending: str) -> str:
        return ", ".join(f"{state}{ending}" for state in states)

    last = f"hidden_{len(head.lstm)}"
    nodes.append(f"""
        by_frame = Transpose <perm = [1, 0, 2]> ({INPUT})
        {each("_last")}, {each(NEXT)} = Scan <num_scan_inputs = 1, body = {_cells(head, each)}> (
            {each("_first")}, by_frame)""")
    value = f"{last}_last"
    for number, (kernel, bias) in enumerate(head.dense, 1):
        constants |= {f"dense_{number}": kernel, f"dense_bias_{number}": bias}
        nodes.append(f"layer_{number} = Gemm ({value}, dense_{number}, dense_bias_{number})")
        value = f"layer_{number}"
        if number < len(head.dense):
            nodes.append(f"bent_{number} = Relu ({value})")
            value = f"bent_{number}"
    nodes.append(f"probabilities = Softmax ({value})")
    if head.phase is not None:
        constants |= {"phase_kernel": head.phase[0], "phase_bias": head.phase[1]}
        outputs.append("float[windows, frames] phase")
        nodes.append(f"""
            sequence = Transpose <perm = [1, 0, 2]> ({last}{NEXT})
            phase_product = MatMul (sequence, phase_kernel)
            phase_sum = Add (phase_product, phase_bias)
            phase_of_frames = Sigmoid (phase_sum)
            units_axis = Constant <value_ints = [2]> ()
            phase = Squeeze (phase_of_frames, units_axis)""")
    model = onnx.parser.parse_model(f"""{HEADER} head ({", ".join(inputs)}) => ({", ".join(outputs)}) {{
        batch = Shape <start = 0, end = 1> ({INPUT})
        one = Constant <value_ints = [1]> ()
        rows = Concat <axis = 0> (batch, one)
        {" ".join(nodes)}
    }}""")
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(values, name) for name, values in constants.items()
    )
    return model


def _cells(head: HeadWeights, each: Callable[[str], str]) -> str:
    """The cells of all LSTMs for one frame: states and the first one's gates -> states, and states again.

    Scan hands the first ones on to the next frame, and collects the second ones.
    """
    nodes = []
    gates = "frame"
    for k, (_, recurrent, _) in enumerate(head.lstm, 1):
        units = len(recurrent)
        if k > 1:
            nodes.append(f"entry_{k} = Gemm (hidden_{k - 1}_out, kernel_{k}, bias_{k})")
            gates = f"entry_{k}"
        # Input and forget gate share one Sigmoid.
        nodes.append(f"""
            gates_{k} = Gemm (hidden_{k}_in, recurrent_{k}, {gates})
            sizes_{k} = Constant <value_ints = [{2 * units}, {units}, {units}]> ()
            halves_{k} = Constant <value_ints = [{units}, {units}]> ()
            both_{k}, cell_{k}, out_{k} = Split <axis = 1> (gates_{k}, sizes_{k})
            opened_{k} = Sigmoid (both_{k})
            input_{k}, forget_{k} = Split <axis = 1> (opened_{k}, halves_{k})
            new_{k} = Tanh (cell_{k})
            fresh_{k} = Mul (input_{k}, new_{k})
            kept_{k} = Mul (forget_{k}, carry_{k}_in)
            carry_{k}_out = Add (kept_{k}, fresh_{k})
            bounded_{k} = Tanh (carry_{k}_out)
            output_{k} = Sigmoid (out_{k})
            hidden_{k}_out = Mul (output_{k}, bounded_{k})
            hidden_{k}_copy = Identity (hidden_{k}_out)
            carry_{k}_copy = Identity (carry_{k}_out)""")
    return f"""cells ({each("_in")}, frame) => ({each("_out")}, {each("_copy")}) {{ {" ".join(nodes)} }}"""
