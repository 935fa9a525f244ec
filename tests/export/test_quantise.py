"""Weights as int8: each within half a step of its channel's scale, and the graph still says nearly the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from exerlitenet.export.quantise import LARGEST, quantise_weights
from graphs import session
from recurrences import Recurrence

LEAST_VALUES = 256

onnx = pytest.importorskip("onnx", reason="quantising needs onnx")


def write(path: Path) -> dict[str, Any]:
    """Convolution, matrix product and both kinds of Gemm, one after the other; returns the weights."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    weights = {
        "kernel": rng.normal(0, 1, (16, 3, 3, 3)) * np.geomspace(0.01, 10, 16).reshape(-1, 1, 1, 1),
        "matrix": rng.normal(0, 1, (16, 32)) * np.geomspace(0.01, 10, 32),
        "plain": rng.normal(0, 1, (32, 24)),
        "turned": rng.normal(0, 1, (20, 24)) * np.geomspace(0.1, 10, 20).reshape(-1, 1),
        "small": rng.normal(0, 1, (20, LEAST_VALUES // 20)),
        "bias": rng.normal(0, 1, 20),
    }
    weights = {name: values.astype(np.float32) for name, values in weights.items()}
    nodes = [
        helper.make_node("Conv", ["pixels", "kernel"], ["maps"]),
        helper.make_node("GlobalAveragePool", ["maps"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["a"]),
        helper.make_node("Gemm", ["a", "plain"], ["b"]),
        helper.make_node("Gemm", ["b", "turned", "bias"], ["c"], transB=1),
        helper.make_node("MatMul", ["c", "small"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", LEAST_VALUES // 20])],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return weights


def said(path: Path) -> Any:
    pixels = np.random.default_rng(1).random((4, 3, 8, 8), np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["out"], {"pixels": pixels})[0]


def test_weights_lie_within_half_a_step_of_their_own_channel(tmp_path: Path) -> None:
    path = tmp_path / "g.onnx"
    weights = write(path)
    before, size = said(path), path.stat().st_size
    quantise_weights(path, least_values=LEAST_VALUES)
    onnx.checker.check_model(onnx.load(str(path)))
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
    for name, axis in (("kernel", 0), ("matrix", 1), ("plain", 1), ("turned", 0)):
        assert name not in stored
        small, scale = stored[f"{name}_int8"], stored[f"{name}_scale"]
        assert (small.dtype, small.shape) == (np.int8, weights[name].shape)
        assert np.abs(small).max() == LARGEST
        shape = [1] * small.ndim
        shape[axis] = -1
        step = scale.reshape(shape)
        assert scale.shape == (small.shape[axis],)
        assert (np.abs(small * step - weights[name]) <= 0.501 * step).all()
    for name in ("small", "bias"):
        np.testing.assert_array_equal(stored[name], weights[name])
    after = said(path)
    assert 0 < np.abs(after - before).max() < 0.03 * np.abs(before).max()
    assert path.stat().st_size < 0.55 * size


def test_a_channel_of_zeros_stays_zero(tmp_path: Path) -> None:
    path = tmp_path / "g.onnx"
    write(path)
    model = onnx.load(str(path))
    for tensor in model.graph.initializer:
        if tensor.name == "kernel":
            values = onnx.numpy_helper.to_array(tensor).copy()
            values[3] = 0
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, "kernel"))
    onnx.save(model, str(path))
    quantise_weights(path, least_values=LEAST_VALUES)
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
    assert not stored["kernel_int8"][3].any()
    assert np.isfinite(stored["kernel_scale"]).all()
    assert np.isfinite(said(path)).all()


def test_weights_that_an_inner_graph_takes_are_int8_too(tmp_path: Path) -> None:
    from exerlitenet.export.head_graph import head_graph

    path = tmp_path / "head.onnx"
    recurrence = Recurrence(units=(12, 8))
    onnx.save(head_graph(recurrence.head()), str(path))
    quantise_weights(path, least_values=LEAST_VALUES)
    model = onnx.load(str(path))
    onnx.checker.check_model(model, full_check=True)
    stored = {tensor.name for tensor in model.graph.initializer}
    assert {f"{name}_int8" for name in ("recurrent_1", "recurrent_2", "kernel_2")} <= stored
    windows = recurrence.windows(2)
    found = session(model).run(["probabilities"], {"projections": windows})[0]
    difference = np.abs(found - recurrence.step(windows, None)[0]).max()
    assert 0 < difference < 0.02
