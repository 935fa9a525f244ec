"""A graph that is rewritten: what is asked of it, and what is left of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="rewriting graphs needs onnx")

from exerlitenet.export.graph import OPEN, Graph, attribute, taken
from graphs import made, node, operators, run

TWO = np.full((1, 2), 2, np.float32)


def small() -> Any:
    """a -> doubled -> both; a -> shifted -> both; shifted also feeds what nobody takes."""
    nodes = [
        node("Mul", ["a", "two"], "doubled"),
        node("Add", ["a", "one"], "shifted"),
        node("Relu", ["shifted"], "unused"),
        node("Concat", ["doubled", "shifted"], "both", axis=1),
    ]
    constants = {"two": TWO, "one": np.array(1, np.float32)}
    return made(nodes, constants, {"a": ["n", 2]}, {"both": ["n", 4]})


def test_who_makes_and_who_takes_a_value() -> None:
    graph = Graph(small())
    assert graph.maker("doubled").op_type == "Mul"
    assert graph.maker("doubled", "Mul") is graph.maker("doubled")
    assert graph.maker("doubled", "Add") is None
    assert graph.maker("a") is graph.maker("two") is None
    assert [n.op_type for n in graph.users("a")] == ["Mul", "Add"]
    assert graph.only_user("doubled", "Concat").output[0] == "both"
    assert graph.only_user("doubled", "Mul") is graph.only_user("a") is graph.only_user("both") is None


def test_constants_and_numbers() -> None:
    graph = Graph(small())
    np.testing.assert_array_equal(graph.constant("two"), TWO)
    assert graph.constant("a") is graph.constant("doubled") is None
    assert (graph.number("one"), graph.number("two"), graph.number("a")) == (1, None, None)
    assert graph.with_number(graph.maker("shifted"), 1) == "a"
    assert graph.with_number(graph.maker("shifted"), 1.1) is None
    value, values = graph.with_constant(graph.maker("doubled"))
    assert value == "a"
    np.testing.assert_array_equal(values, TWO)
    assert graph.with_constant(graph.maker("both")) is None


def test_shapes_leave_the_number_open() -> None:
    graph = Graph(small())
    assert graph.shape("a") == graph.shape("doubled") == (OPEN, 2)
    assert graph.shape("both") == (OPEN, 4)
    assert graph.shape("two") == (1, 2)
    assert graph.shape("nothing") is None


def test_a_value_takes_the_place_of_another() -> None:
    graph = Graph(small())
    graph.replace("doubled", graph.add("Add", ["a", "a"], "sum"))
    graph.pass_on("shifted", "a")
    model = graph.model()
    # The new node was added last and stands before the one that takes it; what is not needed is gone.
    assert operators(model) == ["Add", "Concat"]
    assert not model.graph.initializer
    a = np.array([[1, 2], [3, 4]], np.float32)
    np.testing.assert_array_equal(run(model, {"a": a})[0], np.concatenate([2 * a, a], axis=1))


def test_the_model_it_came_from_stays() -> None:
    model = small()
    before = model.SerializeToString()
    graph = Graph(model)
    graph.replace("both", graph.add("Concat", ["shifted", "doubled"], "turned", axis=1))
    assert model.SerializeToString() == before
    assert [o.name for o in graph.model().graph.output] == ["both"]
    a = np.ones((1, 2), np.float32)
    np.testing.assert_array_equal(run(graph.model(), {"a": a})[0], [[2, 2, 2, 2]])


def test_new_names_are_nobody_elses() -> None:
    graph = Graph(small())
    names = {graph.keep(TWO, "two") for _ in range(3)} | {graph.add("Relu", ["a"], "two") for _ in range(3)}
    assert len(names) == 6
    assert not names & {"a", "two", "one", "doubled", "shifted", "both"}
    with pytest.raises(ValueError, match="called two already"):
        graph.keep_named("two", TWO)
    assert graph.keep_named("state", TWO) == "state"


def test_a_circle_is_found() -> None:
    graph = Graph(small())
    graph.maker("doubled").input[0] = "both"
    with pytest.raises(ValueError, match="circle"):
        graph.clean()


def test_an_inner_graph_takes_what_it_does_not_make() -> None:
    from onnx import TensorProto, helper

    def described(name: str) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])

    inner = helper.make_graph(
        [node("Add", ["x", "outer"], "y"), node("Mul", ["y", "state"], "z")],
        "inner",
        [described("state"), described("x")],
        [described("z"), described("y")],
    )
    scan = node("Scan", ["s", "", "xs"], "s_end", "ys", body=inner, num_scan_inputs=1)
    assert list(taken(scan)) == ["s", "xs", "outer"]


def test_attributes() -> None:
    several = node("Transpose", ["a"], "b", perm=[1, 0])
    assert attribute(several, "perm") == [1, 0]
    assert attribute(several, "axis", 7) == 7
    assert attribute(node("Resize", ["a"], "b", mode="nearest"), "mode") == b"nearest"
