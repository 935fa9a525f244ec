"""Each rewrite of a frame network's graph: fewer nodes that say the same, and what only looks alike is left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxscript", reason="rewriting graphs needs onnxscript")

from exerlitenet.export.frame_graph import simplify_frames
from graphs import made, node, operators, run

RNG = np.random.default_rng(0)
MAPS = RNG.normal(0, 2, (3, 8, 6, 6)).astype(np.float32)


def floats(*values: float) -> Any:
    return np.array(values[0] if len(values) == 1 else values, np.float32)


def whole(*values: int) -> Any:
    return np.array(values, np.int64)


def rewritten(model: Any, tolerance: float = 1e-5) -> list[str]:
    """The operators of the rewritten graph, which says what the plain one says, for one picture and for several."""
    after = simplify_frames(model)
    for count in (3, 1):
        part = {"x": MAPS[:count]}
        for wanted, found in zip(run(model, part), run(after, part), strict=True):
            assert wanted.shape == found.shape
            assert np.ptp(wanted) > 0
            np.testing.assert_allclose(found, wanted, atol=tolerance)
    return [operator for operator in operators(after) if operator != "Constant"]


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
    assert rewritten(swish()) == ["HardSwish"]
    assert rewritten(swish(times=False)) == ["HardSigmoid", "Mul"]
    assert rewritten(swish(shown=True)) == ["HardSigmoid", "Mul"]


@pytest.mark.parametrize("other", [{"bound": 5}, {"shift": 2.9}, {"part": 0.2}])
def test_what_is_no_hard_swish_stays(other: dict[str, float]) -> None:
    assert rewritten(swish(**other)) == [  # type: ignore[arg-type]
        "Add",
        "Clip",
        "Mul",
        "Mul",
    ]


def average() -> Any:
    """What `posture.build_posture` reads off its maps, as exported: 2 joints of 4 values in 36 cells."""
    cells = RNG.random((1, 36, 1, 2), np.float32)
    nodes = [
        node("Transpose", ["x"], "last", perm=[0, 2, 3, 1]),
        node("Reshape", ["last", "target"], "cells"),
        node("Slice", ["cells", "0", "1", "axis"], "score"),
        node("Squeeze", ["score", "axis"], "scores"),
        node("Softmax", ["scores"], "heat", axis=1),
        node("Unsqueeze", ["heat", "axis"], "upright"),
        node("Slice", ["upright", "0", "end", "axis"], "weights"),
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
    found = rewritten(average())
    assert found.count("MatMul") == 2
    assert not {"Transpose", "ReduceSum", "Slice"} & set(found)
    assert len(found) < len(average().graph.node)


def test_an_average_that_is_made_otherwise_stays() -> None:
    model = average()
    [product] = [n for n in model.graph.node if n.output[0] == "weighed"]
    product.input[0] = "score"  # weights that are no softmax
    found = rewritten(model, 1e-3)
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
    assert rewritten(still) == ["Conv"]
    moved = excitement(RNG.normal(0, 1, (8, 8, 1, 1)).astype(np.float32))
    assert rewritten(moved) == ["GlobalAveragePool", "Conv", "HardSigmoid", "Mul", "Conv"]
