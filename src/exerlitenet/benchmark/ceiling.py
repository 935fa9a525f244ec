"""The machine's ceiling, one thread: arithmetic and memory, in turn with the encoder, and the share that it reaches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from exerlitenet.benchmark.child import ONE_THREAD, call
from exerlitenet.benchmark.graph import GraphCost
from exerlitenet.benchmark.live import render_pictures
from exerlitenet.benchmark.measure import Measure, Told, measure_of, rounded
from exerlitenet.benchmark.operations import encoder_cost
from exerlitenet.benchmark.roofline import Roofline
from exerlitenet.benchmark.stopwatch import LiveFrames
from exerlitenet.benchmark.timing import time_in_turn
from exerlitenet.recognition.bundle import Bundle, load_bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine

MATRIX = 1024
ARRAY_BYTES = 2**27
"""Far larger than any cache, so that a copy runs at the speed of memory."""
FRAMES = 10
"""Encoded one after another each round, about as long as the other two take; the copy has emptied the caches before."""


def measure_ceiling(bundle: Bundle, *, quick: bool, told: Told | None = None) -> list[Measure]:
    """Peak float32 arithmetic and memory bandwidth of one thread, and how near the encoder comes; a frame a call.

    Raises Unavailable for a graph whose operations cannot be counted.
    """
    rounds = 5 if quick else 40
    taken = call(
        "exerlitenet.benchmark.ceiling:time_machine", [str(bundle.folder), rounds], environment=ONE_THREAD
    )
    ms = {name: np.array(times) for name, times in taken.items()}
    ms["encode"] /= FRAMES
    gflops = 2 * MATRIX**3 / ms["matrix product"] / 1e6
    bandwidth = 2 * ARRAY_BYTES / ms["copy"] / 1e6
    cost = encoder_cost(bundle)
    # Of each round by itself, so that what slows the whole machine down for a while changes no share.
    rooflines = [roofline_of(cost, *pair) for pair in zip(gflops.tolist(), bandwidth.tolist(), strict=True)]
    shares = [r.share(spent) for r, spent in zip(rooflines, ms["encode"].tolist(), strict=True)]

    def each(name: str, unit: str, value: Callable[[Roofline], float]) -> Measure:
        return measure_of(name, np.array([value(roofline) for roofline in rooflines]), unit)

    return [
        measure_of("machine: matrix product, float32, one thread", gflops, "GFLOP/s"),
        measure_of("machine: memory, copy, one thread", bandwidth, "GB/s"),
        each("machine: intensity where both bounds meet", "FLOP a byte", lambda r: r.ridge),
        Measure("encoder: operations", rounded(2 * cost.macs / 1e9), "GFLOP a frame"),
        Measure("encoder: bytes moved at least", rounded(bytes_moved(cost) / 1e6), "MB a frame"),
        Measure("encoder: intensity", rounded(rooflines[0].intensity), "FLOP a byte"),
        each("encoder: bound by arithmetic", "ms a frame", lambda r: r.arithmetic_ms),
        each("encoder: bound by memory", "ms a frame", lambda r: r.memory_ms),
        measure_of("encoder: measured", ms["encode"], "ms a frame"),
        measure_of("encoder: arithmetic reached", 2 * cost.macs / ms["encode"] / 1e6, "GFLOP/s"),
        measure_of("encoder: share of the ceiling", np.array(shares), "ratio"),
    ]


def bytes_moved(cost: GraphCost) -> int:
    """Every weight once, and every counted layer's input and output once."""
    return cost.weight_bytes + cost.activation_bytes


def roofline_of(cost: GraphCost, peak_gflops: float, bandwidth_gb_s: float) -> Roofline:
    """A graph on a machine of so many 10^9 operations and bytes a second."""
    return Roofline(cost.macs, bytes_moved(cost), peak_gflops, bandwidth_gb_s)


def time_machine(model: str, rounds: int) -> dict[str, list[float]]:
    """In a fresh process: milliseconds of each side, in turn. NumPy must be held to one thread."""
    rng = np.random.default_rng(0)
    first, second = (rng.standard_normal((MATRIX, MATRIX), np.float32) for _ in range(2))
    product = np.empty_like(first)
    source = np.ones(ARRAY_BYTES // 8)
    copy = np.zeros_like(source)
    engine = OnnxEngine(load_bundle(model), threads=1)
    live = LiveFrames(engine, render_pictures(engine.spec, quick=True))
    prepared = live.watch.prepared(1)

    def encode() -> None:
        for _ in range(FRAMES):
            live.watch.encode_batch(*prepared)

    sides = {
        "matrix product": lambda: np.matmul(first, second, out=product),
        "copy": lambda: np.copyto(copy, source),
        "encode": encode,
    }
    in_turn = time_in_turn(sides, rounds, warm_up=2)
    return {name: in_turn[name].tolist() for name in sides}
