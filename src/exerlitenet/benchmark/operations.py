"""Operations of the model, counted from its graphs, and the operators that its encoder's time goes to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exerlitenet.benchmark.graph import GraphCost, graph_cost, operator_times
from exerlitenet.benchmark.measure import Measure, Told, measure_of, rounded
from exerlitenet.recognition.bundle import Bundle
from exerlitenet.recognition.engine import whole_squares
from exerlitenet.recognition.onnx_engine import OnnxEngine

LEAST_SHARE = 1 / 30
"""Operators that take less of the time are told together."""


def measure_operations(bundle: Bundle, *, quick: bool, told: Told | None = None) -> list[Measure]:
    """Millions of MACs of a frame and of a window; see `graph` for the convention.

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


def measure_operators(bundle: Bundle, *, quick: bool, told: Told | None = None) -> list[Measure]:
    """Where the encoder's time goes, a frame a call, one thread."""
    path = bundle.folder / bundle.encoder.file
    times = operator_times(path, encoder_inputs(bundle), runs=10 if quick else 200)
    # The profile tells whole microseconds, which a tiny graph may not need one of.
    whole = np.maximum(np.sum(list(times.values()), axis=0), 1e-3)
    shares = {operator: spent / whole for operator, spent in times.items()}
    rows = {operator: share for operator, share in shares.items() if np.median(share) >= LEAST_SHARE}
    others = [share for operator, share in shares.items() if operator not in rows]
    if others:
        rows["all others"] = np.sum(others, axis=0)
    return [measure_of(f"encoder: share of time in {name}", share, "ratio") for name, share in rows.items()]


def encoder_cost(bundle: Bundle) -> GraphCost:
    """What encoding one frame costs."""
    return graph_cost(bundle.folder / bundle.encoder.file, encoder_inputs(bundle))


def head_cost(bundle: Bundle) -> GraphCost:
    """What judging one window costs."""
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
