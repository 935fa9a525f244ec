"""Weights of a graph as int8, each output channel with a scale of its own; what is computed stays float32.

Whole int8 inference does not suit this network: hard-swish and squeeze-excite lose their ranges by calibration, and
matrices quantised as they run save little, since convolutions hold most of the weights. Weights alone are four times
smaller on disk and cost nothing at run time: ONNX Runtime turns them back when it loads the graph.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

# Smaller tensors stay as they are: depthwise filters, the first layers and narrow projections weigh little, and
# quantising them costs six times the error of all the others.
LEAST_VALUES = 20_000
LARGEST = 127


def quantise_weights(path: Path, *, least_values: int = LEAST_VALUES) -> None:
    """Rewrites the ONNX file: weights of convolutions and matrix products become int8.

    least_values: tensors with fewer values stay float32.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(str(path))
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for name, axis in _output_axes(graph, weights).items():
        values = numpy_helper.to_array(weights[name])
        if values.dtype != np.float32 or values.size < least_values:
            continue
        others = tuple(k for k in range(values.ndim) if k != axis)
        scale = np.maximum(np.abs(values).max(axis=others, keepdims=True), 1e-12) / LARGEST
        small = np.clip(np.round(values / scale), -LARGEST, LARGEST).astype(np.int8)
        graph.initializer.remove(weights[name])
        int8, scales = f"{name}_int8", f"{name}_scale"
        graph.initializer.append(numpy_helper.from_array(small, int8))
        graph.initializer.append(numpy_helper.from_array(scale.reshape(-1).astype(np.float32), scales))
        nodes.append(helper.make_node("DequantizeLinear", [int8, scales], [name], axis=axis))
    for node in reversed(nodes):
        graph.node.insert(0, node)
    onnx.save(model, str(path))


def _output_axes(graph: Any, weights: dict[str, Any]) -> dict[str, int]:
    """Weight -> the axis of its output channels, for those of convolutions and matrix products.

    Those of inner graphs count: Scan's body takes its weights from outside.
    """
    axes: dict[str, int] = {}
    for node in graph.node:
        for entry in node.attribute:
            if entry.HasField("g"):
                axes |= _output_axes(entry.g, weights)
        if len(node.input) < 2 or node.input[1] not in weights:
            continue
        name = node.input[1]
        if node.op_type == "Conv":
            axes[name] = 0
        elif node.op_type == "MatMul":
            axes[name] = len(weights[name].dims) - 1
        elif node.op_type == "Gemm":
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            axes[name] = 0 if transposed else 1
    return axes
