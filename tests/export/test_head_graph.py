"""A sequence head's graph: it is the LSTM in NumPy on whole windows, and continues windows from its states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="writing graphs needs onnx")

from exerlitenet.export.head_graph import HeadWeights, head_graph
from exerlitenet.recognition.streaming_head import NEXT
from graphs import operators, session
from recurrences import Recurrence

STATES = ["hidden_1", "carry_1", "hidden_2", "carry_2"]


@pytest.fixture(scope="module")
def recurrence() -> Recurrence:
    return Recurrence()


@pytest.fixture(scope="module")
def at_work(recurrence: Recurrence) -> Any:
    return session(head_graph(recurrence.head()))


def test_whole_windows_are_the_lstm_in_numpy(recurrence: Recurrence, at_work: Any) -> None:
    for count in (1, 3):
        windows = recurrence.windows(count)
        probabilities, phases, _ = recurrence.step(windows, None)
        found = at_work.run(["probabilities", "phase"], {"projections": windows})
        np.testing.assert_allclose(found[0], probabilities, atol=1e-6)
        np.testing.assert_allclose(found[1], phases, atol=1e-6)


def test_states_may_be_left_out_and_are_outputs(recurrence: Recurrence, at_work: Any) -> None:
    assert [value.name for value in at_work.get_inputs()] == ["projections"]
    assert [value.name for value in at_work.get_overridable_initializers()] == STATES
    windows = recurrence.windows(2)
    states = at_work.run([name + NEXT for name in STATES], {"projections": windows})
    for wanted, found in zip(recurrence.step(windows, None)[2], states, strict=True):
        assert found.shape[:2] == (5, 2)
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_windows_go_on_where_they_left_off(recurrence: Recurrence, at_work: Any) -> None:
    """Three windows of two frames see the same third frame, then a fourth."""
    windows = recurrence.windows(3)
    names = [name + NEXT for name in STATES]
    states = [values[-1] for values in at_work.run(names, {"projections": windows[:, :2]})]
    for frame in (2, 3):
        seen = windows[:1, frame : frame + 1]
        given = {"projections": seen} | dict(zip(STATES, states, strict=True))
        found = at_work.run(["probabilities", "phase", *names], given)
        probabilities, phases, after = recurrence.step(seen, states)
        assert found[0].shape == (3, 3)
        np.testing.assert_allclose(found[0], probabilities, atol=1e-6)
        np.testing.assert_allclose(found[1], phases, atol=1e-6)
        for wanted, state in zip(after, found[2:], strict=True):
            np.testing.assert_allclose(state, wanted, atol=1e-6)
        states = [values[-1] for values in after]


@pytest.mark.parametrize("units", [(4, 3), (5,), (3, 5, 4)])
def test_a_head_without_phase_of_any_depth(units: tuple[int, ...]) -> None:
    recurrence = Recurrence(units=units)
    graph = head_graph(recurrence.head(phase=False))
    assert operators(graph).count("Scan") == 1
    windows = recurrence.windows(2)
    at_work = session(graph)
    found = at_work.run(["probabilities"], {"projections": windows})[0]
    np.testing.assert_allclose(found, recurrence.step(windows, None)[0], atol=1e-6)
    assert len(at_work.get_overridable_initializers()) == 2 * len(units)
    assert "phase" not in [value.name for value in at_work.get_outputs()]


def test_dense_layers_bend_in_between() -> None:
    plain = Recurrence().head()
    rng = np.random.default_rng(2)
    bias = rng.normal(0, 1, 3).astype(np.float32)
    between = rng.normal(0, 1, (3, 6)).astype(np.float32), rng.normal(0, 1, 6).astype(np.float32)
    last = rng.normal(0, 1, (6, 3)).astype(np.float32), bias
    head = HeadWeights(plain.lstm, (between, last), None, 3)
    windows = Recurrence().windows(2)
    hidden = Recurrence().step(windows, None)[2][-2][-1]
    logits = np.maximum(hidden @ between[0] + between[1], 0) @ last[0] + last[1]
    wanted = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    [found] = session(head_graph(head)).run(["probabilities"], {"projections": windows})
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_without_lstms_it_is_the_mean_of_the_frames() -> None:
    at_work = session(head_graph(HeadWeights.mean(3)))
    frames = np.random.default_rng(0).random((2, 5, 3), np.float32)
    np.testing.assert_allclose(at_work.run(None, {"projections": frames})[0], frames.mean(axis=1), atol=1e-6)
    assert not at_work.get_overridable_initializers()
