"""Size of the model: bytes on disk, as it is and with int8 weights, as `exerlitenet export --int8` stores it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from exerlitenet.benchmark.measure import Measure, OnProgress, Unavailable, ignore
from exerlitenet.recognition.bundle import CARD, Bundle, Graph, graph_of


def measure_size(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """Bytes on disk."""
    return [
        Measure("two graphs", graph_bytes(bundle), "bytes"),
        Measure("model card", float((bundle.folder / CARD).stat().st_size), "bytes"),
    ]


def measure_int8_size(bundle: Bundle, *, quick: bool, on_progress: OnProgress = ignore) -> list[Measure]:
    """Bytes on disk with int8 weights. Raises Unavailable where such a model cannot be made."""
    with TemporaryDirectory() as folder:
        return [Measure("two graphs, int8 weights", graph_bytes(int8_bundle(bundle, Path(folder))), "bytes")]


def graph_bytes(bundle: Bundle) -> float:
    """Of both graphs on disk."""
    return float(sum((bundle.folder / graph.file).stat().st_size for graph in (bundle.encoder, bundle.head)))


def int8_bundle(bundle: Bundle, folder: Path) -> Bundle:
    """Writes both graphs with int8 weights into `folder`. The stored sample is left out: it tells float32's output.

    Raises Unavailable where onnx is not installed.
    """
    if find_spec("onnx") is None:
        raise Unavailable("int8: needs onnx, which is not installed: pip install '.[train]' in the checkout")
    from exerlitenet.export.quantise import quantise_weights

    def quantised(graph: Graph) -> Graph:
        path = Path(shutil.copyfile(bundle.folder / graph.file, folder / graph.file))
        quantise_weights(path)
        return graph_of(path, graph.input, graph.outputs, graph.views)

    return replace(
        bundle, folder=folder, encoder=quantised(bundle.encoder), head=quantised(bundle.head), sample=None
    )
