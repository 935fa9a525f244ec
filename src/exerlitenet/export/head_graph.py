"""A sequence head's graph, rewritten so that a stream of overlapping windows computes nothing twice.

TensorFlow exports an LSTM over a known number of frames as so many copies of its cell. Here the copies become one cell
that ONNX's Scan runs frame after frame, and the states become inputs that may be left out, and outputs. So the graph
still takes whole windows; but a stream may also hand it one frame with the states of all the windows in which it
stands, as one batch, and each of them goes on by one frame (see `recognition.streaming_head`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from exerlitenet.export.graph import Graph, attribute
from exerlitenet.recognition.streaming_head import NEXT

LONGEST = 2**30
"""An end of a Slice from here on means all there is."""


@dataclass(frozen=True)
class Layer:
    """One LSTM that was found unrolled.

    source: what it goes over, [b, frames, 4 units]. recurrent: name of its matrix [units, 4 units]; gates in the order
    input, forget, cell, output. hidden: its output of every frame, [b, units]; sequence: the same as one value
    [b, frames, units], or None where only the last is used.
    """

    source: str
    recurrent: str
    units: int
    hidden: tuple[str, ...]
    sequence: str | None


@dataclass(frozen=True)
class Entry:
    """What a layer behind another one makes of its output: names of a matrix [units, 4 units] and a bias."""

    kernel: str
    bias: str


def roll_windows(graph: Graph) -> Any:
    """Rewrites unrolled LSTMs, one behind the other, as one Scan with states. Returns the rewritten onnx.ModelProto.

    A graph without them is returned as it is. State inputs are called hidden_1, carry_1, hidden_2 ..., float32
    [windows, units]; outputs of those names with `NEXT` hold the states after every frame, [frames, windows, units].
    """
    plain = graph.model()
    drop_tensordots(graph)
    layers = find_layers(graph)
    entries = [_entry(graph, before, layer) for before, layer in itertools.pairwise(layers)]
    known = [entry for entry in entries if entry is not None]
    if not layers or len(known) < len(entries) or [layers[0].source] != graph.inputs:
        return plain
    inputs, outputs = _scan(graph, layers, known)
    rolled = _open_frames(graph.model(inputs, outputs))
    return rolled if _goes_on(rolled, len(layers[0].hidden), 4 * layers[0].units) else plain


def _goes_on(model: Any, frames: int, width: int) -> bool:
    """Whether windows that are left off before their last frame and gone on with say what whole windows say.

    They do not where anything else in the graph looks at several frames.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    states = [value.name for value in session.get_overridable_initializers()]
    source = session.get_inputs()[0].name
    said = [value.name for value in session.get_outputs() if not value.name.endswith(NEXT)]
    windows = np.random.default_rng(0).normal(0, 1, (2, frames, width)).astype(np.float32)
    try:
        whole = session.run(said, {source: windows})
        after = session.run([name + NEXT for name in states], {source: windows[:, :-1]})
        given = dict(zip(states, (values[-1] for values in after), strict=True))
        last = session.run(said, {source: windows[:, -1:], **given})
    except Exception as fault:
        if not type(fault).__module__.startswith("onnxruntime"):
            raise
        return False
    # What has one value a frame, such as a phase, has one now.
    return all(
        np.allclose(values[:, -1:] if values.shape != newest.shape else values, newest, atol=1e-4)
        for values, newest in zip(whole, last, strict=True)
    )


def drop_tensordots(graph: Graph) -> None:
    """Products of a window's frames with one matrix, flattened and unflattened by TensorFlow, as one MatMul.

    And [b, frames, 1] that becomes [b, frames] by a Reshape does so by a Squeeze, whatever the number of frames.
    """
    for node in list(graph.nodes):
        if node.op_type != "Reshape" or graph.maker(node.output[0]) is None:
            continue
        shape, before = graph.shape(node.output[0]), graph.shape(node.input[0])
        product = graph.maker(node.input[0], "MatMul")
        flat = None if product is None else graph.maker(product.input[0], "Reshape")
        source = None if flat is None else graph.shape(flat.input[0])
        if shape is None or before is None:
            continue
        if product is not None and flat is not None and source is not None and len(source) == 3:
            if graph.constant(product.input[1]) is not None and shape == (*source[:2], before[-1]):
                whole = graph.add("MatMul", [flat.input[0], product.input[1]], "of_frames")
                graph.replace(node.output[0], whole)
        elif len(before) == 3 and before[2] == 1 and shape == before[:2]:
            last = graph.keep(np.array([2], np.int64), "axis")
            graph.replace(node.output[0], graph.add("Squeeze", [node.input[0], last], "of_frames"))


def find_layers(graph: Graph) -> list[Layer]:
    """The unrolled LSTMs of a graph, in the order in which they run."""
    matrices: dict[str, list[Any]] = {}
    for node in graph.nodes:
        if node.op_type == "MatMul":
            values = graph.constant(node.input[1])
            if values is not None and values.ndim == 2 and values.shape[1] == 4 * values.shape[0]:
                matrices.setdefault(node.input[1], []).append(node)
    starts = [split for split in graph.nodes if split.op_type == "Split" and len(split.output) == 4]
    found = [_layer(graph, name, steps, starts) for name, steps in matrices.items()]
    return [layer for layer in found if layer is not None]


def _layer(graph: Graph, recurrent: str, steps: list[Any], starts: list[Any]) -> Layer | None:
    """The layer of one recurrent matrix, whose products are `steps`, if it is one throughout."""
    products = {node.input[0]: node for node in steps}
    for start in starts:
        cell = _cell(graph, start, None)
        if cell is None or cell[0] not in products:
            continue
        hidden, carry = cell
        frames, outputs = [start.input[0]], [hidden]
        while hidden in products:
            product = products[hidden].output[0]
            gates = graph.only_user(product, "Add")
            split = None if gates is None else graph.only_user(gates.output[0], "Split")
            following = None if split is None else _cell(graph, split, carry)
            if gates is None or following is None:
                return None
            frames += [name for name in gates.input if name != product]
            hidden, carry = following
            outputs.append(hidden)
        sources = [_frame(graph, name) for name in frames]
        if len(outputs) != len(steps) + 1 or sources != [(sources[0][0], k) for k in range(len(frames))]:
            return None
        matrix = graph.constant(recurrent)
        sequence = _stack(graph, outputs)
        allowed = {id(node) for node in steps} | {id(node) for node in _stacking(graph, outputs)}
        for name in outputs[:-1]:
            if any(id(user) not in allowed for user in graph.users(name)):
                return None
        assert matrix is not None
        return Layer(sources[0][0], recurrent, len(matrix), tuple(outputs), sequence)
    return None


def _cell(graph: Graph, split: Any, carry: str | None) -> tuple[str, str] | None:
    """Behind the four gates of a frame, its output and its new carry, if this is an LSTM's cell.

    carry: that of the frame before; None for the first frame.
    """
    if split.op_type != "Split" or len(split.output) != 4:
        return None
    i, f, c, o = split.output
    fresh = _product(graph, _through(graph, i, "Sigmoid"), _through(graph, c, "Tanh"))
    if carry is not None:
        kept = _product(graph, _through(graph, f, "Sigmoid"), carry)
        fresh = None if kept is None or fresh is None else _common(graph, "Add", kept, fresh)
    if fresh is None:
        return None
    hidden = _product(graph, _through(graph, o, "Sigmoid"), _through(graph, fresh, "Tanh"))
    return None if hidden is None else (hidden, fresh)


def _through(graph: Graph, name: str, operator: str) -> str | None:
    """What one node of an operator makes of a value."""
    found = [user.output[0] for user in graph.users(name) if user.op_type == operator]
    return found[0] if len(found) == 1 else None


def _product(graph: Graph, first: str | None, second: str | None) -> str | None:
    return None if first is None or second is None else _common(graph, "Mul", first, second)


def _common(graph: Graph, operator: str, first: str, second: str) -> str | None:
    """What one node of an operator makes of two values."""
    for user in graph.users(first):
        if user.op_type == operator and set(user.input) == {first, second}:
            return str(user.output[0])
    return None


def _frame(graph: Graph, name: str) -> tuple[str, int]:
    """A window [b, frames, n] and the place of the frame [b, n] that was cut out of it; place -1 for anything else."""
    squeeze = graph.maker(name, "Squeeze")
    cut = None if squeeze is None else graph.maker(squeeze.input[0], "Slice")
    if squeeze is None or cut is None:
        return name, -1
    squeezed = graph.constant(squeeze.input[1])
    given = [graph.constant(value) for value in cut.input[1:4]]
    if squeezed is None or squeezed.tolist() != [1] or any(values is None for values in given):
        return name, -1
    starts, ends, axes = (values.tolist() for values in given if values is not None)
    ranges = {axis: (start, end) for axis, start, end in zip(axes, starts, ends, strict=True)}
    start, end = ranges.pop(1, (-1, -1))
    whole = all(first == 0 and last >= LONGEST for first, last in ranges.values())
    return (str(cut.input[0]), int(start)) if whole and end == start + 1 else (name, -1)


def _stacking(graph: Graph, hidden: Sequence[str]) -> list[Any]:
    """The nodes that give outputs of single frames [b, units] a side of frames."""
    return [user for name in hidden for user in graph.users(name) if user.op_type == "Unsqueeze"]


def _stack(graph: Graph, hidden: Sequence[str]) -> str | None:
    """The value that holds the outputs of all frames in their order, [b, frames, units]."""
    parts = [node.output[0] for node in _stacking(graph, hidden)]
    for user in graph.users(parts[0]) if parts else []:
        if user.op_type == "Concat" and attribute(user, "axis") == 1 and list(user.input) == parts:
            return str(user.output[0])
    return None


def _entry(graph: Graph, before: Layer, layer: Layer) -> Entry | None:
    """How a layer takes the output of the one before it."""
    biased = graph.maker(layer.source, "Add")
    found = None if biased is None else graph.with_constant(biased)
    product = None if before.sequence is None else graph.only_user(before.sequence, "MatMul")
    if biased is None or found is None or product is None or product.output[0] != found[0]:
        return None
    [bias] = [name for name in biased.input if name != found[0]]
    return Entry(product.input[1], bias) if graph.constant(product.input[1]) is not None else None


def _scan(graph: Graph, layers: list[Layer], entries: list[Entry]) -> tuple[list[Any], list[Any]]:
    """Puts one Scan in the place of all the layers. Returns the graph's new inputs and outputs."""
    from onnx import TensorProto, helper

    def described(name: str, shape: list[Any]) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    inputs, outputs, started = [], [], []
    zero, one = (graph.keep(np.array([value], np.int64), "place") for value in (0, 1))
    sides = graph.add("Shape", [layers[0].source], "sides")
    windows = graph.add("Slice", [sides, zero, one], "windows")
    for number, layer in enumerate(layers, 1):
        width = graph.keep(np.array([layer.units], np.int64), "units")
        shape = graph.add("Concat", [windows, width], "state_shape", axis=0)
        for kind in ("hidden", "carry"):
            name = graph.keep_named(f"{kind}_{number}", np.zeros((1, layer.units), np.float32))
            inputs.append(described(name, ["windows", layer.units]))
            outputs.append(described(name + NEXT, ["frames", "windows", layer.units]))
            started.append(graph.add("Expand", [name, shape], "state"))
    body, ends = _body(graph, layers, entries)
    by_frame = graph.add("Transpose", [layers[0].source], "by_frame", perm=[1, 0, 2])
    made = graph.add_many(
        "Scan",
        [*started, by_frame],
        ["ended"] * len(ends) + ["states"] * len(ends),
        body=body,
        num_scan_inputs=1,
    )
    last, after = made[len(ends) - 2], made[len(ends) :]
    for value, name in zip(outputs, after, strict=True):
        graph.rename(name, value.name)
    final = layers[-1]
    if final.sequence is not None:
        hidden = outputs[-2].name
        graph.replace(final.sequence, graph.add("Transpose", [hidden], "sequence", perm=[1, 0, 2]))
    if graph.maker(final.hidden[-1]) is not None:
        graph.pass_on(final.hidden[-1], last)
    return inputs, outputs


def _body(graph: Graph, layers: list[Layer], entries: list[Entry]) -> tuple[Any, list[str]]:
    """The cells of all layers for one frame, as Scan runs them: states and gates to states, twice.

    Scan hands the first ones on to the next frame, and collects the second ones.
    """
    from onnx import TensorProto, helper

    nodes: list[Any] = []

    def add(operator: str, inputs: Sequence[str], *names: str, **attributes: Any) -> None:
        nodes.append(helper.make_node(operator, list(inputs), list(names), **attributes))

    def described(name: str, width: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])

    given, ended, kept = [], [], []
    below = ""
    for number, layer in enumerate(layers, 1):
        units = layer.units
        gate, parts, pair = (f"{what}{number}" for what in ("gates", "parts", "pair"))
        hidden, carry = f"h{number}", f"c{number}"
        start = "frame"
        if number > 1:
            entry, start = entries[number - 2], f"entry{number}"
            add("Gemm", [below, entry.kernel, entry.bias], start)
        add("Gemm", [hidden, layer.recurrent, start], gate)
        sizes = graph.keep(np.array([2 * units, units, units], np.int64), "gates")
        half = graph.keep(np.array([units, units], np.int64), "gates")
        # Input and forget gate share one Sigmoid.
        add("Split", [gate, sizes], parts, f"cell{number}", f"out{number}", axis=1)
        add("Sigmoid", [parts], pair)
        add("Split", [pair, half], f"input{number}", f"forget{number}", axis=1)
        add("Tanh", [f"cell{number}"], f"new{number}")
        add("Mul", [f"input{number}", f"new{number}"], f"fresh{number}")
        add("Mul", [f"forget{number}", carry], f"held{number}")
        add("Add", [f"held{number}", f"fresh{number}"], f"carried{number}")
        add("Tanh", [f"carried{number}"], f"bounded{number}")
        add("Sigmoid", [f"out{number}"], f"open{number}")
        add("Mul", [f"open{number}", f"bounded{number}"], f"shown{number}")
        below = f"shown{number}"
        for name, state in ((below, hidden), (f"carried{number}", carry)):
            add("Identity", [name], f"{state}_end")
            add("Identity", [name], f"{state}_kept")
            given.append(described(state, units))
            ended.append(described(f"{state}_end", units))
            kept.append(described(f"{state}_kept", units))
    given.append(described("frame", 4 * layers[0].units))
    body = helper.make_graph(nodes, "cells", given, [*ended, *kept])
    return body, [value.name for value in ended]


def _open_frames(model: Any) -> Any:
    """Takes the number of frames out of the input's and the outputs' shapes."""
    from onnx import shape_inference

    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "frames"
    for value in model.graph.output:
        if not value.name.endswith(NEXT):
            value.type.tensor_type.ClearField("shape")
    inferred = shape_inference.infer_shapes(model)
    del inferred.graph.value_info[:]
    return inferred
