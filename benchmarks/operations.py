"""Operations of a model that is there as graphs: ONNX Runtime's profile of one run says all, so nothing else is needed.

MAC: as `training.networks.operations` defines it and counts it in a Keras network. Bytes: every weight once, and what
goes into and comes out of each counted layer once, as if all elementwise work were fused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.benchmark.measure import Measure, OnProgress, Unavailable, ignore, rounded
from exerlitenet.recognition.bundle import Bundle
from exerlitenet.recognition.engine import whole_squares
from exerlitenet.recognition.onnx_engine import OnnxEngine

PRODUCTS = ("Conv", "Gemm", "MatMul", "LSTM", "GRU", "RNN", "Einsum")
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One counted node: its multiply-accumulates, bytes of its weights, and of what goes in and comes out."""

    operator: str
    macs: int
    weight_bytes: int
    activation_bytes: int


@dataclass(frozen=True)
class GraphCost:
    """One run of a graph. layers: the counted ones; the others have no MACs. weight_bytes: of all of it."""

    layers: tuple[Layer, ...]
    weight_bytes: int

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def activation_bytes(self) -> int:
        return sum(layer.activation_bytes for layer in self.layers)


def measure_operations(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """Millions of MACs of a frame and of a window; a MAC is what the module says.

    Raises Unavailable for a graph whose operations cannot be counted.
    """
    frames = bundle.spec.frames
    encoder, head = encoder_cost(bundle).macs, head_cost(bundle).macs
    rows = {
        "operations of the encoder, a frame": encoder,
        "operations of the head, a window": head,
        "operations of a live frame": encoder + head,
        f"operations of a window of {frames} recomputed": frames * encoder + head,
    }
    return [Measure(name, rounded(macs / 1e6), "million MAC") for name, macs in rows.items()]


def encoder_cost(bundle: Bundle) -> GraphCost:
    """What encoding one frame costs."""
    return graph_cost(bundle.folder / bundle.encoder.file, encoder_inputs(bundle))


def head_cost(bundle: Bundle) -> GraphCost:
    """What classifying one window costs."""
    graph, frames = bundle.head, bundle.spec.frames
    feature = OnnxEngine(bundle, check=False).encode(_grey(bundle))
    window = np.repeat(feature, frames, axis=0)[None]
    return graph_cost(bundle.folder / graph.file, {graph.input: window})


def encoder_inputs(bundle: Bundle) -> dict[str, NDArray[np.float32]]:
    """One frame for the encoder's graph."""
    graph = bundle.encoder
    inputs = {graph.input: _grey(bundle)}
    if graph.views:
        inputs[graph.views] = whole_squares(1)
    return inputs


def _grey(bundle: Bundle) -> NDArray[np.float32]:
    size = bundle.spec.size
    return np.full((1, size, size, 3), 0.5, np.float32)


def graph_cost(path: Path, inputs: Mapping[str, NDArray[np.float32]]) -> GraphCost:
    """Runs the graph once as it is, nothing fused, and counts. inputs: name -> values.

    Raises Unavailable for a product that has no rule: it never counts as free.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    # Weights that are packed for the processor are no longer listed among a node's inputs.
    options.add_session_config_entry("session.disable_prepacking", "1")
    nodes = profiled(path, options, inputs, runs=1)
    return count(nodes)


def profiled(
    path: Path, options: Any, inputs: Mapping[str, NDArray[np.float32]], *, runs: int
) -> list[dict[str, Any]]:
    """Kernel events of ONNX Runtime's profile, in order."""
    import onnxruntime

    options.enable_profiling = True
    options.log_severity_level = 4
    with TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for _ in range(runs):
            session.run(None, dict(inputs))
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    return [e for e in events if e.get("cat") == "Node" and e["name"].endswith("_kernel_time")]


def count(nodes: Sequence[Mapping[str, Any]]) -> GraphCost:
    """The cost of one run from its kernel events."""
    layers = []
    weight_bytes = 0
    for node in nodes:
        facts = node["args"]
        operator = str(facts["op_name"])
        weight_bytes += int(facts["parameter_size"])
        if any(product in operator for product in PRODUCTS):
            layers.append(_layer(operator, facts))
    return GraphCost(tuple(layers), weight_bytes)


def _layer(operator: str, facts: Mapping[str, Any]) -> Layer:
    inputs = [shape for entry in facts["input_type_shape"] for shape in map(tuple, entry.values())]
    output = next(shape for entry in facts["output_type_shape"] for shape in map(tuple, entry.values()))
    activations = int(facts["activation_size"]) + int(facts["output_size"])
    return Layer(operator, macs_of(operator, inputs, output), int(facts["parameter_size"]), activations)


def macs_of(operator: str, inputs: Sequence[Shape], output: Shape) -> int:
    """MACs of one node from the shapes of its inputs and first output. Raises Unavailable without a rule."""
    if operator in ("Conv", "FusedConv"):
        # Weights [out, in / groups, h, w]: each output takes one filter.
        return math.prod(output) * math.prod(inputs[1][1:])
    if operator in ("Gemm", "FusedGemm", "MatMul", "FusedMatMul"):
        return math.prod(output) * _inner(inputs[0], inputs[1], output)
    if operator == "LSTM":
        steps, batch = inputs[0][:2]
        return steps * batch * (math.prod(inputs[1]) + math.prod(inputs[2]))
    raise Unavailable(f"operations: no rule counts those of {operator}, so those of the model are left out")


def _inner(first: Shape, second: Shape, output: Shape) -> int:
    """Length of the sums in a product of matrices, whichever of them is stored transposed.

    Of [m, k] times [k, n] -> [m, n]: m k x k n / (m n) is the square of k.
    """
    if len(second) < 2 or len(first) < 2:
        return first[-1]
    return math.isqrt(math.prod(first[-2:]) * math.prod(second[-2:]) // math.prod(output[-2:]))
