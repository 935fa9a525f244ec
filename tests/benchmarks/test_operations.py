"""Operations of graphs that are small enough to count by hand, and operations and sizes of a tiny model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.operations import (
    GraphCost,
    count,
    encoder_cost,
    graph_cost,
    head_cost,
    macs_of,
    measure_operations,
)
from bundles import CLASSES, FOLLOW_SPEC, SPEC, WIDTH, write_bundle
from exerlitenet.benchmark.measure import Unavailable
from exerlitenet.benchmark.size import measure_int8_size, measure_size
from exerlitenet.recognition.bundle import CARD, Bundle, load_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(write_bundle(tmp_path_factory.mktemp("operations") / "model"))


def test_operations_are_those_of_the_graphs(bundle: Bundle, tmp_path: Path) -> None:
    assert encoder_cost(bundle).macs == 3 * WIDTH
    assert head_cost(bundle).macs == WIDTH * len(CLASSES)
    following = load_bundle(write_bundle(tmp_path / "follow", spec=FOLLOW_SPEC))
    assert encoder_cost(following).macs == 2 * 3 * WIDTH + SPEC.size**2 * 3 * 3


def test_sizes_are_those_on_disk(bundle: Bundle) -> None:
    graphs, card = measure_size(bundle, quick=True)
    folder = bundle.folder
    assert graphs.value == sum((folder / name).stat().st_size for name in ("encoder.onnx", "head.onnx"))
    assert card.value == (folder / CARD).stat().st_size
    [small] = measure_int8_size(bundle, quick=True)
    assert small.unit == "bytes"
    encoder, head, live, window = measure_operations(bundle, quick=True)
    assert live.value == pytest.approx(encoder.value + head.value, rel=1e-3)
    assert window.value == pytest.approx(SPEC.frames * encoder.value + head.value, rel=1e-3)


def cost_of(
    path: Path, nodes: Sequence[onnx.NodeProto], weights: dict[str, np.ndarray], given: np.ndarray
) -> GraphCost:
    """The cost of a graph from "given" to "out"."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("given", TensorProto.FLOAT, given.shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, str(path))
    return graph_cost(path, {"given": given})


def test_convolutions_take_one_filter_an_output(tmp_path: Path) -> None:
    weights = {"w": np.ones((4, 3, 3, 3), np.float32), "d": np.ones((4, 1, 3, 3), np.float32)}
    nodes = [
        helper.make_node("Conv", ["given", "w"], ["full"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["full"], ["bent"]),
        helper.make_node("Conv", ["bent", "d"], ["out"], pads=[1, 1, 1, 1], group=4, strides=[2, 2]),
    ]
    cost = cost_of(tmp_path / "g.onnx", nodes, weights, np.ones((1, 3, 8, 8), np.float32))
    full, depthwise = cost.layers
    assert (full.macs, depthwise.macs) == (64 * 4 * 27, 16 * 4 * 9)
    assert cost.macs == full.macs + depthwise.macs
    assert cost.weight_bytes == 4 * (4 * 27 + 4 * 9)
    assert cost.activation_bytes == 4 * (3 * 64 + 4 * 64) + 4 * (4 * 64 + 4 * 16)


def test_products_and_lstms_count_their_matrices_at_every_step(tmp_path: Path) -> None:
    # ONNX's LSTM: steps first, four gates' rows below each other.
    weights = {
        "m": np.ones((6, 5), np.float32),
        "w": np.ones((1, 4 * 7, 5), np.float32),
        "r": np.ones((1, 4 * 7, 7), np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["given", "m"], ["x"]),
        helper.make_node("LSTM", ["x", "w", "r"], ["out"], hidden_size=7),
    ]
    cost = cost_of(tmp_path / "g.onnx", nodes, weights, np.ones((3, 2, 6), np.float32))
    assert [layer.macs for layer in cost.layers] == [3 * 2 * 6 * 5, 3 * 2 * 28 * (5 + 7)]


@pytest.mark.parametrize(
    ("inputs", "output"),
    [(((2, 6), (6, 5)), (2, 5)), (((2, 6), (5, 6)), (2, 5)), (((6, 2), (6, 5)), (2, 5))],
)
def test_a_product_is_the_same_however_it_is_stored(
    inputs: list[tuple[int, ...]], output: tuple[int, ...]
) -> None:
    assert macs_of("Gemm", inputs, output) == 2 * 6 * 5


def test_no_product_counts_as_free() -> None:
    node = {"input_type_shape": [{"float": [2, 6]}], "output_type_shape": [{"float": [2, 5]}]}
    sizes = {"parameter_size": "0", "activation_size": "0", "output_size": "0"}
    for operator in ("ConvTranspose", "GRU", "MatMulInteger"):
        with pytest.raises(Unavailable, match=operator):
            count([{"args": {"op_name": operator, **node, **sizes}}])
    assert count([{"args": {"op_name": "Relu", **node, **sizes}}]).macs == 0
