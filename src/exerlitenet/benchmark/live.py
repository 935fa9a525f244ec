"""Speed and size of a model at work: one thread, rendered frames, every figure from one run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exerlitenet.benchmark.measure import Benchmark, Measure, machine, measure_of
from exerlitenet.recognition.bundle import CARD, load_bundle
from exerlitenet.recognition.engine import Floats
from exerlitenet.recognition.eyes import Eyes
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.recognition.recognizer import Recognizer
from exerlitenet.video.sequence import prepare, to_unit_range

# Not the demo's seed and none of training's.
SEED = 1_000_001
WARM_UP = 3


def run_benchmark(
    model: str | Path | None = None,
    *,
    quick: bool = False,
    progress: Callable[[float, float | None], None] | None = None,
) -> Benchmark:
    """Measures a model; about 20 seconds, a few with `quick`. Raises InputError when it cannot be loaded.

    A live frame is prepared from a picture of the short side that cameras are scaled to, encoded, and judged
    with the window's other features. Recomputing the window is one encoder call on its prepared frames and
    the head; both are measured in turn, so that their ratio does not depend on what else the machine does.
    """
    from exerlitenet.synthetic.clip import render_clip

    told = progress or (lambda done, total: None)
    bundle = load_bundle(model)
    engine = OnnxEngine(bundle, threads=1)
    spec = engine.spec
    short_side = min(256, spec.source_short_side)
    seconds = 3.0 if quick else 10.0
    size = (short_side * 16 // 9 // 2 * 2, short_side)
    clip = render_clip(SEED, "squat", seconds=seconds, fps=30, width=size[0], height=size[1])
    rounds = 8 if quick else 40
    live, windows = _time_frames(engine, clip.frames, rounds, told)
    out = [measure_of(f"{part}, one frame", live[part], "ms") for part in ("prepare", "encode", "head")]
    whole = live["prepare"] + live["encode"] + live["head"]
    out.append(measure_of("live frame", whole, "ms"))
    out.append(measure_of(f"window of {spec.frames} recomputed", windows, "ms"))
    ratio = float(np.median(whole) / np.median(windows))
    out.append(Measure("live frame / window recomputed", round(ratio, 4), "ratio"))
    out += _time_file(Recognizer(engine), clip.frames, clip.fps, runs=1 if quick else 3, told=told)
    graphs = sum((bundle.folder / graph.file).stat().st_size for graph in (bundle.encoder, bundle.head))
    out.append(Measure("two graphs", float(graphs), "bytes"))
    out.append(Measure("model card", float((bundle.folder / CARD).stat().st_size), "bytes"))
    told(1, 1)
    return Benchmark(engine.name, machine(), tuple(out))


def _time_frames(
    engine: OnnxEngine, frames: NDArray[np.uint8], rounds: int, told: Callable[[float, float | None], None]
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Milliseconds of the parts of live frames, five in each round, and of one recomputed window a round."""
    spec = engine.spec
    pictures = [frames[i % len(frames)] for i in range(spec.frames + 5)]
    # A model that follows is timed where it looks once it has found the person.
    eyes = Eyes(engine)
    for rgb in pictures:
        eyes.encode(rgb)
    view = eyes.view
    window = to_unit_range(np.stack([prepare(rgb, spec, view) for rgb in pictures[: spec.frames]]))

    def encode(pixels: Floats) -> Floats:
        if view is None:
            return engine.encode(pixels)
        return engine.look(pixels, np.tile(view.to_array(), (len(pixels), 1)))[0]

    features = encode(window)
    parts: dict[str, list[float]] = {"prepare": [], "encode": [], "head": []}
    windows: list[float] = []
    for k in range(WARM_UP + rounds):
        if k == WARM_UP:
            windows.clear()
            for times in parts.values():
                times.clear()
        for rgb in pictures[-5:]:
            times_s = [time.perf_counter()]
            pixels = to_unit_range(prepare(rgb, spec, view))[None]
            times_s.append(time.perf_counter())
            feature = encode(pixels)
            times_s.append(time.perf_counter())
            engine.judge(np.concatenate([features[1:], feature])[None])
            times_s.append(time.perf_counter())
            for part, spent in zip(parts.values(), np.diff(times_s), strict=True):
                part.append(1000 * float(spent))
        start_s = time.perf_counter()
        engine.judge(encode(window)[None])
        windows.append(1000 * (time.perf_counter() - start_s))
        told(k, 2 * (WARM_UP + rounds))
    return {name: np.array(times) for name, times in parts.items()}, np.array(windows)


def _time_file(
    recognizer: Recognizer,
    frames: NDArray[np.uint8],
    fps: float,
    *,
    runs: int,
    told: Callable[[float, float | None], None],
) -> list[Measure]:
    """Recognising a file from opening it to its segments."""
    from exerlitenet.synthetic.dataset import write_video

    rates = []
    with tempfile.TemporaryDirectory() as folder:
        path = write_video(frames, fps, Path(folder) / "rendered.mp4")
        for k in range(runs):
            start_s = time.perf_counter()
            recognizer.recognize(path)
            rates.append(len(frames) / (time.perf_counter() - start_s))
            told(0.5 + 0.5 * (k + 1) / runs, 1)
    height, width = frames.shape[1:3]
    name = f"file of {width} x {height} at {fps:g} frames/s"
    return [
        measure_of(name, np.array(rates), "frames/s"),
        measure_of(f"{name}, speed", np.array(rates) / fps, "times real time"),
    ]
