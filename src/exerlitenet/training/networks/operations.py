"""Parameters, operations and sizes of a network under one stated convention.

CONVENTION is what every figure here means. Published figures mix multiply-accumulates with FLOPs, and one
image with a whole sequence; the unit and the item are beside each of ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

CONVENTION = (
    "MAC: one multiply-accumulate of a convolution (depthwise and squeeze-excite ones included), a dense "
    "layer, a product of matrices, or an LSTM's input and recurrent matrices at every step. Biases, batch "
    "norm, activations, pooling (weighted means over a feature map among it) and other elementwise work are "
    "not counted. FLOPs = 2 x MAC. Bytes: float32 weights; a checkpoint adds Adam's two moments of every "
    "trainable variable."
)

# Operations of `keras.ops` that are products; only the first has a rule so far.
PRODUCTS = frozenset(("Matmul", "Dot", "Tensordot", "Einsum", "Inner", "Outer", "Vdot"))

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class LayerCost:
    """One row of a network: shapes without the batch, parameters of the layer, MACs of one input."""

    name: str
    type: str
    output_shape: Shape
    parameters: int
    macs: int


@dataclass(frozen=True)
class Operations:
    """The cost of a model on one input (a frame for a backbone, a sequence for a whole network)."""

    layers: tuple[LayerCost, ...]
    parameters: int

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def flops(self) -> int:
        return 2 * self.macs


@dataclass(frozen=True)
class Parameters:
    """Numbers of a model's parameters in its present state of `trainable`."""

    trainable: int
    non_trainable: int

    @property
    def total(self) -> int:
        return self.trainable + self.non_trainable

    @property
    def weights_bytes(self) -> int:
        """Bytes of the float32 weights alone."""
        return 4 * self.total

    @property
    def checkpoint_bytes(self) -> int:
        """Bytes of the weights and Adam's two moments, which Keras keeps of trainable variables only."""
        return 4 * self.total + 8 * self.trainable


def count(network: Any) -> Operations:
    """Counts a functional `keras.Model`, or the `full` model of anything that has one, one row a layer.

    Nested models and time wrappers are one row with the sum of what is inside. A layer of ours may state its
    own cost by a method `macs(input_shape)` (batch first). What runs on frames that a reshape has folded
    into the batch counts once for each of them. Raises TypeError for a layer with weights, or a product,
    that has no rule: an unknown layer never counts as free.
    """
    model = getattr(network, "full", network)
    rows = []
    # Tensor -> items of the batch that stand for one input of the model.
    folded: dict[int, Fraction] = {}
    for node in _nodes(model):
        operation = node.operation
        inputs = [tuple(tensor.shape) for tensor in node.input_tensors]
        output = tuple(node.outputs[0].shape)
        items = max((folded[id(tensor)] for tensor in node.input_tensors), default=Fraction(1))
        single = _product_macs(node) if type(operation).__name__ in PRODUCTS else None
        macs = int(items * (_macs(operation, inputs, output) if single is None else single))
        if _folds(operation, inputs, output):
            items *= Fraction(_product(inputs[0][1:]), _product(output[1:]))
        folded |= {id(tensor): items for tensor in node.outputs}
        is_layer = hasattr(operation, "count_params")
        if macs or is_layer:
            own = int(operation.count_params()) if is_layer else 0
            rows.append(LayerCost(operation.name, type(operation).__name__, output[1:], own, macs))
    return Operations(tuple(rows), int(model.count_params()))


def parameters(model: Any) -> Parameters:
    """Trainable and non-trainable parameters of a `keras.Model` as it is now."""
    return Parameters(_size(model.trainable_weights), _size(model.non_trainable_weights))


def _size(weights: Sequence[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _nodes(model: Any) -> list[Any]:
    """The calls that make up a functional model, inputs first."""
    by_depth = model._nodes_by_depth
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    order = {id(operation): place for place, operation in enumerate(model.operations)}
    return sorted(nodes, key=lambda node: order[id(node.operation)])


def _macs(operation: Any, inputs: list[Shape], output: Shape) -> int:
    """MACs of one call. Shapes have the batch first."""
    from keras import layers, models

    if isinstance(operation, models.Model):
        return count(operation).macs
    if isinstance(operation, layers.Wrapper):
        frames = _product(inputs[0][1:2])
        inner = [(shape[0], *shape[2:]) for shape in inputs]
        return frames * _macs(operation.layer, inner, (output[0], *output[2:]))
    if hasattr(operation, "macs"):
        return int(operation.macs(inputs[0]))
    if isinstance(operation, layers.SeparableConv1D | layers.SeparableConv2D):
        positions = _product(output[1:-1])
        return positions * (_size([operation.depthwise_kernel]) + _size([operation.pointwise_kernel]))
    # Every number in a kernel is used once an output position, in grouped and depthwise convolutions too.
    if isinstance(operation, layers.Conv1D | layers.Conv2D | layers.DepthwiseConv2D | layers.Dense):
        return _product(output[1:-1]) * _size([operation.kernel])
    if isinstance(operation, layers.LSTM | layers.GRU | layers.SimpleRNN):
        cell = operation.cell
        return _product(inputs[0][1:2]) * _size([cell.kernel, cell.recurrent_kernel])
    free = isinstance(operation, layers.BatchNormalization | layers.LayerNormalization | layers.PReLU)
    if free or not getattr(operation, "weights", []):
        return 0
    raise TypeError(f"no rule counts the operations of layer {operation.name} ({type(operation).__name__})")


def _folds(operation: Any, inputs: list[Shape], output: Shape) -> bool:
    """Whether an operation may move a dimension into the batch or out of it; layers never do."""
    from keras import layers

    reshape = type(operation).__name__ == "Reshape" and not isinstance(operation, layers.Layer)
    return reshape and None not in (*inputs[0][1:], *output[1:])


def _product_macs(node: Any) -> int:
    """MACs of a product of matrices, one of which may be a constant."""
    operation = node.operation
    if type(operation).__name__ != "Matmul":
        raise TypeError(f"no rule counts the operations of {operation.name} ({type(operation).__name__})")
    first = node.arguments.args[0] if node.arguments.args else node.arguments.kwargs["x1"]
    return _product((*node.outputs[0].shape[1:], first.shape[-1]))


def _product(shape: Shape) -> int:
    if None in shape:
        raise TypeError(f"operations are counted for fixed shapes, got {shape}")
    return math.prod(size for size in shape if size is not None)
