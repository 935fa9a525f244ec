"""The paper's network as ONNX with random weights: speed does not depend on them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from exerlitenet.benchmark.child import call
from exerlitenet.benchmark.measure import Unavailable
from exerlitenet.recognition.bundle import Bundle, graph_of, load_bundle

CONFIG = "paper"


def paper_bundle(folder: Path) -> Bundle:
    """Exports the network of the configuration `paper` into `folder`. Its answers mean nothing.

    A fresh process does it, so that nothing of Keras runs beside what is timed.

    Raises Unavailable where Keras or what exports from it is not installed.
    """
    missing = [name for name in ("keras", "tensorflow", "tf2onnx", "onnx") if find_spec(name) is None]
    if missing:
        raise Unavailable(
            f"paper: its network needs {', '.join(missing)}, not installed: pip install 'exerlitenet[train]'"
        )
    call("exerlitenet.benchmark.paper_network:write_paper_network", [str(folder)])
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
