"""A bundle at work in ONNX Runtime."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from exerlitenet.errors import InputError
from exerlitenet.recognition.bundle import SAMPLE_TOLERANCE, Bundle, Graph
from exerlitenet.recognition.engine import Floats, no_joints, whole_squares
from exerlitenet.recognition.frame_encoder import encode_whole
from exerlitenet.recognition.streaming_head import NEXT, StreamingHead

if TYPE_CHECKING:
    import onnxruntime


class OnnxEngine:
    """See `Engine`. One thread by default: two are slower on this network.

    Raises InputError when a graph cannot be run here, or does not give the stored sample's output.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1, check: bool = True) -> None:
        self.bundle = bundle
        self.name, self.classes = bundle.name, bundle.classes
        self.spec, self.phase_delay = bundle.spec, bundle.phase_delay
        self._threads = threads
        if check:
            self.check_sample()

    def encode(self, pixels: Floats) -> Floats:
        graph = self.bundle.encoder
        if graph.views:
            return self.encode_crops(pixels, whole_squares(len(pixels)))[0]
        [features] = self._encoder.run([graph.outputs["projection"]], {graph.input: pixels})
        return np.asarray(features, np.float32)

    def encode_crops(self, pixels: Floats, crops: Floats) -> tuple[Floats, Floats]:
        graph = self.bundle.encoder
        if not graph.views:
            raise no_joints(self.name)
        outputs = [graph.outputs["projection"], graph.outputs["joints"]]
        features, joints = self._encoder.run(outputs, {graph.input: pixels, graph.views: crops})
        return np.asarray(features, np.float32), np.asarray(joints, np.float32)

    def classify(self, windows: Floats) -> tuple[Floats, Floats | None]:
        return self._run_head(windows, {}, [])[:2]

    def streaming_head(self, first: Floats) -> StreamingHead | None:
        """See `streaming_head_of`. None where the head takes whole windows only."""
        return StreamingHead(self, first, self.spec.frames) if self._states else None

    def step(
        self, features: Floats, states: list[Floats] | None
    ) -> tuple[Floats, Floats | None, list[Floats]]:
        """See `streaming_head.SteppingHead`."""
        given = {} if states is None else dict(zip(self._states, states, strict=True))
        return self._run_head(features, given, [name + NEXT for name in self._states])

    def _run_head(
        self, features: Floats, states: dict[str, Floats], wanted: list[str]
    ) -> tuple[Floats, Floats | None, list[Floats]]:
        graph = self.bundle.head
        roles = [role for role in ("probabilities", "phase") if role in graph.outputs]
        names = [graph.outputs[role] for role in roles]
        out = self._head.run([*names, *wanted], {graph.input: features, **states})
        found = dict(zip(roles, out, strict=False))
        return found["probabilities"], found.get("phase"), out[len(roles) :]

    def check_sample(self) -> None:
        """Runs the stored sample and compares; without one, a black window, to see that the graphs fit the card.

        Raises InputError when they do not fit, or give something else.
        """
        sample = self.bundle.sample
        folder, spec = self.bundle.folder, self.spec
        try:
            frames = (
                np.zeros((spec.frames, spec.size, spec.size, 3), np.uint8)
                if sample is None
                else sample.frames()
            )
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as fault:
            # Pillow raises any of these on a picture that is cut off, garbled or absurdly large.
            raise InputError(
                f"the stored sample of the model in {folder} is damaged: {_first_line(fault)}; export it again"
            ) from fault
        try:
            probabilities = self.classify(encode_whole(self, frames)[None])[0][0]
        except Exception as fault:
            # KeyError and ValueError: names that the card and the graphs do not share.
            if not (
                isinstance(fault, KeyError | ValueError) or type(fault).__module__.startswith("onnxruntime")
            ):
                raise
            raise InputError(f"the graphs in {folder} do not fit its card: {_first_line(fault)}") from fault
        if probabilities.shape != (len(self.classes),):
            raise InputError(
                f"the graphs in {folder} do not fit its card: {len(self.classes)} classes, but "
                f"{probabilities.size} probabilities; export it again"
            )
        if sample is None:
            return
        expected = np.array(sample.probabilities, np.float32)
        if probabilities.shape != expected.shape or not np.allclose(
            probabilities, expected, atol=SAMPLE_TOLERANCE
        ):
            raise InputError(
                f"the model in {folder} does not give its stored sample's output: expected "
                f"{np.round(expected, 4).tolist()}, got {np.round(probabilities, 4).tolist()}; export it again"
            )

    @cached_property
    def _encoder(self) -> onnxruntime.InferenceSession:
        return self._session(self.bundle.encoder)

    @cached_property
    def _head(self) -> onnxruntime.InferenceSession:
        return self._session(self.bundle.head)

    @cached_property
    def _states(self) -> tuple[str, ...]:
        """Inputs of the head that may be left out, and whose values after a frame are outputs."""
        names = {value.name for value in self._head.get_outputs()}
        optional = [value.name for value in self._head.get_overridable_initializers()]
        return tuple(name for name in optional if name + NEXT in names)

    def _session(self, graph: Graph) -> Any:
        path = self.bundle.folder / graph.file
        try:
            return session_of(path, self._threads)
        except Exception as fault:
            if not type(fault).__module__.startswith("onnxruntime"):
                raise
            raise InputError(f"{path} is not an ONNX graph that runs here: {_first_line(fault)}") from fault


def session_of(path: Path, threads: int = 1) -> Any:
    """A graph in ONNX Runtime, on the processor."""
    import onnxruntime

    # For a program that had imported ONNX Runtime before this package could switch its reports off.
    getattr(onnxruntime, "disable_telemetry_events", lambda: None)()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Weights that are stored as int8 become float32 once, on loading, not at every run.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _first_line(fault: Exception) -> str:
    return str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
