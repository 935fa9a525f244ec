"""The paper's measure on the paper's network as ONNX, with random weights: speed does not depend on them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.pace import SHIPPED, Push, measure_answers
from exerlitenet.benchmark.live import Pictures, render_pictures
from exerlitenet.benchmark.measure import Measure, OnProgress, Unavailable, ignore, measure_of
from exerlitenet.benchmark.process import call
from exerlitenet.benchmark.stopwatch import LiveFrames
from exerlitenet.benchmark.timing import time_in_turn
from exerlitenet.recognition.bundle import Bundle, graph_of, load_bundle
from exerlitenet.recognition.engine import Engine
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.video.sequence import prepare, to_unit_range

PAPER = "the paper's network"
CONFIG = "paper"


def measure_paper_pace(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """The paper's network as the paper runs it: 15 frames make a sequence, which is classified in one call.

    Raises Unavailable without Keras.
    """
    with TemporaryDirectory() as folder:
        paper = OnnxEngine(paper_bundle(Path(folder)), threads=1, check=False)
        pictures = render_pictures(paper.spec, quick=quick)
        runs = 2 if quick else 12
        out = measure_answers(PAPER, lambda: sequence_push(paper), pictures, runs, on_progress)
        live = LiveFrames(OnnxEngine(bundle, threads=1), pictures)
        frames = paper.spec.frames
        window = deque((prepare(rgb, paper.spec) for rgb in cycle_of(pictures, frames)), maxlen=frames)

        def sequence() -> None:
            push = sequence_push(paper)
            for rgb in cycle_of(pictures, frames):
                push(rgb)

        def frame() -> None:
            window.append(prepare(pictures[0], paper.spec))
            classify_sequence(paper, window)

        def stream() -> None:
            for _ in range(frames):
                live()

        sides = {"sequence": sequence, "frame": frame, "model": stream}
        in_turn = time_in_turn(sides, 5 if quick else 40)
    frame_ms = in_turn["model"] / frames
    rates = {
        f"{PAPER}: sustained, one judgement a sequence": 1000 * frames / in_turn["sequence"],
        f"{PAPER}: sustained, every frame judged": 1000 / in_turn["frame"],
    }
    ratios = {
        f"sustained, {SHIPPED} every frame / {PAPER} every sequence": in_turn["sequence"] / in_turn["model"],
        f"sustained, every frame judged, {SHIPPED} / {PAPER}": in_turn["frame"] / frame_ms,
    }
    out += [measure_of(name, rate, "frames/s") for name, rate in rates.items()]
    out += [measure_of(name, ratio, "ratio") for name, ratio in ratios.items()]
    return out


def sequence_push(engine: Engine) -> Push:
    """As the paper works: frames are resized as they come, and the whole network runs once the sequence is there."""
    spec = engine.spec
    sequence: list[NDArray[np.uint8]] = []

    def push(rgb: NDArray[np.uint8]) -> bool:
        sequence.append(prepare(rgb, spec))
        if len(sequence) < spec.frames:
            return False
        classify_sequence(engine, sequence)
        sequence.clear()
        return True

    return push


def classify_sequence(engine: Engine, frames: Iterable[NDArray[np.uint8]]) -> None:
    """The whole network on prepared frames, uint8 [size, size, 3] each."""
    engine.classify(engine.encode(to_unit_range(np.stack(list(frames))))[None])


def cycle_of(pictures: Pictures, count: int) -> Iterator[NDArray[np.uint8]]:
    """So many pictures, over and over."""
    return islice(cycle(pictures), count)


def paper_bundle(folder: Path) -> Bundle:
    """Exports the network of the configuration `paper` into `folder`. Its answers mean nothing.

    A fresh process does it, so that nothing of Keras runs beside what is timed.

    Raises Unavailable where Keras or what exports from it is not installed.
    """
    missing = [
        name for name in ("keras", "tensorflow", "tf2onnx", "onnx", "onnxscript") if find_spec(name) is None
    ]
    if missing:
        raise Unavailable(
            f"paper: its network needs {', '.join(missing)}, not installed: pip install '.[train]'"
        )
    call(f"{__name__}:write_paper_network", [str(folder)])
    return load_bundle(folder)


def write_paper_network(folder: str) -> None:
    """In a fresh process: builds, exports, and writes a bundle without a stored sample."""
    from exerlitenet.training.keras import import_keras

    import_keras()
    from exerlitenet.export.export import to_onnx, write_head
    from exerlitenet.export.head_graph import INPUT
    from exerlitenet.training.cnn_lstm.network import build, encoder, head_weights
    from exerlitenet.training.config import load_config

    config = load_config(CONFIG)
    network = build(config.model, config.sequence, config.classes, None)
    frames, head = Path(folder) / "encoder.onnx", Path(folder) / "head.onnx"
    pixels = encoder(network)
    to_onnx(pixels, frames)
    write_head(head_weights(network), head)
    graphs = (
        graph_of(frames, pixels.inputs[0].name, {"projection": output_name(frames)}),
        graph_of(head, INPUT, head_weights(network).roles),
    )
    Bundle(Path(folder), config.name, config.classes, config.sequence, *graphs).save()


def output_name(path: Path) -> str:
    """Of a graph's only output."""
    import onnxruntime

    [output] = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_outputs()
    return str(output.name)
