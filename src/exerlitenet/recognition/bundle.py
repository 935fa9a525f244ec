"""A model on disk: two ONNX graphs and model.json, which says everything else that is needed to use it.

model.json holds classes, rate and preprocessing, the graphs' names with their hashes, thresholds, metrics,
provenance, and a stored sample with its expected output, so that a bundle proves on loading that it works here.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exerlitenet.errors import InputError
from exerlitenet.files import write_atomically
from exerlitenet.recognition.repetitions import CountingThresholds
from exerlitenet.recognition.segments import SegmentThresholds
from exerlitenet.video.sequence import SequenceSpec

FORMAT = "exerlitenet-bundle"
VERSION = 1
CARD = "model.json"
# Processors add numbers up in different orders; a wrong file is off by far more.
SAMPLE_TOLERANCE = 2e-3


@dataclass(frozen=True)
class Graph:
    """One ONNX graph: its file, the file's sha256, and the names of its input and outputs.

    views: name of a second input, [n, 3], the frames' crops; empty where there is none.
    outputs: role -> name. Encoder: "projection", perhaps "joints". Head: "probabilities", perhaps "phase".
    """

    file: str
    sha256: str
    input: str
    outputs: Mapping[str, str]
    views: str = ""


@dataclass(frozen=True)
class Sample:
    """A stored sequence with what the model says of it.

    strip: PNG of the window's frames side by side, small; `frames` brings them to the model's size.
    probabilities: expected, in the order of the classes.
    """

    strip: bytes
    count: int
    probabilities: tuple[float, ...]

    def frames(self) -> NDArray[np.uint8]:
        """uint8 [count, side, side, 3]."""
        picture = np.asarray(Image.open(io.BytesIO(self.strip)).convert("RGB"))
        return np.stack(np.split(picture, self.count, axis=1))

    @classmethod
    def of(cls, frames: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> Sample:
        """frames: uint8 [count, side, side, 3]."""
        buffer = io.BytesIO()
        Image.fromarray(np.concatenate(list(frames), axis=1)).save(buffer, "PNG", optimize=True)
        return cls(buffer.getvalue(), len(frames), tuple(round(float(p), 6) for p in probabilities))


@dataclass(frozen=True)
class Bundle:
    """Everything about a model but the computing.

    folder: where the graphs are.
    phase_delay: ticks by which the phase is behind the window's last frame.
    metrics, provenance: as its card shows them.
    """

    folder: Path
    name: str
    classes: tuple[str, ...]
    spec: SequenceSpec
    encoder: Graph
    head: Graph
    phase_delay: int = 0
    segment_thresholds: SegmentThresholds = field(default_factory=SegmentThresholds)
    counting_thresholds: CountingThresholds = field(default_factory=CountingThresholds)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    sample: Sample | None = None

    def save(self) -> None:
        """Writes model.json beside the graphs; it replaces an older one in one step."""
        card: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "classes": list(self.classes),
            "sequence": asdict(self.spec) | {"range": [0.0, 1.0], "colour": "RGB"},
            "encoder": asdict(self.encoder),
            "head": asdict(self.head),
            "phase_delay": self.phase_delay,
            "thresholds": {
                "segments": self.segment_thresholds.to_dict(),
                "counting": self.counting_thresholds.to_dict(),
            },
            "metrics": dict(self.metrics),
            "provenance": dict(self.provenance),
        }
        if self.sample is not None:
            card["sample"] = {
                "strip_png": base64.b64encode(self.sample.strip).decode(),
                "count": self.sample.count,
                "probabilities": list(self.sample.probabilities),
            }
        write_atomically(self.folder / CARD, json.dumps(card, indent=1) + "\n")


def default_folder() -> Path:
    """Where the model that ships with the package is."""
    return Path(str(resources.files("exerlitenet") / "models" / "default"))


def graph_of(path: Path, input_name: str, outputs: Mapping[str, str], views: str = "") -> Graph:
    """Describes a graph that was just written."""
    return Graph(path.name, _sha256(path), input_name, dict(outputs), views)


def load_bundle(folder: str | Path | None = None) -> Bundle:
    """Reads and checks model.json and the graphs' hashes. Without a folder, the model that ships.

    Raises InputError when the folder is no bundle, or is damaged, changed, or made for another version.
    """
    folder = default_folder() if folder is None else Path(folder)
    path = folder / CARD
    if not path.is_file():
        raise InputError(f"a model is a folder with {CARD} and two ONNX graphs; {folder} has no {CARD}")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise InputError(f"{path} is damaged or not a model card: {fault}; export the model again") from fault
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise InputError(f'{path} is not an ExerLiteNet model: expected "format": "{FORMAT}"')
    if card.get("version") != VERSION:
        raise InputError(
            f"{path} has bundle version {card.get('version')!r}, this program reads {VERSION}; "
            "export the model again, or install the matching release"
        )
    try:
        bundle = _parse(folder, card)
        _check_sizes(bundle)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as fault:
        raise InputError(
            f"{path} is incomplete or changed by hand ({fault!r}); export the model again"
        ) from fault
    for graph in (bundle.encoder, bundle.head):
        _check_hash(folder, graph)
    return bundle


def _parse(folder: Path, card: Mapping[str, Any]) -> Bundle:
    sequence = card["sequence"]
    thresholds = card["thresholds"]
    sample = card.get("sample")
    return Bundle(
        folder=folder,
        name=str(card["name"]),
        classes=tuple(str(name) for name in card["classes"]),
        spec=SequenceSpec(
            frames=int(sequence["frames"]),
            rate=float(sequence["rate"]),
            size=int(sequence["size"]),
            aspect=sequence["aspect"],
            source_short_side=int(sequence["source_short_side"]),
            least_frames=int(sequence.get("least_frames", 0)),
        ),
        encoder=_graph(card["encoder"]),
        head=_graph(card["head"]),
        phase_delay=int(card["phase_delay"]),
        segment_thresholds=SegmentThresholds.from_dict(thresholds["segments"]),
        counting_thresholds=CountingThresholds.from_dict(thresholds["counting"]),
        metrics=card["metrics"],
        provenance=card["provenance"],
        sample=None
        if sample is None
        else Sample(
            base64.b64decode(sample["strip_png"], validate=True),
            int(sample["count"]),
            tuple(float(p) for p in sample["probabilities"]),
        ),
    )


def _graph(entry: Mapping[str, Any]) -> Graph:
    file = str(entry["file"])
    if Path(file).name != file:
        raise ValueError(f"a graph's file must be in the bundle's folder, got {file!r}")
    return Graph(
        file, str(entry["sha256"]), str(entry["input"]), dict(entry["outputs"]), str(entry.get("views", ""))
    )


def _check_sizes(bundle: Bundle) -> None:
    """Raises ValueError for numbers that no export writes."""
    if not bundle.classes or len(set(bundle.classes)) < len(bundle.classes):
        raise ValueError(f"classes must be names, each once, got {list(bundle.classes)}")
    if not 0 <= bundle.phase_delay < bundle.spec.frames:
        raise ValueError(f"phase_delay must be within the window, got {bundle.phase_delay}")
    follows = bundle.spec.aspect == "follow"
    if follows != bool(bundle.encoder.views) or (follows and "joints" not in bundle.encoder.outputs):
        raise ValueError('a model that follows, and no other, has an encoder with "views" and "joints"')
    if bundle.sample is not None and bundle.sample.count != bundle.spec.frames:
        raise ValueError(f"the sample must hold {bundle.spec.frames} frames, got {bundle.sample.count}")


def _check_hash(folder: Path, graph: Graph) -> None:
    path = folder / graph.file
    if not path.is_file():
        raise InputError(
            f"the model in {folder} lacks {graph.file}; export it again, or copy the whole folder"
        )
    try:
        found = _sha256(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror or error}); check its access rights"
        ) from error
    if found != graph.sha256:
        raise InputError(
            f"{path} is not the file that {CARD} was made with (its sha256 differs): it is cut short or was changed; "
            "export the model again, or copy the whole folder"
        )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
