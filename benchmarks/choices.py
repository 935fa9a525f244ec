"""Choices of the live path beside what else could have been chosen: threads, and frames a call."""

from __future__ import annotations

from exerlitenet.benchmark.live import render_pictures
from exerlitenet.benchmark.machine import cores
from exerlitenet.benchmark.measure import Measure, OnProgress, Unavailable, ignore, measure_of
from exerlitenet.benchmark.stopwatch import LiveFrames
from exerlitenet.benchmark.timing import time_in_turn
from exerlitenet.recognition.bundle import Bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine

BATCHES = (1, 8, 32)
PAUSE_S = 0.05


def measure_threads(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """The live frame with two threads and with all cores, in turn with one thread, each after a pause.

    ONNX Runtime's threads keep waiting for work for a while, which would slow down whatever comes next; live
    frames come with pauses in between anyway.
    """
    counts = sorted({2, cores()} & set(range(2, cores() + 1)))
    if not counts:
        raise Unavailable("threads: there is one core here, so nothing to compare one thread with")
    pictures = render_pictures(bundle.spec, quick=quick)
    sides = {
        f"{n} thread{'s' * (n > 1)}": LiveFrames(OnnxEngine(bundle, threads=n), pictures)
        for n in (1, *counts)
    }
    rounds = 12 if quick else 100
    in_turn = time_in_turn(sides, rounds, warm_up=2, pause_s=PAUSE_S, on_progress=on_progress)
    name = "live frame after a pause"
    one, *more = sides
    return [
        *(in_turn.measure(side, f"{name}, {side}") for side in sides),
        *(in_turn.ratio(f"{name}, {side} / {one}", side, one) for side in more),
    ]


def measure_batches(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """Encoding prepared frames, some in one call as an archive might, in turn; milliseconds a frame, one thread."""
    live = LiveFrames(OnnxEngine(bundle, threads=1), render_pictures(bundle.spec, quick=quick))
    prepared = {n: live.stopwatch.prepared(n) for n in BATCHES}
    sides = {str(n): (lambda n=n: live.stopwatch.encode_batch(*prepared[n])) for n in BATCHES}
    in_turn = time_in_turn(sides, 5 if quick else 40, on_progress=on_progress)
    out = [
        measure_of(f"encode, {n} frame{'s' * (n > 1)} a call", in_turn[str(n)] / n, "ms a frame")
        for n in BATCHES
    ]
    for n in BATCHES[1:]:
        ratios = in_turn[str(n)] / n / in_turn["1"]
        out.append(measure_of(f"encode, {n} frames a call / 1 frame", ratios, "ratio"))
    return out
