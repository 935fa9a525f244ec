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
    from exerlitenet.export.export import to_onnx
    from exerlitenet.training.cnn_lstm.network import build, encoder, sequence_head
    from exerlitenet.training.config import load_config

    config = load_config(CONFIG)
    network = build(config.model, config.sequence, config.classes, None)
    graphs = {}
    for role, model, output in (
        ("encoder", encoder(network), "projection"),
        ("head", sequence_head(network), "probabilities"),
    ):
        path = Path(folder) / f"{role}.onnx"
        to_onnx(model, path)
        graphs[role] = graph_of(path, model.inputs[0].name, {output: output_name(path)})
    Bundle(
        Path(folder), config.name, config.classes, config.sequence, graphs["encoder"], graphs["head"]
    ).save()


def output_name(path: Path) -> str:
    """Of a graph's only output."""
    import onnxruntime

    [output] = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_outputs()
    return str(output.name)
