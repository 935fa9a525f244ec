"""The model with int8 weights, as `exerlitenet export --int8` stores it, made of the model that is there."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from exerlitenet.benchmark.measure import Unavailable
from exerlitenet.recognition.bundle import Bundle, Graph, graph_of


def int8_bundle(bundle: Bundle, folder: Path) -> Bundle:
    """Writes both graphs with int8 weights into `folder`. The stored sample is left out: it tells float32's output.

    Raises Unavailable where onnx is not installed.
    """
    if find_spec("onnx") is None:
        raise Unavailable("int8: needs onnx, which is not installed: pip install 'exerlitenet[train]'")
    from exerlitenet.export.quantise import quantise_weights

    def quantised(graph: Graph) -> Graph:
        path = Path(shutil.copyfile(bundle.folder / graph.file, folder / graph.file))
        quantise_weights(path)
        return graph_of(path, graph.input, graph.outputs, graph.views)

    return replace(
        bundle, folder=folder, encoder=quantised(bundle.encoder), head=quantised(bundle.head), sample=None
    )
