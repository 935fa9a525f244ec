"""A frame network's graph, rewritten so that ONNX Runtime runs it in fewer and larger pieces.

A convolution with the activation behind it is one piece for ONNX Runtime where it knows the activation: hard-swish as
the four operators that TensorFlow exports breaks every second convolution of MobileNetV3 in two, and moves the maps to
another memory layout and back. The other rewrites are of the same kind. Each is a pattern, its condition and its
replacement for onnxscript's rewriter, which leaves a graph alone that has not the form it looks for. The
default model's frame takes 0.74 of the time of the graph as converted; with rewrites of our own it was as fast (1.01).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

GATE = {"alpha": float(np.float32(1 / 6)), "beta": 0.5}
"""Of the HardSigmoid that is part of HardSwish; as a graph stores it, or it would not be found again."""


def simplify_frames(model: Any) -> Any:
    """onnx.ModelProto -> the same function in fewer operators; constants are folded, and what nobody uses goes."""
    import onnx
    from onnxscript import ir, optimizer, rewriter
    from onnxscript.rewriter.pattern import RewriteRule, RewriteRuleSet

    # One name for the open side, so that shapes which are computed from it become known.
    open_sides = onnx.ModelProto.FromString(model.SerializeToString())
    for value in open_sides.graph.input:
        value.type.tensor_type.shape.dim[0].dim_param = "pictures"
    for value in open_sides.graph.output:
        value.type.tensor_type.ClearField("shape")
    rewritten = ir.from_proto(onnx.shape_inference.infer_shapes(open_sides, data_prop=True))
    optimizer.optimize(rewritten)
    rules = [
        RewriteRule(_hard_sigmoid, _as_hard_sigmoid, _is_hard_sigmoid),
        RewriteRule(_hard_swish, _as_hard_swish),
        RewriteRule(_average, _as_products, _is_average),
        RewriteRule(_excited, _as_convolution, _is_still),
    ]
    rewriter.rewrite(rewritten, pattern_rewrite_rules=RewriteRuleSet(rules, commute=True))
    return ir.to_proto(rewritten)


def _values(value: Any) -> NDArray[Any]:
    """A constant's values, flat; none for what is computed or given."""
    from onnxscript import ir

    tensor = ir.convenience.get_const_tensor(value)
    return np.empty(0) if tensor is None else tensor.numpy().reshape(-1)


def _are(*pairs: tuple[Any, float]) -> bool:
    """Whether each value is a constant that holds this one number."""
    return all(
        found.size == 1 and np.isclose(found[0], n) for found, n in ((_values(v), n) for v, n in pairs)
    )


def _hard_sigmoid(op: Any, x: Any, low: Any, high: Any, shift: Any, part: Any) -> Any:
    return op.Clip(x + shift, low, high) * part


def _is_hard_sigmoid(_: Any, low: Any, high: Any, shift: Any, part: Any, **__: Any) -> bool:
    return _are((low, 0), (high, 6), (shift, 3), (part, 1 / 6))


def _as_hard_sigmoid(op: Any, x: Any, **_: Any) -> Any:
    return op.HardSigmoid(x, **GATE)


def _hard_swish(op: Any, x: Any) -> Any:
    return op.HardSigmoid(x, **GATE) * x


def _as_hard_swish(op: Any, x: Any) -> Any:
    return op.HardSwish(x)


def _average(
    op: Any,
    maps: Any,
    shape: Any,
    zero: Any,
    one: Any,
    three: Any,
    end: Any,
    last: Any,
    scale: Any,
    grid: Any,
) -> Any:
    """Averages over the cells of a map, weighed by a softmax, as TensorFlow exports `posture.build_posture`.

    Maps [n, joints x values, h, w] are turned to [n, cells, joints, values]; the first value weighs, the next two are
    scaled and placed on a grid.
    """
    cells = op.Reshape(op.Transpose(maps, perm=[0, 2, 3, 1]), shape)
    heat = op.Softmax(op.Squeeze(op.Slice(cells, zero, one, last), last), axis=1)
    place = op.Slice(cells, one, three, last) * scale + grid
    values = op.Concat(place, op.Slice(cells, three, end, last), axis=3)
    weights = op.Slice(op.Unsqueeze(heat, last), _allow_other_inputs=True)  # which cuts nothing off
    return op.ReduceSum(weights * values, one, keepdims=0, _allow_other_attributes=True)


def _is_average(
    _: Any, shape: Any, zero: Any, one: Any, three: Any, last: Any, scale: Any, grid: Any, **__: Any
) -> bool:
    _, cells, _, _ = _values(shape) if _values(shape).size == 4 else np.zeros(4)
    return _are((zero, 0), (one, 1), (three, 3), (last, 3)) and (_values(scale).size, _values(grid).size) == (
        1,
        2 * cells,
    )


def _as_products(op: Any, maps: Any, shape: Any, scale: Any, grid: Any, **_: Any) -> Any:
    """The same as products of matrices."""

    def constant(values: Any, kind: Any = np.float32) -> Any:
        return op.Constant(value=_tensor(np.asarray(values, kind)))

    _, cells, joints, values = _values(shape).tolist()
    whole = op.Reshape(maps, constant([-1, joints, values, cells], np.int64))
    heat, rest = op.Split(whole, constant([1, values - 1], np.int64), axis=2, _outputs=2)
    weights = op.Softmax(heat, axis=3)
    column = op.Reshape(weights, constant([-1, joints, cells, 1], np.int64))
    means = op.Squeeze(op.MatMul(rest, column), constant([3], np.int64))
    factors, places = np.ones(values - 1), np.zeros((cells, values - 1))
    factors[:2], places[:, :2] = _values(scale), _values(grid).reshape(cells, 2)
    placed = op.MatMul(op.Squeeze(weights, constant([2], np.int64)), constant(places))
    return op.Add(op.Mul(means, constant(factors)), placed)


def _excited(op: Any, x: Any, squeezed: Any, weights: Any, bias: Any, kernel: Any) -> Any:
    """A convolution behind squeeze and excitement, whose last convolution has these weights."""
    raw = op.Conv(squeezed, weights, bias, _allow_other_attributes=True)
    scaled = x * op.HardSigmoid(raw, **GATE)
    return op.Conv(scaled, kernel, _allow_other_inputs=True, _allow_other_attributes=True, _outputs=["out"])


def _is_still(_: Any, weights: Any, bias: Any, kernel: Any, **__: Any) -> bool:
    """Whether it learned to say the same of every picture: all weights are zero (see `training.posture.prune`).

    And the convolution behind it takes all channels, not groups of them.
    """
    known = all(_values(value).size for value in (weights, bias, kernel))
    return known and not _values(weights).any() and kernel.shape[1] == _values(bias).size


def _as_convolution(op: Any, x: Any, bias: Any, kernel: Any, out: Any, **_: Any) -> Any:
    """Its constant output goes into the convolution."""
    node = out.producer()
    factors = np.clip(_values(bias) / 6 + 0.5, 0, 1).astype(np.float32)
    scaled = _values(kernel).reshape(kernel.shape.numpy()) * factors[None, :, None, None]
    return op.Conv(
        x, op.initializer(_tensor(scaled), f"{kernel.name}_scaled"), *node.inputs[2:], **node.attributes
    )


def _tensor(values: NDArray[Any]) -> Any:
    from onnxscript import ir

    return ir.tensor(values)
