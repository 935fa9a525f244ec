"""Size of the model: bytes on disk, as it is and with int8 weights."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from exerlitenet.benchmark.int8 import int8_bundle
from exerlitenet.benchmark.measure import Measure, Told
from exerlitenet.recognition.bundle import CARD, Bundle


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


def graph_bytes(bundle: Bundle) -> float:
    """Of both graphs on disk."""
    return float(sum((bundle.folder / graph.file).stat().st_size for graph in (bundle.encoder, bundle.head)))
