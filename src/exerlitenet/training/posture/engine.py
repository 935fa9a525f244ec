"""The default model as a whole: frame network and sequence head joined, and at work behind recognition's Engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from exerlitenet.errors import InputError
from exerlitenet.recognition.engine import Floats, whole_squares
from exerlitenet.recognition.repetitions import CountingThresholds
from exerlitenet.recognition.segments import SegmentThresholds
from exerlitenet.training.config import Config
from exerlitenet.training.posture.head import Head, HeadConfig, build_head, frame_encoder, sequence_head
from exerlitenet.training.posture.network import build_posture, in_picture
from exerlitenet.training.run import Run
from exerlitenet.training.weights import check_trained, load_weights
from exerlitenet.video.sequence import SequenceSpec

if TYPE_CHECKING:
    import keras


PHASES = ("posture", "head")


SEGMENTS = SegmentThresholds(enter=0.75, leave=0.1, least_s=1.0, smooth_s=0.4, merge_gap_s=4.0)
"""A set is entered on good evidence and left on good evidence: people pause between repetitions."""

COUNTING = CountingThresholds(rise=0.5, fall=0.3, least_amplitude=0.18, smooth_s=0.08)
"""The phase of a stranger is shallower than that of people who were learned from."""


@dataclass(frozen=True)
class PostureNetwork:
    """full: pixels [b, frames, size, size, 3] in [0,1] and views [b, frames, 3] -> probabilities [b, classes].
    posture, head: its parts.

    backbone: what runs on one frame, as descriptions call it.
    """

    full: keras.Model
    posture: keras.Model
    head: Head

    @property
    def backbone(self) -> keras.Model:
        return self.posture

    @property
    def phases(self) -> tuple[str, str]:
        """What the phases of training are called: all of the frame network learns, then the head alone."""
        return PHASES

    def set_trainable(self, phase: str) -> None:
        """Sets what learns in one of `phases`."""
        if phase not in PHASES:
            raise InputError(f"the phases of this network are {' and '.join(PHASES)}, got {phase!r}")
        self.posture.trainable = phase == PHASES[0]
        self.head.network.trainable = phase == PHASES[1]


def build_posture_network(config: Config) -> PostureNetwork:
    """An untrained default model of a configuration with `model.kind = "posture"`.

    Raises InputError for a configuration that this family cannot follow.
    """
    import keras
    from keras import ops

    check_family(config)
    spec = config.sequence
    posture = build_posture(spec.size, None)
    head = build_head(HeadConfig.from_mapping(config.extra.get("head", {})), spec.frames, len(config.classes))
    pixels = keras.Input((spec.frames, spec.size, spec.size, 3), name="sequence")
    views = keras.Input((spec.frames, 3), name="views")
    seen = posture(ops.reshape(pixels, (-1, spec.size, spec.size, 3)), training=False)
    joints = in_picture(seen["joints"], ops.reshape(views, (-1, 3)))
    inputs = [
        ops.reshape(values, (-1, spec.frames, *values.shape[1:])) for values in (joints, seen["context"])
    ]
    probabilities = head.network(inputs)["classes"]
    return PostureNetwork(keras.Model([pixels, views], probabilities, name="default"), posture, head)


def check_family(config: Config) -> None:
    """Raises InputError for what this family has only one way of, set to another."""
    asked = {
        "model.kind": (config.model.kind, "posture"),
        "model.backbone": (config.model.backbone, "MobileNetV3Small"),
        "sequence.aspect": (config.sequence.aspect, "follow"),
    }
    for key, (got, expected) in asked.items():
        if got != expected:
            raise InputError(f'{key} must be "{expected}" where model.kind is "posture", got "{got}"')
    if config.phases:
        raise InputError(
            '[[phases]] is not for model.kind "posture"; set posture.stages and [head] in its place'
        )
    if config.sequence.size % 32:
        raise InputError(f"sequence.size must be a multiple of 32, got {config.sequence.size}")
    head = HeadConfig.from_mapping(config.extra.get("head", {}))
    if head.phase_delay >= config.sequence.frames:
        raise InputError(
            f"head.phase_delay must be less than sequence.frames, {config.sequence.frames}, got {head.phase_delay}"
        )


def load_posture_network(run: Run) -> PostureNetwork:
    """A run's network with its weights. Raises InputError when they are missing or do not fit."""
    check_trained(run)
    network = build_posture_network(run.config)
    load_weights(network.full, run.best_weights, "the run's network")
    return network


class PostureEngine:
    """The network at work through Keras, so that a run is judged by the same recogniser as a bundle."""

    def __init__(self, network: PostureNetwork, config: Config) -> None:
        self._config = config
        self._delay = network.head.config.phase_delay
        self._encoder = frame_encoder(network.posture, network.head)
        self._head = sequence_head(network.head)

    @property
    def name(self) -> str:
        return self._config.name

    @property
    def classes(self) -> tuple[str, ...]:
        return self._config.classes

    @property
    def spec(self) -> SequenceSpec:
        return self._config.sequence

    @property
    def phase_delay(self) -> int:
        return self._delay

    def encode(self, pixels: Floats) -> Floats:
        """Frames to features: float32 [n, size, size, 3] in [0,1] -> float32 [n, width]."""
        return self.encode_crops(pixels, whole_squares(len(pixels)))[0]

    def encode_crops(self, pixels: Floats, views: Floats) -> tuple[Floats, Floats]:
        """Frames that show views: features float32 [n, width] and joints float32 [n, 13, 6]."""
        out: Any = self._encoder.predict_on_batch([pixels, views])
        return np.asarray(out["projection"], np.float32), np.asarray(out["joints"], np.float32)

    def classify(self, windows: Floats) -> tuple[Floats, Floats | None]:
        """Windows of features float32 [n, frames, width] -> probabilities [n, classes] and phases [n, frames]."""
        out: Any = self._head.predict_on_batch(windows)
        return np.asarray(out["probabilities"], np.float32), np.asarray(out["phase"], np.float32)
