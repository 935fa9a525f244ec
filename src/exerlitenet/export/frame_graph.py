"""A frame network's graph, rewritten so that ONNX Runtime runs it in fewer and larger pieces.

A convolution with the activation behind it is one piece for ONNX Runtime where it knows the activation: hard-swish as
the four operators that TensorFlow exports breaks every second convolution of MobileNetV3 in two, and moves the maps to
another memory layout and back. The other rewrites are of the same kind. Each leaves a graph alone that has not the
form it looks for.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.export.graph import OPEN, Graph, attribute

MOVING = frozenset(("Reshape", "Transpose", "Tile", "Unsqueeze"))
"""Operators that move values and compute none."""


def simplify_frames(graph: Graph) -> Any:
    """All rewrites of this module, one after the other. Returns the rewritten onnx.ModelProto."""
    fold_hard_swish(graph)
    fix_shapes(graph)
    drop_reshapes(graph)
    enlarge_at_once(graph)
    average_by_product(graph)
    fold_still_excitement(graph)
    return graph.model()


def fold_hard_swish(graph: Graph) -> None:
    """min(max(x + 3, 0), 6) / 6 becomes HardSigmoid, and x times it HardSwish."""
    for node in list(graph.nodes):
        value = graph.with_number(node, 3) if node.op_type == "Add" else None
        clip = graph.only_user(node.output[0], "Clip")
        if value is None or clip is None or len(clip.input) != 3:
            continue
        if (graph.number(clip.input[1]), graph.number(clip.input[2])) != (0, 6):
            continue
        sixth = graph.only_user(clip.output[0], "Mul")
        if sixth is None or graph.with_number(sixth, 1 / 6) is None:
            continue
        swish = graph.only_user(sixth.output[0], "Mul")
        if swish is not None and set(swish.input) == {value, sixth.output[0]}:
            graph.replace(swish.output[0], graph.add("HardSwish", [value], "hard_swish"))
        else:
            gate = graph.add("HardSigmoid", [value], "hard_sigmoid", alpha=1 / 6, beta=0.5)
            graph.replace(sixth.output[0], gate)


def fix_shapes(graph: Graph) -> None:
    """Shapes that are computed from other shapes become constants, where only the number of pictures is open."""
    for node in list(graph.nodes):
        shape = graph.shape(node.output[0]) if node.op_type == "Reshape" else None
        if shape and graph.constant(node.input[1]) is None and OPEN not in shape[1:] and 0 not in shape:
            target = graph.keep(np.array([OPEN, *shape[1:]], np.int64), "shape")
            graph.replace(node.output[0], graph.add("Reshape", [node.input[0], target], "reshaped"))


def drop_reshapes(graph: Graph) -> None:
    """Reshapes that change nothing."""
    for node in list(graph.nodes):
        if node.op_type != "Reshape" or node.output[0] in graph.outputs:
            continue
        shape = graph.shape(node.input[0])
        if shape is not None and shape == graph.shape(node.output[0]):
            graph.pass_on(node.output[0], node.input[0])


def enlarge_at_once(graph: Graph) -> None:
    """Cells repeated along both sides of a map, by whatever moves, become one Resize."""
    for node in list(graph.nodes):
        if node.op_type not in ("Transpose", "Reshape") or graph.maker(node.output[0]) is None:
            continue
        chain = [node]
        while (before := graph.maker(chain[-1].input[0])) is not None and before.op_type in MOVING:
            chain.append(before)
        source = chain[-1].input[0]
        small, large = graph.shape(source), graph.shape(node.output[0])
        if small is None or large is None or len(small) != 4 or len(large) != 4 or small[:2] != large[:2]:
            continue
        times = large[2] // small[2], large[3] // small[3]
        if max(times) == 1 or small[0] != OPEN:
            continue
        cells = np.arange(2 * math.prod(small[1:]), dtype=np.float32).reshape(2, *small[1:])
        wanted = cells.repeat(times[0], axis=2).repeat(times[1], axis=3)
        moved = _moved(graph, chain[::-1], cells)
        if moved is None or not np.array_equal(moved, wanted):
            continue
        scales = graph.keep(np.array([1, 1, *times], np.float32), "scales")
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        graph.replace(node.output[0], graph.add("Resize", [source, "", scales], "enlarged", **how))


def _moved(graph: Graph, chain: list[Any], values: NDArray[Any]) -> NDArray[Any] | None:
    """What nodes of `MOVING`, one after the other, make of values; None where one has no constant to go by."""
    for node in chain:
        if node.op_type == "Transpose":
            values = values.transpose(attribute(node, "perm"))
            continue
        how = graph.constant(node.input[1])
        if how is None:
            return None
        if node.op_type == "Unsqueeze":
            values = np.expand_dims(values, tuple(int(axis) for axis in how))
        else:
            values = np.tile(values, how) if node.op_type == "Tile" else values.reshape(how)
    return values


def average_by_product(graph: Graph) -> None:
    """Averages over the cells of a map, weighed by a softmax, become products of matrices.

    As TensorFlow exports it (see `posture.build_posture`), maps [n, joints x values, h, w] are turned to
    [n, cells, joints, values]; the first value weighs, the next two are scaled and placed on a grid.
    """
    for node in list(graph.nodes):
        found = _average(graph, node) if node.op_type == "ReduceSum" else None
        if found is None:
            continue
        maps, joints, values, scale, grid = found
        cells = len(grid)
        whole = graph.keep(np.array([OPEN, joints, 1 + values, cells], np.int64), "shape")
        parts = graph.keep(np.array([1, values], np.int64), "parts")
        heat, of_cells = graph.add_many(
            "Split", [graph.add("Reshape", [maps, whole], "cells"), parts], ["heat", "values"], axis=2
        )
        weights = graph.add("Softmax", [heat], "weights", axis=3)
        upright = graph.keep(np.array([OPEN, joints, cells, 1], np.int64), "shape")
        column = graph.add("Reshape", [weights, upright], "column")
        last, third = (graph.keep(np.array([axis], np.int64), "axis") for axis in (3, 2))
        means = graph.add("Squeeze", [graph.add("MatMul", [of_cells, column], "means"), last], "means")
        factors = np.ones(values, np.float32)
        factors[:2] = scale
        places = np.zeros((cells, values), np.float32)
        places[:, :2] = grid
        row = graph.add("Squeeze", [weights, third], "row")
        place = graph.add("MatMul", [row, graph.keep(places, "grid")], "place")
        scaled = graph.add("Mul", [means, graph.keep(factors, "scale")], "scaled")
        graph.replace(node.output[0], graph.add("Add", [scaled, place], "read"))


def _average(graph: Graph, node: Any) -> tuple[str, int, int, float, NDArray[np.float32]] | None:
    """Of a sum that is such an average: the maps, joints, values, the scale and the grid [cells, 2]."""
    axes = graph.constant(node.input[1]) if len(node.input) > 1 else None
    product = graph.maker(node.input[0], "Mul")
    if axes is None or axes.tolist() != [1] or attribute(node, "keepdims", 1) or product is None:
        return None
    for weights, values in (product.input, reversed(product.input)):
        joined = graph.maker(values, "Concat")
        if joined is None or len(joined.input) != 2:
            continue
        place, rest = graph.maker(joined.input[0], "Add"), graph.maker(joined.input[1], "Slice")
        placed = None if place is None else graph.with_constant(place)
        scaled = None if placed is None else graph.maker(placed[0], "Mul")
        scale = None if scaled is None else graph.with_constant(scaled)
        first = None if scale is None else graph.maker(scale[0], "Slice")
        heat = _behind(graph, weights, ("Slice", "Unsqueeze"), "Softmax")
        if heat is None or rest is None or first is None or scale is None or placed is None:
            continue
        score = _behind(graph, heat.input[0], ("Squeeze",), "Slice")
        if score is None or attribute(heat, "axis", -1) != 1:
            continue
        cells = first.input[0]
        parts = [_sliced(graph, part) for part in (score, first, rest)]
        turned = graph.maker(cells, "Reshape")
        source = None if turned is None else graph.maker(turned.input[0], "Transpose")
        shape, maps = graph.shape(cells), None if source is None else source.input[0]
        if source is None or maps is None or shape is None or len(shape) != 4:
            continue
        if {rest.input[0], score.input[0]} != {cells} or attribute(source, "perm") != [0, 2, 3, 1]:
            continue
        width = shape[3]
        grid = placed[1]
        if parts != [(3, 0, 1), (3, 1, 3), (3, 3, width)] or scale[1].size != 1:
            continue
        if grid.shape != (1, shape[1], 1, 2):
            continue
        return maps, shape[2], width - 1, float(scale[1].reshape(-1)[0]), grid[0, :, 0]
    return None


def _behind(graph: Graph, name: str, through: tuple[str, ...], operator: str) -> Any | None:
    """The node of an operator that a value comes from, through no nodes but those named."""
    node = graph.maker(name)
    while node is not None and node.op_type in through and node.op_type != operator:
        node = graph.maker(node.input[0])
    return node if node is not None and node.op_type == operator else None


def _sliced(graph: Graph, node: Any) -> tuple[int, int, int] | None:
    """The last axis, and from where to where a Slice along it goes; None for any other Slice."""
    shape = graph.shape(node.input[0])
    given = [graph.constant(name) for name in node.input[1:]]
    if shape is None or any(values is None or values.size != 1 for values in given) or len(given) < 3:
        return None
    start, end, axis = (int(values.reshape(-1)[0]) for values in given[:3] if values is not None)
    axis %= len(shape)
    if axis != len(shape) - 1:
        return None
    return axis, start, min(end, shape[axis])


def fold_still_excitement(graph: Graph) -> None:
    """Squeeze and excitement that learned to say the same of every picture goes into the convolution behind it.

    Its last convolution has weights that are all zero (see `training.posture.prune`), so its bias is its output.
    """
    for node in list(graph.nodes):
        weights = graph.constant(node.input[1]) if node.op_type == "Conv" else None
        if weights is None or weights.any() or len(node.input) != 3 or graph.maker(node.output[0]) is None:
            continue
        bias = graph.constant(node.input[2])
        gate = graph.only_user(node.output[0], "HardSigmoid")
        product = None if gate is None else graph.only_user(gate.output[0], "Mul")
        behind = None if product is None else graph.only_user(product.output[0], "Conv")
        kernel = None if behind is None else graph.constant(behind.input[1])
        if bias is None or gate is None or product is None or behind is None or kernel is None:
            continue
        if behind.input[0] != product.output[0] or attribute(behind, "group", 1) != 1:
            continue
        [value] = [name for name in product.input if name != gate.output[0]]
        factors = np.clip(bias * attribute(gate, "alpha") + attribute(gate, "beta"), 0, 1)
        behind.input[1] = graph.keep(kernel * factors.astype(np.float32)[None, :, None, None], "kernel")
        graph.pass_on(product.output[0], value)
