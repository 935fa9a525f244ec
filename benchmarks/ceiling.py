"""The machine's ceiling, one thread: arithmetic and memory, in turn with the encoder, and the share that it reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.operations import GraphCost, encoder_cost, encoder_inputs, profiled
from exerlitenet.benchmark.live import render_pictures
from exerlitenet.benchmark.measure import Measure, OnProgress, measure_of, rounded
from exerlitenet.benchmark.process import call
from exerlitenet.benchmark.stopwatch import LiveFrames
from exerlitenet.benchmark.timing import time_in_turn
from exerlitenet.recognition.bundle import Bundle, load_bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""Environment that holds NumPy's matrix products to one thread; it is read when NumPy is loaded."""

LEAST_SHARE = 1 / 30
"""Operators that take less of the time are one row together."""
MATRIX = 1024
ARRAY_BYTES = 2**27
"""Far larger than any cache, so that a copy runs at the speed of memory."""
FRAMES = 10
"""Encoded one after another each round, about as long as the other two take; the copy has emptied the caches before."""


@dataclass(frozen=True)
class Roofline:
    """A piece of work on a machine.

    macs: multiply-accumulates, two operations each. bytes_moved: to and from memory at least.
    peak_gflops: 10^9 operations a second; bandwidth_gb_s: 10^9 bytes a second.
    """

    macs: int
    bytes_moved: int
    peak_gflops: float
    bandwidth_gb_s: float

    @property
    def intensity(self) -> float:
        """Operations a byte."""
        return 2 * self.macs / self.bytes_moved

    @property
    def ridge(self) -> float:
        """Operations a byte from which on arithmetic bounds, not memory."""
        return self.peak_gflops / self.bandwidth_gb_s

    @property
    def arithmetic_ms(self) -> float:
        """Milliseconds of the arithmetic at the peak."""
        return 2 * self.macs / self.peak_gflops / 1e6

    @property
    def memory_ms(self) -> float:
        """Milliseconds of the traffic at the bandwidth."""
        return self.bytes_moved / self.bandwidth_gb_s / 1e6

    @property
    def bound_ms(self) -> float:
        """Milliseconds that the work takes at least."""
        return max(self.arithmetic_ms, self.memory_ms)

    def share(self, measured_ms: float) -> float:
        """Part of the ceiling that is reached, 0 to 1."""
        return self.bound_ms / measured_ms


def measure_ceiling(bundle: Bundle, *, quick: bool, on_progress: OnProgress | None = None) -> list[Measure]:
    """Peak float32 arithmetic and memory bandwidth of one thread, and how near the encoder comes; a frame a call.

    Raises Unavailable for a graph whose operations cannot be counted.
    """
    rounds = 5 if quick else 40
    taken = call(f"{__name__}:time_machine", [str(bundle.folder), rounds], environment=ONE_THREAD)
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
    prepared = live.stopwatch.prepared(1)

    def encode() -> None:
        for _ in range(FRAMES):
            live.stopwatch.encode_batch(*prepared)

    sides = {
        "matrix product": lambda: np.matmul(first, second, out=product),
        "copy": lambda: np.copyto(copy, source),
        "encode": encode,
    }
    in_turn = time_in_turn(sides, rounds, warm_up=2)
    return {name: in_turn[name].tolist() for name in sides}


def measure_operators(bundle: Bundle, *, quick: bool, on_progress: OnProgress | None = None) -> list[Measure]:
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


def operator_times(
    path: Path, inputs: Mapping[str, NDArray[np.float32]], *, runs: int
) -> dict[str, NDArray[np.float64]]:
    """Operator -> milliseconds that a run spends in it, float64 [runs], longest first; fused as ONNX Runtime runs it.

    Measuring every node costs some microseconds each, so many small ones look larger than they are.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    warm_up = 2
    nodes = profiled(path, options, inputs, runs=warm_up + runs)
    length = len(nodes) // (warm_up + runs)
    times: dict[str, NDArray[np.float64]] = {}
    for place, node in enumerate(nodes):
        run = place // length - warm_up
        if run >= 0:
            spent = times.setdefault(node["args"]["op_name"], np.zeros(runs))
            spent[run] += node["dur"] / 1000
    return dict(sorted(times.items(), key=lambda item: -float(np.median(item[1]))))
