"""Each rewrite of a frame network's graph: fewer nodes that say the same, and what only looks alike is left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="rewriting graphs needs onnx")

from exerlitenet.export import frame_graph
from exerlitenet.export.graph import Graph
from graphs import made, node, operators, run

RNG = np.random.default_rng(0)
MAPS = RNG.normal(0, 2, (3, 8, 6, 6)).astype(np.float32)
Rewrite = Callable[[Graph], object]


def floats(*values: float) -> Any:
    return np.array(values[0] if len(values) == 1 else values, np.float32)


def whole(*values: int) -> Any:
    return np.array(values, np.int64)


def rewritten(model: Any, rewrite: Rewrite, inputs: dict[str, Any], tolerance: float = 1e-5) -> list[str]:
    """The operators of the rewritten graph, which says what the plain one says, for one picture and for several."""
    graph = Graph(model)
    rewrite(graph)
    after = graph.model()
    for count in (3, 1):
        part = {name: values[:count] for name, values in inputs.items()}
        for wanted, found in zip(run(model, part), run(after, part), strict=True):
            assert wanted.shape == found.shape
            assert np.ptp(wanted) > 0
            np.testing.assert_allclose(found, wanted, atol=tolerance)
    return operators(after)


def swish(
    *, times: bool = True, bound: float = 6, shift: float = 3, part: float = 1 / 6, shown: bool = False
) -> Any:
    nodes = [
        node("Add", ["three", "x"], "shifted"),
        node("Clip", ["shifted", "zero", "six"], "bounded"),
        node("Mul", ["bounded", "sixth"], "gate"),
        node("Mul", ["x", "gate"] if times else ["two", "gate"], "out"),
    ]
    constants = {"three": floats(shift), "zero": floats(0), "six": floats(bound), "sixth": floats(part)}
    outputs = {"out": ["n", 8, 6, 6]} | ({"gate": ["n", 8, 6, 6]} if shown else {})
    return made(nodes, constants | {"two": floats(2)}, {"x": ["n", 8, 6, 6]}, outputs)


def test_hard_swish_and_hard_sigmoid() -> None:
    x = {"x": MAPS}
    assert rewritten(swish(), frame_graph.fold_hard_swish, x) == ["HardSwish"]
    assert rewritten(swish(times=False), frame_graph.fold_hard_swish, x) == ["HardSigmoid", "Mul"]
    assert rewritten(swish(shown=True), frame_graph.fold_hard_swish, x) == ["HardSigmoid", "Mul"]


@pytest.mark.parametrize("other", [{"bound": 5}, {"shift": 2.9}, {"part": 0.2}])
def test_what_is_no_hard_swish_stays(other: dict[str, float]) -> None:
    found = rewritten(swish(**other), frame_graph.fold_hard_swish, {"x": MAPS})  # type: ignore[arg-type]
    assert found == ["Add", "Clip", "Mul", "Mul"]


def computed_shape(sides: list[int]) -> Any:
    """[n, 8, 6, 6] -> [n, ...], with n read off the input as TensorFlow's exporter does."""
    nodes = [
        node("Shape", ["x"], "shape"),
        node("Slice", ["shape", "zero", "one"], "count"),
        node("Concat", ["count", "rest"], "target", axis=0),
        node("Reshape", ["x", "target"], "out"),
    ]
    constants = {"zero": whole(0), "one": whole(1), "rest": whole(*sides)}
    return made(nodes, constants, {"x": ["n", 8, 6, 6]}, {"out": ["n", *sides]})


def test_shapes_that_are_computed_become_constants() -> None:
    assert rewritten(computed_shape([4, 72]), frame_graph.fix_shapes, {"x": MAPS}) == ["Reshape"]


def test_a_reshape_that_changes_nothing_is_dropped() -> None:
    def model(sides: list[int]) -> Any:
        nodes = [node("Reshape", ["x", "target"], "same"), node("Relu", ["same"], "out")]
        return made(nodes, {"target": whole(-1, *sides)}, {"x": ["n", 8, 6, 6]}, {"out": ["n", *sides]})

    drop = frame_graph.drop_reshapes
    assert rewritten(model([8, 6, 6]), drop, {"x": MAPS}) == ["Relu"]
    assert rewritten(model([6, 8, 6]), drop, {"x": MAPS}) == ["Reshape", "Relu"]


def enlarging(order: tuple[int, ...] = (0, 1, 2, 4, 3)) -> Any:
    """Each cell of [n, 8, 6, 6] twice as wide, by Unsqueeze, Tile, Transpose and Reshape."""
    nodes = [
        node("Unsqueeze", ["x", "last"], "thin"),
        node("Tile", ["thin", "twice"], "tiled"),
        node("Transpose", ["tiled"], "turned", perm=list(order)),
        node("Transpose", ["turned"], "back", perm=[0, 1, 2, 4, 3]),
        node("Reshape", ["back", "target"], "wide"),
        node("Relu", ["wide"], "out"),
    ]
    constants = {"last": whole(4), "twice": whole(1, 1, 1, 1, 2), "target": whole(-1, 8, 6, 12)}
    return made(nodes, constants, {"x": ["n", 8, 6, 6]}, {"out": ["n", 8, 6, 12]})


def test_repeated_cells_are_one_resize() -> None:
    assert rewritten(enlarging(), frame_graph.enlarge_at_once, {"x": MAPS}) == ["Resize", "Relu"]


def test_cells_that_are_moved_as_well_stay() -> None:
    found = rewritten(enlarging((0, 1, 2, 3, 4)), frame_graph.enlarge_at_once, {"x": MAPS})
    assert "Resize" not in found
    assert len(found) == 6


def average() -> Any:
    """What `posture.build_posture` reads off its maps, as exported: 2 joints of 4 values in 36 cells."""
    cells = RNG.random((1, 36, 1, 2), np.float32)
    nodes = [
        node("Transpose", ["x"], "last", perm=[0, 2, 3, 1]),
        node("Reshape", ["last", "target"], "cells"),
        node("Slice", ["cells", "0", "1", "axis"], "score"),
        node("Squeeze", ["score", "axis"], "scores"),
        node("Softmax", ["scores"], "heat", axis=1),
        node("Unsqueeze", ["heat", "axis"], "weights"),
        node("Slice", ["cells", "first", "3", "axis"], "offset"),
        node("Mul", ["offset", "quarter"], "small"),
        node("Add", ["small", "grid"], "place"),
        node("Slice", ["cells", "3", "end", "axis"], "rest"),
        node("Concat", ["place", "rest"], "values", axis=3),
        node("Mul", ["weights", "values"], "weighed"),
        node("ReduceSum", ["weighed", "1"], "out", keepdims=0),
    ]
    constants: dict[str, Any] = {
        "target": whole(-1, 36, 2, 4),
        "quarter": floats(0.25),
        "grid": cells,
        **{str(k): whole(k) for k in (0, 1, 3)},
        "first": whole(1),
        "axis": whole(3),
        "end": whole(2**31 - 1),
    }
    return made(nodes, constants, {"x": ["n", 8, 6, 6]}, {"out": ["n", 2, 3]})


def test_weighed_averages_are_products() -> None:
    found = rewritten(average(), frame_graph.average_by_product, {"x": MAPS})
    assert found.count("MatMul") == 2
    assert not {"Transpose", "ReduceSum", "Slice"} & set(found)
    assert len(found) < len(average().graph.node)


def test_an_average_that_is_made_otherwise_stays() -> None:
    model = average()
    [product] = [n for n in model.graph.node if n.output[0] == "weighed"]
    product.input[0] = "score"  # weights that are no softmax
    found = rewritten(model, frame_graph.average_by_product, {"x": MAPS}, 1e-3)
    assert "MatMul" not in found


def excitement(weights: Any) -> Any:
    nodes = [
        node("GlobalAveragePool", ["x"], "mean"),
        node("Conv", ["mean", "weights", "bias"], "raw"),
        node("HardSigmoid", ["raw"], "gate", alpha=1 / 6, beta=0.5),
        node("Mul", ["x", "gate"], "scaled"),
        node("Conv", ["scaled", "kernel"], "out"),
    ]
    constants = {
        "weights": weights,
        "bias": np.linspace(-4, 4, 8, dtype=np.float32),
        "kernel": RNG.normal(0, 1, (5, 8, 1, 1)).astype(np.float32),
    }
    return made(nodes, constants, {"x": ["n", 8, 6, 6]}, {"out": ["n", 5, 6, 6]})


def test_an_excitement_that_never_changes_goes_into_the_convolution_behind_it() -> None:
    still = excitement(np.zeros((8, 8, 1, 1), np.float32))
    assert rewritten(still, frame_graph.fold_still_excitement, {"x": MAPS}) == ["Conv"]
    moved = excitement(RNG.normal(0, 1, (8, 8, 1, 1)).astype(np.float32))
    assert len(rewritten(moved, frame_graph.fold_still_excitement, {"x": MAPS})) == 5
