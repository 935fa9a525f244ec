"""Tiny models that tests make without Keras: green pictures are squats, red ones curls, dark ones nothing.

Blue is the phase of the repetition. Small enough to be worked out by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from clips import write_clip
from exerlitenet.recognition.bundle import Bundle, Sample, graph_of
from exerlitenet.recognition.frame_encoder import encode_whole
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.recognition.repetitions import CountingThresholds
from exerlitenet.results import Frame
from exerlitenet.video.sequence import SequenceSpec

Rgb = NDArray[np.uint8]
CLASSES = ("squat", "biceps_curl", "none")
SPEC = SequenceSpec(frames=15, rate=7.5, size=32, source_short_side=48)
FOLLOW_SPEC = replace(SPEC, aspect="follow")
JOINTS = np.stack([np.linspace(-0.1, 0.1, 13), np.linspace(0.15, -0.15, 13)], axis=-1).astype(np.float32)
"""Where the joints of a model that follows lie about the middle of the light, in parts of its view."""
WIDTH = 8
PHASE_DELAY = 2
SQUAT: tuple[int, int, int] = (20, 200, 0)
CURL: tuple[int, int, int] = (200, 20, 0)
NOTHING: tuple[int, int, int] = (20, 20, 0)


def write_bundle(
    folder: Path,
    *,
    spec: SequenceSpec = SPEC,
    phase: bool = True,
    provenance: dict[str, object] | None = None,
    sample: bool = True,
) -> Path:
    """A whole bundle in `folder`, which is made. Later frames of a window weigh more, so their order matters.

    phase: whether the head gives it; without it nothing is counted.
    spec: one that follows gets an encoder that takes light for a person.
    """
    folder.mkdir(parents=True)
    path, roles = folder / "encoder.onnx", {"projection": "features"}
    if spec.aspect == "follow":
        write_following_encoder(path, spec.size)
        encoder = graph_of(path, "pixels", roles | {"joints": "joints"}, "views")
    else:
        write_encoder(path, spec.size)
        encoder = graph_of(path, "pixels", roles)
    write_head(folder / "head.onnx", spec.frames, phase)
    roles = {"probabilities": "probabilities"} | ({"phase": "phase"} if phase else {})
    bundle = Bundle(
        folder=folder,
        name="tiny",
        classes=CLASSES,
        spec=spec,
        encoder=encoder,
        head=graph_of(folder / "head.onnx", "windows", roles),
        phase_delay=PHASE_DELAY if phase else 0,
        counting_thresholds=CountingThresholds(smooth_s=0.05),
        metrics={"validation": {"accuracy": 1.0}},
        provenance=provenance or {},
    )
    if sample:
        rng = np.random.default_rng(0)
        frames = rng.integers(0, 256, (spec.frames, 8, 8, 3), dtype=np.uint8)
        engine = OnnxEngine(bundle, check=False)
        expected = engine.classify(encode_whole(engine, frames)[None])[0][0]
        bundle = replace(bundle, sample=Sample.of(frames, expected))
    bundle.save()
    return folder


def write_encoder(path: Path, size: int) -> None:
    """Pixels [n, size, size, 3] -> features [n, 8]: mean red, green, blue, and five numbers that are 0."""
    weights = np.zeros((3, WIDTH), np.float32)
    weights[:3, :3] = np.eye(3)
    nodes = [
        helper.make_node("ReduceMean", ["pixels", "axes"], ["colour"], keepdims=0),
        helper.make_node("MatMul", ["colour", "weights"], ["features"]),
    ]
    constants = [_constant("axes", np.array([1, 2], np.int64)), _constant("weights", weights)]
    _write(path, nodes, constants, {"pixels": ["n", size, size, 3]}, {"features": ["n", WIDTH]})


def write_following_encoder(path: Path, size: int) -> None:
    """Pixels [n, size, size, 3] and views [n, 3] -> features [n, 8] and joints [n, 13, 6].

    Features: mean red, green, blue, then the view's x, y, side, and two numbers that are 0. Joints: `JOINTS` about
    the middle of all light, visible where at least a hundredth of the picture is as light as white.
    """
    colour, view = np.zeros((3, WIDTH), np.float32), np.zeros((3, WIDTH), np.float32)
    colour[:3, :3] = view[:3, 3:6] = np.eye(3)
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size
    x, y = np.meshgrid(centres, centres)
    sums = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3).repeat(3, axis=0) / 3
    nodes = [
        helper.make_node("ReduceMean", ["pixels", "plane"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "colour"], ["of_colour"]),
        helper.make_node("MatMul", ["views", "view"], ["of_view"]),
        helper.make_node("Add", ["of_colour", "of_view"], ["features"]),
        helper.make_node("Reshape", ["pixels", "flat"], ["values"]),
        helper.make_node("MatMul", ["values", "sums"], ["moments"]),
        helper.make_node("Split", ["moments", "parts"], ["first", "light"], axis=1),
        helper.make_node("Add", ["light", "little"], ["safe"]),
        helper.make_node("Div", ["first", "safe"], ["middle"]),
        helper.make_node("Unsqueeze", ["middle", "one"], ["middles"]),
        helper.make_node("Add", ["middles", "pattern"], ["place"]),
        helper.make_node("Mul", ["light", "enough"], ["sure"]),
        helper.make_node("Clip", ["sure", "zero", "most"], ["seen"]),
        helper.make_node("Unsqueeze", ["seen", "one"], ["seen_by_all"]),
        helper.make_node("Mul", ["seen_by_all", "rest"], ["others"]),
        helper.make_node("Concat", ["place", "others"], ["joints"], axis=-1),
    ]
    rest = np.zeros((len(JOINTS), 4), np.float32)
    rest[:, 0] = 1
    constants = [
        _constant("plane", np.array([1, 2], np.int64)),
        _constant("colour", colour),
        _constant("view", view),
        _constant("flat", np.array([-1, size * size * 3], np.int64)),
        _constant("sums", sums.astype(np.float32)),
        _constant("parts", np.array([2, 1], np.int64)),
        _constant("little", np.array(1e-6, np.float32)),
        _constant("one", np.array([1], np.int64)),
        _constant("pattern", JOINTS[None]),
        _constant("enough", np.array(100 / size**2, np.float32)),
        _constant("zero", np.array(0, np.float32)),
        _constant("most", np.array(1, np.float32)),
        _constant("rest", rest[None]),
    ]
    given: dict[str, list[object]] = {"pixels": ["n", size, size, 3], "views": ["n", 3]}
    _write(path, nodes, constants, given, {"features": ["n", WIDTH], "joints": ["n", len(JOINTS), 6]})


def write_head(path: Path, frames: int, phase: bool) -> None:
    """Windows [n, frames, 8] -> probabilities [n, 3] and phase [n, frames], blue of the frame PHASE_DELAY ago."""
    recent = np.linspace(0.5, 1.5, frames, dtype=np.float32).reshape(1, frames, 1) / frames
    weights = np.zeros((WIDTH, len(CLASSES)), np.float32)
    weights[1, 0] = weights[0, 1] = 20
    nodes = [
        helper.make_node("Mul", ["windows", "recent"], ["weighed"]),
        helper.make_node("ReduceSum", ["weighed", "axes"], ["colour"], keepdims=0),
        helper.make_node("MatMul", ["colour", "weights"], ["raw"]),
        helper.make_node("Add", ["raw", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
    ]
    constants = [
        _constant("recent", recent),
        _constant("axes", np.array([1], np.int64)),
        _constant("weights", weights),
        _constant("bias", np.array([0, 0, 8], np.float32)),
    ]
    outputs: dict[str, list[object]] = {"probabilities": ["n", len(CLASSES)]}
    if phase:
        nodes += [
            helper.make_node("Gather", ["windows", "places"], ["frames"], axis=1),
            helper.make_node("Gather", ["frames", "blue"], ["phase"], axis=2),
        ]
        constants += [
            _constant("places", np.maximum(np.arange(frames) - PHASE_DELAY, 0)),
            _constant("blue", np.array(2, np.int64)),
        ]
        outputs["phase"] = ["n", frames]
    _write(path, nodes, constants, {"windows": ["n", frames, WIDTH]}, outputs)


def still(colour: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> Rgb:
    """An even picture; size: width, height."""
    return np.full((size[1], size[0], 3), colour, np.uint8)


def swinging(colour: tuple[int, int, int], repetitions: int, seconds: float, fps: float = 15) -> list[Rgb]:
    """Pictures of an exercise: blue swings so often from 0 to 200 and back."""
    count = round(seconds * fps)
    swing = 0.5 - 0.5 * np.cos(2 * np.pi * repetitions * np.arange(count) / count)
    return [still((colour[0], colour[1], round(200 * float(s)))) for s in swing]


def workout_pictures(fps: float = 15) -> list[Rgb]:
    """3 s of nothing, 4 squats in 8 s, 3 s of nothing, 5 curls in 10 s, 2 s of nothing."""
    pause = [still(NOTHING)]
    return [
        *pause * round(3 * fps),
        *swinging(SQUAT, 4, 8, fps),
        *pause * round(3 * fps),
        *swinging(CURL, 5, 10, fps),
        *pause * round(2 * fps),
    ]


def write_workout(path: Path, fps: float = 15) -> Path:
    """The same as a video."""
    return write_clip(path, workout_pictures(fps), fps=fps)


def frames_of(pictures: Sequence[Rgb], fps: float) -> list[Frame]:
    """Pictures with their times."""
    return [Frame(k / fps, rgb) for k, rgb in enumerate(pictures)]


class CountingEngine:
    """An engine that notes how many frames it was asked to encode."""

    def __init__(self, engine: OnnxEngine, before: Callable[[], None] | None = None) -> None:
        self._engine = engine
        self._before = before
        self.encoded = 0
        self.name, self.classes = engine.name, engine.classes
        self.spec, self.phase_delay = engine.spec, engine.phase_delay

    def encode(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._before is not None:
            self._before()
        self.encoded += len(pixels)
        return self._engine.encode(pixels)

    def encode_crops(
        self, pixels: NDArray[np.float32], views: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if self._before is not None:
            self._before()
        self.encoded += len(pixels)
        return self._engine.encode_crops(pixels, views)

    def classify(
        self, windows: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        return self._engine.classify(windows)


def _constant(name: str, values: NDArray[np.generic]) -> TensorProto:
    return numpy_helper.from_array(np.asarray(values), name)


def _write(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: list[TensorProto],
    given: dict[str, list[object]],
    outputs: dict[str, list[object]],
) -> None:
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in given.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
