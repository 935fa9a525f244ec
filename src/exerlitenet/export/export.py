"""A trained network becomes a bundle: two ONNX graphs and a card, checked against Keras before anything is kept."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.errors import InputError
from exerlitenet.export.frame_graph import simplify_frames
from exerlitenet.export.head_graph import INPUT, HeadWeights, head_graph
from exerlitenet.export.quantise import quantise_weights
from exerlitenet.recognition.bundle import Bundle, Sample, graph_of, load_bundle
from exerlitenet.recognition.engine import whole_squares
from exerlitenet.recognition.frame_encoder import encode_whole
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.recognition.repetitions import CountingThresholds
from exerlitenet.recognition.segments import SegmentThresholds
from exerlitenet.recognition.streaming_head import streaming_head_of
from exerlitenet.video.sequence import SequenceSpec, prepare, to_unit_range

if TYPE_CHECKING:
    import keras

LARGEST_DIFFERENCE = 1e-4
SAMPLE_SIDE = 40


@dataclass(frozen=True)
class Parts:
    """What is exported.

    encoder: pixels [n, size, size, 3], perhaps with views [n, 3] -> projections [n, width], or a dict with
    "projection" and "joints". head: what continues from there. full: [b, frames, size, size, 3], perhaps with views
    [b, frames, 3] -> probabilities, the network as it was trained.
    """

    name: str
    classes: tuple[str, ...]
    spec: SequenceSpec
    encoder: keras.Model
    head: HeadWeights
    full: keras.Model
    phase_delay: int = 0
    segments: SegmentThresholds = field(default_factory=SegmentThresholds)
    counting: CountingThresholds = field(default_factory=CountingThresholds)


@dataclass(frozen=True)
class ExportReport:
    """What an export came to.

    bytes: of both graphs. difference: largest between Keras' and ONNX Runtime's probabilities on `sequences`
    sequences; for int8 it is what quantisation costs, not an error.
    """

    bundle: Bundle
    bytes: int
    difference: float
    sequences: int
    int8: bool

    def lines(self) -> list[str]:
        """For people."""
        kind = "int8 weights" if self.int8 else "float32"
        return [
            f"{self.bundle.folder}: {self.bytes:,} bytes in two graphs, {kind}",
            f"probabilities differ from Keras by at most {self.difference:.1e} on {self.sequences} sequences",
        ]


def export_bundle(
    parts: Parts,
    out: Path,
    sequences: Sequence[NDArray[np.uint8]],
    *,
    sample: NDArray[np.uint8],
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Any],
    int8: bool = False,
) -> ExportReport:
    """Writes a bundle into the new folder `out`.

    sequences: some to compare on, each uint8 [frames, size, size, 3]. sample: uint8 [frames, height, width, 3],
    stored small with its expected output; nobody's footage, since it goes wherever the model goes.
    Raises InputError when `out` is not free, or when Keras and ONNX Runtime disagree by more than 1e-4; nothing
    is left behind then.
    """
    check_free(out)
    with TemporaryDirectory(prefix=".export-", dir=out.absolute().parent) as work:
        folder = Path(work)
        encoder, head = folder / "encoder.onnx", folder / "head.onnx"
        pixels, *views = (value.name for value in parts.encoder.inputs)
        to_onnx(parts.encoder, encoder)
        write_head(parts.head, head)
        if int8:
            quantise_weights(encoder)
            quantise_weights(head)
        bundle = Bundle(
            folder=folder,
            name=parts.name,
            classes=parts.classes,
            spec=parts.spec,
            encoder=graph_of(encoder, pixels, _roles(encoder, parts.encoder), *views),
            head=graph_of(head, INPUT, parts.head.roles),
            phase_delay=parts.phase_delay,
            segment_thresholds=parts.segments,
            counting_thresholds=parts.counting,
            metrics=metrics,
            provenance=dict(provenance) | {"int8": int8},
        )
        engine = OnnxEngine(bundle, check=False)
        difference = largest_difference(engine, parts.full, sequences)
        if difference > LARGEST_DIFFERENCE and not int8:
            raise InputError(
                f"Keras and ONNX Runtime must agree to {LARGEST_DIFFERENCE:g} on probabilities, they differ by "
                f"{difference:.2g}; nothing was written to {out}"
            )
        small = np.stack([prepare(frame, SequenceSpec(size=SAMPLE_SIDE)) for frame in sample])
        expected = engine.classify(encode_whole(engine, small)[None])[0][0]
        bundle = replace(bundle, sample=Sample.of(small, expected))
        bundle.save()
        OnnxEngine(load_bundle(folder))  # runs the stored sample
        out.mkdir(exist_ok=True)
        for path in sorted(folder.iterdir()):
            shutil.move(path, out / path.name)
    loaded = load_bundle(out)
    size = sum((out / graph.file).stat().st_size for graph in (loaded.encoder, loaded.head))
    return ExportReport(loaded, size, difference, len(sequences), int8)


def check_free(out: Path) -> None:
    """Raises InputError when no bundle can be written there; called before long work."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not an empty folder; name another one for the model")
    if not out.absolute().parent.is_dir():
        raise InputError(f"the folder {out.absolute().parent} does not exist; make it first")


def largest_difference(
    engine: OnnxEngine, full: keras.Model, sequences: Sequence[NDArray[np.uint8]]
) -> float:
    """Largest difference of probabilities between the bundle and the network it came from.

    Of those of whole windows, and of windows that a stream continues frame by frame.
    """
    worst = 0.0
    for sequence in sequences:
        pixels = to_unit_range(sequence)
        features = engine.encode(pixels)
        ours = [engine.classify(features[None])[0][0]]
        streaming = streaming_head_of(engine, features[0])
        if streaming is not None and len(features) > 1:
            ours.append([streaming.push(feature)[0] for feature in features[1:]][-1])
        views = whole_squares(len(pixels))[None]
        inputs = [pixels[None], views] if len(full.inputs) > 1 else pixels[None]
        theirs = np.asarray(full.predict_on_batch(inputs))[0]
        worst = max(worst, *(float(np.abs(found - theirs).max()) for found in ours))
    return worst


def to_onnx(model: keras.Model, path: Path) -> None:
    """Keras model -> ONNX file: converted, then simplified (see `frame_graph`)."""
    import onnx
    import onnxruntime

    raw = path.with_suffix(".raw.onnx")
    black = [np.zeros((1, *tensor.shape[1:]), np.float32) for tensor in model.inputs]
    model(black if len(black) > 1 else black[0])
    # The converter logs a traceback where one of its optional clean-ups fails; ONNX Runtime does that work below.
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.export(str(raw), format="onnx", verbose=False)
    # Batch norm and constants are folded by ONNX Runtime.
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(raw), options, providers=["CPUExecutionProvider"])
    raw.unlink()
    _save(simplify_frames(onnx.load(str(path))), path)


def write_head(head: HeadWeights, path: Path) -> None:
    """A sequence head's weights -> ONNX file."""
    _save(head_graph(head), path)


def _save(model: Any, path: Path) -> None:
    import onnx

    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def _roles(path: Path, encoder: keras.Model) -> dict[str, str]:
    """Role -> name of the graph's output. A single one without a name is the projection."""
    import onnx

    names = [value.name for value in onnx.load(str(path), load_external_data=False).graph.output]
    if not isinstance(encoder.output, dict):
        return {"projection": names[0]}
    if not set(encoder.output) <= set(names):
        raise InputError(f"the exported graph names its outputs {names}, expected {sorted(encoder.output)}")
    return {role: role for role in encoder.output}
