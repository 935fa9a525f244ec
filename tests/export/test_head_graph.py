"""A sequence head that was unrolled: what it says as a whole stays, and it can go on with windows where it left off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="rewriting graphs needs onnx")

from exerlitenet.export.graph import Graph
from exerlitenet.export.head_graph import find_layers, roll_windows
from exerlitenet.recognition.streaming_head import NEXT
from graphs import operators, run, session
from recurrences import Recurrence

STATES = ["hidden_1", "carry_1", "hidden_2", "carry_2"]


@pytest.fixture(scope="module")
def recurrence() -> Recurrence:
    return Recurrence()


@pytest.fixture(scope="module")
def rolled(recurrence: Recurrence) -> Any:
    return roll_windows(Graph(recurrence.unrolled()))


def test_the_unrolled_graph_is_the_lstm_in_numpy(recurrence: Recurrence) -> None:
    """So the gates stand in Keras' order, and the rest of this file means something."""
    windows = recurrence.windows(3)
    probabilities, phases, _ = recurrence.step(windows, None)
    found = run(recurrence.unrolled(), {"windows": windows})
    np.testing.assert_allclose(found[0], probabilities, atol=1e-5)
    np.testing.assert_allclose(found[1], phases, atol=1e-5)
    keras_order = recurrence.recurrent[0].copy()
    recurrence.recurrent[0] = np.roll(keras_order, 4, axis=1)
    assert np.abs(recurrence.step(windows, None)[0] - probabilities).max() > 1e-3
    recurrence.recurrent[0] = keras_order


def test_layers_are_found_where_they_are_unrolled(recurrence: Recurrence) -> None:
    first, second = find_layers(Graph(recurrence.unrolled()))
    assert (first.source, first.recurrent, first.units, first.sequence) == (
        "windows",
        "recurrent0",
        4,
        "sequence0",
    )
    assert (second.source, second.units, len(second.hidden)) == ("gates1", 3, 5)


def test_whole_windows_are_judged_as_before(recurrence: Recurrence, rolled: Any) -> None:
    plain = recurrence.unrolled()
    for count in (1, 3):
        windows = recurrence.windows(count)
        after = session(rolled).run(["probabilities", "phase"], {"windows": windows})
        for wanted, found in zip(run(plain, {"windows": windows}), after, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_one_cell_stands_in_the_place_of_all(recurrence: Recurrence, rolled: Any) -> None:
    assert len(rolled.graph.node) < len(recurrence.unrolled().graph.node) / 4
    assert operators(rolled).count("Scan") == 1
    longer = roll_windows(Graph(Recurrence(frames=9).unrolled()))
    assert operators(longer) == operators(rolled)


def test_weights_are_stored_once_and_unchanged(recurrence: Recurrence, rolled: Any) -> None:
    from onnx import numpy_helper

    stored = [numpy_helper.to_array(tensor) for tensor in rolled.graph.initializer]
    for weights in (*recurrence.recurrent, *recurrence.kernels, *recurrence.biases):
        assert sum(np.array_equal(weights, values) for values in stored) == 1


def test_states_may_be_left_out_and_are_told(recurrence: Recurrence, rolled: Any) -> None:
    at_work = session(rolled)
    assert [value.name for value in at_work.get_inputs()] == ["windows"]
    assert [value.name for value in at_work.get_overridable_initializers()] == STATES
    windows = recurrence.windows(2)
    told = at_work.run([name + NEXT for name in STATES], {"windows": windows})
    for wanted, found in zip(recurrence.step(windows, None)[2], told, strict=True):
        assert found.shape[:2] == (5, 2)
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_windows_go_on_where_they_left_off(recurrence: Recurrence, rolled: Any) -> None:
    """Three windows of two frames see the same third frame, then a fourth."""
    at_work = session(rolled)
    windows = recurrence.windows(3)
    states = [s[-1] for s in at_work.run([name + NEXT for name in STATES], {"windows": windows[:, :2]})]
    for frame in (2, 3):
        seen = windows[:1, frame : frame + 1]
        found = at_work.run(None, {"windows": seen} | dict(zip(STATES, states, strict=True)))
        probabilities, phases, after = recurrence.step(seen, states)
        assert found[0].shape == (3, 3)
        np.testing.assert_allclose(found[0], probabilities, atol=1e-6)
        np.testing.assert_allclose(found[1], phases, atol=1e-6)
        states = [values[-1] for values in after]


def test_a_head_without_phase_and_one_of_one_layer() -> None:
    for recurrence in (Recurrence(units=(4, 3)), Recurrence(units=(5,))):
        plain = recurrence.unrolled(phase=False)
        rolled = roll_windows(Graph(plain))
        windows = recurrence.windows(2)
        found = session(rolled).run(["probabilities"], {"windows": windows})[0]
        np.testing.assert_allclose(found, run(plain, {"windows": windows})[0], atol=1e-6)
        assert operators(rolled).count("Scan") == 1
        assert len(session(rolled).get_overridable_initializers()) == 2 * len(recurrence.units)


def changed(recurrence: Recurrence, output: str, operator: str = "", inputs: Sequence[str] = ()) -> Any:
    """The unrolled graph with another operator, or other inputs, for one node."""
    model = recurrence.unrolled()
    [found] = [n for n in model.graph.node if output in n.output]
    found.op_type = operator or found.op_type
    found.input[:] = inputs or found.input
    return model


@pytest.mark.parametrize(
    ("output", "other"),
    [
        ("bounded0_2", {"operator": "Sigmoid"}),
        ("kept1_3", {"operator": "Add"}),
        ("again0_3", {"inputs": ["hidden0_1", "recurrent0"]}),
        ("cut0_2", {"inputs": ["windows", "start0_1", "end0_1", "bounds"]}),
        ("gates1", {"operator": "Mul"}),
    ],
)
def test_what_is_no_lstm_throughout_stays_as_it_is(
    recurrence: Recurrence, output: str, other: dict[str, Any]
) -> None:
    plain = changed(recurrence, output, **other)
    left = roll_windows(Graph(plain))
    assert "Scan" not in operators(left)
    windows = recurrence.windows(2)
    for wanted, found in zip(run(plain, {"windows": windows}), run(left, {"windows": windows}), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)
