"""Size and operations of the model: bytes on disk, parameters, multiply-accumulates."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from exerlitenet.benchmark.ceiling import encoder_cost
from exerlitenet.benchmark.graph import GraphCost, graph_cost
from exerlitenet.benchmark.int8 import int8_bundle
from exerlitenet.benchmark.measure import Measure, Told, rounded
from exerlitenet.recognition.bundle import CARD, Bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine


def measure_size(bundle: Bundle, *, quick: bool, told: Told | None = None) -> list[Measure]:
    """Bytes on disk."""
    return [
        Measure("two graphs", graph_bytes(bundle), "bytes"),
        Measure("model card", float((bundle.folder / CARD).stat().st_size), "bytes"),
    ]


def measure_int8_size(bundle: Bundle, *, quick: bool, told: Told | None = None) -> list[Measure]:
    """Bytes on disk with int8 weights. Raises Unavailable where such a model cannot be made."""
    with TemporaryDirectory() as folder:
        return [Measure("two graphs, int8 weights", graph_bytes(int8_bundle(bundle, Path(folder))), "bytes")]


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


def graph_bytes(bundle: Bundle) -> float:
    """Of both graphs on disk."""
    return float(sum((bundle.folder / graph.file).stat().st_size for graph in (bundle.encoder, bundle.head)))


def head_cost(bundle: Bundle) -> GraphCost:
    """What judging one window costs."""
    spec, graph = bundle.spec, bundle.head
    engine = OnnxEngine(bundle, check=False)
    feature = engine.encode(np.zeros((1, spec.size, spec.size, 3), np.float32))
    window = np.repeat(feature, spec.frames, axis=0)[None]
    return graph_cost(bundle.folder / graph.file, {graph.input: window})
